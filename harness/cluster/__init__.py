"""What a scenario holds: a live cluster with its nodes and its timeline."""

from harness.cluster.cluster import Cluster

__all__ = ["Cluster"]
