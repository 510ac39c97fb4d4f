"""VRRP instances, the groups in which they change state together, and whom they tell."""

from __future__ import annotations

from harness.keepalived.config.blocks import block, seconds
from harness.keepalived.config.tracking import named
from harness.topology.vrrp import SyncGroup, VrrpInstance

_DEFAULTS = {
    "down_timer_adverts": 3,
    "garp_master_delay": 5,
    "garp_master_repeat": 5,
    "garp_master_refresh": 0,
    "garp_master_refresh_repeat": 1,
}
_STATEMENTS = {
    "master": "notify_master",
    "backup": "notify_backup",
    "fault": "notify_fault",
    "stop": "notify_stop",
    "always": "notify",
    "lower_priority": "notify_master_rx_lower_pri",
}


def vrrp_sync_group(group: SyncGroup) -> list[str]:
    """The block ``vrrp_sync_group``."""
    return block(f"vrrp_sync_group {group.name}", [*block("group", group.members), *_told(group)])


def vrrp_instance(instance: VrrpInstance) -> list[str]:
    """The block ``vrrp_instance``."""
    body = [
        f"state {instance.state}",
        f"interface {instance.interface}",
        f"virtual_router_id {instance.vrid}",
        f"priority {instance.priority}",
        f"advert_int {seconds(instance.advert_int)}",
        f"version {instance.version}",
        *_election(instance),
        *_addresses(instance),
        *_tracked(instance),
        *_told(instance),
    ]
    return block(f"vrrp_instance {instance.name}", body)


def _election(instance: VrrpInstance) -> list[str]:
    body = [] if instance.vmac is None else [f"use_vmac {instance.vmac}"]
    if instance.nopreempt:
        body.append("nopreempt")
    if instance.preempt_delay:
        body.append(f"preempt_delay {seconds(instance.preempt_delay)}")
    for option in (*_DEFAULTS, "garp_lower_prio_delay", "garp_lower_prio_repeat"):
        if (value := getattr(instance, option)) != _DEFAULTS.get(option):
            body.append(f"{option} {value}")
    if instance.auth_pass is not None and instance.version == 2:
        body += block("authentication", ["auth_type PASS", f"auth_pass {instance.auth_pass}"])
    if not instance.pseudo_header:
        body.append("v3_checksum_as_v2")
    if instance.source is not None:
        word = "unicast_src_ip" if instance.unicast_peers else "mcast_src_ip"
        body.append(f"{word} {instance.source}")
    if instance.unicast_peers:
        body += block("unicast_peer", instance.unicast_peers)
    return body


def _addresses(instance: VrrpInstance) -> list[str]:
    body = []
    named = {
        "virtual_ipaddress": instance.advertised,
        "virtual_ipaddress_excluded": instance.excluded,
    }
    for name, vips in named.items():
        body += block(name, map(str, vips)) if vips else []
    if instance.virtual_routes:
        body += block("virtual_routes", instance.virtual_routes)
    if instance.virtual_rules:
        body += block("virtual_rules", instance.virtual_rules)
    return body


def _tracked(instance: VrrpInstance) -> list[str]:
    body = []
    if instance.track_scripts:
        body += block("track_script", [script.name for script in instance.track_scripts])
    if instance.track_interfaces:
        body += block(
            "track_interface",
            map(named, instance.track_interfaces),
        )
    if instance.track_files:
        body += block("track_file", [file.name for file in instance.track_files])
    if instance.track_processes:
        body += block("track_process", [process.name for process in instance.track_processes])
    if instance.track_bfds:
        body += block("track_bfd", map(named, instance.track_bfds))
    return body


def _told(whoever: VrrpInstance | SyncGroup) -> list[str]:
    body = [
        f'{_STATEMENTS[name]} "{command}"'
        for name, command in vars(whoever.notify).items()
        if command is not None
    ]
    if isinstance(whoever, VrrpInstance) and whoever.notify_priority_changes:
        body.append("notify_priority_changes on")
    if whoever.smtp_alert:
        body.append("smtp_alert on")
    return body
