"""Running programs, each for a bounded time."""

import os
import signal
import socket
import subprocess
import tempfile
import time


OVERDUE = "not done within"


class Failure(Exception):
    """Why something could not be done, in one line."""


def output_of(command, environment=None, limit=1800):
    """A command's standard output. Throws what it wrote last to standard error if it fails."""
    output, failure = output_of_ranks([(command, environment or {})], limit)
    if failure:
        raise Failure(failure)
    return output


def output_of_ranks(commands, limit):
    """Runs commands with what to add to their environments side by side, in process groups of their own.

    Returns the first one's standard output, as far as it got, and None or why the run failed. All of them are ended
    when one fails, and after `limit` seconds.
    """
    ranks = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            for number, (command, environment) in enumerate(commands):
                with open(os.path.join(folder, f"out-{number}"), "wb") as output, \
                        open(os.path.join(folder, f"err-{number}"), "wb") as errors:
                    ranks.append(subprocess.Popen(
                        [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output, stderr=errors,
                        env=dict(os.environ, **environment), start_new_session=True))
            failure = wait_for_all(ranks, limit)
        except OSError as error:
            failure = f"{commands[len(ranks)][0][0]} cannot be started: {error.strerror}"
        finally:
            for rank in ranks:
                end(rank)
        if failure and not failure.startswith(OVERDUE):
            failure += last_error(folder, ranks)
        output = read(os.path.join(folder, "out-0")) if ranks else ""
    return output, failure


def wait_for_all(ranks, limit):
    """None once all have ended well; else why they have not."""
    deadline = time.monotonic() + limit
    while True:
        statuses = [rank.poll() for rank in ranks]
        for number, status in enumerate(statuses):
            if status:
                return f"rank {number} ended with status {status}" if len(ranks) > 1 else f"status {status}"
        if all(status == 0 for status in statuses):
            return None
        if time.monotonic() > deadline:
            return f"{OVERDUE} {limit} s"
        time.sleep(0.02)


def end(process):
    """Ends a process and its children, those of mpirun included."""
    try:
        os.killpg(process.pid, signal.SIGTERM)
        for _ in range(100):
            if process.poll() is not None:
                break
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def last_error(folder, ranks):
    """What the first failed rank that wrote to standard error wrote last, after a colon."""
    for number, rank in enumerate(ranks):
        lines = read(os.path.join(folder, f"err-{number}")).splitlines() if rank.returncode != 0 else []
        # Banners end with lines of dashes.
        lines = [line.strip() for line in lines if line.strip(" -=*")]
        if lines:
            return f": {lines[-1]}"
    return ""


def free_ports(count):
    """Ports of this machine that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
