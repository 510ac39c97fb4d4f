"""What no file says and the user may: an assumption, or what was set instead (pure)."""

from __future__ import annotations

from collections.abc import Mapping

from harness.check.layout import Assumption
from harness.errors import HarnessError


class Assuming:
    """What is assumed for each key, unless the user has set it."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self.given = given
        self.assumptions: list[Assumption] = []
        self._used: set[str] = set()

    def setting(self, key: str, value: str, why: str) -> str:
        """What the user has set for a key; else ``value``, which is an assumption from then on."""
        self._used.add(key)
        if key in self.given:
            return self.given[key]
        if not any(assumption.key == key for assumption in self.assumptions):
            self.assumptions.append(Assumption(key, value, why))
        return value

    def said(self, key: str, unsaid: str) -> str:
        """What the user has set for a key that is no assumption where nobody sets it."""
        self._used.add(key)
        return self.given.get(key, unsaid)

    def note(self, key: str, value: str, why: str) -> None:
        """Tell what is taken to be so, and corrected by the setting that ``why`` names."""
        self.assumptions.append(Assumption(key, value, why))

    def refuse_unknown(self) -> None:
        """Raises HarnessError for a setting that nothing has asked for."""
        if unknown := self.given.keys() - self._used:
            known = ", ".join(assumption.key for assumption in self.assumptions)
            raise HarnessError(
                f"--set {', '.join(sorted(unknown))}: nothing here asks for it; what can be set:"
                f" {known}"
            )
