"""The commands that make a network and take it down, and what its hosts are called; nothing here runs one."""

import dataclasses
import os
import re

PREFIX = "ringlab-"
RATES = {"kbit": 1e3, "mbit": 1e6, "gbit": 1e9}


def bits_per_second(rate):
    """What `tc` takes as a rate, in bits a second; None if it is none."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(kbit|mbit|gbit)", rate)
    return float(match[1]) * RATES[match[2]] if match else None


@dataclasses.dataclass(frozen=True)
class Network:
    """Hosts on one switch. Each is a network namespace, and so is the switch, so that the machine's own network is not
    touched; all links end with the namespaces."""

    hosts: int
    rate: str
    owner: int = dataclasses.field(default_factory=os.getpid)
    """Who made it: a process, so that what a dead one has left can be told from what is in use."""
    congestion_control: str = "cubic"
    """What TCP uses on the hosts unless a program asks for another."""

    @property
    def switch(self):
        return f"{PREFIX}{self.owner}-switch"

    def namespace(self, host):
        return f"{PREFIX}{self.owner}-{host}"

    @property
    def namespaces(self):
        return [self.switch, *(self.namespace(host) for host in range(self.hosts))]

    @staticmethod
    def address(host):
        return f"10.77.{(host + 1) // 250}.{(host + 1) % 250}"

    @property
    def burst(self):
        """Bytes that may leave at once: what a link carries in 2 ms, and at least four of the largest segments that
        the kernel hands over."""
        return max(256 << 10, int(bits_per_second(self.rate) * 0.002 / 8))

    def limit(self, namespace, device):
        """What keeps a device to the rate, with a queue of 20 ms."""
        return [
            "tc", "-n", namespace, "qdisc", "add", "dev", device, "root", "tbf", "rate", self.rate, "burst",
            str(self.burst), "latency", "20ms"]

    def making(self):
        """The commands that make it, in order."""
        commands = [["ip", "netns", "add", name] for name in self.namespaces]
        commands += [
            ["ip", "-n", self.switch, "link", "add", "bridge", "type", "bridge"],
            ["ip", "-n", self.switch, "link", "set", "bridge", "up"]]
        for host in range(self.hosts):
            name, port = self.namespace(host), f"port{host}"
            commands += [
                ["ip", "-n", self.switch, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", name],
                ["ip", "-n", self.switch, "link", "set", port, "master", "bridge", "up"],
                ["ip", "-n", name, "link", "set", "lo", "up"],
                ["ip", "-n", name, "address", "add", f"{self.address(host)}/16", "dev", "eth0"],
                ["ip", "-n", name, "link", "set", "eth0", "up"],
                ["ip", "-n", name, "route", "replace", "10.77.0.0/16", "dev", "eth0", "src", self.address(host), "congctl",
                 self.congestion_control],
                self.limit(name, "eth0"), self.limit(self.switch, port)]
        return commands

    def environment(self, host, port, secret):
        """What a rank on a host is told by its launcher, torchrun's way."""
        return {
            "RANK": str(host), "WORLD_SIZE": str(self.hosts), "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1",
            "MASTER_ADDR": self.address(0), "MASTER_PORT": str(port), "RING_JOB_SECRET": secret}

    def inside(self, host, command):
        """A command, run on a host."""
        return ["ip", "netns", "exec", self.namespace(host), *command]


def removal(namespace):
    """The command that takes a namespace down, with all its links."""
    return ["ip", "netns", "delete", namespace]


def abandoned(namespaces, is_alive):
    """Those of the namespaces that networks of ended processes have left."""
    found = []
    for name in namespaces:
        match = re.fullmatch(re.escape(PREFIX) + r"(\d+)-\w+", name)
        if match and not is_alive(int(match[1])):
            found.append(name)
    return found
