"""The tables of a comparison, for a terminal and for Markdown."""

import math


def size_text(size):
    """`64 KiB`"""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit and size % unit == 0:
            return f"{size // unit} {name}"
    return f"{size} B"


def figure_text(value):
    """Three digits, or what stands before the point: `0.000312`, `0.510`, `12.3`, `1234`."""
    if value <= 0:
        return "0"
    return f"{value:.{max(0, 2 - math.floor(math.log10(value)))}f}"


def tables(record, ranks):
    """Titles and rows of cells, the first row being the head: times, bandwidths, ratios."""
    keys = list(record.libraries)
    titles = [record.libraries[key]["title"] for key in keys]
    sizes = record.sizes(ranks)

    def rows(columns, cell):
        head = ["size", *(title for key, title in zip(keys, titles) if key in columns)]
        return [head, *([size_text(size), *(cell(key, size) for key in columns)] for size in sizes)]

    def time(key, size):
        median = record.median(ranks, key, size)
        return f"{figure_text(median['time_us_mean'])} ({figure_text(median['time_us_p50'])})" if median else "-"

    def bandwidth(key, size):
        median = record.median(ranks, key, size)
        return figure_text(median["busbw_gbs"]) if median else "-"

    def ratio(key, size):
        ratio = record.ratio(ranks, key, size)
        return f"{ratio['mean']:.2f} ({ratio['p50']:.2f})" if ratio else "-"

    yield "Mean time in us (and p50)", rows(keys, time)
    yield "busbw in GB/s", rows(keys, bandwidth)
    peers = [key for key in keys if key != "ring"]
    if peers and "ring" in keys:
        title = "Times as fast as, by the mean (and by p50): above 1, ring-collectives is the faster one"
        yield title, rows(peers, ratio)


def text_table(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths)) for row in rows)


def markdown_table(rows):
    head, *body = rows
    lines = [head, ["---:"] * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
