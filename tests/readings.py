"""A keepalived.conf, for tests of findings: its text, the files of two directors that have it, and
its instance, its service and its real server, as the harness reads them. ``BACKUP`` is the same
instance with a lower priority.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.check.files import Configuration
from harness.topology.services import Destination, VirtualService
from harness.topology.tracking import VrrpScript
from harness.topology.vrrp import VrrpInstance

TEXT = b"""\
vrrp_script chk { # a comment
    script "/etc/keepalived/chek.sh"
    weight -5
}
vrrp_instance V {
    virtual_router_id 60
    advert_int 1
    authentication { auth_type PASS
        auth_pass secret
    }
    virtual_ipaddress {
        192.0.2.80/24
    }
}
virtual_server 192.0.2.80 80 {
    real_server 192.0.2.81 80 {
        weight 1
    }
}
"""
INSTANCE = VrrpInstance(
    name="V",
    vrid=60,
    priority=120,
    vip="192.0.2.80",
    vip_prefix=24,
    authentication="SIMPLE_PASSWORD",
)
SERVER = Destination("192.0.2.81", 80, method="DR")
SERVICE = VirtualService("192.0.2.80", delay_loop=3, real_servers=(SERVER,))
BACKUP = replace(INSTANCE, priority=110)


def tracking(weight: int, instance: VrrpInstance) -> VrrpInstance:
    """The same instance, which tracks one script, by this weight."""
    return replace(instance, track_scripts=(VrrpScript(name="chk", script="/chk", weight=weight),))


def configuration(name: str, text: bytes = TEXT) -> Configuration:
    """The configuration of the director of this name, whose only file has this text."""
    return Configuration(
        name, Path(f"{name}.conf"), {"/etc/keepalived/keepalived.conf": (text, 0o644)}, ()
    )


FILES = [configuration("lb1"), configuration("lb2")]
