"""Defects that are known: how each shows in a search, so that it is counted and hides no other."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from packaging.version import Version

from harness.search.drafts import Steps
from harness.search.known import checkers, groups, vmacs, vrrp
from harness.search.known.defect import Known
from harness.search.observed import Violation

__all__ = ["KNOWN", "Known", "known", "known_to"]

KNOWN: tuple[Known, ...] = (*vrrp.DEFECTS, *groups.DEFECTS, *vmacs.DEFECTS, *checkers.DEFECTS)


def known_to(texts: Collection[str], versions: Collection[Version]) -> list[Known]:
    """The known defects that directors with these configurations and versions of keepalived can
    have.
    """
    return [each for each in KNOWN if each.possible(texts, versions)]


def known(violation: Violation, steps: Steps, defects: Sequence[Known] = KNOWN) -> str | None:
    """The reference of the known defect that a violation is; None if it is none."""
    return next((each.reference for each in defects if each.fits(violation, steps)), None)
