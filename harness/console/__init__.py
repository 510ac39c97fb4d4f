"""The prompt at a living cluster: Mininet's words, faults by their names, and what was typed saved
as a scenario.
"""

from harness.console.prompt import Console

__all__ = ["Console"]
