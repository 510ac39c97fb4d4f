"""What keepalived says of a configuration, by levels: it changes something, passes over a word, or says more (pure).

What it refuses altogether is no finding but an error: it does not run then. The words are those of ``keepalived -t``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.check.finding import Finding

_PLACE = re.compile(r"^\((?P<file>[^():]+): Line (?P<line>\d+)\) *(?P<rest>.*)")
_UNKNOWN = re.compile(r"Unknown keyword '?(?P<word>[^\s']+)'?")
_CHANGED = re.compile(
    r"Invalid lvs_scheduler|clear(?:ing|ed)|setting (?:quorum|to|default|it)|truncat|disabl"
    r"|reset(?:ting)?\b|default(?:ing)?"
    r"|must be|will not work|cannot be|not allowed|out of range|too (?:long|large|small|high|low)|using|exceed",
    re.IGNORECASE,
)
_IGNORED = re.compile(r"ignor|obsolete|deprecat|no longer|not supported|skipping|superfluous", re.IGNORECASE)
_SCHEDULER = re.compile(r"lvs_scheduler '?(?P<name>[^\s']+)'?")

ABSENT: Mapping[str, str] = {
    "nb_get_retry": "Without it the checker tries again once; the word for it is retry.",
    "nat_mask": "Nothing follows from that: NAT needs no mask.",
    "warmup": "The first check of each server then comes at a random time within delay_loop.",
    "lb_algo": "The scheduler is then wlc.",
    "lb_kind": "The forwarding method is then NAT.",
}
"""What follows from the absence of a word that keepalived does not take at that place."""


def graded(director: str, complaints: tuple[str, ...]) -> list[Finding]:
    """A director's complaints as findings and notes, each word once, with the places of all its lines."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for line in complaints:
        located = _PLACE.match(line)
        place = f"{located['file']}:{located['line']}" if located else ""
        said = located["rest"] if located else line
        found.setdefault(_grade(said), []).append(place)
    findings = []
    for (name, text, cure), places in found.items():
        where = ", ".join(dict.fromkeys(filter(None, places)))
        findings.append(Finding(name, text, where or director, cure))
    return findings


def _grade(said: str) -> tuple[str, str, str]:
    """The name of its kind, what is told, and the cure if there is a better one than the kind's."""
    unknown = _UNKNOWN.search(said)
    if unknown is not None:
        word = unknown["word"]
        follows = ABSENT.get(word, "The cluster works as if it were not there.")
        return "keepalived-ignored", f"keepalived does not know {word} here and passes over it. {follows}", ""
    if (scheduler := _SCHEDULER.search(said)) is not None:
        text = f"keepalived does not know the scheduler {scheduler['name']} and goes on with wlc"
        return "keepalived-changed", text, "Name a scheduler of IPVS: rr, wrr, lc, wlc, sh, mh, ... (ipvsadm(8))."
    if _IGNORED.search(said):
        return "keepalived-ignored", f"keepalived: {said}", ""
    if _CHANGED.search(said):
        return "keepalived-changed", f"keepalived: {said}", ""
    return "keepalived-says", f"keepalived: {said}", ""
