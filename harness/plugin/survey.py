"""What is known of the scenarios before any of them runs, and the run that they belong to.

Both are kept with pytest's configuration. :mod:`harness.plugin.where` puts them there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import pytest

from harness.errors import HarnessError
from harness.kernels.run import Run


@dataclass
class Survey:
    """What there is to run: ``items``, of which ``users`` ask for a kernel.

    ``deselected`` others have not been selected. ``workers`` is for
    :func:`harness.plugin.parallel.settle`. ``clusters`` has the cluster of each scenario by node
    id. ``machines`` is how many the largest cluster has, ``modules`` what
    :mod:`harness.kernels.imports` gathers. ``shard`` says, under ``--shard``, which one this is,
    and the fingerprint of the division. ``wrong`` says of a scenario what is wrong with its
    topology; of these, a topology that is ``fatal`` must not be built again. ``failed`` is why
    collecting did.
    """

    items: int = 0
    users: int = 0
    deselected: int = 0
    workers: int | None = None
    clusters: dict[str, str] = field(default_factory=dict)
    machines: int = 0
    modules: bytes = b""
    shard: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)
    fatal: dict[str, str] = field(default_factory=dict)
    failed: str = ""


SURVEY: Final = pytest.StashKey[Survey]()
RUN: Final = pytest.StashKey[Run]()


def survey_of(config: pytest.Config) -> Survey:
    """What is known; where nobody has looked, that is nothing."""
    return config.stash.setdefault(SURVEY, Survey())


def run_of(config: pytest.Config) -> Run | None:
    """The run that this process is part of; None if it is part of none, and only collects."""
    return config.stash.get(RUN, None)


def own_run(config: pytest.Config) -> Run:
    """The run that this process is part of. HarnessError if it is part of none."""
    if (run := run_of(config)) is None:
        raise HarnessError("this process is part of no run")
    return run
