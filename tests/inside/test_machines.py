"""Machines: each is one of its own, on one clock, and nothing of it outlives its power."""

from __future__ import annotations

import os
import select
import socket
import time
from pathlib import Path

import pytest

from harness.clock import now
from harness.cluster import Cluster
from harness.errors import HarnessError
from harness.faults import PowerOff
from harness.lab.lab import Lab
from harness.lab.machine import Machine
from harness.lab.plan import make_topo, plan
from harness.lab.supervisor import Supervisor
from harness.scenario import fresh_topology, topology
from topologies.director_group import DirectorGroup
from topologies.director_pair import DirectorPair

pytestmark = topology(DirectorPair)

NAMESPACES = ("ipc", "mnt", "net", "pid", "uts")
PRIVATE = ("/etc/keepalived", "/run", "/tmp", "/var/log")


def machines(cluster: Cluster) -> list[Machine]:
    return [node.machine for node in cluster.nodes.values()]


def processes() -> set[int]:
    """Those that run a program: no threads of the kernel, and none that has ended."""
    return {int(name) for name in os.listdir("/proc") if name.isdigit() and _runs(name)}


def _runs(pid: str) -> bool:
    try:
        return bool(os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return False


def namespaces(pids: set[int]) -> set[str]:
    """The network namespaces in which these processes are."""
    found = set()
    for pid in pids:
        try:
            found.add(os.readlink(f"/proc/{pid}/ns/net"))
        except OSError:  # it has ended, or is a thread of the kernel
            continue
    return found


def mounts() -> str:
    return Path("/proc/self/mounts").read_text()


def links() -> list[str]:
    return sorted(os.listdir("/sys/class/net"))


def test_every_machine_has_namespaces_of_its_own(cluster: Cluster) -> None:
    seen = [
        tuple(machine.cmd("readlink", *(f"/proc/self/ns/{kind}" for kind in NAMESPACES)).split())
        for machine in machines(cluster)
    ]
    seen.append(tuple(os.readlink(f"/proc/self/ns/{kind}") for kind in NAMESPACES))
    for kind in zip(*seen, strict=True):
        assert len(set(kind)) == len(cluster.nodes) + 1, kind


def test_every_machine_sees_its_own_processes_alone(cluster: Cluster) -> None:
    client = cluster.client.machine
    shown = {int(word) for word in client.cmd("ls", "/proc").split() if word.isdigit()}
    assert 1 in shown
    assert len(shown) == 2, "the client's pid 1, and ls"


def test_every_machine_has_its_own_name(cluster: Cluster) -> None:
    for machine in machines(cluster):
        assert machine.cmd("hostname").strip() == machine.name
        assert machine.read("/etc/hostname") == f"{machine.name}\n"


def test_every_machine_resolves_every_other(cluster: Cluster) -> None:
    names = list(cluster.nodes)
    wanted = [(node.ip, name) for name, node in cluster.nodes.items()]
    for machine in machines(cluster):
        lines = machine.run(["getent", "hosts", *names]).stdout.splitlines()
        assert [tuple(line.split()) for line in lines] == wanted


def test_files_of_one_machine_are_no_other_s(cluster: Cluster) -> None:
    one, other = cluster.real_servers[0].machine, cluster.client.machine
    for folder in (*PRIVATE, "/usr/share", "/etc", "/srv"):
        path = f"{folder}/left-by-a-test"
        one.write(path, "mine")
        assert one.read(path) == "mine"
        with pytest.raises(FileNotFoundError):
            other.read(path)
        assert not os.path.exists(path), "the kernel's own files stay as they were"
        one.remove(path)


def test_who_reads_a_file_that_is_replaced_has_the_old_one_whole(cluster: Cluster) -> None:
    machine = machines(cluster)[0]
    machine.replace("/run/replaced", "old and long")
    with machine.open("/run/replaced") as reading:
        machine.replace("/run/replaced", "new")
        assert reading.read() == b"old and long"
    assert machine.read("/run/replaced") == "new"
    with pytest.raises(FileNotFoundError):
        machine.read("/run/replaced.new")
    machine.remove("/run/replaced")


def test_a_keepalived_that_reads_its_file_meanwhile_has_the_old_one_whole(cluster: Cluster) -> None:
    master = cluster.settle().master
    with master.machine.open(master.config_file) as reading:
        master.configure(("priority 100", "priority 101"))
        assert reading.read() == master.config_text()
    assert "priority 101" in master.machine.read(master.config_file)
    master.configure()


@fresh_topology(DirectorPair)
def test_fresh_folders_hold_nothing_of_the_host(cluster: Cluster) -> None:
    for folder in PRIVATE:
        assert cluster.client.machine.cmd("ls", "-A", folder) == ""


def test_other_users_may_not_write_where_root_alone_may(cluster: Cluster) -> None:
    modes = cluster.client.machine.run(
        ["stat", "-c", "%a %u", "/tmp", "/run", "/etc/keepalived"]
    ).stdout.split("\n")
    assert modes[:3] == ["1777 0", "755 0", "755 0"]


def test_all_machines_share_one_clock(cluster: Cluster) -> None:
    before = now()
    shown = [float(machine.read("/proc/uptime").split()[0]) for machine in machines(cluster)]
    boot = time.clock_gettime(time.CLOCK_BOOTTIME) - now()
    after = now()
    assert shown == sorted(shown)
    assert before + boot - 0.01 <= shown[0]
    assert shown[-1] <= after + boot


def test_a_command_that_fails_names_machine_command_and_output(cluster: Cluster) -> None:
    with pytest.raises(
        HarnessError, match=r"^web1: `ls /nowhere 'a b'` failed with 2: ls: .*/nowhere"
    ):
        cluster.real_servers[0].machine.run(["ls", "/nowhere", "a b"])


def test_a_program_that_is_missing_is_named(cluster: Cluster) -> None:
    with pytest.raises(FileNotFoundError, match="client: there is no program frobnicate"):
        cluster.client.machine.run(["frobnicate"])


def test_a_command_may_be_one_text(cluster: Cluster) -> None:
    assert cluster.client.machine.run("printf %s 'a b'").stdout == "a b"


def test_mininet_s_words_work_on_a_machine(cluster: Cluster) -> None:
    machine = cluster.client.machine
    assert (
        machine.cmd("cat /sys/class/net/eth0/address").strip()
        == machine.MAC()
        == cluster.client.mac
    )
    assert machine.IP("eth0") == "172.16.10.100"
    assert machine.intfNames() == ["eth0"]
    assert machine.popen("sh -c 'exit 3'").wait() == 3


# -- the end ---------------------------------------------------------------------------------------


@fresh_topology(DirectorPair)
def test_power_cut_kills_everything_in_the_machine_at_once(cluster: Cluster) -> None:
    director = cluster.directors[1]
    machine = director.machine
    sleeper = machine.popen("sleep 1000")
    space = machine.cmd("readlink", "/proc/self/ns/net").strip()
    assert space in namespaces(processes())
    before, keepalived = processes(), director.process()

    cluster.inject(PowerOff(director))

    assert sleeper.status == -9
    assert keepalived.status == -9
    assert space not in namespaces(processes())
    assert len(before - processes()) >= 4, "pid 1, sleep, and keepalived with its children"
    with pytest.raises(HarnessError, match="director2 is powered off: it cannot spawn anything"):
        machine.cmd("true")


@fresh_topology(DirectorPair)
def test_a_machine_switched_on_again_remembers_nothing(cluster: Cluster) -> None:
    director = cluster.directors[1]
    director.machine.write("/etc/keepalived/down", "")
    fault = PowerOff(director)

    cluster.inject(fault)
    cluster.heal(fault)

    assert "down" not in director.machine.cmd("ls", "/etc/keepalived").split()
    assert not director.idle
    cluster.settle()


@pytest.mark.usefixtures("alone")
def test_lab_closed_and_supervisor_stopped_leave_nothing() -> None:
    before = processes(), mounts(), links()
    supervisor = Supervisor.start()
    lab = Lab(plan(make_topo(DirectorPair)), supervisor)
    lab.wire_lans()
    lab.power_on(lab.plan.hosts)
    assert len(processes() - before[0]) == 1 + len(lab.plan.hosts)

    lab.close()
    supervisor.stop()

    assert (processes(), mounts(), links()) == before


@pytest.mark.usefixtures("alone")
def test_supervisor_ends_with_the_process_that_started_it() -> None:
    """Whoever starts it may be killed with SIGKILL at any moment: what it made goes with it."""
    before = processes()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            lab = Lab(plan(make_topo(DirectorPair)), Supervisor.start())
            lab.wire_lans()
            lab.power_on(lab.plan.hosts)
            os.write(writer, b"up")
            time.sleep(1000)
        finally:
            os._exit(1)
    os.close(writer)
    assert os.read(reader, 2) == b"up"
    ended = [os.pidfd_open(pid) for pid in sorted(processes() - before)]
    assert len(ended) == 1 + 1 + 5
    os.kill(child, 9)
    os.waitpid(child, 0)
    for fd in ended:
        assert select.select([fd], [], [], 10)[0], "it lives on"
        os.close(fd)
    assert processes() == before


@topology(DirectorGroup)
def test_ipv6_addresses_are_usable_at_once(cluster: Cluster) -> None:
    """No duplicate address detection keeps them waiting for a second or two, and nobody asks
    for routers.
    """
    director, client = cluster.directors[0].machine, cluster.client.machine
    with client.inside(), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as ear:
        ear.bind(("fd00:10::100", 7))
        ear.settimeout(1)
        with director.inside(), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as mouth:
            mouth.bind(("fd00:10::11", 0))
            mouth.sendto(b"heard", ("fd00:10::100", 7))
        assert ear.recv(16) == b"heard"
    for name in ("accept_dad", "router_solicitations"):
        assert director.read(f"/proc/sys/net/ipv6/conf/eth0/{name}") == "0\n"
