"""What may be written of VRRP instances and of the groups in which they change state together."""

from __future__ import annotations

from dataclasses import fields as fields_of
from ipaddress import ip_address

from harness.errors import HarnessError
from harness.topology import fields
from harness.topology.notification import Notify
from harness.topology.rules.dispatch import check
from harness.topology.vrrp import AUTH_PASS, OWNER_PRIORITY, STATES, SyncGroup, VrrpInstance

VERSIONS = ("2", "3")


@check.register
def _instance(instance: VrrpInstance) -> None:
    fields.word("VrrpInstance", "name", instance.name)
    owner = f"VrrpInstance {instance.name}"
    fields.whole(owner, "vrid", instance.vrid, 1, 255)
    fields.whole(owner, "priority", instance.priority, 1, OWNER_PRIORITY)
    fields.word(owner, "interface", instance.interface)
    fields.one_of(owner, "state", instance.state, STATES)
    fields.one_of(owner, "version", str(instance.version), VERSIONS)
    _advert_int(owner, instance)
    fields.whole(owner, "down_timer_adverts", instance.down_timer_adverts, 1, 100)
    fields.number(owner, "preempt_delay", instance.preempt_delay, 0, 1000)
    _garp(owner, instance)
    _vmac(owner, instance)
    _password(owner, instance)
    _not_written(owner, instance)
    if instance.nopreempt:  # with either of these keepalived only warns, and goes its own way
        fields.one_of(owner, "state with nopreempt", instance.state, ("BACKUP",))
        fields.number(owner, "preempt_delay with nopreempt", instance.preempt_delay, 0, 0)
    addresses(instance)
    _families(owner, instance)
    for route in instance.virtual_routes:
        fields.words(owner, "virtual_routes", route)
        fields.network(owner, "virtual_routes", route.partition(" ")[0])
    for rule in instance.virtual_rules:
        fields.words(owner, "virtual_rules", rule)
    for tracked in (*instance.tracked, *instance.track_files):
        check(tracked)
    check(instance.notify)


def _advert_int(owner: str, instance: VrrpInstance) -> None:
    advert_int = instance.advert_int
    if instance.version == 2:
        fields.whole(owner, "advert_int (version 2)", advert_int, 1, 255)
    else:
        fields.number(owner, "advert_int (version 3)", advert_int, 0.01, 40.95)
        hundredths = round(advert_int * 100, 6)
        fields.whole(owner, "advert_int in hundredths", hundredths, 1, 4095)


def _vmac(owner: str, instance: VrrpInstance) -> None:
    if instance.vmac is not None:
        fields.word(owner, "vmac", instance.vmac)


def _garp(owner: str, instance: VrrpInstance) -> None:
    names = (
        "garp_master_delay",
        "garp_master_refresh",
        "garp_lower_prio_delay",
        "garp_master_repeat",
        "garp_master_refresh_repeat",
        "garp_lower_prio_repeat",
    )
    for field in names:
        if (value := getattr(instance, field)) is not None:
            fields.whole(owner, field, value, 0, 4294)


def _not_written(owner: str, instance: VrrpInstance) -> None:
    """What is only read from files."""
    known = {"authentication": None, "accepts": True}
    for field, unsaid in known.items():
        if getattr(instance, field) != unsaid:
            raise HarnessError(f"{owner}: nothing is written for {field}=: use edits=, or config=")


def _password(owner: str, instance: VrrpInstance) -> None:
    if instance.auth_pass is None or (instance.version == 3 and instance.auth_pass == AUTH_PASS):
        return  # nobody asked for the default one, so version 3 merely has none
    fields.one_of(f"{owner}, with an auth_pass", "version", str(instance.version), ("2",))
    fields.word(owner, "auth_pass", instance.auth_pass)
    fields.number(owner, "length of auth_pass", len(instance.auth_pass), 1, 8)


def addresses(instance: VrrpInstance) -> None:
    """Raises HarnessError unless an instance has VIPs, and all its addresses are such."""
    owner = f"VrrpInstance {instance.name}"
    fields.number(owner, "number of VIPs", len(instance.vips), 1, 255)
    named = {
        "vip": instance.vips,
        "excluded_vips": instance.excluded_vips,
        "unicast_peers": instance.unicast_peers,
        "elsewhere": [vip for vip, _ in instance.elsewhere],
        "prefixes": [vip for vip, _ in instance.prefixes],
        "source": [] if instance.source is None else [instance.source],
    }
    for field, texts in named.items():
        for text in texts:
            fields.address(owner, field, text)


def _families(owner: str, instance: VrrpInstance) -> None:
    if instance.vip_prefix is not None:
        longest = ip_address(instance.vips[0]).max_prefixlen
        fields.whole(owner, "vip_prefix", instance.vip_prefix, 1, longest)
    for vip, prefix in instance.prefixes:
        fields.whole(owner, f"prefix of {vip}", prefix, 1, ip_address(vip).max_prefixlen)
    for _, device in instance.elsewhere:
        fields.word(owner, "elsewhere", device)
    families = {ip_address(each).version for each in (*instance.vips, *instance.unicast_peers)}
    if len(families) > 1:
        raise HarnessError(
            f"{owner}: its VIPs and peers are of both families; give the other family an"
            " instance of its own, or make its VIPs excluded_vips"
        )
    if instance.family == 6 and instance.version == 2:
        raise HarnessError(
            f"{owner}: there is no VRRP version 2 for IPv6 (RFC 5798); give it version=3"
        )


@check.register
def _sync_group(group: SyncGroup) -> None:
    fields.word("SyncGroup", "name", group.name)
    owner = f"SyncGroup {group.name}"
    fields.number(owner, "number of members", len(group.members), 1, 255)
    for member in group.members:
        fields.word(owner, "members", member)
    if group.notify.lower_priority is not None:
        raise HarnessError(f"{owner}: notify.lower_priority is an instance's; a group has none")
    check(group.notify)


@check.register
def _notify(notify: Notify) -> None:
    for field in fields_of(notify):
        if (command := getattr(notify, field.name)) is not None:
            fields.command("Notify", field.name, command)
