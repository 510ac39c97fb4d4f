"""``scenarios/search``: random sequences on topologies, ``--examples`` of them each, judged by
invariants.

They are divided into parts, each a test of its own, so that ``-n`` and shards can share them out. A
module says in ``SEARCHED`` which topologies it searches where ``--searched`` and ``--director``
name none.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import HarnessError
from harness.kernels import choice
from harness.plugin import corpus, private_pytest, tallies
from harness.plugin.found import Ground, NotRepeated, leave
from harness.plugin.marks import CONFIGURED
from harness.plugin.matrix import tried_on
from harness.plugin.specs import versions_of
from harness.plugin.survey import own_run

if TYPE_CHECKING:
    from harness.cluster_pool import Pool
    from harness.scenario.control import Control
    from harness.search.engine import Failure

EXAMPLES = 5
"""How many sequences are tried where nobody says how many: what the suite has the time for."""
PART, VARIED_PART = 250, 25
"""So many are one test: fewer where each test has other parameters of its topology."""
CONTROLLED = 50
"""Up to so many are tried where a control is planted, until the first that notices it: what a
control plants needs certain deeds, which the few of the suite need not have. They are those of one
seed, whatever ``--seed`` says, so that a control depends on no luck.
"""
PARTS = "search_part"


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
    about = "scenarios/search: say which of these releases, or keepaliveds, show what is found"
    group.addoption("--versions", metavar="IMAGE,...", help=about)
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
            marks += needed(topology, parameters)
            cases.append(pytest.param((number, size), marks=marks, id=f"{name}-{number}"))
    metafunc.parametrize(PARTS, cases)


def needed(topology: Any, parameters: Mapping[str, Any]) -> list[pytest.MarkDecorator]:
    """What a version of keepalived needs for these parameters, by the NEEDS of a topology: a part
    that it cannot do is skipped, for nothing is learnt of a configuration that it does not know.
    """
    return [
        pytest.mark.needs(feature, keepalived=since)
        for (parameter, value), (feature, since) in getattr(topology, "NEEDS", {}).items()
        if parameters.get(parameter) == value
    ]


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


class Searching:
    """What a test of ``scenarios/search`` holds."""

    def __init__(
        self, item: pytest.Item, grounds: Sequence[Ground], told: Callable[[str], None]
    ) -> None:
        self._item, self._grounds, self._told = item, grounds, told
        self._ground = grounds[0]
        self._left: list[str] = []

    def run(self) -> list[str]:
        """Search; returns what was found, a text each. What is found is written down at once.

        NotRepeated if all of it was seen once only, which says nothing of what is searched.
        """
        from harness.search.engine import Search
        from harness.search.kinds import possible
        from harness.search.known import known, known_to

        config = self._item.config
        _, size = private_pytest.parameters_of(self._item)[PARTS]
        controls = config.getoption("controls")
        size = max(size, CONTROLLED) if controls else size
        first = self._ground.cluster()
        texts = {each.name: each.config_text().decode(errors="replace") for each in first.directors}
        deeds = possible(first.plan, texts, config.getoption("without"))
        minutes = config.getoption("minutes")
        defects = known_to(texts.values(), versions_of(self._item))
        search = Search(
            self._grounds,
            first.plan,
            deeds,
            known=partial(known, defects=defects),
            told=self._told,
            kept=self._leave,
            wall=partial(_wall, own_run(config).folder),
            names=("what is searched", str(config.getoption("against"))),
            seconds=float("inf") if minutes is None else 60 * minutes,
            shrinks=not controls,
            corpus=corpus.known(config),
        )
        _, _, part = self._item.name.rpartition("[")
        try:
            search.run(size, f"{0 if controls else config.getoption('seed')} {part}")
        except KeyboardInterrupt:  # no failure of a test will tell of it
            for text in self._left:
                self._told(f"found before it was interrupted:\n{text}")
            raise
        finally:
            corpus.leave(own_run(config).folder, part, search.corpus)
            self._told(tallies.leave(self._item, search))
        found = self._left or [str(failure.violation) for failure in search.failures]
        if found and not any(each.repeats or each.earlier for each in search.failures):
            raise NotRepeated("\n\n".join(found))
        return found

    def _leave(self, failure: Failure) -> None:
        versions = tried_on(self._item.config)
        self._left.append(leave(self._item, self._ground, failure, versions))


def _wall(run: Path) -> float:
    """The host's clock in seconds, also where time is virtual: what the host says when a file was
    made, in the folder of the run, which other workers have as well.
    """
    stamp = run / f".wall-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    stamp.unlink(missing_ok=True)
    stamp.touch()
    return stamp.stat().st_mtime


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

    folder = own_run(request.config).folder / "against"
    folder.mkdir(exist_ok=True)
    other = Pool(folder, choice.slack(), request.config.getoption("seed"))
    try:
        yield Searching(
            request.node, [*grounds, Ground(request.node, other, _control, against)], told
        )
    finally:
        other.close()
        _pool.drop()
