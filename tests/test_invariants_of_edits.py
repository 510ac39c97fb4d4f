"""Edits of a configuration that explain what others do, or what comes of them later."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.events import Advertisement
from harness.search.invariants.advertising import PACE
from harness.search.invariants.announcing import REASON
from tests.stories import names, partition
from tests.story import VIP

MORE = f"{VIP} 172.16.10.180"


@pytest.mark.parametrize("heard", [True, False])
def test_a_master_answers_a_lower_claim_of_other_vips(heard: bool) -> None:
    """Its configuration is as ever; the other's has one VIP more."""
    edit = "172.16.10.180 more in vrrp_instance VI_1"
    story = partition().act("Reconfigure", "director2", 2.0, None, edit=edit)
    story.events = [
        replace(each, addresses=MORE)
        if isinstance(each, Advertisement) and each.source.endswith(".12")
        else each
        for each in story.events
        if heard or not (each.node == "director1" and each.matches(sent=False))
    ]
    assert ({PACE, REASON} <= names(story)) is not heard
    assert bool({PACE, REASON} & names(story)) is not heard
