"""``scenarios/search``: random sequences on topologies, ``--examples`` of them each, judged by
invariants.

They are divided into parts, each a test of its own, so that ``-n`` and shards can share them out. A
module says in ``SEARCHED`` which topologies it searches where ``--searched`` and ``--director``
name none.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import HarnessError
from harness.images.release import RELEASES
from harness.kernels import choice
from harness.plugin import corpus, private_pytest
from harness.plugin.marks import CONFIGURED
from harness.plugin.specs import spec_of

if TYPE_CHECKING:
    from harness.cluster import Cluster
    from harness.cluster_pool import Pool
    from harness.scenario.control import Control
    from harness.search.engine import Failure, Search
    from harness.search.leaving import Place

EXAMPLES = 5
"""How many sequences are tried where nobody says how many: what the suite has the time for."""
PART, VARIED_PART = 250, 25
"""So many are one test: fewer where each test has other parameters of its topology."""
PARTS = "search_part"
_NONE = object()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    group = parser.getgroup("lvs-harness")
    group.addoption(
        "--examples", type=int, default=EXAMPLES, metavar="N",
        help="scenarios/search: try N sequences on each topology (default: %(default)s)",
    )  # fmt: skip
    about = "scenarios/search: the topology to search, a name or a file (default: several)"
    group.addoption("--searched", metavar="TOPOLOGY", help=about)
    about = (
        "scenarios/search: begin no sequence of a test later than after so many minutes, real ones"
    )
    group.addoption("--minutes", type=float, metavar="M", help=about)
    about = (
        "scenarios/search: ask no invariant, and compare with directors of this release, or"
        " keepalived"
    )
    group.addoption("--against", metavar="IMAGE", help=about)
    about = "scenarios/search: leave out one kind of deed, such as PowerOff"
    group.addoption("--without", action="append", default=[], metavar="DEED", help=about)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse what is no number of sequences."""
    if (examples := config.getoption("examples")) < 1:
        raise pytest.UsageError(
            f"--examples {examples}: give the number of sequences to try, 1 at least"
        )
    corpus.begin(config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each topology and part."""
    if PARTS not in metafunc.fixturenames:
        return
    config = metafunc.config
    cases = []
    for name, topology in _searched(metafunc):
        varied = getattr(topology, "VARIED", {})
        for number, size in enumerate(
            _sizes(config.getoption("examples"), VARIED_PART if varied else PART)
        ):
            chosen = random.Random(f"{config.getoption('seed')} {name} {number}")
            parameters = (
                {parameter: chosen.choice(values) for parameter, values in varied.items()}
                if number
                else {}
            )
            marks = (
                [pytest.mark.topology.with_args(topology, **parameters)]
                if topology is not None
                else []
            )
            cases.append(pytest.param((number, size), marks=marks, id=f"{name}-{number}"))
    metafunc.parametrize(PARTS, cases)


def _searched(metafunc: pytest.Metafunc) -> Sequence[tuple[str, Any]]:
    """The topologies by name; None for the one that the user's own configurations make."""
    config = metafunc.config
    if CONFIGURED in config.stash:
        return [("configured", None)]
    if (name := config.getoption("searched")) is not None:
        try:
            return [(Path(name).stem, _named(name))]
        except HarnessError as problem:
            raise pytest.UsageError(str(problem)) from None
    return [(each.__name__, each) for each in getattr(metafunc.module, "SEARCHED", ())]


def _named(name: str) -> Any:
    from harness.topology.named import topology_of as named

    return named(name)


def _sizes(examples: int, part: int) -> list[int]:
    return [part] * (examples // part) + ([examples % part] if examples % part else [])


class Ground:
    """Clusters of a scenario's topology, from the pool, one after the other."""

    def __init__(
        self, item: pytest.Item, pool: Pool, control: Control | None, against: str | None = None
    ) -> None:
        """``against`` is the image that the directors have instead of the one that is asked for."""
        self._item, self._pool, self._against = item, pool, against
        self._planted, self._edits = (control.topology, control.config) if control else ({}, {})

    def cluster(self) -> Cluster:
        """The one that is alive, or a new one."""
        spec = spec_of(self._item).changed(self._planted, self._edits)
        if self._against is not None:
            from harness.images.selection import Selection

            selection = (spec.selection or Selection()).with_directors([self._against])
            spec = replace(spec, selection=selection)
        return self._pool.get(spec, trusted=True)

    def drop(self) -> None:
        """End it."""
        self._pool.drop()


class Searching:
    """What a test of ``scenarios/search`` holds."""

    def __init__(
        self, item: pytest.Item, grounds: Sequence[Ground], told: Callable[[str], None]
    ) -> None:
        self._item, self._grounds, self._told = item, grounds, told
        self._ground = grounds[0]
        self._left: list[str] = []

    def run(self) -> list[str]:
        """Search; returns what was found, a text each. What is found is written down at once."""
        from harness.search.engine import Search
        from harness.search.kinds import possible
        from harness.search.known import known

        config = self._item.config
        _, size = private_pytest.parameters_of(self._item)[PARTS]
        first = self._ground.cluster()
        texts = {each.name: each.config_text().decode(errors="replace") for each in first.directors}
        deeds = possible(first.plan, texts, config.getoption("without"))
        minutes = config.getoption("minutes")
        search = Search(
            self._grounds,
            first.plan,
            deeds,
            known=known,
            told=self._told,
            kept=self._leave,
            wall=_wall,
            names=("what is searched", str(config.getoption("against"))),
            seconds=float("inf") if minutes is None else 60 * minutes,
            shrinks=not config.getoption("controls"),
            corpus=corpus.known(config),
        )
        _, _, part = self._item.name.rpartition("[")
        try:
            search.run(size, f"{config.getoption('seed')} {part}")
        finally:
            corpus.leave(part, search.corpus)
            self._told(_in_short(search))
        return self._left or [str(failure.violation) for failure in search.failures]

    def _leave(self, failure: Failure) -> None:
        """Live through a failure once more, on a new cluster, and keep all of it."""
        from harness.report.artifacts import new_folder
        from harness.report.evidence import Evidence
        from harness.search import broken, leaving

        self._ground.drop()
        cluster = self._ground.cluster()
        place = self._place()
        folder = new_folder(Path(os.environ[choice.RUN]), f"found_{leaving.name_of(failure)}")
        about = {
            "test": self._item.nodeid,
            "says": failure.violation.text,
            "topology": place and place.name,
        }
        evidence = Evidence(folder, cluster, about)
        again = broken(cluster, failure.steps, failure.signature.invariant)
        outcome = {
            "outcome": "failed" if again else "passed",
            "message": "\n".join(again),
            "seconds": 0.0,
        }
        events = cluster.timeline.events(since=cluster.timeline.mark)
        evidence.finish(outcome, keep="all")
        configs = {
            each.name: each.config_text().decode(errors="replace") for each in cluster.directors
        }
        text = leaving.scenario(failure, place)
        (folder / f"test_{leaving.name_of(failure)}.py").write_text(text, encoding="utf-8")
        tracker = leaving.report(failure, self._about(cluster), configs, events)
        (folder / "report.md").write_text(tracker, encoding="utf-8")
        first = "".join(f"{event.as_json()}\n" for event in failure.events)
        (folder / "first-seen.jsonl").write_text(first, encoding="utf-8")
        repeats = (
            ""
            if failure.repeats
            else "it did not repeat on a new cluster, so it is a defect of the harness:\n"
        )
        # What the failure has left in this cluster is nothing for the next sequence.
        self._ground.drop()
        file = os.path.relpath(
            folder / f"test_{leaving.name_of(failure)}.py", self._item.config.invocation_params.dir
        )
        versions = f"which versions have it: pytest {file} --matrix keepalived={','.join(RELEASES)}"
        self._left.append(
            f"{repeats}{failure.signature.invariant}: {failure.violation.text}\n{text}\n{versions}"
        )

    def _place(self) -> Place | None:
        from harness.check.configured import Configured
        from harness.search.leaving import Place

        spec = spec_of(self._item)
        if isinstance(spec.source, Configured):
            return None
        defaults = {
            parameter: values[0] for parameter, values in getattr(spec.source, "VARIED", {}).items()
        }
        told = tuple(
            (key, value)
            for key, value in spec.parameters.items()
            if defaults.get(key, _NONE) != value
        )
        return Place(getattr(spec.source, "__module__", ""), spec.name, told)

    def _about(self, cluster: Cluster) -> dict[str, str]:
        versions = {
            str(host.image.keepalived) for host in cluster.plan.hosts if host.image.keepalived
        }
        return {"keepalived": ", ".join(sorted(versions)), "run": os.environ.get(choice.HEADER, "")}


def _wall() -> float:
    """The host's clock in seconds, also where time is virtual: what the host says when a file
    was made.
    """
    stamp = Path(os.environ[choice.RUN], ".wall")
    stamp.unlink(missing_ok=True)
    stamp.touch()
    return stamp.stat().st_mtime


def _in_short(search: Search) -> str:
    """What was done, in a line."""
    tally = search.tally
    known = f", known: {dict(tally.known)}" if tally.known else ""
    return (
        f"{tally.sequences} sequences and {tally.shrinking} smaller ones,"
        f" {tally.seconds / 3600:.2f} h simulated,"
        f" {tally.clusters} clusters, {len(tally.states)} states, {len(search.failures)}"
        f" found{known}"
    )


@pytest.fixture
def search(
    request: pytest.FixtureRequest, _column: str | None, _pool: Pool, _control: Control | None
) -> Iterator[Searching]:
    """A search of the topology that the test names: :meth:`Searching.run`."""

    def told(line: str) -> None:
        with private_pytest.uncaptured(request.config):
            os.write(1, f"\nsearch: {line}".encode())

    grounds = [Ground(request.node, _pool, _control)]
    if (against := request.config.getoption("against")) is None:
        yield Searching(request.node, grounds, told)
        _pool.drop()
        return
    from harness.cluster_pool import Pool

    folder = Path(os.environ[choice.RUN], "against")
    folder.mkdir(exist_ok=True)
    other = Pool(folder, choice.slack(), request.config.getoption("seed"))
    try:
        yield Searching(
            request.node, [*grounds, Ground(request.node, other, _control, against)], told
        )
    finally:
        other.close()
        _pool.drop()
