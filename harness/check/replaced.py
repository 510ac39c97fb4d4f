"""What of a configuration cannot be had inside the harness's machines, and what takes its place in
the text (pure).

The lines stay where they are, so that keepalived's messages still name the user's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_TRACKED = re.compile(r"^([ \t]*(?:@\S+[ \t]+)?)vrrp_track_process([ \t]+[^\s{]+)", re.MULTILINE)
_TRACKS = re.compile(r"^([ \t]*(?:@\S+[ \t]+)?)track_process\b", re.MULTILINE)
_PROCESS = re.compile(r"^([ \t]*)process[ \t]+[\"']?([^\s\"']+).*$", re.MULTILINE)
_OF_PROCESSES = re.compile(
    r"^([ \t]*)((?:quorum|quorum_max|delay|terminate_delay|fork_delay|full_command"
    r"|param_match)\b.*)$",
    re.MULTILINE,
)
_NAMESPACE = re.compile(r"^([ \t]*)(net_namespace(?:_ipvs)?[ \t]+(\S+).*)$", re.MULTILINE)
_COMM = 15
"""The kernel keeps so many characters of a process's name."""


def replaced(text: str) -> tuple[str, tuple[str, ...]]:
    """The text with what takes the place of what cannot be had, and what that is, a sentence
    each.
    """
    said: list[str] = []
    spaces = [found[3] for found in _NAMESPACE.finditer(text)]
    if spaces:
        text = _NAMESPACE.sub(r"\1# \2", text)
        said.append(f"net_namespace {spaces[0]}: the whole machine stands for it")
    names = [found[2].strip() for found in _TRACKED.finditer(text)]
    if names:
        text = _TRACKS.sub(r"\1track_script", "".join(_as_scripts(text)))
        said.append(
            f"vrrp_track_process {', '.join(names)}: keepalived hears of processes in the first"
            f" network namespace"
            " alone, so a script that looks each second takes its place"
        )
    return text, tuple(said)


def _as_scripts(text: str) -> Iterator[str]:
    """The text, in which each ``vrrp_track_process`` is a ``vrrp_script`` that looks for the
    same process.
    """
    at = 0
    for found in _TRACKED.finditer(text):
        end = text.find("}", found.end())
        if end < 0:
            break
        block = _PROCESS.sub(_looks_for, text[found.end() : end])
        yield text[at : found.start()]
        yield f"{found[1]}vrrp_script{found[2]}"
        yield _OF_PROCESSES.sub(r"\1# \2", block)
        at = end
    yield text[at:]


def _looks_for(process: re.Match[str]) -> str:
    name = process[2].rpartition("/")[2][:_COMM]
    return f'{process[1]}script "/usr/bin/pgrep -x {name}"'
