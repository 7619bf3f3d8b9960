"""Tests of what `Benchmarks/compare` computes and draws; none runs a library."""

import pathlib
import sys
import tempfile
import unittest
import xml.etree.ElementTree

from comparison.chart import chart, round_numbers
from comparison.document import rewrite
from comparison.libraries import RingCollectives, geometric_runs
from comparison.processes import Failure, output_of, output_of_ranks
from comparison.rdma import Place, figures, measurements, ratios, report
from comparison.record import Record
from comparison.tables import figure_text, markdown_table, size_text, tables


def record_of(*means):
    """A record of ours and one peer, with these pairs of mean times for 64 KiB between 2 ranks, a round each."""
    record = Record()
    record.admit_library("ring", "ours", version="1")
    record.admit_library("peer", "theirs", version="2")
    for ours, theirs in means:
        for key, mean in (("ring", ours), ("peer", theirs)):
            result = {
                "bytes": 65536, "iterations": 10, "time_us_mean": mean, "time_us_p50": mean / 2, "wrong": 0}
            record.runs.append(
                {"ranks": 2, "library": key, "date": "2026-01-02 03:04", "results": [result], "failure": None})
    return record


class RecordTests(unittest.TestCase):
    def test_ratios_are_of_medians(self):
        record = record_of((10, 30), (20, 20), (40, 100))
        self.assertEqual(record.median(2, "ring", 65536)["time_us_mean"], 20)
        self.assertEqual(record.ratio(2, "peer", 65536), {"mean": 1.5, "p50": 1.5})
        self.assertAlmostEqual(record.median(2, "ring", 65536)["busbw_gbs"], 65536 / 20e-6 / 1e9)
        self.assertEqual(record.rounds(2), (3, 3))

    def test_what_was_not_measured_has_no_figure(self):
        record = record_of((10, 30))
        self.assertIsNone(record.median(2, "peer", 4))
        self.assertIsNone(record.ratio(4, "peer", 65536))

    def test_versions_and_machines_are_not_mixed(self):
        record = record_of((10, 30))
        with self.assertRaisesRegex(Failure, "theirs 2, not 3"):
            record.admit_library("peer", "theirs", version="3")
        record.admit_machine({"cpu": "a"})
        with self.assertRaisesRegex(Failure, "another machine"):
            record.admit_machine({"cpu": "b"})

    def test_failures_are_told(self):
        record = record_of((10, 30))
        record.admit_library("gone", "missing", failure="no such package")
        record.runs.append({"ranks": 4, "library": "peer", "date": "d", "results": [], "failure": "not done within 5 s"})
        self.assertEqual(list(record.failures()), [
            "missing: not installed: no such package", "theirs, 4 ranks, d: not done within 5 s"])

    def test_it_is_read_as_it_was_written(self):
        record = record_of((10, 30))
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "a" / "record.json"
            record.write(path)
            self.assertEqual(Record.read(path).runs, record.runs)
            path.write_text("{}")
            with self.assertRaises(Failure):
                Record.read(path)


class TableTests(unittest.TestCase):
    def test_figures_have_three_digits(self):
        texts = {0.000312: "0.000312", 0.51: "0.510", 1: "1.00", 12.34: "12.3", 123.4: "123", 1234.4: "1234", 0: "0"}
        for value, text in texts.items():
            self.assertEqual(figure_text(value), text)

    def test_sizes_are_read_as_people_write_them(self):
        self.assertEqual([size_text(size) for size in (4, 1000, 65536, 3 << 20)], ["4 B", "1000 B", "64 KiB", "3 MiB"])

    def test_losing_rows_are_there(self):
        (_, times), (_, bandwidths), (_, ratios) = tables(record_of((30, 10)), 2)
        self.assertEqual(times, [["size", "ours", "theirs"], ["64 KiB", "30.0 (15.0)", "10.0 (5.00)"]])
        self.assertEqual(bandwidths[1], ["64 KiB", "2.18", "6.55"])
        self.assertEqual(ratios, [["size", "theirs"], ["64 KiB", "0.33 (0.33)"]])
        self.assertEqual(markdown_table(ratios).splitlines()[2], "| 64 KiB | 0.33 (0.33) |")


class ChartTests(unittest.TestCase):
    def test_a_chart_is_well_formed_and_has_every_line(self):
        lines = [("ring", "ours & <others>", [(4, 0.5), (64, 20.0)]), ("mlx", "theirs", [(4, 100.0), (64, 1000.0)])]
        drawing = chart("a <title>", "us", lines, size_text)
        texts = [element.text for element in xml.etree.ElementTree.fromstring(drawing).iter()]
        for text in ("a <title>", "ours & <others>", "theirs", "4 B", "64 B"):
            self.assertIn(text, texts)

    def test_axes_end_at_round_numbers(self):
        self.assertEqual([float(number) for number in round_numbers(0.3, 7)], [0.2, 0.5, 1, 2, 5, 10])
        self.assertEqual([float(number) for number in round_numbers(2, 2)], [2, 5])


