"""Root file systems for machines, other than this machine's own: made, cached, and chosen for
nodes.

An image is a folder. All machines that have it share it read-only, and each has a private layer on
top (:mod:`harness.lab.namespaces`). The host never executes anything of an image.
"""
