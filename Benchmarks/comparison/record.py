"""The record of a comparison: every figure of every round, as one JSON document."""

import json
import statistics

from .processes import Failure

FORMAT = 1


class Record:
    """`machine`, `libraries` (by key: title, version, failure) and `runs` (ranks, library, date, results, failure).

    All medians and ratios are computed from the runs, so that rounds can be added at any time.
    """

    def __init__(self, document=None):
        if document is None:
            document = {"format": FORMAT, "machine": None, "libraries": {}, "runs": []}
        if document.get("format") != FORMAT:
            raise Failure("its format is not this version's")
        self.machine = document["machine"]
        self.libraries = document["libraries"]
        self.runs = document["runs"]

    @classmethod
    def read(cls, path):
        try:
            return cls(json.loads(path.read_text()))
        except (OSError, ValueError, KeyError, Failure) as error:
            raise Failure(f"{path} is not a comparison that can be added to: {error}") from error

    def write(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        document = {
            "format": FORMAT, "machine": self.machine, "libraries": self.libraries, "summary": self.summary(),
            "runs": self.runs,
        }
        path.write_text(json.dumps(document, indent=1) + "\n")

    def admit_machine(self, machine):
        """Takes the machine over; one that differs from the rounds' so far cannot be mixed with it."""
        if self.machine not in (None, machine):
            raise Failure("the rounds so far were measured on another machine: start a new file")
        self.machine = machine

    def admit_library(self, key, title, version=None, failure=None):
        """Takes a library over; figures of two versions of it cannot be mixed."""
        known = self.libraries.get(key, {})
        if known.get("version") and version and known["version"] != version:
            raise Failure(f"the rounds so far were measured with {title} {known['version']}, not {version}: "
                          "start a new file")
        self.libraries[key] = {"title": title, "version": version or known.get("version"), "failure": failure}

    def rank_counts(self):
        return sorted({run["ranks"] for run in self.runs})

    def sizes(self, ranks):
        return sorted({result["bytes"] for run in self.runs if run["ranks"] == ranks for result in run["results"]})

    def rounds(self, ranks):
        """The fewest and the most rounds that any library has at this number of ranks."""
        counts = [
            sum(run["ranks"] == ranks and run["library"] == key for run in self.runs)
            for key, library in self.libraries.items() if library["version"]]
        return min(counts), max(counts)

    def median(self, ranks, key, size):
        """The medians over the rounds, and how many these are; None if there is no figure."""
        results = [
            result for run in self.runs if run["ranks"] == ranks and run["library"] == key
            for result in run["results"] if result["bytes"] == size]
        if not results:
            return None
        mean = statistics.median(result["time_us_mean"] for result in results)
        return {
            "rounds": len(results),
            "time_us_mean": mean,
            "time_us_p50": statistics.median(result["time_us_p50"] for result in results),
            # Of 10^9 bytes a second.
            "busbw_gbs": size * 2 * (ranks - 1) / ranks / mean / 1e3,
            "wrong": sum(result["wrong"] for result in results),
        }

    def ratio(self, ranks, key, size, ours="ring"):
        """How many times as long as ours the other library takes, by the mean and by the median; None if unknown."""
        own, other = self.median(ranks, ours, size), self.median(ranks, key, size)
        if not own or not other:
            return None
        return {name: other[f"time_us_{name}"] / own[f"time_us_{name}"] for name in ("mean", "p50")}

    def failures(self):
        """What could not be measured, in lines."""
        for key, library in self.libraries.items():
            if library["failure"]:
                yield f"{library['title']}: not installed: {library['failure']}"
        for run in self.runs:
            if run["failure"]:
                title = self.libraries[run["library"]]["title"]
                yield f"{title}, {run['ranks']} ranks, {run['date']}: {run['failure']}"

    def wrong(self):
        """The elements that any library got wrong, in all."""
        return sum(result["wrong"] for run in self.runs for result in run["results"])

    def summary(self):
        return [
            {
                "ranks": ranks, "bytes": size,
                "medians": {key: self.median(ranks, key, size) for key in self.libraries},
                "ratios": {key: self.ratio(ranks, key, size) for key in self.libraries if key != "ring"},
            }
            for ranks in self.rank_counts() for size in self.sizes(ranks)
        ]
