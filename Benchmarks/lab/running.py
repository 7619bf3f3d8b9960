"""Makes a network, runs programs on its hosts, and takes everything down again, whatever happens."""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import threading
import time

from comparison.processes import Failure, end
from lab.network import abandoned, removal


def run(command):
    """Runs a command of the system. Throws what it wrote to standard error if it fails."""
    try:
        result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except FileNotFoundError:
        raise Failure(f"{command[0]} is missing: apt-get install iproute2") from None
    if result.returncode != 0:
        raise Failure(f"{' '.join(command)}: {result.stderr.strip() or result.returncode}")
    return result.stdout


def is_alive(process):
    return os.path.exists(f"/proc/{process}")


def namespaces():
    return [line.split()[0] for line in run(["ip", "netns", "list"]).splitlines() if line.strip()]


@contextlib.contextmanager
def standing(network):
    """The network, for as long as the body runs. SIGINT and SIGTERM end the body by an exception."""
    if os.geteuid() != 0:
        raise Failure("making hosts needs the rights of root: run it with sudo")
    for name in abandoned(namespaces(), is_alive):
        run(removal(name))
    previous = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for command in network.making():
            run(command)
        yield network
    finally:
        # A second Ctrl-C must not leave half of it standing.
        for number in previous:
            signal.signal(number, signal.SIG_IGN)
        left = set(namespaces())
        for name in network.namespaces:
            if name in left:
                run(removal(name))
        for number, handler in previous.items():
            signal.signal(number, handler)


class Interrupted(Exception):
    """A signal has asked for the end."""

    def __init__(self, number):
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.number = number


def interrupt(number, _):
    raise Interrupted(number)


def run_ranks(network, command, limit, output, errors=sys.stderr):
    """Runs a command as one rank on each host.

    What rank 0 writes to standard output goes to `output`, all else to `errors`, behind the rank. Returns the first
    exit status that is not 0, else 0; the other ranks are ended then, and after `limit` seconds.
    """
    secret, port = secrets.token_hex(16), 29500
    ranks, readers = [], []
    lock = threading.Lock()
    try:
        for host in range(network.hosts):
            rank = subprocess.Popen(
                network.inside(host, command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True,
                env=dict(os.environ, **network.environment(host, port, secret)))
            ranks.append(rank)
            for stream, is_result in ((rank.stdout, host == 0), (rank.stderr, False)):
                reader = threading.Thread(
                    target=copy, args=(stream, output if is_result else errors, "" if is_result else f"[{host}] ", lock))
                reader.start()
                readers.append(reader)
        return status_of(ranks, time.monotonic() + limit)
    finally:
        for rank in ranks:
            end(rank)
        for reader in readers:
            reader.join()


def copy(stream, target, prefix, lock):
    for line in stream:
        with lock:
            target.write(prefix + line)
            target.flush()
    stream.close()


def status_of(ranks, deadline):
    """The exit status of the first rank that fails, else 0 once all have ended."""
    while True:
        statuses = [rank.poll() for rank in ranks]
        for number, status in enumerate(statuses):
            if status:
                print(f"netlab: rank {number} ended with status {status}", file=sys.stderr)
                return status if status > 0 else 128 - status
        if all(status == 0 for status in statuses):
            return 0
        if time.monotonic() > deadline:
            raise Failure("the ranks were not done in time")
        time.sleep(0.02)
