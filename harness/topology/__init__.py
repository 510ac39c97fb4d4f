"""What a topology file imports: the roles of machines, and what directors and real servers are configured with."""

from harness.topology.machines import Client, Director, RealServer, Role
from harness.topology.services import HttpGet, VirtualService
from harness.topology.vrrp import VrrpInstance, VrrpScript

__all__ = ["Client", "Director", "HttpGet", "RealServer", "Role", "VirtualService", "VrrpInstance", "VrrpScript"]
