"""Whether a cluster is as it was before a sequence: what it holds, and what it has counted."""

from __future__ import annotations

import pytest

from harness.search import canonical, growth, proc


def test_a_table_is_the_same_whatever_the_order_and_the_connections() -> None:
    header = (
        "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler"
        " Flags\n  -> RemoteAddress\n"
    )
    one = (
        "TCP  AC10:0050 rr\n  -> AC01:0050      Route   1      0          7\n  -> AC02:0050   "
        "   Route   1      0  1\n"
    )
    other = (
        "TCP  AC10:0050 rr\n  -> AC02:0050      Route   1      3  1\n  -> AC01:0050     "
        " Route   1      0          0\n"
    )
    weighed = other.replace("AC01:0050      Route   1", "AC01:0050      Route   9")

    def state(table: str) -> canonical.State:
        return {"director1 /proc/net/ip_vs": canonical.plain("/proc/net/ip_vs", header + table)}

    assert canonical.difference(state(one), state(other)) is None
    assert "Route   9" in str(canonical.difference(state(one), state(weighed)))


def test_a_socket_for_netfilter_is_no_second_process() -> None:
    """keepalived opens it for its first VMAC, and keeps it."""

    def sockets(*protocols: int) -> str:
        rows = [f"0000 {protocol:<3} 4{protocol} 00000550 0 0" for protocol in protocols]
        header = "sk Eth Pid Groups Rmem Wmem"
        return canonical.plain("/proc/net/netlink", "\n".join([header, *rows]))

    assert sockets(0, 12) == sockets(0)
    assert sockets(0, 0) != sockets(0)


def test_a_socket_is_the_same_whatever_address_it_is_bound_to() -> None:
    """One that is opened while its interface has no address is bound to none."""

    def sockets(*rows: str) -> str:
        lines = [f"  112: {row} 07 00000000:00000000" for row in rows]
        return canonical.plain("/proc/net/raw", "\n".join(["sl local rem st", *lines]))

    bound, unbound = "0B0A10AC:0070 00000000:0000", "00000000:0070 00000000:0000"
    assert sockets(bound) == sockets(unbound)
    assert sockets(bound) != sockets(bound, unbound) != sockets("0B0A10AC:0001 00000000:0000")


def test_a_child_of_a_child_is_no_process_of_a_daemon_s_own() -> None:
    """keepalived's VRRP child has just forked 9, in which it is going to run a script."""
    assert proc.own({"2": "1", "3": "2", "4": "2", "9": "4"}) == {"2", "3", "4"}
    assert proc.own({"2": "1", "7": None}) == {"2", "7"}
    assert proc.own({}) == set()


def test_of_udp_the_sync_daemons_count() -> None:
    rows = ("0B0A10AC:D1DE 510000E0:2290", "510000E0:2290 00000000:0000", "00:8AFD 00:0035")
    lines = [f"  332: {row} 01 00000000" for row in rows]

    text = canonical.plain("/proc/net/udp", "\n".join(["sl local rem st", *lines]))

    assert text.split() == ["hears", "sends"]


def test_routes_are_compared_in_any_order_and_once() -> None:
    """With the first rule the kernel parts two tables that it had as one."""

    def table(*lines: str) -> str:
        return canonical.plain("/proc/net/fib_trie", "\n".join(lines))

    here, lan = (
        ("     |-- 10.0.0.1", "        /32 host LOCAL"),
        ("     |-- 10.0.0.0", "        /24 link UNICAST"),
    )
    inner = "  +-- 0.0.0.0/0 3 0 5"
    assert table("Main:", inner, *here, *lan) == table("Local:", *lan, *here, "Main:", inner, *here)
    assert table("Main:", *here, *lan) != table("Main:", *here)


def test_what_keepalived_holds_open_is_counted_without_sockets_and_inodes() -> None:
    held = [
        "pipe:[12]",
        "pipe:[13]",
        "/dev/null",
        "/dev/console",
        "socket:[14]",
        "anon_inode:[eventpoll]",
    ]

    assert canonical.held(held) == "keepalived holds 1 /dev/null, 1 anon_inode, 2 pipe"


def test_who_holds_the_pid_file_of_a_child_is_no_difference() -> None:
    started = ["/run/keepalived.pid", "/run/vrrp.pid", "/run/checkers.pid"]
    reloaded = ["/run/keepalived.pid", "/run/vrrp.pid"]

    assert canonical.held(started) == canonical.held(reloaded)
    assert canonical.held(reloaded) == "keepalived holds 1 /run/keepalived.pid"
    assert "2 /run/vrrp.pid" in canonical.held([*reloaded, "/run/vrrp.pid"])


def test_a_descriptor_more_is_a_difference() -> None:
    before, now = (
        {"director1 keepalived's descriptors": canonical.held(["pipe:[1]"] * count)}
        for count in (2, 3)
    )

    assert "keepalived holds 3 pipe" in str(canonical.difference(before, now))


@pytest.mark.parametrize(
    ("grown", "told"),
    [
        ([200] * 12, None),
        # what is done for the first time takes memory that stays
        ([0, 100, 160, 180, 190, 196, 200, 204, 208, 212, 216, 220], None),
        ([16 * number for number in range(12)], "process 7 has grown by 80 KiB in 5 repetitions"),
    ],
)
def test_a_process_that_never_ends_to_grow_leaks(grown: list[int], told: str | None) -> None:
    assert growth.leak([{"7": 1000 + each} for each in grown]) == told


def test_a_process_that_was_started_anew_does_not_leak() -> None:
    assert growth.leak([{"7": 1000}, {"7": 1100}, {"8": 9000}]) is None


def test_a_socket_that_is_never_closed_is_missed_once_there_are_too_many() -> None:
    most = {"director1": 43}
    assert growth.left_open({"director1": {"3": 43, "4": 9}}, most) is None
    left = growth.left_open({"director1": {"3": 9, "4": 44}}, most)
    assert left == "director1's process 4 holds 44 sockets, and has use for 43"


def test_counters_only_rise_unless_the_machine_was_booted() -> None:
    before, now = {"lb1": (4, 10), "lb2": (1, 1)}, {"lb1": (4, 9), "lb2": (1, 2)}

    assert growth.fallen(before, now) == "lb1 had counted (4, 10), and has counted (4, 9)"
    assert growth.fallen(before, now, booted=("lb1",)) is None
    assert growth.fallen(before, before) is None
