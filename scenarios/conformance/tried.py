"""The same packets for another implementation than keepalived: pytest --speaker frr
scenarios/conformance.
"""

from __future__ import annotations

from typing import Any

import pytest

from scenarios.conformance.declared import FRR, declared, declared_of_sender
from scenarios.conformance.vectors import BACKUP, MASTER, PASSWORD


def try_frr(item: pytest.Item) -> None:
    """Have a scenario's director run FRR's vrrpd, and expect of it what is declared of that."""
    parameters: dict[str, Any] = item.callspec.params  # type: ignore[attr-defined]
    kind = parameters["kind"]
    wanted = item.get_closest_marker("topology")
    assert wanted is not None
    item.own_markers[:] = [
        mark for mark in item.own_markers if mark.name not in ("regression", "topology")
    ]
    item.add_marker(pytest.mark.topology.with_args(*wanted.args, **{**wanted.kwargs, "by": "frr"}))
    if kind is PASSWORD:
        item.add_marker(pytest.mark.skip(reason="FRR's vrrpd knows no passwords"))
    item.add_marker(
        pytest.mark.needs(
            "FRRouting's vrrpd, as --image trixie+frr has it", program="/usr/lib/frr/vrrpd"
        )
    )
    if "duty" in parameters:
        marks = declared_of_sender(kind, parameters["duty"].name, FRR)
    else:
        marks = declared(
            kind, parameters["vector"], MASTER if "a_master" in item.name else BACKUP, FRR
        )
    for mark in marks:
        item.add_marker(mark)
