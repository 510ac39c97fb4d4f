"""``--shard K/N``: run one of N parts of the suite, for CI jobs that run the others elsewhere."""

from __future__ import annotations

import pytest

from harness.errors import HarnessError
from harness.plugin import parallel, units
from harness.plugin.specs import unit_of
from harness.plugin.survey import survey_of
from harness.plugin.units import Shard


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option."""
    parser.getgroup("lvs-harness").addoption(
        "--shard",
        metavar="K/N",
        help="run the K-th of N parts that last about the same, by the durations in pytest's"
        " cache; give all parts the"
        " same cache, or none, for otherwise they overlap, which `lvs-harness report DIR...` tells",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse what is no shard before anything starts."""
    if wanted := config.getoption("shard"):
        try:
            Shard.of(wanted)
        except HarnessError as problem:
            raise pytest.UsageError(str(problem)) from None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave only this shard's scenarios; trylast, so that others have selected theirs before."""
    if not (wanted := config.getoption("shard")):
        return
    shard = Shard.of(wanted)
    made = units.shards(
        {item.nodeid: unit_of(item) for item in items}, parallel.durations(config), shard.count
    )
    mine = set(made[shard.number - 1])
    survey_of(config).shard = {"shard": str(shard), "division": units.fingerprint(made)}
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in mine])
    items[:] = [item for item in items if item.nodeid in mine]
