"""Known defects of VMACs: interfaces that keepalived makes, finds, or removes."""

from __future__ import annotations

from typing import Final

from harness.search.invariants.addresses import HELD
from harness.search.invariants.advertising import TRUE
from harness.search.invariants.announcing import REASON
from harness.search.invariants.election import TAKES
from harness.search.invariants.rest import RESTORED
from harness.search.judging import AT_REST
from harness.search.known.defect import (
    DIES,
    EDITS,
    FORGOTTEN,
    KILLS,
    LINK_WEIGHT,
    MADE,
    READS_ANEW,
    STUCK,
    Known,
    shown,
)

_LINKLESS: Final = frozenset({"Unplug", "SetDown"})
"""After what an interface is down."""
_NOT_SET: Final = (
    (HELD, r" is MASTER of .*, and does not hold "),
    (AT_REST, r"^(?!at first).* is held by nobody, and should be by "),
    (RESTORED, r" was held by .*, and is held by nobody"),
)
"""How it shows that a master never sets its VIP again."""
_HELD_BY_NOBODY: Final = (
    (RESTORED, r" was held by .*, and is held by nobody"),
    (AT_REST, r" is held by nobody, and should be by "),
)
"""How it shows that a master does not hold what it announces."""
_UNICAST_VMAC: Final = (
    r"(?s)vrrp_instance(?=(?:(?!vrrp_instance).)*use_vmac)(?=(?:(?!vrrp_instance).)*unicast_peer)"
)
"""An instance that has both, in whatever order."""
_CABLE: Final = frozenset({"Unplug"})
"""After what the interface with a weight is down: ``SetDown`` is of another one."""
_MISCOUNTED: Final = (
    (AT_REST, r"^(?!at first).* is held by (?!nobody)\S+, and should be by "),
    (RESTORED, r" was held by .*, and is held by (?!nobody)"),
    (TAKES, r" outranks it for .*, and is not master$"),
    (TRUE, r" advertises .* with priority \d+, and should with "),
)
"""How it shows that an instance claims something else than it should."""
_WEIGHT_VMAC: Final = rf"(?s){LINK_WEIGHT}.*use_vmac|use_vmac(?:(?!vrrp_instance).)*{LINK_WEIGHT}"
"""An instance that tracks an interface by weight, and has a VMAC or comes before one that has."""

