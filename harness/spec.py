"""Which cluster is wanted: what it is made from, how, and what is changed in it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.check.configured import Configured
from harness.errors import HarnessError
from harness.images.image import HOST, Image
from harness.lab.plan import Edits, Plan, Topology, make_topo, plan, with_edits, with_images
from harness.nodes import programs_of, require_inputs
from harness.topology import Director

if TYPE_CHECKING:
    from harness.images.selection import Selection
    from harness.lab.supervisor import Supervisor


@dataclass(frozen=True)
class Origin:
    """What a cluster was built from, in Python: the ``imports`` of a scenario that wants it, and
    the ``expression`` in its ``topology(...)``.
    """

    imports: tuple[str, ...]
    expression: str


@dataclass(frozen=True)
class ClusterSpec:
    """A cluster that is wanted.

    ``source`` is a Mininet ``Topo`` or what is made from the directors' own files, ``parameters``
    are the former's. ``edits`` are made in the text of generated configurations; ``selection`` says
    which images the nodes have, None: all this machine's. ``fresh``: on which no scenario has run.
    """

    source: Topology | Configured
    parameters: Mapping[str, Any] = field(default_factory=dict)
    edits: Edits = field(default_factory=dict)
    selection: Selection | None = None
    fresh: bool = False

    @property
    def name(self) -> str:
        """What the source is called."""
        return str(getattr(self.source, "__name__", "topology"))

    @property
    def key(self) -> str:
        """The same, in every process, for two that want the same cluster, be it a fresh one."""
        module = getattr(self.source, "__module__", "")
        name = getattr(self.source, "__qualname__", self.name)
        settings = (
            sorted(self.source.settings.items()) if isinstance(self.source, Configured) else []
        )
        how = [
            sorted(self.parameters.items()),
            settings,
            sorted(self.edits.items()),
            self.selection,
        ]
        return f"{module}.{name} {how!r}"

    def origin(self, given: str, usual: Mapping[str, Any] | None = None) -> Origin:
        """What a scenario says that wants the same; ``given`` is how the topology was named, and
        ``usual`` are parameters that need not be said.
        """
        if isinstance(self.source, Configured):
            imports = ("from harness.check.configured import configured",)
            return Origin(imports, self.source.as_python)
        unsaid = usual or {}
        told = [
            f"{name}={value!r}"
            for name, value in self.parameters.items()
            if name not in unsaid or unsaid[name] != value
        ]
        module = getattr(self.source, "__module__", "")
        name = getattr(self.source, "__qualname__", "")
        if getattr(sys.modules.get(module), name, None) is self.source:
            return Origin((f"from {module} import {name}",), ", ".join([name, *told]))
        imports = ("from harness.topology.named import topology_of",)
        return Origin(imports, ", ".join([f"topology_of({given!r})", *told]))

    def changed(self, parameters: Mapping[str, Any], edits: Edits) -> ClusterSpec:
        """The same with other parameters and edits, such as those that a control plants."""
        return replace(self, parameters={**self.parameters, **parameters}, edits=edits)

    def may_share(self, other: ClusterSpec) -> bool:
        """Whether the cluster that was made for another one will do, as long as it is well."""
        return not self.fresh and self.source is other.source and self.key == other.key

    def plan(self, seed: int = 0, supervisor: Supervisor | None = None) -> Plan:
        """The checked plan. HarnessError names what is wrong with it or missing, and where.

        Directors' own files have to be read first, in machines below ``supervisor``. Without it
        directors with ``read=True`` are planned without what keepalived would read.
        """
        source = self.source
        if isinstance(source, Configured):
            if supervisor is None:
                raise HarnessError(f"{self.name}: keepalived has to read this first, in a machine")
            source = source.read(supervisor, self.selection)
        factory = partial(source, **self.parameters)
        factory.__name__ = self.name  # type: ignore[attr-defined]
        planned = with_edits(plan(make_topo(factory), seed), self.edits)
        if self.selection is not None:
            planned = with_images(planned, self.selection)
        require_inputs(planned)
        if supervisor is not None and any(
            isinstance(host.role, Director) and host.role.read for host in planned.hosts
        ):
            from harness.check.known import with_read

            planned = with_read(planned, supervisor)
        return planned

    def of_directors(self) -> set[Image]:
        """The images of its directors. HarnessError if one has not been made."""
        if self.selection is None:
            return {HOST}
        if isinstance(self.source, Configured):
            directors = [configuration.director for configuration in self.source.configurations]
            return {
                self.selection.image_of(director, "director", number)
                for number, director in enumerate(directors)
            }
        return {host.image for host in self.plan().of_role(Director)} or {HOST}

    def with_program(self, program: str) -> set[Image]:
        """The images of the machines that are to have a program.

        This machine's own if none says that it is to have it.
        """
        if self.selection is None or isinstance(self.source, Configured):
            return {HOST}
        hosts = self.plan().hosts
        found = set()
        for host in hosts:
            own = [each.argv[0] for each in host.role.runs]
            if program in (*programs_of(host.role, host.image), *own):
                found.add(host.image)
        return found or {HOST}
