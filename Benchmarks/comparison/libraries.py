"""The libraries that are compared: how each is installed, which version it is, how it is run.

Each measures float32 sums in place, with the numbers of untimed and timed operations that ringbench chooses by itself,
times every operation on every rank, and gives the mean and the median of the rank with the largest mean.
"""

import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from .processes import Failure, free_ports, output_of, output_of_ranks

BENCHMARKS = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = BENCHMARKS.parent
PEERS = BENCHMARKS / "peers"
BUILD = PACKAGE / ".build" / "benchmarks"


def install(*packages):
    """Installs Debian packages that are missing."""
    command = [str(PACKAGE / ".ci" / "install"), *packages]
    result = subprocess.run(command, stdout=sys.stderr, stderr=subprocess.PIPE, text=True)
    if result.returncode != 0:
        lines = result.stderr.strip().splitlines()
        raise Failure(f"cannot install {' '.join(packages)}: {lines[-1] if lines else 'no reason given'}")


def results_of_lines(output):
    """The results of a peer's program, which prints a line of JSON a size."""
    return [json.loads(line) for line in output.splitlines() if line.startswith("{") and line.endswith("}")]


class RingCollectives:
    key = "ring"
    title = "ring-collectives"

    def __init__(self, program=None):
        self.program = program

    def prepare(self):
        if not self.program:
            swift = ["swift", "build", "-c", "release", "--package-path", PACKAGE, "--product", "ringbench"]
            output_of(swift)
            self.program = pathlib.Path(output_of([*swift, "--show-bin-path"]).strip()) / "ringbench"
        self.environment = self.run_once()
        digest = hashlib.sha256(pathlib.Path(self.program).read_bytes()).hexdigest()[:12]
        self.version = f"{self.environment['version']} (ringbench {digest})"

    def run_once(self):
        """What ringbench says of the machine."""
        document = output_of([self.program, "all-reduce", "-n", "1", "-b", "4", "-e", "4", "--format", "json"], limit=60)
        return json.loads(document)["environment"]

    def measure(self, ranks, sizes, limit):
        results = []
        for first, last, factor in geometric_runs(sizes):
            output, failure = output_of_ranks([([
                self.program, "all-reduce", "-n", ranks, "-b", first, "-e", last, "-f", factor, "--format", "csv"
            ], {})], limit)
            results += self.results_of_table(output)
            if failure:
                return results, failure
        return results, None

    @staticmethod
    def results_of_table(output):
        names, *lines = [line.split(",") for line in output.splitlines()] or [[]]
        rows = [dict(zip(names, line)) for line in lines if len(line) == len(names)]
        return [{
            "bytes": int(row["bytes"]), "iterations": int(row["iterations"]), "algorithm": row["algorithm"],
            "time_us_mean": float(row["time_us_mean"]), "time_us_p50": float(row["time_us_p50"]),
            "wrong": int(row["wrong"]),
        } for row in rows]


def geometric_runs(sizes):
    """Cuts rising sizes into (first, last, factor), each of which ringbench measures in one run."""
    runs = []
    start = 0
    while start < len(sizes):
        end = start
        factor = sizes[start + 1] // sizes[start] if start + 1 < len(sizes) else 2
        while end + 1 < len(sizes) and factor > 1 and sizes[end] * factor == sizes[end + 1]:
            end += 1
        runs.append((sizes[start], sizes[end], max(factor, 2)))
        start = end + 1
    return runs


class MPI:
    """An MPI: the same C program, compiled and started with that library's commands."""

    def prepare(self):
        install("gcc", "libc6-dev", *self.packages)
        BUILD.mkdir(parents=True, exist_ok=True)
        self.program = BUILD / f"mpi_allreduce.{self.suffix}"
        output_of([f"mpicc.{self.suffix}", "-O3", "-Wall", "-o", self.program, PEERS / "mpi_allreduce.c"])
        self.version = self.find_version()

    def measure(self, ranks, sizes, limit):
        command, environment = self.command(ranks)
        output, failure = output_of_ranks([([*command, "-n", ranks, self.program, *sizes], environment)], limit)
        return results_of_lines(output), failure


