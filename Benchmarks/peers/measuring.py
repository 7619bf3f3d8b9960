"""What the peers' Python programs share: measuring an all-reduce as `ringbench all-reduce` measures ours.

Every rank times each operation; the figures are those of the slowest rank by its mean.
"""

import json
import sys
import time


def warmup_count(size):
    """ringbench's BenchmarkSettings.warmupCount."""
    return 50 if size <= 64 << 10 else 20 if size <= 1 << 20 else 5 if size <= 16 << 20 else 2


def iteration_count(microseconds_each):
    """ringbench's BenchmarkSettings.iterationCount."""
    return min(5000, max(5, int(1e6 / 3 / microseconds_each)))


def median(times):
    """The smallest time that half of all times do not exceed."""
    return sorted(times)[(len(times) + 1) // 2 - 1]


def times_of(operation, count):
    """Runs an operation so often, and times each, in microseconds."""
    times = []
    for _ in range(count):
        start = time.perf_counter_ns()
        operation()
        times.append((time.perf_counter_ns() - start) / 1e3)
    return times


def measure(subject, sizes):
    """Measures a library at each size and prints, on rank 0, a JSON line a size.

    The subject has `rank`, `ranks`; `prepare(count)`, which makes the buffer and returns the operation; `barrier()`;
    `count_wrong(count)`, which checks a result of known values; and `gather(values)`, which returns a list with every
    rank's list of numbers.
    """
    for size in sizes:
        count = size // 4
        operation = subject.prepare(count)
        each = median(times_of(operation, warmup_count(size)))
        iterations = iteration_count(max(values[0] for values in subject.gather([each])))
        subject.barrier()
        times = times_of(operation, iterations)
        figures = subject.gather([sum(times) / len(times), median(times), subject.count_wrong(count)])
        if subject.rank == 0:
            mean, p50, _ = max(figures)
            document = {
                "bytes": count * 4, "iterations": iterations, "time_us_mean": round(mean, 3),
                "time_us_p50": round(p50, 3), "wrong": int(sum(wrong for _, _, wrong in figures)),
            }
            print(json.dumps(document))
            sys.stdout.flush()


def sizes_of_arguments(arguments):
    """The sizes in bytes that a command line names."""
    if not arguments or not all(text.isdigit() and int(text) >= 4 for text in arguments):
        sys.exit(f"usage: {sys.argv[0]} BYTES [BYTES ...], each 4 or more")
    return [int(text) for text in arguments]
