"""Cluster shapes: one Mininet ``Topo`` a file."""
