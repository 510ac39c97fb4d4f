"""What of a configuration may be written as text. The classes of a configuration have no rules of
their own, since keepalived takes more from a file than what is written here.

Whoever writes text (:mod:`harness.keepalived.config`, :mod:`harness.frr.config`, ldirectord's
and ipvsadm's) has everything checked first, so that no string can leave its place. A role checks
what it is given as well, so that a mistake is told before anything is started.
"""

from harness.topology.rules import checks, services, tracking, vrrp
from harness.topology.rules.dispatch import check
from harness.topology.rules.services import endpoints
from harness.topology.rules.together import check_together
from harness.topology.rules.vrrp import addresses

__all__ = [
    "addresses",
    "check",
    "check_together",
    "checks",
    "endpoints",
    "services",
    "tracking",
    "vrrp",
]
