"""Tests of what `Benchmarks/netlab` names and asks for; none makes a network."""

import io
import unittest
import xml.etree.ElementTree

from lab import accuracy
from lab.bench import command, mpi_command, picture, rows
from lab.network import Network, abandoned, bits_per_second, removal
from lab.running import copy, status_of


class RateTests(unittest.TestCase):
    def test_rates_are_those_of_tc(self):
        self.assertEqual(bits_per_second("1gbit"), 1e9)
        self.assertEqual(bits_per_second("2.5gbit"), 2.5e9)
        self.assertEqual(bits_per_second("100mbit"), 1e8)
        for text in ("", "gbit", "1g", "-1gbit", "1 gbit", "1gbit;reboot"):
            self.assertIsNone(bits_per_second(text))

    def test_the_burst_grows_with_the_rate(self):
        self.assertEqual(Network(2, "10mbit", 1).burst, 256 << 10)
        self.assertEqual(Network(2, "10gbit", 1).burst, 2_500_000)


class NetworkTests(unittest.TestCase):
    def test_addresses_differ_and_none_is_a_networks_own(self):
        addresses = [Network.address(host) for host in range(1000)]
        self.assertEqual(len(set(addresses)), 1000)
        self.assertEqual(addresses[0], "10.77.0.1")
        self.assertNotIn("10.77.0.0", addresses)

    def test_every_namespace_is_made_first_and_each_link_is_limited_at_both_ends(self):
        network = Network(3, "1gbit", 42)
        commands = network.making()
        made = [command[-1] for command in commands if command[:3] == ["ip", "netns", "add"]]
        self.assertEqual(made, network.namespaces)
        self.assertEqual(commands[:len(made)], [["ip", "netns", "add", name] for name in made])
        limited = {(command[2], command[6]) for command in commands if command[0] == "tc"}
        self.assertEqual(
            limited,
            {(network.namespace(host), "eth0") for host in range(3)}
            | {(network.switch, f"port{host}") for host in range(3)})
        for command in commands[len(made):]:
            # Nothing touches the machine's own network.
            self.assertEqual(command[1], "-n")
            self.assertIn(command[2], made)

    def test_ranks_are_told_who_they_are(self):
        environment = Network(4, "1gbit", 1).environment(3, 29500, "secret")
        self.assertEqual(
            (environment["RANK"], environment["WORLD_SIZE"], environment["LOCAL_RANK"], environment["MASTER_ADDR"]),
            ("3", "4", "0", "10.77.0.1"))
        self.assertEqual(environment["RING_JOB_SECRET"], "secret")

    def test_only_what_dead_processes_left_is_abandoned(self):
        names = ["ringlab-7-0", "ringlab-7-switch", "ringlab-8-0", "blue", "ringlab-x-0", "xringlab-7-0"]
        self.assertEqual(abandoned(names, lambda process: process == 8), ["ringlab-7-0", "ringlab-7-switch"])
        self.assertEqual(removal("ringlab-7-0")[-1], "ringlab-7-0")


class RunningTests(unittest.TestCase):
    class Rank:
        def __init__(self, *statuses):
            self.statuses = list(statuses)

        def poll(self):
            return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]

    def test_the_first_status_that_is_not_zero_counts(self):
        self.assertEqual(status_of([self.Rank(None, 0), self.Rank(0)], float("inf")), 0)
        self.assertEqual(status_of([self.Rank(None), self.Rank(None, 3)], float("inf")), 3)
        self.assertEqual(status_of([self.Rank(-9), self.Rank(None)], float("inf")), 137)

    def test_lines_are_behind_their_rank(self):
        class Lock:
            def __enter__(self):
                return self

            def __exit__(self, *_):
                return None

        target = io.StringIO()
        copy(io.StringIO("a\nb\n"), target, "[1] ", Lock())
        self.assertEqual(target.getvalue(), "[1] a\n[1] b\n")


class BenchTests(unittest.TestCase):
    results = {("1gbit", "none"): 0.1, ("1gbit", "int8"): 0.38, ("10gbit", "none"): 1.0}

    def test_what_was_not_measured_has_no_figure(self):
        self.assertEqual(
            rows(self.results, ["1gbit", "10gbit"], ["none", "int8"]),
            [["compression", "1gbit", "10gbit"], ["none", "0.100 (1.00 x)", "1.00 (1.00 x)"],
             ["int8", "0.380 (3.80 x)", "-"]])

    def test_the_picture_has_a_bar_for_each_but_the_yardstick(self):
        root = xml.etree.ElementTree.fromstring(picture(self.results, ["1gbit", "10gbit"], ["none", "int8"]))
        bars = [node for node in root.iter() if node.get("class") == "bar"]
        self.assertEqual(len(bars), 1)

    def test_commands_name_what_they_measure(self):
        self.assertIn("int8", command("ringbench", "int8", 1 << 20))
        words = command("ringbench", "lz4, 90 % zeros", 1 << 20)
        self.assertEqual(words[words.index("--compression") + 1:][:3], ["lz4", "--zeros", "90"])
        words = mpi_command(Network(2, "1gbit", 1), "agent", "program", 64)
        self.assertIn("10.77.0.1:1,10.77.0.2:1", words)
        self.assertEqual(words[-2:], ["program", "64"])


class AccuracyTests(unittest.TestCase):
    def test_rows_are_held_against_none(self):
        results = {("none", ()): ([0.9, 0.88], 100.0), ("int4", ("--no-error-feedback",)): ([0.87, 0.89], 13.0)}
        self.assertEqual(
            accuracy.rows(results)[1:],
            [["none", "89.00", "+0.00", "90.00, 88.00", "1.000"],
             ["int4 --no-error-feedback", "88.00", "-1.00", "87.00, 89.00", "0.130"]])
        self.assertIn("--seed 1|2", accuracy.section(results, 2, "digits", [1, 2]))


if __name__ == "__main__":
    unittest.main()
