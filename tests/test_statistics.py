"""keepalived's counters, as it writes them."""

from __future__ import annotations

import pytest

from harness.errors import HarnessError
from harness.keepalived import statistics

WRITTEN = """VRRP Instance: VI_1
  Advertisements:
    Received: 3
    Sent: 4
  Became master: 1
  Released master: 0
  Packet Errors:
    Length: 0
    TTL: 2
    Invalid Type: 0
    Advertisement Interval: 0
    Address List: 0
  Authentication Errors:
    Invalid Type: 5
    Type Mismatch: 0
    Failure: 0
  Priority Zero:
    Received: 0
    Sent: 0
"""


def test_counters_are_told_apart_by_their_group() -> None:
    counters = statistics.parse(WRITTEN)["VI_1"]
    assert counters["Packet Errors: TTL"] == 2
    assert counters["Packet Errors: Invalid Type"] == 0
    assert counters["Authentication Errors: Invalid Type"] == 5
    assert counters["Became master"] == 1
    assert len(counters) == 14


def test_instances_are_told_apart() -> None:
    both = WRITTEN + WRITTEN.replace("VI_1", "VI_2").replace("TTL: 2", "TTL: 7")
    assert {name: each["Packet Errors: TTL"] for name, each in statistics.parse(both).items()} == {
        "VI_1": 2,
        "VI_2": 7,
    }


@pytest.mark.parametrize(
    "text", ["", WRITTEN[:-30], WRITTEN + "VRRP Instance: VI_2\n  Advertisements:\n"]
)
def test_cut_short_is_refused(text: str) -> None:
    with pytest.raises(HarnessError, match="cut short"):
        statistics.parse(text)


def test_line_without_a_number_is_named() -> None:
    with pytest.raises(HarnessError, match="TTL: many"):
        statistics.parse(WRITTEN.replace("TTL: 2", "TTL: many"))


def test_difference_is_what_has_been_counted_since() -> None:
    before = statistics.parse(WRITTEN)["VI_1"]
    after = statistics.parse(WRITTEN.replace("TTL: 2", "TTL: 3"))["VI_1"]
    assert statistics.difference(before, after) == {"Packet Errors: TTL": 1}
