"""The markers of these scenarios, declared here so that they are known wherever these are
installed.

Which scenarios bear the marker ``core``, ``core.txt`` says.
"""

from pathlib import Path

import pytest

from scenarios.conformance.tried import try_frr

HERE = Path(__file__).resolve().parent

MARKERS = (
    "ownership: which director holds the VIP",
    "forwarding: the path that frames take through the cluster",
    "arp: who answers ARP for the VIP",
    "failover: loss of the master, takeover and failback",
    "health: checks of the real servers, removal and recovery",
    "maintenance: moving the VIP on purpose",
    "election: who becomes master",
    "scheduler: which real server gets the next connection",
    "recovery: what comes back, and how",
    "persistence: clients that stay with their real server, and real servers that are drained",
    "tracking: what raises, lowers or ends a director's claim",
    "notification: whom keepalived tells, and in which order",
    "misconfiguration: mistakes that operators make, and their symptoms",
    "conformance: what the RFCs say of one packet, and what a director does",
    "interoperation: what two implementations of VRRP do with each other",
    "open_problem: what the original experiment left open",
)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)


@pytest.hookimpl(tryfirst=True)  # before pytest selects by marker
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the core, and have the conformance scenarios try what they are to try."""
    core = HERE / "core.txt"
    if not core.exists():  # in a bundle, which holds what was imported
        return
    lines = core.read_text(encoding="utf-8").splitlines()
    names = {line for line in lines if line and not line.startswith("#")}
    for item in items:
        if (
            item.get_closest_marker("conformance") is not None
            and config.getoption("speaker") == "frr"
        ):
            try_frr(item)
        if item.path.is_relative_to(HERE):
            file = item.path.relative_to(HERE).as_posix()
            if f"{file}::{item.nodeid.partition('::')[2]}" in names:
                item.add_marker("core")
