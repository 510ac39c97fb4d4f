"""What differs between directors and should not, from what their keepalived has read (pure).

Two instances belong together where they have one VRID; two of different VRIDs where they claim the
same VIPs. A service is known by its address and port, or its firewall mark.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import ip_address
from itertools import combinations

from harness.check.facts import Reading
from harness.check.files import Configuration
from harness.check.finding import Finding
from harness.check.places import statements, where
from harness.check.selves import is_alone
from harness.topology.services import Destination, VirtualService
from harness.topology.vrrp import VrrpInstance

Readings = Mapping[str, Reading]


def compare(readings: Readings, configurations: Sequence[Configuration]) -> list[Finding]:
    """Everything that differs, each once. ``readings`` are by director, as keepalived read them."""
    texts = {configuration.director: configuration for configuration in configurations}
    found: list[Finding] = []
    for one, other in combinations(readings, 2):
        pair = _Pair(one, other, readings, texts)
        found += pair.instances()
        found += pair.services()
    return list(dict.fromkeys(found))


class _Pair:
    """Two directors beside each other."""

    def __init__(
        self, one: str, other: str, readings: Readings, texts: Mapping[str, Configuration]
    ) -> None:
        self.one, self.other = one, other
        self._read = readings
        self._texts = texts

    # -- VRRP --------------------------------------------------------------------------------------

    def instances(self) -> Iterator[Finding]:
        """What is wrong between instances that are to be one virtual router."""
        own, others = self._read[self.one].instances, self._read[self.other].instances
        left, free = list(own), list(others)
        for mine, also in partners(own, others):
            left.remove(mine)
            free.remove(also)
            yield from self._instance(mine, also)
        for mine in left:
            for also in free:
                if mine.vips and addresses(mine) == addresses(also):
                    text = f"{' '.join(sorted(addresses(mine)))} is VRID {mine.vrid} on {self.one}"
                    text += f" and VRID {also.vrid} on {self.other}"
                    yield self._two("vrid-differs", text, mine, also, "virtual_router_id")

    def _instance(self, mine: VrrpInstance, also: VrrpInstance) -> Iterator[Finding]:
        if not self._alike(mine, also):
            return  # two clusters that happen to have one VRID, which frames tell
        yield from self._vips(mine, also)
        if mine.version != also.version:
            text = (
                f"VRID {mine.vrid} is VRRPv{mine.version} on {self.one} and"
                f" VRRPv{also.version} on {self.other}"
            )
            yield self._two("version-differs", text, mine, also, "vrrp_version")
        elif mine.advert_int != also.advert_int and mine.version == 2:
            text = f"VRID {mine.vrid} is advertised every {mine.advert_int:g} s by {self.one}"
            text += f" and every {also.advert_int:g} s by {self.other}"
            yield self._two("advert-int-differs", text, mine, also, "advert_int")
        yield from self._authentication(mine, also)
        if bool(mine.unicast_peers) != bool(also.unicast_peers):
            text = (
                f"VRID {mine.vrid} has unicast peers on"
                f" {self.one if mine.unicast_peers else self.other} only"
            )
            yield self._two("unicast-differs", text, mine, also, "unicast_peer")
        yield from self._peers(mine, also)
        if mine.priority == also.priority:
            text = (
                f"VRID {mine.vrid} has priority {mine.priority} on {self.one} and on {self.other}"
            )
            yield self._two("priority-same", text, mine, also, "priority")
        if mine.interface != also.interface:
            text = (
                f"VRID {mine.vrid} is on {mine.interface} of {self.one} and on"
                f" {also.interface} of {self.other}"
            )
            cure = (
                f"If these are two LANs, say so: --set"
                f" {self.other}.{also.interface}.lan={also.interface}"
            )
            yield Finding("interface-differs", text, self._at(self.other, "interface", also), cure)

    def _peers(self, mine: VrrpInstance, also: VrrpInstance) -> Iterator[Finding]:
        """Unicast peers that are not where the other director speaks from."""
        for sender, here, hearer, there in (
            (self.one, mine, self.other, also),
            (self.other, also, self.one, mine),
        ):
            peers = here.unicast_peers
            if not peers:
                continue
            told = (
                f"VRID {here.vrid}: {sender} sends its advertisements to {', '.join(peers)}, and"
                f" {hearer}"
            )
            if there.source:
                if there.source not in peers:
                    text = f"{told} has the address {there.source}"
                    yield Finding("peer-differs", text, self._at(sender, "unicast_peer", here))
            elif all(_is_global(peer) for peer in peers):
                # keepalived ``vrrp.c``, ``open_vrrp_read_socket``
                text = f"{told}, without unicast_src_ip, listens only at its link-local address"
                cure = f"Set unicast_src_ip in {there.name} of {hearer}."
                yield Finding("peer-differs", text, self._at(hearer, "unicast_peer", there), cure)

    def _alike(self, mine: VrrpInstance, also: VrrpInstance) -> bool:
        """Whether two instances of one VRID are meant to be one: they share a VIP, a password,
        or all services.
        """
        if addresses(mine) & addresses(also) or not addresses(mine) or not addresses(also):
            return True
        same_name = mine.name == also.name
        same_password = self._password(self.one, mine) == self._password(self.other, also) != ""
        own = {each.called for each in self._read[self.one].services}
        others = {each.called for each in self._read[self.other].services}
        return same_name or same_password or bool(own & others)

    def _vips(self, mine: VrrpInstance, also: VrrpInstance) -> Iterator[Finding]:
        for here, there, lacking, owner in (
            (mine, also, self.other, self.one),
            (also, mine, self.one, self.other),
        ):
            for address in sorted(addresses(here) - addresses(there)):
                text = f"VRID {here.vrid} has the VIP {address} on {owner} only: {lacking} lacks it"
                place = where(
                    self._texts[owner], "", block=f"vrrp_instance {here.name}", value=address
                )
                yield Finding("vips-differ", text, place)

    def _authentication(self, mine: VrrpInstance, also: VrrpInstance) -> Iterator[Finding]:
        if mine.version != 2 or also.version != 2:
            return
        one, other = self._password(self.one, mine), self._password(self.other, also)
        if mine.authentication != also.authentication:
            text = f"VRID {mine.vrid} has authentication {mine.authentication} on {self.one}"
            text += f" and {also.authentication} on {self.other}"
            yield self._two("auth-differs", text, mine, also, "auth_type")
        elif (
            one and other and one[:8] != other[:8]
        ):  # keepalived takes eight bytes of it (vrrp_parser.c)
            text = f"VRID {mine.vrid} has another auth_pass on {self.one} than on {self.other}"
            yield self._two("auth-differs", text, mine, also, "auth_pass")

    def _password(self, director: str, instance: VrrpInstance) -> str:
        for statement in statements(self._texts[director]):
            inside = any(
                f"{block} ".startswith(f"vrrp_instance {instance.name} ")
                for block in statement.blocks
            )
            if inside and statement.words[0] == "auth_pass" and len(statement.words) > 1:
                return statement.words[1]
        return ""

    # -- services ----------------------------------------------------------------------------------

    def services(self) -> Iterator[Finding]:
        """What is wrong between the services of both."""
        mine = {_key(each): each for each in self._read[self.one].services}
        theirs = {_key(each): each for each in self._read[self.other].services}
        if not mine or not theirs:
            missing = [*mine.values(), *theirs.values()]
            if missing:
                lacking, owner = (self.one, self.other) if theirs else (self.other, self.one)
                names = ", ".join(_title(each) for each in missing)
                yield Finding(
                    "service-missing",
                    f"only {owner} has virtual services, {lacking} has none: {names}",
                )
            return
        for owner, lacking, own, others in (
            (self.one, self.other, mine, theirs),
            (self.other, self.one, theirs, mine),
        ):
            for key, service in own.items():
                if key not in others:
                    text = f"{_title(service)} is only on {owner}: {lacking} lacks it"
                    yield Finding("service-missing", text, self._service_at(owner, service))
        for key, service in mine.items():
            if key in theirs:
                yield from self._service(service, theirs[key])

    def _service(self, mine: VirtualService, also: VirtualService) -> Iterator[Finding]:
        title = _title(mine)
        if mine.scheduler != also.scheduler:
            text = (
                f"{title} has scheduler {mine.scheduler} on {self.one} and {also.scheduler}"
                f" on {self.other}"
            )
            yield Finding("scheduler-differs", text, self._service_at(self.other, also))
        if mine.persistence_timeout != also.persistence_timeout:
            text = f"{title} is persistent for {mine.persistence_timeout or 0} s on {self.one}"
            text += f" and for {also.persistence_timeout or 0} s on {self.other}"
            yield Finding("persistence-differs", text, self._service_at(self.other, also))
        if is_alone(mine, also):
            return  # each director has itself
        own = {(each.address, each.port): each for each in mine.real_servers}
        others = {(each.address, each.port): each for each in also.real_servers}
        for owner, lacking, these, those in (
            (self.one, self.other, own, others),
            (self.other, self.one, others, own),
        ):
            for endpoint in these:
                if endpoint not in those:
                    address, port = endpoint
                    text = (
                        f"{title} has the real server {address}:{port} only on {owner}:"
                        f" {lacking} lacks it"
                    )
                    place = where(self._texts[owner], "real_server", value=address)
                    yield Finding("real-servers-differ", text, place)
        yield from self._methods(title, own, others)

    def _methods(
        self,
        title: str,
        own: Mapping[tuple[str, int], Destination],
        others: Mapping[tuple[str, int], Destination],
    ) -> Iterator[Finding]:
        differ = [(server, others[key]) for key, server in own.items() if key in others]
        for server, also in differ:
            if server.method != also.method:
                text = (
                    f"{title} forwards by {server.method} on {self.one} and by {also.method}"
                    f" on {self.other}"
                )
                yield Finding("lb-kind-differs", text, where(self._texts[self.other], "lb_kind"))
                break
        for server, also in differ:
            if server.weight != also.weight:
                text = (
                    f"{title}: {server.address}:{server.port} weighs {server.weight} on {self.one}"
                )
                text += f" and {also.weight} on {self.other}"
                yield Finding(
                    "weights-differ",
                    text,
                    where(self._texts[self.other], "real_server", value=also.address),
                )

    # -- places ------------------------------------------------------------------------------------

    def _two(
        self, name: str, text: str, mine: VrrpInstance, also: VrrpInstance, keyword: str
    ) -> Finding:
        places = [self._at(self.one, keyword, mine), self._at(self.other, keyword, also)]
        return Finding(name, text, ", ".join(filter(None, places)))

    def _at(self, director: str, keyword: str, instance: VrrpInstance) -> str:
        block = f"vrrp_instance {instance.name}"
        configuration = self._texts[director]
        return where(configuration, keyword, block=block) or where(
            configuration, "vrrp_instance", value=instance.name
        )

    def _service_at(self, director: str, service: VirtualService) -> str:
        if service.fwmark is not None:
            return where(self._texts[director], "virtual_server", value=str(service.fwmark))
        value = service.endpoints[0][0] if service.endpoints else ""
        return where(self._texts[director], "virtual_server", value=value)


def partners(
    own: Sequence[VrrpInstance], others: Sequence[VrrpInstance]
) -> list[tuple[VrrpInstance, VrrpInstance]]:
    """Which instances of two directors are to be one virtual router.

    They have one VRID and are of one family. A VRID may be used once on each LAN, and there the
    VIPs tell which belong together, or the interface does; where only one is left on either side,
    those two do.
    """
    found: list[tuple[VrrpInstance, VrrpInstance]] = []
    left, free = list(own), list(others)

    def pair(alike: Callable[[VrrpInstance, VrrpInstance], bool]) -> None:
        for mine in list(left):
            same = [also for also in free if _router(also) == _router(mine) and alike(mine, also)]
            if len(same) == 1:
                found.append((mine, same[0]))
                left.remove(mine)
                free.remove(same[0])

    pair(lambda mine, also: bool(addresses(mine) & addresses(also)))
    pair(lambda mine, also: mine.interface == also.interface)
    pair(lambda mine, also: sum(_router(each) == _router(mine) for each in left) == 1)
    return found


def _router(instance: VrrpInstance) -> tuple[int, bool]:
    """The VRID and whether its VIPs are of IPv6: two families may have one VRID on a LAN (RFC
    5798, section 5.2.3).
    """
    return instance.vrid, instance.family == 6


def _is_global(address: str) -> bool:
    """Whether it is of IPv6, and not link-local."""
    return ":" in address and not ip_address(address).is_link_local


def addresses(instance: VrrpInstance) -> set[str]:
    """Its VIPs, with those that are not advertised."""
    return {vip.address for vip in instance.held}


def _key(service: VirtualService) -> object:
    if service.fwmark is not None:
        return "mark", service.fwmark
    return service.protocol, tuple(sorted(service.endpoints)), service.marks


def _title(service: VirtualService) -> str:
    return f"mark {service.fwmark}" if service.fwmark is not None else service.called
