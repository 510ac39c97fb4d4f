"""What keepalived's log says of states, in the words of its releases."""

from __future__ import annotations

import pytest

from harness.daemons import keepalived


@pytest.mark.parametrize(
    ("line", "entered"),
    [
        ("(VI_1) Entering MASTER STATE", ("VI_1", "MASTER")),
        ("Thu Jan  1 00:00:02 2026: (VI_1) Entering FAULT STATE", ("VI_1", "FAULT")),
        ("(VI_1) entering FAULT state", ("VI_1", "FAULT")),  # at the start (vrrp.c)
        ("(VI_1) entering FAULT state (interface eth0 down)", ("VI_1", "FAULT")),
        # vrrp_track.c and vrrp.c, at the start
        ("(VI_1): entering FAULT state due to script chk_proxy", ("VI_1", "FAULT")),
        ("(VI_1): entering FAULT state (src address not configured)", ("VI_1", "FAULT")),
        ("(VI (1) of 'a' \"b\") Entering BACKUP STATE (init)", ("VI (1) of 'a' \"b\"", "BACKUP")),
        ("(VI_1) Received advert from 172.16.10.12 with lower priority 90", None),
    ],
)
def test_state_is_read_from_the_log(line: str, entered: tuple[str, str] | None) -> None:
    assert keepalived.entered(line) == entered
