"""What a topology file imports: the roles of machines, and what directors and real servers are
configured with.
"""

from harness.topology.checks import (
    DnsCheck,
    FileCheck,
    HttpGet,
    MiscCheck,
    PingCheck,
    SmtpCheck,
    SslGet,
    TcpCheck,
    UdpCheck,
    Url,
)
from harness.topology.devices import Bond, Bridge, Dummy, Ipvlan, Macvlan, Vlan, Vrf, Vxlan
from harness.topology.local import LocalService
from harness.topology.machines import (
    Client,
    Director,
    DirectorAndRealServer,
    MailServer,
    PhantomRouter,
    RealServer,
    Role,
    Router,
)
from harness.topology.notification import Notify
from harness.topology.programs import Program
from harness.topology.services import VirtualService
from harness.topology.tracking import (
    TrackedBfd,
    TrackedFile,
    TrackedInterface,
    TrackedProcess,
    VrrpScript,
)
from harness.topology.vrrp import SyncGroup, VrrpInstance

__all__ = [
    "Bond",
    "Bridge",
    "Client",
    "Director",
    "DirectorAndRealServer",
    "DnsCheck",
    "Dummy",
    "FileCheck",
    "HttpGet",
    "Ipvlan",
    "LocalService",
    "Macvlan",
    "MailServer",
    "MiscCheck",
    "Notify",
    "PhantomRouter",
    "PingCheck",
    "Program",
    "RealServer",
    "Role",
    "Router",
    "SmtpCheck",
    "SslGet",
    "SyncGroup",
    "TcpCheck",
    "TrackedBfd",
    "TrackedFile",
    "TrackedInterface",
    "TrackedProcess",
    "UdpCheck",
    "Url",
    "VirtualService",
    "Vlan",
    "Vrf",
    "VrrpInstance",
    "VrrpScript",
    "Vxlan",
]
