"""The table of all kinds of events in docs/artifacts.md."""

from __future__ import annotations

from typing import Annotated, Any, get_args, get_origin

from harness.events.event import Event, details_of
from harness.events.kinds import KINDS, words_of

BEGIN, END = "<!-- events: written by make docs -->\n", "<!-- end of events -->\n"


def table() -> str:
    """All kinds with their details, in Markdown."""
    rows = ["| kind | class | what happened | details |", "|---|---|---|---|"]
    for kind, event in KINDS.items():
        told = "; ".join(_told(name, hint) for name, hint in details_of(event).items())
        rows.append(f"| `{kind}` | `{event.__name__}` | {_first_paragraph(event)} | {told} |")
    return "\n".join(rows) + "\n"


def _first_paragraph(event: type[Event]) -> str:
    """What a docstring says first, up to where it speaks of single attributes."""
    words = " ".join((event.__doc__ or "").partition("\n\n")[0].split())
    return words.partition(" :attr:")[0].rstrip(".")


def _told(name: str, hint: Any) -> str:
    words = ", ".join(map(str, words_of(hint)))
    note = get_args(hint)[1] if get_origin(hint) is Annotated else ""
    told = ": ".join(filter(None, [words, note]))
    return f"`{name}` ({told})" if told else f"`{name}`"


def with_table(page: str) -> str:
    """A page's text with the table between its two marks written anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"
