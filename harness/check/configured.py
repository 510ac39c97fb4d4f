"""A topology made from the directors' own configurations: ``configured("lb1.conf", "lb2.conf")``.

Every run asks whether a topology is such a one, so what makes it is imported where it is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.check.files import Configuration
    from harness.check.finding import Finding
    from harness.check.ways import Amiss
    from harness.images.selection import Selection
    from harness.lab.plan import Topology
    from harness.lab.supervisor import Supervisor


class Configured:
    """What :func:`harness.scenario.topology` takes instead of a ``Topo``: it is one as soon as
    keepalived has read.

    ``arguments`` are ``FILE`` or ``DIRECTOR=FILE``, ``settings`` correct what had to be assumed.
    Once :meth:`read` has been called, ``understood`` is the drawing of what was understood,
    ``left_out`` what is not emulated, by name, ``amiss`` what cannot work by the addresses alone,
    ``suspended`` the services that only the holder of their address checks, as ``VIP:PORT``,
    ``findings`` what is found wrong in the files, which is known even where
    :meth:`read` raises.
    """

    def __init__(self, *arguments: str, settings: Mapping[str, str] | None = None) -> None:
        from harness.check import files

        self.__name__ = " ".join(arguments)
        self._given = arguments, dict(settings or {})
        self._settings = dict(settings or {})
        self._configurations = files.with_scripts(
            files.load_all(list(arguments), self._settings.pop(files.INCLUDE, "")), self._settings
        )
        self.understood = ""
        self.left_out: tuple[str, ...] = ()
        self.amiss: tuple[Amiss, ...] = ()
        self.suspended: frozenset[str] = frozenset()
        self.findings: tuple[Finding, ...] = ()
        self._topology: Topology | None = None

    @property
    def as_python(self) -> str:
        """The call of :func:`configured` that makes it, in the folder of this run."""
        arguments, settings = self._given
        words = [repr(each) for each in arguments]
        words += [f"**{settings!r}"] if settings else []
        return f"configured({', '.join(words)})"

    @property
    def settings(self) -> Mapping[str, str]:
        """What corrects assumptions."""
        return self._settings

    @property
    def configurations(self) -> Sequence[Configuration]:
        """The directors' files as they were given."""
        return self._configurations

    def read(self, supervisor: Supervisor, selection: Selection | None = None) -> Topology:
        """Have keepalived read the configurations, in machines of their own; the topology that they
        need.

        ``selection`` says which images the directors have, and so which keepalived reads.
        """
        if self._topology is not None:
            return self._topology
        from harness.check import as_topology, finding, findings, ways

        readings, complaints = as_topology.readings(self._configurations, supervisor, selection)
        self.findings = findings.of_text(readings, complaints, self._configurations)
        self._topology, self.understood, layout = as_topology.topology(
            self._configurations, self._settings, readings
        )
        self.left_out = layout.left_out
        self.amiss = ways.amiss(layout)
        suspended: set[str] = set()
        for director in layout.directors:
            for each in director.reading.services:
                if each.ha_suspend:
                    suspended.update(f"{vip}:{port}" for vip, port in each.endpoints)
        self.suspended = frozenset(suspended)
        self.findings = finding.in_order([*self.findings, *findings.of_ways(self.amiss)])
        return self._topology


def configured(*arguments: str, **settings: str) -> Configured:
    """A topology from real configuration files, unchanged; ``settings`` as for ``lvs-harness check
    --set``.

    Raises HarnessError for a file that cannot be used.
    """
    return Configured(*arguments, settings=settings)
