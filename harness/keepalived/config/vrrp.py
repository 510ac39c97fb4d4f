"""VRRP instances and what they track."""

from __future__ import annotations

from harness.keepalived.config.blocks import block, seconds
from harness.topology.vrrp import VrrpInstance, VrrpScript

DEFAULT_GARP_MASTER_DELAY = 5


def vrrp_script(script: VrrpScript) -> list[str]:
    """The block ``vrrp_script``."""
    body = [f'script "{script.script}"', f"interval {script.interval:d}"]
    if script.timeout is not None:
        body.append(f"timeout {script.timeout:d}")
    body += [f"weight {script.weight:d}", f"fall {script.fall:d}", f"rise {script.rise:d}"]
    return block(f"vrrp_script {script.name}", body)


def vrrp_instance(instance: VrrpInstance) -> list[str]:
    """The block ``vrrp_instance``."""
    body = [
        f"state {instance.state}",
        f"interface {instance.interface}",
        f"virtual_router_id {instance.vrid}",
        f"priority {instance.priority}",
        f"advert_int {seconds(instance.advert_int)}",
        f"version {instance.version}",
    ]
    if instance.nopreempt:
        body.append("nopreempt")
    if instance.preempt_delay:
        body.append(f"preempt_delay {seconds(instance.preempt_delay)}")
    if instance.garp_master_delay != DEFAULT_GARP_MASTER_DELAY:
        body.append(f"garp_master_delay {instance.garp_master_delay}")
    if instance.auth_pass is not None and instance.version == 2:
        body += block("authentication", ["auth_type PASS", f"auth_pass {instance.auth_pass}"])
    body += block("virtual_ipaddress", [f"{vip}/32 dev {instance.interface}" for vip in instance.vips])
    if instance.track_scripts:
        body += block("track_script", [script.name for script in instance.track_scripts])
    return block(f"vrrp_instance {instance.name}", body)
