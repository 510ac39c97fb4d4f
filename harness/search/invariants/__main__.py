"""docs/invariants.md, from the invariants' own words: ``python -m harness.search.invariants
docs/invariants.md``.
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path

from harness.search.invariants import INVARIANTS

HEAD = """# Invariants

What must hold however a cluster is treated. Each is a pure function over what was observed of one
sequence of deeds: it reads events, and never asks a daemon. This page is made from the functions'
own words, by `make docs`.

A *deed* is a fault, or what an operator or a client does. What it may do to an invariant is said by
a small reference model, `harness/search/model/`: who can act, which priority is claimed, what was
heard, which real server is well. The model says what is *possible* at each instant, with the
windows of `harness/keepalived/timers/`; an invariant speaks only where one thing alone is right. A
deed that the model does not know silences the invariants it might touch. An invariant that raises
is reported as unknown, and is no pass.

"""


def page() -> str:
    """The page, in Markdown."""
    parts = [HEAD]
    for name, function in INVARIANTS.items():
        module = inspect.getmodule(function)
        assert module is not None
        path = module.__name__.replace(".", "/") + ".py"
        words = re.sub(
            r":(?:func|class|data|mod):`~?([^`]+)`", r"`\1`", inspect.getdoc(function) or ""
        )
        parts.append(
            f"## {name[0].upper()}{name[1:]}\n\n{words.replace('``', '`')}\n\nIn `{path}`.\n\n"
        )
    return "".join(parts).rstrip() + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
