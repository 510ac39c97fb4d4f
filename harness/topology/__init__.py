"""What a topology file imports: the roles of machines, and what directors and real servers are configured with."""

from harness.topology.machines import Client, Director, RealServer, Role
from harness.topology.notification import Notify
from harness.topology.services import HttpGet, VirtualService
from harness.topology.tracking import TrackedFile, TrackedInterface, TrackedProcess, VrrpScript
from harness.topology.vrrp import SyncGroup, VrrpInstance

__all__ = [
    "Client",
    "Director",
    "HttpGet",
    "Notify",
    "RealServer",
    "Role",
    "SyncGroup",
    "TrackedFile",
    "TrackedInterface",
    "TrackedProcess",
    "VirtualService",
    "VrrpInstance",
    "VrrpScript",
]
