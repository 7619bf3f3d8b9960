"""The marked parts of `Docs/Performance.md`, and the comparison's charts."""

import re

from .chart import chart
from .processes import Failure
from .tables import markdown_table, size_text, tables


def rewrite(path, program, text):
    """Replaces the part of a page that one of the programs here writes, between its marks."""
    begin = f"<!-- {program}: begin; what follows is written by Benchmarks/{program} -->"
    end = f"<!-- {program}: end -->"
    page = path.read_text()
    part = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if len(part.findall(page)) != 1:
        raise Failure(f"{path} must have one part that begins with '{begin}' and ends with '{end}'")
    path.write_text(part.sub(lambda _: f"{begin}\n\n{text.strip()}\n\n{end}", page))


def write_documents(record, folder):
    """Draws the charts into the folder, and rewrites the comparison's part of its Performance.md."""
    images = folder / "Charts"
    images.mkdir(exist_ok=True)
    for ranks in record.rank_counts():
        for name, drawing in charts(record, ranks):
            (images / name).write_text(drawing)
    rewrite(folder / "Performance.md", "compare", section(record))


def charts(record, ranks):
    """The name and the drawing of each chart of a number of ranks."""
    def lines(figure):
        return [
            (key, library["title"], [
                (size, median[figure]) for size in record.sizes(ranks)
                if (median := record.median(ranks, key, size))])
            for key, library in record.libraries.items()]

    subject = f"all-reduce, float32 sum in place, {ranks} ranks"
    yield chart_name("busbw", ranks), chart(
        f"Bandwidth: {subject}", "busbw, GB/s", lines("busbw_gbs"), size_text, least_share=1e-3)
    yield chart_name("latency", ranks), chart(
        f"Latency: {subject}", "mean time, us", lines("time_us_mean"), size_text)


def chart_name(figure, ranks):
    return f"all-reduce-{figure}-{ranks}-ranks.svg"


def section(record):
    machine = record.machine
    versions = dict.fromkeys(
        f"{library['title'].split(',')[0]} {library['version']}"
        for library in record.libraries.values() if library["version"])
    dates = sorted({run["date"].split()[0] for run in record.runs})
    parts = [
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_bytes'] / 2**30:.1f} GiB, {machine['kernel']}, "
        f"loopback (the system's congestion control is {machine['system_congestion_control']}); "
        f"{' to '.join(sorted({dates[0], dates[-1]}))}.",
        f"Versions: {', '.join(versions)}.",
    ]
    for ranks in record.rank_counts():
        fewest, most = record.rounds(ranks)
        rounds = str(most) if fewest == most else f"{fewest} to {most}"
        parts += [
            f"### {ranks} ranks",
            f"Medians of {rounds} alternating rounds."
            + (" Ranks outnumber the cores: Open MPI yields while it waits (`mpi_yield_when_idle`)."
               if ranks > machine["cores"] else ""),
        ]
        parts += [f"![{figure} by size, {ranks} ranks](Charts/{chart_name(figure, ranks)})"
                  for figure in ("busbw", "latency")]
        for title, rows in tables(record, ranks):
            parts += [title + ":", markdown_table(rows)]
    failures = list(record.failures())
    if failures:
        parts += ["Not measured:", "\n".join(f"- {line}" for line in failures)]
    if record.wrong():
        parts.append(f"**{record.wrong()} elements of the results were wrong.**")
    return "\n\n".join(parts)
