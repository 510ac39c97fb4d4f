"""Known defects of sync groups."""

from __future__ import annotations

from typing import Final

from harness.search.invariants.advertising import TRUE
from harness.search.invariants.reloading import AGAIN
from harness.search.invariants.states import FAULTY, TOGETHER
from harness.search.invariants.telling import TOLD
from harness.search.known.defect import (
    LINK_WEIGHT,
    READS,
    RELOAD,
    SCRIPTS,
    SIGNALS,
    Known,
    shown,
)

_UNHEEDED: Final = (
    (FAULTY, r" is (BACKUP|MASTER) of .*, and what it tracks has failed"),
    (TRUE, r" with priority 255, and should with 0$"),
)
"""How it shows that keepalived does not heed what an instance tracks."""
_TOGETHER: Final = r"vrrp_sync_group \S+ \{\s+group \{\s+\S+\s+[^\s}]"
"""A sync group of two or more."""
_OWNERS: Final = r"(?s)vrrp_sync_group.*state MASTER[^{}]*priority 255"
"""A sync group and an address owner, be that in it or not."""


DEFECTS: tuple[Known, ...] = (
    *shown(
        # A reload tells of every group that is a backup or in fault, as a start does.
        "scenarios/regressions/test_group_told_after_a_reload.py",
        (RELOAD,),
        (AGAIN, r" reloads what it has, and tells of \S+ again: (BACKUP|FAULT)$"),
        config="vrrp_sync_group",
        present="<2.2",
    ),
    *shown(
        # A group of one member is dropped, and tells nobody.
        "scenarios/regressions/test_sync_group_of_one.py",
        (),
        (TOLD, r"^all instances of .* are master(?: from their start on)?, and nobody is told"),
        config=r"group \{\s+\S+\s+\}",
        present="<2.2.3",
    ),
    *shown(
        # Its member is in no group then, and the weight of what it tracks counts.
        "scenarios/regressions/test_sync_group_of_one.py",
        (frozenset({"WriteNumber"}),),
        (FAULTY, r" is (BACKUP|MASTER) of .*, and what it tracks has failed"),
        config=r"(?s)track_file \S+ \{[^}]*weight 1\s.*group \{\s+\S+\s+\}",
        present="<2.2.3",
    ),
    *shown(
        # So does the weight of an interface.
        "scenarios/regressions/test_sync_group_of_one.py",
        (frozenset({"Unplug"}),),
        (FAULTY, r" is (BACKUP|MASTER) of .*, and what it tracks has failed"),
        config=r"(?s)group \{\s+\S+\s+\}.*" + LINK_WEIGHT,
        present="<2.2.3",
    ),
    *shown(
        # A member of a sync group, like an owner, does not heed its script without a weight.
        "scenarios/regressions/test_sync_group_script.py",
        (SCRIPTS | {"StopProgram"},),
        *_UNHEEDED,
        config=rf"(?s)vrrp_script \S+ \{{[^}}]*weight 0\s.*({_TOGETHER}|priority 255)",
        present=">=2.1,<2.2",
    ),
    *shown(
        # Nor its file, which has none where the configuration gives it the default one.
        "scenarios/regressions/test_sync_group_script.py",
        (frozenset({"WriteNumber"}),),
        *_UNHEEDED,
        config=rf"(?s)track_file \S+ \{{[^}}]*weight [01]\s.*({_TOGETHER}|priority 255)",
        present=">=2.1,<2.2.2",
    ),
    *shown(
        # The weight of its interface counts, though it says that it ignores it.
        "scenarios/regressions/test_sync_group_interface_weight.py",
        (frozenset({"Unplug"}),),
        (FAULTY, r" is (BACKUP|MASTER) of .*, and what it tracks has failed"),
        config=r"(?s)\A(?=.*vrrp_sync_group)(?!.*sync_group_tracking_weight)"
        r".*vrrp_instance.*" + LINK_WEIGHT,
    ),
    *shown(
        # A deleted VIP makes a group a backup, and its state is set without a word; a reload then
        # takes it for master all the while.
        "scenarios/regressions/test_group_of_a_deleted_vip.py",
        (frozenset({"DeleteVip"}), SIGNALS),
        (TOLD, r"^all instances of .* are master, and nobody is told"),
        config=r"vrrp_sync_group",
    ),
    *shown(
        # A reload sets a group of address owners to master while they are backups, and nothing is
        # told when they become master.
        "scenarios/regressions/test_group_of_owners.py",
        (RELOAD,),
        (TOLD, r"^all instances of .* are master, and nobody is told"),
        config=_OWNERS,
    ),
    *shown(
        # So does their start: where a new cluster does not settle, and after a restart.
        "scenarios/regressions/test_group_of_owners.py",
        (),
        (TOLD, r"^all instances of .* are master from their start on, and nobody is told"),
        config=_OWNERS,
    ),
    *shown(
        # A group that a reload has set to master takes no member along, whose timer may be longer.
        "scenarios/regressions/test_group_of_owners.py",
        (READS,),
        (TOGETHER, r" is master of .* and not of .*, which is in "),
        config=_OWNERS,
    ),
)
