"""What the laboratory's comparison measures, and how it is shown."""

import html

from comparison.tables import figure_text, markdown_table, text_table

SPARSE = ", 90 % zeros"
COMPRESSIONS = ("none", "lz4", "lz4" + SPARSE, "float16", "bfloat16", "int8", "int4")
PEER = "Open MPI"


def command(ringbench, compression, size):
    zeros = "90" if compression.endswith(SPARSE) else "0"
    return [
        str(ringbench), "all-reduce", "--min-bytes", str(size), "--max-bytes", str(size),
        "--compression", compression.removesuffix(SPARSE), "--zeros", zeros, "--warmup", "2", "--iterations", "8", "--format", "json"]


def mpi_command(network, agent, program, size):
    """Open MPI's launcher on the first host; `agent` starts its daemons on the others, as ssh would."""
    hosts = ",".join(f"{network.address(host)}:1" for host in range(network.hosts))
    return [
        "mpirun.openmpi", "--allow-run-as-root", "--host", hosts, "--mca", "plm_rsh_agent", str(agent),
        "--mca", "pml", "ob1", "--mca", "btl", "tcp,self", "--mca", "btl_tcp_if_include", "eth0",
        "--mca", "oob_tcp_if_include", "eth0", "--mca", "mpi_yield_when_idle", "1", str(program), str(size)]


def ratio(results, rate, name):
    """How many times as fast as without compression."""
    return results[rate, name] / results[rate, "none"]


def rows(results, rates, names):
    """algbw in GB/s, and how many times that of `none`; the first row is the head."""
    body = []
    for name in names:
        cells = [
            f"{figure_text(results[rate, name])} ({ratio(results, rate, name):.2f} x)"
            if (rate, name) in results else "-" for rate in rates]
        body.append([name, *cells])
    return [["compression", *rates], *body]


def section(results, rates, names, hosts, size_text, rounds):
    return (
        f"{hosts} hosts, all-reduce of {size_text} of float32, algbw in GB/s (and times that of `none`), by the rate of "
        f"the links, medians of {rounds} rounds:\n\n{markdown_table(rows(results, rates, names))}\n\n"
        "![algbw by compression and rate](Charts/compression.svg)")


def text(results, rates, names):
    return text_table(rows(results, rates, names))


def picture(results, rates, names):
    """Bars of how many times as fast as `none` each is, a group a rate, legible on light and dark pages."""
    bars = [(rate, name) for rate in rates for name in names if name != "none" and (rate, name) in results]
    longest = max((ratio(results, *bar) for bar in bars), default=1)
    left, width, step = 190, 620, 22
    height = 60 + step * len(bars) + 18 * len(rates)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 {height}" width="900" height="{height}" role="img" '
        'aria-label="algbw by compression and rate">',
        "<style>text { font: 13px sans-serif; fill: #1f2328; } .title { font-weight: 600; } rect.page { fill: #fff; } "
        "rect.bar { fill: #0969da; } rect.peer { fill: #9a6700; } "
        "@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } rect.page { fill: #0d1117; } "
        "rect.bar { fill: #58a6ff; } rect.peer { fill: #e3b341; } }</style>",
        f'<rect class="page" width="900" height="{height}" rx="6"/>',
        '<text class="title" x="20" y="28">All-reduce in the laboratory: times as fast as uncompressed</text>']
    y = 48
    previous = None
    for rate, name in bars:
        if rate != previous:
            y += 18
            previous = rate
        value = ratio(results, rate, name)
        kind = "peer" if name == PEER else "bar"
        lines += [
            f'<text x="{left - 10}" y="{y + 13}" text-anchor="end">{html.escape(rate)}, {html.escape(name)}</text>',
            f'<rect class="{kind}" x="{left}" y="{y}" width="{width * value / longest:.1f}" height="16" rx="2"/>',
            f'<text x="{left + width * value / longest + 8:.1f}" y="{y + 13}">{value:.2f}</text>']
        y += step
    return "\n".join([*lines, "</svg>", ""])
