"""From what the directors' keepalived has read to the cluster that it needs: machines, wires,
addresses (pure).

A keepalived.conf does not say everything: which subnet an interface is in, which address the
director has itself, where the clients are. What is not said is assumed, and every assumption has a
key by which the user can correct it.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.check import reach, selves, shared_wires
from harness.check.deriving.assuming import Assuming
from harness.check.deriving.directors import Directors
from harness.check.deriving.identities import Identities
from harness.check.deriving.lans import Lans
from harness.check.deriving.real_servers import RealServers
from harness.check.deriving.scripts import Scripts
from harness.check.deriving.wanted import Wanted
from harness.check.facts import Reading
from harness.check.layout import Layout
from harness.errors import HarnessError

CLIENT = "client"
"""``--set client=router``: clients are behind a router."""
_CLIENT6 = 0x1
"""From which host number on the client has free IPv6 addresses."""


def derive(
    readings: Mapping[str, Reading],
    settings: Mapping[str, str] | None = None,
    files: Mapping[str, Mapping[str, tuple[bytes, int]]] | None = None,
) -> Layout:
    """The cluster in which all directors do what they are configured for.

    ``settings``: ``INTERFACE=SUBNET``, ``DIRECTOR.INTERFACE=ADDRESS``, ``mark.MARK=ADDRESS:PORT``.
    HarnessError names what fits nowhere, and a setting that nothing asks for. ``files`` are each
    director's own, by path: the scripts among them say what they look for on the director.

    The order of what is asked here is that in which assumptions are told.
    """
    assuming = Assuming(settings or {})
    unified, own_names = shared_wires.unified(readings, assuming.setting)
    addressed, left_out = reach.addressed(unified, assuming.setting)
    wanted = Wanted(addressed)
    identities = Identities(wanted, assuming, selves.selves(readings))
    wanted.refuse_strangers()
    wanted.refuse_shared_sources()
    lans = Lans(wanted, assuming)
    lans.lay()
    outside, static = lans.outside(), dict(lans.static_vips())
    real_servers = RealServers(wanted, assuming, lans, identities)
    placed = real_servers.place()
    lans.take()
    scripts = Scripts(wanted, assuming, files or {})
    instances = {name: reading.instances for name, reading in readings.items()}
    machines = Directors(wanted, assuming, lans, identities, own_names, instances)
    directors = machines.answering(
        [machines.machine(name, scripts.runs(name), scripts.replaced[name]) for name in readings]
    )
    scripts.assume_programs()
    client = {name: str(segment.free()) for name, segment in lans.segments.items()}
    free6 = {name: segment.free6(_CLIENT6) for name, segment in lans.segments.items()}
    client6 = {name: address for name, address in free6.items() if address}
    routed = _is_routed(wanted, assuming)
    servers = tuple(
        real_servers.reachable(server, directors[0], client, client6) for server in placed
    )
    assuming.refuse_unknown()
    return Layout(
        lans.segments,
        directors,
        servers,
        client,
        tuple(assuming.assumptions),
        static,
        tuple(left_out),
        links_pidof=scripts.links_pidof,
        client6=client6,
        routed=routed,
        outside=outside,
    )


def _is_routed(wanted: Wanted, assuming: Assuming) -> bool:
    """Whether clients are behind a router, as the user says; else they are on every LAN of the
    directors'.
    """
    if not any(True for _ in wanted.services()):
        return False
    why = "clients are on the directors' LANs; or router: behind one"
    value = assuming.setting(CLIENT, "lan", why)
    if value not in ("lan", "router"):
        raise HarnessError(f"--set {CLIENT}={value}: write lan or router")
    return value == "router"
