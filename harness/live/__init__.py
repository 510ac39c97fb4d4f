"""The page while its cluster lives: served on loopback by a process of its own, which ends with the
one that started it.

Who knows the token in the address may see the page and, in ``lvs-harness up``, have faults
injected. docs/security.md says what that rests on.
"""

from harness.live.served import Served

__all__ = ["Served"]
