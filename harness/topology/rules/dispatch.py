"""One word for all parts of a configuration: ``check(part)``. The modules beside this one say what
it does for their own parts.
"""

from __future__ import annotations

from functools import singledispatch


@singledispatch
def check(part: object) -> None:
    """Raises HarnessError, naming the part and the field, for what may not be written as text.

    What a part has below it is checked as well: an instance's scripts, a service's checkers.
    """
    raise TypeError(f"{type(part).__name__} is no part of a configuration")
