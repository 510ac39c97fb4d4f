"""How much of what a cluster can be in was seen: states of VRRP, tables and deeds, together
(pure).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from harness.events import DestinationChanged, Log, StateChanged
from harness.search.observed import Observed

_WHILE = "while "

State = tuple[str, ...]
"""The state of each instance, how many real servers each table has lost, what failed, and which
deeds last.
"""


def states(observed: Observed) -> set[State]:
    """All states that a sequence went through."""
    vrrp = {
        f"{event.node} {event.instance}": event.state
        for event in observed.before
        if isinstance(event, StateChanged)
    }
    lost: dict[str, int] = {}
    failing: set[str] = set()
    found: set[State] = set()
    for event in observed.events:
        if isinstance(event, StateChanged):
            vrrp[f"{event.node} {event.instance}"] = event.state
        elif isinstance(event, DestinationChanged):
            change = {"added": -1, "removed": 1}.get(event.action, 0)
            lost[event.node] = lost.get(event.node, 0) + change
        elif isinstance(event, Log) and "Script `" in event.line:
            name = f"{event.node} script"
            failing = (
                failing | {name}
                if "failed" in event.line or "timed out" in event.line
                else failing - {name}
            )
        else:
            continue
        lasting = sorted(
            {
                f"{_WHILE}{act.kind} {_role(act.node)}"
                for act in observed.acts
                if act.lasts_at(event.at)
            }
        )
        told = [f"{name} {state}" for name, state in sorted(vrrp.items())]
        tables = [f"{name} lacks {count}" for name, count in sorted(lost.items()) if count]
        found.add((*told, *tables, *sorted(failing), *lasting))
    return found


def table(states: Iterable[State]) -> list[str]:
    """How many different states were seen, as a table of Markdown: for each deed that lasted (or
    none), under each combination of states of the directors' instances.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for state in states:
        vrrp = " ".join(word.rsplit(" ", 1)[1] for word in state if _is_vrrp(word)) or "unknown"
        deeds = [word.removeprefix(_WHILE) for word in state if word.startswith(_WHILE)]
        counts.update((deed, vrrp) for deed in deeds or ["nothing"])
    columns = sorted({vrrp for _, vrrp in counts})
    rows = sorted({deed for deed, _ in counts}, key=lambda deed: (deed != "nothing", deed))
    lines = [f"| while this lasts | {' | '.join(columns)} |", "|---|" + "---:|" * len(columns)]
    for row in rows:
        cells = [str(counts[row, column] or "") for column in columns]
        lines.append(f"| {row} | {' | '.join(cells)} |")
    return lines


def _is_vrrp(word: str) -> bool:
    """``director1 VI_1 MASTER``"""
    return word.rsplit(" ", 1)[-1] in ("INIT", "BACKUP", "MASTER", "FAULT")


def _role(node: str | None) -> str:
    return (node or "").rstrip("0123456789")
