"""Root file systems of machines that are not this machine's own: made, cached, and chosen for
nodes.

An image is a folder, read-only and shared by all machines that have it; each machine has its
private layer on top (:mod:`harness.lab.namespaces`). Nothing of an image is ever executed on the
host.
"""
