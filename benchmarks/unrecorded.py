"""A pytest plugin (``-p benchmarks.unrecorded``) under which nothing is written of scenarios, to
compare with.

Their timelines and captures are there all the same, in memory: they are what scenarios judge by.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from harness.plugin import evidence

if TYPE_CHECKING:
    from harness.cluster import Cluster


@contextmanager
def _nothing(item: pytest.Item, cluster: Cluster) -> Iterator[None]:
    yield


def pytest_configure() -> None:
    """Put nothing in the place of what keeps the evidence."""
    evidence.recorded = _nothing