class RunningTests(unittest.TestCase):
    def test_sizes_are_cut_into_sweeps(self):
        self.assertEqual(geometric_runs([4, 16, 64]), [(4, 64, 4)])
        self.assertEqual(geometric_runs([4, 16, 20, 40, 80]), [(4, 16, 4), (20, 80, 2)])
        self.assertEqual(geometric_runs([4, 6]), [(4, 4, 2), (6, 6, 2)])

    def test_a_line_that_ringbench_did_not_finish_is_left_out(self):
        head = "bytes,iterations,algorithm,time_us_mean,time_us_p50,wrong"
        results = RingCollectives.results_of_table(f"{head}\n4,5,ring,1.5,1.25,0\n16,5,ri")
        self.assertEqual([result["time_us_mean"] for result in results], [1.5])

    def test_whatever_takes_too_long_is_ended(self):
        output, failure = output_of_ranks(
            [(["sh", "-c", "echo first; sleep 60"], {}), (["sh", "-c", "sleep 60"], {})], limit=0.3)
        self.assertEqual((output, failure), ("first\n", "not done within 0.3 s"))

    def test_the_failed_rank_and_its_words_are_named(self):
        program = "import os, sys; sys.exit('no way' if os.environ['RANK'] == '1' else None)"
        _, failure = output_of_ranks(
            [([sys.executable, "-c", program], {"RANK": str(rank)}) for rank in range(2)], limit=20)
        self.assertEqual(failure, "rank 1 ended with status 1: no way")
        with self.assertRaisesRegex(Failure, "nonesuch cannot be started"):
            output_of(["nonesuch"])


class DocumentTests(unittest.TestCase):
    def test_only_the_marked_part_changes(self):
        begin = "<!-- compare: begin; what follows is written by Benchmarks/compare -->"
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "page.md"
            path.write_text(f"before\n{begin}\nold\n<!-- compare: end -->\nafter\n")
            rewrite(path, "compare", "new \\1")
            self.assertEqual(path.read_text(), f"before\n{begin}\n\nnew \\1\n\n<!-- compare: end -->\nafter\n")
            with self.assertRaisesRegex(Failure, "micro: begin"):
                rewrite(path, "micro", "x")


class RDMATests(unittest.TestCase):
    def test_perftests_figures_are_read_by_name(self):
        self.assertEqual(figures(
            " #bytes     #iterations    BW peak[Gb/sec]    BW average[Gb/sec]   MsgRate[Mpps]\n"
            " 1048576    20               0.17               0.16  \t\t   0.000019\n"
        )["BW average[Gb/sec]"], 0.16)
        self.assertEqual(figures(
            "---\n #bytes #iterations    t_min[usec]    t_max[usec]  t_typical[usec]    t_avg[usec]    t_stdev[usec]   "
            "99% percentile[usec]   99.9% percentile[usec] \n"
            " 8       200          18.23          74018.53      19.10    \t       1636.16     \t3517.68\t\t23930.03 \t\t74018.53\n"
        ), {
            "#bytes": 8, "#iterations": 200, "t_min[usec]": 18.23, "t_max[usec]": 74018.53, "t_typical[usec]": 19.1,
            "t_avg[usec]": 1636.16, "t_stdev[usec]": 3517.68, "99% percentile[usec]": 23930.03,
            "99.9% percentile[usec]": 74018.53})
        with self.assertRaisesRegex(Failure, "no figures"):
            figures("Couldn't connect to localhost:18515")

    def test_ratios_are_of_medians(self):
        measured = {
            "write": [1, 2, 9], "turns": [3], "send": [1, 1, 5], "both": [1], "one": [2], "latency": [10], "ping": [15, 20, 90],
            "cross": [30],
            "rdma-8": [4], "registered-8": [2], "tcp-8": [8],
            "rdma-1048576": [5], "copied-1048576": [20], "registered-1048576": [5], "tcp-1048576": [15]}
        sizes = [8, 1 << 20]
        self.assertEqual(
            [ratio for _, ratio in ratios({key: sorted(values)[len(values) // 2] for key, values in measured.items()}, sizes)],
            [1.5, 0.5, 1, 1, 2, 3, 2, 2, 3, 4, 1])
        rows, factors = report(measured, {key: key for key in measured}, sizes)
        self.assertEqual(rows[1], ["write", "2.00", "1.00", "9.00"])
        self.assertEqual(factors[7], ["all-reduce, 8 B: times as fast as over TCP", "2.00"])
        self.assertEqual(
            factors[-2], ["all-reduce, 1 MiB: times as fast as without the registration cache", "4.00"])

    def test_what_is_measured_is_what_is_compared(self):
        sizes = [8, 1 << 20]
        keys = [key for key, _, _ in measurements("ringbench", Place("rxe0", 1), sizes)]
        self.assertEqual(len(keys), len(set(keys)))
        self.assertEqual(len(ratios({key: 1 for key in keys}, sizes)), 11)


if __name__ == "__main__":
    unittest.main()
