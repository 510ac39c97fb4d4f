"""What users' machines need of a kernel beyond what the scenarios do: devices, netfilter, cgroups.

The built kernel has all of it (time_travel.config says who needs what). What another kernel lacks
is a skip by name.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from harness.kernels import choice

pytestmark = pytest.mark.usefixtures("lvs_kernel")

DEVICES = {
    "bond": ["type", "bond", "mode", "active-backup"],
    "team": ["type", "team"],
    "ipvlan": ["link", "feature0", "type", "ipvlan", "mode", "l2"],
    "vrf": ["type", "vrf", "table", "77"],
    "vxlan": ["type", "vxlan", "id", "77", "dstport", "4789", "local", "127.0.0.1"],
    "wireguard": ["type", "wireguard"],
}

RULES = {
    "mac": ["-A", "INPUT", "-m", "mac", "--mac-source", "02:00:00:00:00:01", "-j", "ACCEPT"],
    "TCPMSS": [
        "-t",
        "mangle",
        "-A",
        "FORWARD",
        "-p",
        "tcp",
        "--syn",
        "-j",
        "TCPMSS",
        "--clamp-mss-to-pmtu",
    ],
    "tcpmss": ["-A", "INPUT", "-p", "tcp", "--syn", "-m", "tcpmss", "--mss", "1:500", "-j", "DROP"],
    "LOG": ["-A", "INPUT", "-j", "LOG", "--log-prefix", "seen: "],
    "recent": ["-A", "INPUT", "-m", "recent", "--name", "clients", "--set"],
    "NOTRACK": ["-t", "raw", "-A", "PREROUTING", "-j", "CT", "--notrack"],
    "ipvs": ["-A", "INPUT", "-m", "ipvs", "--vaddr", "192.0.2.80", "-j", "ACCEPT"],
    "CONNMARK": ["-t", "mangle", "-A", "PREROUTING", "-j", "CONNMARK", "--restore-mark"],
    "connmark": ["-A", "INPUT", "-m", "connmark", "--mark", "1", "-j", "ACCEPT"],
}


def attempt(feature: str, command: list[str]) -> None:
    """Run a command, which fails where the kernel lacks the feature. Only the built kernel must
    have it.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and not choice.virtual():
        pytest.skip(f"this kernel lacks {feature}: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("device", DEVICES)
def test_interface_can_be_made(device: str) -> None:
    attempt("dummy", ["ip", "link", "add", "feature0", "type", "dummy"])
    try:
        attempt(device, ["ip", "link", "add", "name", "feature1", *DEVICES[device]])
        said = subprocess.check_output(["ip", "-details", "link", "show", "feature1"], text=True)
        assert device in said
        subprocess.run(["ip", "link", "delete", "feature1"], check=True)
    finally:
        subprocess.run(["ip", "link", "delete", "feature0"], check=True)


@pytest.mark.parametrize("rule", RULES)
def test_rule_can_be_set(rule: str) -> None:
    table = [*RULES[rule][:2]] if RULES[rule][0] == "-t" else []
    try:
        attempt(rule, ["iptables-legacy", *RULES[rule]])
        assert rule.lower() in subprocess.check_output(["iptables-legacy-save"], text=True).lower()
    finally:
        subprocess.run(["iptables-legacy", *table, "-F"], check=False, capture_output=True)


@pytest.mark.parametrize("controller", ["memory", "cpu"])
def test_cgroup_controller_is_there(controller: str) -> None:
    there = Path("/sys/fs/cgroup/cgroup.controllers").read_text().split()
    if controller not in there and not choice.virtual():
        pytest.skip(f"kernel {os.uname().release} lacks the cgroup controller {controller}")
    assert controller in there
