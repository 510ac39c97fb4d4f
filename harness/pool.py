"""The one cluster that is alive, handed from scenario to scenario as long as it is well."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.check.configured import Configured
from harness.clock import await_multiple
from harness.cluster import Cluster
from harness.daemons.nodes import require_inputs
from harness.errors import HarnessError
from harness.kernels import choice, linux
from harness.lab.plan import Edits, Plan, Topology, make_topo, plan, with_edits, with_images
from harness.lab.supervisor import Supervisor

if TYPE_CHECKING:
    from harness.images.selection import Selection

NO_EDITS: Edits = {}

BEGINNING = 0.1
"""Clusters and scenarios begin at whole multiples of this, in seconds.

In virtual time the kernel's ticks then fall on the same instants of a timeline, whatever went
before, be it only that pytest had more to print.
"""


class Pool:
    """Builds clusters, one at a time, and keeps each for the scenarios that share its topology."""

    def __init__(self, folder: Path, slack: float, seed: int) -> None:
        """``folder`` gets a subfolder for each cluster; ``slack`` in seconds, see
        :class:`harness.cluster.Cluster`.
        """
        self._folder, self._slack, self._seed = folder, slack, seed
        self._supervisor: Supervisor | None = None
        self._cluster: Cluster | None = None
        self._key: object = None
        self._count = 0

    def get(
        self,
        topology: Topology | Configured,
        parameters: dict[str, Any],
        fresh: bool,
        edits: Edits = NO_EDITS,
        selection: Selection | None = None,
        trusted: bool = False,
    ) -> Cluster:
        """The running cluster if it is of this topology and healthy, else a new one. Raises
        HarnessError.

        ``edits`` are made in the text of generated configurations, ``selection`` says which images
        the nodes have; ``trusted``: whoever asks knows that what runs is healthy.
        """
        key = (topology, repr(parameters), repr(edits), repr(selection))
        if self._cluster is not None and (
            fresh or key != self._key or not (trusted or self._healthy(self._cluster))
        ):
            self.drop()
        if self._cluster is None:
            made = (
                topology.read(self._supervised(), selection)
                if isinstance(topology, Configured)
                else topology
            )
            planning = planned(made, parameters, self._seed, edits, selection)
            self._cluster, self._key = self._build(planning), key
        await_multiple(BEGINNING)
        self._cluster.begin_scenario()
        return self._cluster

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
            return cluster.ailment() is None
        except HarnessError:
            return False

    def drop(self) -> None:
        """End the cluster."""
        cluster, self._cluster = self._cluster, None
        if cluster is not None:
            cluster.close()

    def close(self) -> None:
        """End everything."""
        try:
            self.drop()
        finally:
            if self._supervisor is not None:
                self._supervisor.stop()


def planned(
    topology: Topology,
    parameters: dict[str, Any],
    seed: int,
    edits: Edits = NO_EDITS,
    selection: Selection | None = None,
) -> Plan:
    """The checked plan of a topology. Raises HarnessError that names what is wrong with it or
    missing, and where.
    """
    factory = partial(topology, **parameters)
    factory.__name__ = getattr(topology, "__name__", "topology")  # type: ignore[attr-defined]
    checked = with_edits(plan(make_topo(factory), seed), edits)
    if selection is not None:
        checked = with_images(checked, selection)
    require_inputs(checked)
    return checked