DEFECTS: tuple[Known, ...] = (
    *shown(
        # A VIP that names the parent of its VMAC stays on the parent.
        "scenarios/regressions/test_vmac_address.py",
        (),
        (HELD, r" is MASTER of .*, and does not hold "),
        (AT_REST, r"^at first .* is held by nobody, and should be"),
        config="use_vmac",
        present="<2.2",
    ),
    *shown(
        # A sync group stays in fault whose link was lost while a VMAC was made. That the loss comes
        # as keepalived starts is not looked at.
        "scenarios/regressions/test_link_lost_at_the_start.py",
        (MADE, _LINKLESS),
        *STUCK,
        config=r"(?s)vrrp_sync_group.*use_vmac",
        present=">=2.1",
        within=2.0,
    ),
    *shown(
        # So does an instance, whose own faults are not cleared either.
        "scenarios/regressions/test_link_lost_at_the_start.py",
        (MADE, _LINKLESS),
        *STUCK,
        config="use_vmac",
        present="<2.2",
        within=2.0,
    ),
    *shown(
        # The weight of a link that is lost, or comes back, while a start makes a VMAC counts twice.
        "scenarios/regressions/test_link_weight_counted_twice.py",
        (MADE, _CABLE),
        *_MISCOUNTED,
        config=_WEIGHT_VMAC,
        within=2.0,
    ),
    *shown(
        # The same while a reload makes one, as an edit is taken back: nothing is known of what an
        # instance claims before, and the next reload counts anew.
        "scenarios/regressions/test_link_weight_counted_twice.py",
        (EDITS, _CABLE),
        *_MISCOUNTED,
        config=_WEIGHT_VMAC,
        edit=r"^no use_vmac |^no vrrp_instance |^virtual_router_id |each other's number$"
        r"|, which is gone$",
        within=1.0,
    ),
    *shown(
        # Whoever is killed as it has just created its VMAC finds that down, and is in fault for
        # ever. A restart takes more than a second, and what is to be done meanwhile comes after it.
        "scenarios/regressions/test_vmac_found_down.py",
        (KILLS, MADE),
        *STUCK,
        (RESTORED, r" was held by .*, and is held by (?!nobody)"),
        config="use_vmac",
        within=2.0,
    ),
    *shown(
        # An instance of a VMAC is in fault for ever that has read its configuration while the
        # interface was down, and without the IPv6 address that the kernel forgets then.
        "scenarios/regressions/test_vmac_without_an_address.py",
        (READS_ANEW, FORGOTTEN),
        *STUCK,
        (RESTORED, r" was held by .*, and is held by "),
        config=r"use_vmac(?:(?!vrrp_instance)(?s:.))*virtual_ipaddress \{\s+\S*:",
        present=">=2.2.3,<2.3.3",
    ),
    *shown(
        # The VIP goes with the VMAC, and keepalived counts it as held by the interface below.
        "scenarios/regressions/test_vip_of_a_removed_vmac.py",
        (EDITS,),
        *_HELD_BY_NOBODY,
        config=_UNICAST_VMAC,
        present=">=2.2",
        edit=r"^no use_vmac ",
    ),
    *shown(
        # So it does as an edit that had one made is taken back.
        "scenarios/regressions/test_vip_of_a_removed_vmac.py",
        (EDITS,),
        *_HELD_BY_NOBODY,
        config="unicast_peer",
        present=">=2.2",
        edit=r"^use_vmac ",
    ),
    *shown(
        # It announces the VIP again and again.
        "scenarios/regressions/test_vip_of_a_removed_vmac.py",
        (EDITS,),
        (REASON, r" announces .* by gratuitous ARP, for no reason$"),
        config=_UNICAST_VMAC + r"(?=.*garp_master_refresh [1-9])",
        present=">=2.2",
        edit=r"^no use_vmac ",
    ),
    *shown(
        # A VIP that is deleted while a reload makes a VMAC, or gives one another number, counts as
        # set; also where what an edit took away is there again.
        "scenarios/regressions/test_vip_deleted_during_a_reload.py",
        (EDITS, frozenset({"DeleteVip"})),
        *_NOT_SET,
        config="use_vmac",
        edit=r"^virtual_router_id |^no vrrp_instance ",
        within=1.0,
    ),
    *shown(
        # The same where the edit is what makes it.
        "scenarios/regressions/test_vip_deleted_during_a_reload.py",
        (EDITS, frozenset({"DeleteVip"})),
        *_NOT_SET,
        edit=r"^(no )?use_vmac ",
        within=1.0,
    ),
    *shown(
        # The VRRP process dies of a route from a VIP that goes with the VMAC.
        "scenarios/regressions/test_vmac_removed.py",
        (EDITS,),
        DIES,
        config=r"(?s)use_vmac.*unicast_peer.* src ",
        present=">=2.2",
        edit=r"^no use_vmac ",
    ),
    *shown(
        # It dies of a link that comes back, or of a VIP that goes, while a reload removes a VMAC or
        # makes one.
        "scenarios/regressions/test_link_back_too_early.py",
        (EDITS, _LINKLESS | {"DeleteVip"}),
        DIES,
        config="use_vmac",
        present=">=2.2",
        edit=r"^no vrrp_instance |^virtual_router_id |each other's number$|, which is gone$",
        within=2.0,
    ),
    *shown(
        # The same where the edit is what makes it.
        "scenarios/regressions/test_link_back_too_early.py",
        (EDITS, _LINKLESS | {"DeleteVip"}),
        DIES,
        present=">=2.2",
        edit=r"^(no )?use_vmac ",
        within=2.0,
    ),
    *shown(
        # So it does while a start makes one.
        "scenarios/regressions/test_link_back_too_early.py",
        (MADE, _LINKLESS),
        DIES,
        config="use_vmac",
        present=">=2.3.3",
        within=2.0,
    ),
)
