"""What a scenario holds: a live cluster with its nodes and timeline, and the ways to look, to wait
and to do harm.
"""

from harness.cluster.acting import Cluster

__all__ = ["Cluster"]