class OpenMPI(MPI):
    packages = ["openmpi-bin", "libopenmpi-dev"]
    suffix = "openmpi"

    def __init__(self, key, wire, transfer_layer):
        self.key = key
        self.title = f"Open MPI, {wire}"
        self.transfer_layer = transfer_layer

    def find_version(self):
        return output_of(["mpirun.openmpi", "--version"]).splitlines()[0].split()[-1]

    def command(self, ranks):
        words = ["mpirun.openmpi", "--oversubscribe", "--mca", "pml", "ob1", "--mca", "btl", self.transfer_layer]
        if os.geteuid() == 0:
            words.append("--allow-run-as-root")
        # A rank that spins on a processor which another one needs would keep both from finishing.
        if ranks > (os.cpu_count() or 1):
            words += ["--mca", "mpi_yield_when_idle", "1"]
        return words, {}


class MPICH(MPI):
    packages = ["mpich", "libmpich-dev"]
    suffix = "mpich"

    def __init__(self, key, wire, environment):
        self.key = key
        self.title = f"MPICH, {wire}"
        self.environment = environment

    def find_version(self):
        return output_of(["mpichversion"]).splitlines()[0].split()[-1]

    def command(self, ranks):
        return ["mpirun.mpich"], self.environment


class BareRing:
    """No library, but the least that a ring over TCP can cost on this machine."""

    key = "bare-ring"
    title = "bare ring, TCP"

    def prepare(self):
        install("gcc", "libc6-dev")
        BUILD.mkdir(parents=True, exist_ok=True)
        self.program = BUILD / "bare_ring"
        output_of(["gcc", "-O3", "-Wall", "-o", self.program, PEERS / "bare_ring.c"])
        self.version = output_of(["gcc", "-dumpversion"]).strip() + " (compiler)"

    def measure(self, ranks, sizes, limit):
        output, failure = output_of_ranks([([self.program, ranks, *sizes], {})], limit)
        return results_of_lines(output), failure


class Gloo:
    key = "gloo"
    title = "PyTorch gloo, TCP"
    # Debian's own, which the package python3-torch is for.
    python = "/usr/bin/python3"

    def prepare(self):
        install("python3-torch")
        self.version = output_of([self.python, "-c", "import torch; print(torch.__version__)"]).strip()

    def measure(self, ranks, sizes, limit):
        port = free_ports(1)[0]
        command = [self.python, PEERS / "gloo_allreduce.py", *sizes]
        common = {
            "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(ranks), "GLOO_SOCKET_IFNAME": "lo"}
        output, failure = output_of_ranks(
            [(command, dict(common, RANK=str(rank))) for rank in range(ranks)], limit)
        return results_of_lines(output), failure


class MLX:
    key = "mlx"
    title = "MLX ring, TCP"
    folder = BUILD / "mlx"
    python = folder / "bin" / "python"

    def prepare(self):
        if not self.python.exists():
            try:
                output_of([sys.executable, "-c", "import ensurepip"])
            except Failure:
                install("python3-venv")
            output_of([sys.executable, "-m", "venv", "--clear", self.folder])
        find_version = [
            self.python, "-c", "import importlib.metadata, mlx.core; print(importlib.metadata.version('mlx'))"]
        try:
            self.version = output_of(find_version).strip()
        except Failure:
            output_of([self.python, "-m", "pip", "install", "--quiet", "mlx[cpu]"])
            self.version = output_of(find_version).strip()

    def measure(self, ranks, sizes, limit):
        command = [self.python, PEERS / "mlx_allreduce.py", *sizes]
        with tempfile.NamedTemporaryFile("w", suffix=".json") as hosts:
            json.dump([[f"127.0.0.1:{port}"] for port in free_ports(ranks)], hosts)
            hosts.flush()
            output, failure = output_of_ranks(
                [(command, {"MLX_RANK": str(rank), "MLX_HOSTFILE": hosts.name}) for rank in range(ranks)], limit)
        return results_of_lines(output), failure


def all_libraries(ringbench=None):
    """Ours, and then the peers, in the order of every table."""
    return [
        RingCollectives(ringbench),
        BareRing(),
        OpenMPI("openmpi-tcp", "TCP", "tcp,self"),
        OpenMPI("openmpi-shm", "shared memory", "vader,self"),
        # Debian's MPICH is built on UCX, which like MPICH itself would take shared memory between ranks of one machine.
        MPICH("mpich-tcp", "TCP", {"MPIR_CVAR_NOLOCAL": "1", "UCX_TLS": "tcp,self"}),
        MPICH("mpich-shm", "shared memory", {}),
        Gloo(),
        MLX(),
    ]
