"""A line chart with logarithmic axes, as SVG that is legible on a light page and on a dark one."""

import html
import math
from fractions import Fraction

WIDTH, HEIGHT = 912, 480
LEFT, RIGHT, TOP, BOTTOM = 72, 232, 48, 56

# A hue a library, for light and for dark; dashes where it goes through shared memory, dots where it is none.
STYLES = {
    "ring": ("#cf222e", "#ff7b72", 3, ""),
    "bare-ring": ("#57606a", "#8b949e", 1.8, "2 3"),
    "openmpi-tcp": ("#0969da", "#58a6ff", 1.8, ""),
    "openmpi-shm": ("#0969da", "#58a6ff", 1.8, "6 4"),
    "mpich-tcp": ("#1a7f37", "#56d364", 1.8, ""),
    "mpich-shm": ("#1a7f37", "#56d364", 1.8, "6 4"),
    "gloo": ("#9a6700", "#e3b341", 1.8, ""),
    "mlx": ("#8250df", "#d2a8ff", 1.8, ""),
}


def chart(title, y_title, lines, size_text, least_share=0):
    """Draws the lines, each (key, title, [(size in bytes, value)]), into one SVG document.

    `least_share` cuts off what is below this share of the largest value.
    """
    points = [point for _, _, line in lines for point in line]
    if not points:
        raise ValueError("a chart of no points")
    x_axis = Axis([x for x, _ in points], LEFT, WIDTH - RIGHT)
    largest = max(y for _, y in points)
    y_values = [y for _, y in points if y >= largest * least_share]
    ticks = round_numbers(min(y_values), largest)
    y_axis = Axis([ticks[0], ticks[-1]], HEIGHT - BOTTOM, TOP)
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" aria-label="{html.escape(title)}">',
        style_sheet(),
        f'<rect class="page" width="{WIDTH}" height="{HEIGHT}" rx="6"/>',
        text(LEFT, 28, title, "title"),
        text(18, (TOP + HEIGHT - BOTTOM) / 2, y_title, "axis", anchor="middle", turned=True),
        text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, "size of the buffer", "axis", anchor="middle"),
        *grid(x_axis, y_axis, sorted({x for x, _ in points}), ticks, size_text),
        f'<clipPath id="plot"><rect x="{LEFT - 6}" y="{TOP - 6}" width="{WIDTH - LEFT - RIGHT + 12}" '
        f'height="{HEIGHT - TOP - BOTTOM + 6}"/></clipPath>',
        # Ours last, to lie on top.
        *(drawn for line in reversed(lines) for drawn in curve(line, x_axis, y_axis)),
        *labels(lines, x_axis, y_axis),
        "</svg>", "",
    ])


def round_numbers(low, high):
    """1, 2, 5, 10, 20, ... from below the lowest value to above the highest."""
    numbers = [Fraction(10) ** exponent * digit for exponent in range(-9, 13) for digit in (1, 2, 5)]
    first = max(index for index, number in enumerate(numbers) if index == 0 or number <= low)
    last = min(index for index, number in enumerate(numbers) if index == len(numbers) - 1 or number >= high)
    return numbers[first:max(last, first + 1) + 1]


class Axis:
    """Maps values to places by their logarithms."""

    def __init__(self, values, start, end):
        self.low, high = (math.log(bound) for bound in (min(values), max(values)))
        self.high = max(high, self.low + 1e-6)
        self.start, self.end = start, end

    def place(self, value):
        share = (math.log(value) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def style_sheet():
    light = "".join(f".{key} {{ --line: {style[0]}; }} " for key, style in STYLES.items())
    dark = "".join(f".{key} {{ --line: {style[1]}; }} " for key, style in STYLES.items())
    strokes = "".join(
        f"path.{key} {{ stroke-width: {width};{f' stroke-dasharray: {dashes};' if dashes else ''} }} "
        for key, (_, _, width, dashes) in STYLES.items())
    return (
        "<style>"
        "svg { --page: #ffffff; --ink: #1f2328; --faint: #d8dee4; font: 13px system-ui, sans-serif; } "
        f"{light}"
        f"@media (prefers-color-scheme: dark) {{ svg {{ --page: #0d1117; --ink: #e6edf3; --faint: #30363d; }} {dark}}} "
        ".page { fill: var(--page); } text { fill: var(--ink); } .title { font-size: 15px; font-weight: 600; } "
        ".grid { stroke: var(--faint); stroke-width: 1; } .axis { font-size: 12px; } "
        "path { fill: none; stroke: var(--line); stroke-linejoin: round; } circle { fill: var(--line); } "
        "text.name { fill: var(--line); font-weight: 600; } "
        f".leader {{ stroke-width: 1 !important; opacity: 0.6; }} {strokes}"
        "</style>")


def text(x, y, content, classes, anchor="start", turned=False):
    turn = f' transform="rotate(-90 {x:g} {y:g})"' if turned else ""
    return f'<text x="{x:g}" y="{y:g}" class="{classes}" text-anchor="{anchor}"{turn}>{html.escape(content)}</text>'


def grid(x_axis, y_axis, sizes, ticks, size_text):
    # Every other size has a name where there are many, the largest always.
    every = 2 if len(sizes) > 8 else 1
    for index, size in enumerate(sizes):
        x = x_axis.place(size)
        yield f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}"/>'
        if (len(sizes) - 1 - index) % every == 0:
            yield text(round(x, 1), HEIGHT - BOTTOM + 18, size_text(size), "axis", anchor="middle")
    # Only powers of ten where there are many.
    named = [tick for tick in ticks if len(ticks) < 13 or is_power_of_ten(tick)]
    for tick in named:
        y = y_axis.place(tick)
        yield f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>'
        yield text(LEFT - 8, round(y + 4, 1), f"{int(tick):,}" if tick >= 1 else f"{float(tick):g}", "axis", anchor="end")


def is_power_of_ten(tick):
    return str(max(tick.numerator, tick.denominator)).strip("0") == "1" and 1 in (tick.numerator, tick.denominator)


def curve(line, x_axis, y_axis):
    key, _, points = line
    if not points:
        return
    places = [(x_axis.place(x), y_axis.place(y)) for x, y in points]
    steps = " L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{4 if key == "ring" else 3}"/>' for x, y in places)
    yield f'<g class="{key}" clip-path="url(#plot)"><path class="{key}" d="M{steps}"/>{dots}</g>'


def labels(lines, x_axis, y_axis):
    """The names at the lines' right ends, moved apart where they would overlap."""
    apart = 18
    ends = sorted((y_axis.place(points[-1][1]), points[-1][0], key, title) for key, title, points in lines if points)
    places = []
    for wanted, *_ in ends:
        places.append(max(wanted, places[-1] + apart) if places else wanted)
    # Moved up again together, as far as what was moved down hangs below.
    for index in range(len(places) - 1, -1, -1):
        limit = places[index + 1] - apart if index + 1 < len(places) else HEIGHT - BOTTOM
        places[index] = min(places[index], limit)
    for (end, size, key, title), place in zip(ends, places):
        x = x_axis.place(size)
        yield f'<g class="{key}"><path class="leader {key}" style="stroke-dasharray: none" ' \
              f'd="M{x + 6:.1f} {end:.1f} L{WIDTH - RIGHT + 22} {place:.1f}"/>'
        yield text(WIDTH - RIGHT + 26, round(place + 4, 1), title, "name") + "</g>"
