"""All findings of a pair of configurations, in the order in which they are told (pure).

:mod:`harness.check.comparing` sets the directors beside each other, :mod:`harness.check.levels` grades what keepalived
says, :mod:`harness.check.arithmetic` adds up priorities; what only files or places can show is here.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from harness.check import arithmetic, comparing, levels
from harness.check.facts import Reading
from harness.check.files import HOME, Configuration
from harness.check.finding import Finding, in_order
from harness.check.places import where
from harness.check.ways import Amiss

_WAYS = {
    "director and real server in one": "director-is-real-server",
    "NAT on one LAN": "nat-one-lan",
    "no floating inner address for NAT": "nat-no-inner-vip",
    "real server outside the LAN": "real-server-outside",
    "VIP on a device that announces nothing": "vip-not-announced",
    "IPv6 VIP that the director speaks from": "ipv6-vip-speaks",
}
"""By what :mod:`harness.check.ways` calls it, the name of the finding."""

LIKE = 0.6
"""How alike two names of files are, from 0 to 1, where one may be meant by the other."""


def of_text(
    readings: Mapping[str, Reading],
    complaints: Mapping[str, tuple[str, ...]],
    configurations: Sequence[Configuration],
) -> tuple[Finding, ...]:
    """What is found once keepalived has read, before any cluster is built: findings first, then notes."""
    found = comparing.compare(readings, configurations)
    found += arithmetic.weights(readings, configurations)
    for configuration in configurations:
        found += _missing_scripts(configuration)
    found += levels.graded(complaints)
    return in_order(found)


def of_ways(amiss: Iterable[Amiss]) -> tuple[Finding, ...]:
    """What is found once every machine has its place: ways on which packets cannot go."""
    return tuple(Finding(_WAYS[each.name], each.about, cure=_sentence(each.cure)) for each in amiss)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _missing_scripts(configuration: Configuration) -> Iterator[Finding]:
    """Scripts below /etc/keepalived that are not beside the file, and the names that were probably meant."""
    folder = configuration.origin.absolute().parent
    for path in configuration.programs:
        if not path.startswith(f"{HOME}/") or path in configuration.files:
            continue
        name = PurePosixPath(path).name
        beside = sorted(file.name for file in folder.iterdir() if file.is_file())
        alike = difflib.get_close_matches(name, beside, n=1, cutoff=LIKE)
        if not alike:
            continue  # a file that was not sent along; that it succeeds is told as an assumption
        text = f"{path} is not beside {configuration.origin}; {alike[0]} is, and may be meant"
        yield Finding("script-missing", text, _script_at(configuration, path))


def _script_at(configuration: Configuration, path: str) -> str:
    for quoted in (f'"{path}"', path, f'"{path}'):
        if place := where(configuration, "", value=quoted):
            return place
    return ""
