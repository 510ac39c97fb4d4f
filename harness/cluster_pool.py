"""The one cluster that is alive, handed from scenario to scenario as long as it is well."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.clock import await_multiple
from harness.cluster import Cluster
from harness.cluster.ailing import ailment
from harness.errors import HarnessError
from harness.kernels import choice
from harness.kernels.calls import linux
from harness.lab.plan import Plan
from harness.lab.supervisor import Supervisor
from harness.spec import ClusterSpec

BEGINNING = 0.1
"""Clusters and scenarios begin at whole multiples of this, in seconds.

In virtual time the kernel's ticks then fall on the same instants of a timeline, whatever went
before, be it only that pytest had more to print.
"""


class Pool:
    """Builds clusters, one at a time, and keeps each for the scenarios that share its topology."""

    def __init__(
        self,
        folder: Path,
        slack: float,
        seed: int,
        last_look: Callable[[Cluster], None] = lambda cluster: None,
    ) -> None:
        """``folder`` gets a subfolder for each cluster; ``slack`` in seconds, see
        :class:`harness.cluster.Cluster`. Whoever takes a ``last_look`` is given each cluster
        before it ends.
        """
        self._last_look = last_look
        self._folder, self._slack, self._seed = folder, slack, seed
        self._supervisor: Supervisor | None = None
        self._cluster: Cluster | None = None
        self._spec: ClusterSpec | None = None
        self._count = 0

    def get(self, spec: ClusterSpec, trusted: bool = False) -> Cluster:
        """The running cluster if it is the one that is wanted, and healthy, else a new one.

        ``trusted``: whoever asks knows that what runs is healthy. Raises HarnessError.
        """
        if self._cluster is not None and not self._will_do(spec, self._cluster, trusted):
            self.drop()
        if self._cluster is None:
            planned = spec.plan(self._seed, self._supervised())
            self._cluster, self._spec = self._build(planned), spec
        await_multiple(BEGINNING)
        self._cluster.begin_scenario()
        return self._cluster

    def _will_do(self, spec: ClusterSpec, cluster: Cluster, trusted: bool) -> bool:
        is_the_one = self._spec is not None and spec.may_share(self._spec)
        return is_the_one and (trusted or self._healthy(cluster))

    def _supervised(self) -> Supervisor:
        if self._supervisor is None:
            self._supervisor = Supervisor.start()
        return self._supervisor

    def _build(self, checked: Plan) -> Cluster:
        supervisor = self._supervised()
        self._count += 1
        await_multiple(BEGINNING)
        if choice.virtual():  # how many were drawn before says what else the host has had Python do
            linux.reseed_random()
        cluster = Cluster(checked, supervisor, self._folder / f"cluster-{self._count}", self._slack)
        cluster.moments.seed = self._seed
        return cluster

    @staticmethod
    def _healthy(cluster: Cluster) -> bool:
        try:
            return ailment(cluster) is None
        except HarnessError:
            return False

    def drop(self) -> None:
        """End the cluster."""
        cluster, self._cluster = self._cluster, None
        if cluster is not None:
            try:
                self._last_look(cluster)
            finally:
                cluster.close()

    def close(self) -> None:
        """End everything."""
        try:
            self.drop()
        finally:
            if self._supervisor is not None:
                self._supervisor.stop()
