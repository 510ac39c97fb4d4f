"""Errors that are a user's to mend: one message that names the thing and says what to do, never a
traceback.
"""

from __future__ import annotations


class HarnessError(Exception):
    """Something outside the harness is wrong: its text is shown alone, and says what to do next."""


class Starved(HarnessError):
    """Something was late on a machine that had not got the processor, for up to ``stall`` seconds
    at a time.
    """

    def __init__(self, message: str, stall: float) -> None:
        super().__init__(message)
        self.stall = stall
