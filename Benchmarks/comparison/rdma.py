"""The RDMA transport against perftest's programs, which do nothing but move bytes, and against TCP."""

import os
import re
import statistics
import subprocess
import time

from .processes import Failure, end, free_ports, output_of
from .libraries import RingCollectives
from .tables import figure_text, size_text

MIB = 1 << 20


def perftest(program, options, place, limit=120):
    """Runs both ends of a perftest program over a device; the columns of its only row of figures, by name."""
    port = free_ports(1)[0]
    command = [program, "-F", "-d", place.device, "-x", place.gid, "-p", port, *options]
    command = [str(word) for word in command]
    server = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        deadline = time.monotonic() + limit
        while not listens(port):
            if server.poll() is not None or time.monotonic() > deadline:
                raise Failure(f"{program} cannot listen: try {' '.join(command)}")
            time.sleep(0.05)
        return figures(output_of([*command, "localhost"], limit=limit))
    finally:
        end(server)


def listens(port):
    """Whether somebody listens on a TCP port of this host. To try it would be taken for the client."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if os.path.exists(table):
            with open(table, encoding="ascii") as file:
                for line in file.readlines()[1:]:
                    words = line.split()
                    if words[3] == "0A" and int(words[1].rpartition(":")[2], 16) == port:
                        return True
    return False


def figures(output):
    """The columns of perftest's only row of figures, by name.

    The names are parted by spaces and may hold one before a bracket: `BW average[Gb/sec]`.
    """
    names = None
    for line in output.splitlines():
        if line.lstrip().startswith("#bytes"):
            names = re.findall(r"\S+(?: [^\s#\[]+\[[^\]]*\]| percentile\[[^\]]*\])?", line)
        elif names and (words := line.split()) and words[0].isdigit():
            return dict(zip(names, map(float, words)))
    raise Failure("perftest printed no figures")


class Place:
    """A device and its GID that packets are addressed by."""

    def __init__(self, device, gid):
        self.device = device
        self.gid = gid


def ring(program, collective, transport, size, *more, environment=None, limit=120):
    """One result of ringbench with two ranks."""
    output = output_of([
        program, collective, "-n", 2, "-b", size, "-e", size, "-t", transport, "--format", "csv", *more],
        environment, limit=limit)
    [result] = RingCollectives.results_of_table(output)
    if result["wrong"]:
        raise Failure(f"ringbench {collective} over {transport} gave {result['wrong']} wrong elements")
    return result


def speed(result):
    """GB/s each way."""
    return result["bytes"] / result["time_us_mean"] / 1e3


# Ordinary memory of so many bytes is registered by the first operation on it, and stays so.
CACHED_SIZE = MIB


def variants(size):
    """How all-reduce is measured: a key, its title's words, the transport, more arguments and the environment."""
    yield "rdma", "over rdma", "rdma", [], {}
    if size >= CACHED_SIZE:
        yield "copied", "over rdma, without the registration cache", "rdma", [], {"RING_RDMA_CACHE": "0"}
    yield "registered", "over rdma, registered buffers", "rdma", ["--registered"], {}
    yield "tcp", "over tcp", "tcp", [], {}


def measurements(program, place, sizes):
    """All that is measured, in the order of a round: a key, what it is, and a function that measures it."""
    writes = ["-s", MIB, "-n", 200, "--report_gbits"]

    def bandwidth(*more):
        return lambda: perftest("ib_write_bw", [*writes, *more], place)["BW average[Gb/sec]"] / 8

    yield "write", "ib_write_bw, 1 MiB, one way, GB/s", bandwidth()
    yield "send", "send-recv, 1 MiB, both ways at once, GB/s each", lambda: speed(ring(program, "send-recv", "rdma", MIB))
    yield "turns", "send-recv --ping-pong, 1 MiB, one way, GB/s", lambda: speed(
        ring(program, "send-recv", "rdma", MIB, "--ping-pong"))
    # It reports the sum of both ways.
    both = bandwidth("-b")
    yield "both", "ib_write_bw -b, 1 MiB, both ways at once, GB/s each", lambda: both() / 2
    yield "one", "broadcast, 1 MiB, one way, GB/s", lambda: speed(ring(program, "broadcast", "rdma", MIB))
    yield "latency", "ib_write_lat, 8 B, us", lambda: perftest(
        "ib_write_lat", ["-s", 8, "-n", 2000], place)["t_typical[usec]"]
    # As ib_write_lat does: in turns, half a round trip. And both at once.
    yield "ping", "send-recv --ping-pong, 8 B, us", lambda: ring(
        program, "send-recv", "rdma", 8, "--ping-pong", "-i", 2000)["time_us_p50"]
    yield "cross", "send-recv, 8 B, both at once, us", lambda: ring(
        program, "send-recv", "rdma", 8, "-i", 2000)["time_us_p50"]
    for size in sizes:
        for key, words, transport, more, environment in variants(size):
            yield (f"{key}-{size}", f"all-reduce {words}, {size_text(size)}, us",
                   lambda size=size, transport=transport, more=more, environment=environment: ring(
                       program, "all-reduce", transport, size, *more, environment=environment)["time_us_p50"])


def ratios(medians, sizes):
    """What is asked of the transport: a title and a factor."""
    pairs = [
        ("send-recv --ping-pong, 1 MiB: bandwidth, of ib_write_bw's", "turns", "write"),
        ("send-recv, 1 MiB: bandwidth each way, of ib_write_bw's one way", "send", "write"),
        ("send-recv, 1 MiB: bandwidth each way, of ib_write_bw -b's", "send", "both"),
        ("broadcast, 1 MiB: bandwidth, of ib_write_bw's", "one", "write"),
        ("send-recv --ping-pong, 8 B: latency, times ib_write_lat's", "ping", "latency"),
        ("send-recv, 8 B, both at once: time, times ib_write_lat's", "cross", "latency"),
    ]
    for size in sizes:
        pairs.append((f"all-reduce, {size_text(size)}: times as fast as over TCP", f"tcp-{size}", f"rdma-{size}"))
        if size >= CACHED_SIZE:
            pairs.append((
                f"all-reduce, {size_text(size)}: times as fast as without the registration cache", f"copied-{size}",
                f"rdma-{size}"))
        pairs.append((
            f"all-reduce, {size_text(size)}: registered buffers, times as fast as ordinary ones", f"rdma-{size}",
            f"registered-{size}"))
    return [(title, medians[upper] / medians[lower]) for title, upper, lower in pairs]


def report(figures_by_key, titles, sizes):
    """Rows of cells: medians with their spread, then ratios of medians."""
    medians = {key: statistics.median(values) for key, values in figures_by_key.items()}
    rows = [["", "median", "least", "most"]]
    for key, values in figures_by_key.items():
        rows.append([titles[key], *map(figure_text, (medians[key], min(values), max(values)))])
    return rows, [["", "ratio"], *([title, f"{ratio:.2f}"] for title, ratio in ratios(medians, sizes))]
