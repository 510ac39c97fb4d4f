"""Whether packets get where a topology wants them: routes that lead to gateways, VIPs that somebody
reaches. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_interface, ip_network

from harness.errors import HarnessError
from harness.lab.hosts import HostPlan, Plan
from harness.topology import Client, Director, Router, routes

_MOST_HOPS = 16
_FORWARDING = {4: "net.ipv4.ip_forward", 6: "net.ipv6.conf.all.forwarding"}


def check_routes(plan: Plan) -> None:
    """Every static route goes by a gateway in one of its machine's networks, or by an interface
    that it has.
    """
    for host in plan.hosts:
        for destination, way in host.role.routes.items():
            gateway, device = routes.gateway(way), routes.device(way)
            if gateway is not None and not any(
                ip_address(gateway) in network for network in networks(host)
            ):
                raise HarnessError(
                    f"{host.name}: no network of its own has {gateway}, the gateway to"
                    f" {destination}"
                )
            if device is not None and device not in (*host.devices, "lo"):
                raise HarnessError(
                    f"{host.name}: the route to {destination} goes by {device}, and it"
                    f" has {', '.join(host.devices)}"
                )


def check_vip(
    plan: Plan, host: HostPlan, vip: str, lans: Sequence[tuple[str, IPv4Network | IPv6Network]]
) -> None:
    """A VIP is in the subnet of a LAN or of a device, link-local, or outside of all of them where
    routes lead to it.

    Raises HarnessError that says where the way ends for a client.
    """
    address = ip_address(vip)
    if address.is_link_local or any(address in subnet for _, subnet in lans):
        return
    if any(
        address in network
        for each in plan.hosts
        for network in networks(each)
        if network.num_addresses > 1
    ):
        return
    askers = plan.of_role(Client) or [each for each in plan.hosts if each.name != host.name]
    ends = [_way_ends(plan, asker, vip) for asker in askers]
    if None in ends:
        return
    known = ", ".join(f"{subnet} ({lan})" for lan, subnet in lans)
    stuck = f"; and no route leads to it: {ends[0]}" if ends else ""
    raise HarnessError(f"{host.name}: its VIP {address} is in no LAN's subnet: {known}{stuck}")


def check_clients(plan: Plan) -> None:
    """Some client gets to a VIP, where there are both, and all configurations are generated. A VIP
    in the network of a device, such as a vxlan's, may be for the machines that have such a device
    alone.

    Raises HarnessError that says where the way of the first client to the first VIP ends.
    """
    directors = [host.role for host in plan.hosts if isinstance(host.role, Director)]
    if any(director.has_own_text for director in directors):
        return
    wired = [
        address.network
        for host in plan.hosts
        for interface in host.interfaces
        for address in interface.addresses
    ]
    vips = [
        vip
        for director in directors
        for each in director.instances
        for vip in each.vips
        if any(ip_address(vip) in network for network in wired)
    ]
    stuck = [_way_ends(plan, client, vip) for client in plan.of_role(Client) for vip in vips]
    if stuck and None not in stuck:
        raise HarnessError(
            f"no client gets to a VIP, and no route leads to {vips[0]}: {stuck[0]}; give the"
            ' client defaultRoute="via ..." or wire it to the LAN'
        )


def _way_ends(plan: Plan, asker: HostPlan, vip: str) -> str | None:
    """Where a packet to a VIP is stuck, in words; None if it gets to a machine that has the VIP."""
    here = asker
    for _ in range(_MOST_HOPS):
        if (lan := _on_link(here, vip)) is not None:
            there = [host for host in plan.hosts if lan in {each.lan for each in host.interfaces}]
            if any(vip in _held(host) for host in there):
                return None
            return f"{here.name} looks for it on {lan}, where nobody has it"
        gateway = _next_hop(here, vip)
        if gateway is None:
            return f"{here.name} has no route to it"
        reached = [host for host in plan.hosts if gateway in _held(host)]
        if any(vip in _held(host) for host in reached):
            return None
        if not reached:
            return f"{here.name} sends it to {gateway}, which is nobody's address"
        here = reached[0]
        if not isinstance(here.role, Router) and not here.role.sysctl.get(
            _FORWARDING[ip_address(vip).version]
        ):
            return f"{here.name}, to which it is sent, has not got it and passes nothing on"
    return f"{asker.name}'s packet goes round in a circle"


def _on_link(host: HostPlan, vip: str) -> str | None:
    """The LAN on which a machine looks for a VIP itself: of a network of its own, or by a route
    without a gateway.
    """
    lans = {interface.name: interface.lan for interface in host.interfaces}
    found = [
        (ip_network(destination).prefixlen, lans[device])
        for destination, way in host.role.routes.items()
        if ip_address(vip) in ip_network(destination)
        and routes.gateway(way) is None
        and (device := routes.device(way)) in lans
    ]
    found += [
        (address.network.prefixlen, interface.lan)
        for interface in host.interfaces
        for address in interface.addresses
        if ip_address(vip) in address.network
    ]
    return max(found)[1] if found else None


def _next_hop(host: HostPlan, vip: str) -> str | None:
    """The gateway that a machine sends what is for a VIP to."""
    version = ip_address(vip).version
    fitting = [
        (ip_network(destination).prefixlen, gateway)
        for destination, way in host.role.routes.items()
        if ip_address(vip) in ip_network(destination)
        and (gateway := routes.gateway(way)) is not None
    ]
    fitting += [
        (0, gateway) for gateway in host.default_routes if ip_address(gateway).version == version
    ]
    return max(fitting)[1] if fitting else None


def networks(host: HostPlan) -> Iterator[IPv4Network | IPv6Network]:
    """The networks that a machine has an address in."""
    for interface in host.interfaces:
        yield from (address.network for address in interface.addresses)
    for device in host.role.links:
        yield from (ip_interface(address).network for address in device.own_addresses)


def _held(host: HostPlan) -> set[str]:
    """All addresses that a machine has, or may come to have by VRRP."""
    found = {
        address.ip.compressed for interface in host.interfaces for address in interface.addresses
    }
    found |= {
        ip_interface(address).ip.compressed
        for device in host.role.links
        for address in device.own_addresses
    }
    if isinstance(host.role, Director):
        found |= {vip for each in host.role.instances for vip in (*each.vips, *each.excluded_vips)}
        found |= set(host.role.holds)
        if host.role.by != "keepalived":
            found |= {vip for service in host.role.services for vip, _ in service.endpoints}
    return found
