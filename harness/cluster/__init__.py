"""What a scenario holds: a live cluster with its nodes and timeline, and the ways to look, to wait
and to do harm.
"""

from harness.cluster.acting import Acting

__all__ = ["Cluster"]


class Cluster(Acting):
    """A running cluster. Between construction and :meth:`close` everything of it is recorded.

    ``base`` has its life and its nodes, ``looking`` what can be seen of it, ``waiting`` what it is
    due to do, and ``acting`` what is done to it.
    """
