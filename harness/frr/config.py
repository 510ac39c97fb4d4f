"""VRRP instances to the text of a vrrpd.conf, and the interfaces that vrrpd wants (FRR's manual,
chapter VRRP).

Pure: nothing is read, started or written. vrrpd makes no interfaces and sets no addresses: whoever
administers the router makes a macvlan with the virtual router's hardware address, and vrrpd lets it
have a carrier or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields as fields_of

from harness.errors import HarnessError
from harness.topology import rules
from harness.topology.vrrp import VrrpInstance

KNOWN = {
    "vrid",
    "vip",
    "priority",
    "name",
    "interface",
    "advert_int",
    "version",
    "auth_pass",
    "nopreempt",
    "pseudo_header",
}
"""The fields of an instance for which vrrpd has a statement, or needs none."""


def check(instance: VrrpInstance) -> None:
    """Raises HarnessError for what vrrpd cannot be told."""
    rules.check(instance)
    owner = f"VrrpInstance {instance.name}"
    for field in fields_of(instance):
        if field.name not in KNOWN and getattr(instance, field.name) != field.default:
            raise HarnessError(
                f"{owner}: FRR's vrrpd has nothing like {field.name}=: leave it"
                f" out, or take keepalived"
            )
    if instance.auth_pass is not None and instance.version == 2:
        raise HarnessError(
            f"{owner}: FRR's vrrpd knows no passwords: give every router of it auth_pass=None"
        )


def render(instances: Sequence[VrrpInstance]) -> str:
    """The vrrpd.conf. Raises HarnessError for what vrrpd cannot be told."""
    lines = ["log stdout informational"]
    for instance in instances:
        check(instance)
        lines += [
            "!",
            f"interface {instance.interface}",
            *(f" {line}" for line in _statements(instance)),
            "exit",
        ]
    return "".join(f"{line}\n" for line in lines)


def _statements(instance: VrrpInstance) -> list[str]:
    group = f"vrrp {instance.vrid}"
    made = [
        f"{group} version {instance.version}",
        f"{group} priority {instance.priority}",
        f"{group} advertisement-interval {round(instance.advert_int * 1000)}",
    ]
    if instance.nopreempt:
        made.append(f"no {group} preempt")
    if not instance.pseudo_header:
        made.append(f"no {group} checksum-with-ipv4-pseudoheader")
    # The first address starts it, so they come last.
    return [*made, *(f"{group} {'ipv6' if ':' in vip else 'ip'} {vip}" for vip in instance.vips)]


def device(instance: VrrpInstance) -> str:
    """The macvlan on which an instance's VIPs are."""
    return f"vrrp{instance.family}-{instance.vrid}"


def hardware_address(instance: VrrpInstance) -> str:
    """The virtual router's hardware address (RFC 9568 section 7.3)."""
    return f"00:00:5e:00:{'02' if instance.family == 6 else '01'}:{instance.vrid:02x}"


def commands(instance: VrrpInstance, own: str, prefix: int) -> list[list[str]]:
    """What makes the macvlan of an instance as FRR's manual has it, for ip(8).

    Its link-local address is one of its own: of the virtual hardware address all routers would make
    the same, and their advertisements could not be told apart. ``own`` is the hardware address of
    the machine, by which it differs; ``addrgenmode random``, the manual's choice, would make
    another one in every run. ``prefix`` is the length of the LAN's own, in bits.
    """
    name = device(instance)
    made = [
        [
            "ip",
            "link",
            "add",
            name,
            "link",
            instance.interface,
            "type",
            "macvlan",
            "mode",
            "bridge",
        ],
        ["ip", "link", "set", name, "address", hardware_address(instance), "addrgenmode", "none"],
    ]
    made += [
        _address(f"{vip}/{64 if vip.startswith('fe80:') else prefix}", name)
        for vip in instance.vips
    ]
    made.append(["ip", "link", "set", name, "up"])
    # the kernel lists the newest first, and vrrpd sends from the first that it is told of
    if instance.family == 6:
        made.append(_address(f"{link_local(instance, own)}/64", name))
    return made


def _address(address: str, device: str) -> list[str]:
    return ["ip", "address", "add", address, "dev", device, *(["nodad"] if ":" in address else [])]


def link_local(instance: VrrpInstance, own: str) -> str:
    """The link-local address of an instance's macvlan, on the machine with the hardware address
    ``own``.
    """
    last = own.split(":")[-2:]
    return f"fe80::5e:{instance.vrid:x}:{int(''.join(last), 16):x}"
