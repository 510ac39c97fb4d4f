"""Errors that are a user's to mend: one message that names the thing and says what to do, never a traceback."""

from __future__ import annotations


class HarnessError(Exception):
    """Something outside the harness is wrong: its text is shown alone, and says what to do next."""
