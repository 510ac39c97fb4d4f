"""All findings of a pair of configurations, in the order in which they are told (pure).

:mod:`harness.check.comparing` sets the directors beside each other, :mod:`harness.check.levels`
grades what keepalived says, :mod:`harness.check.arithmetic` adds up priorities; what only files or
places can show is here.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from harness.check import arithmetic, comparing, following, levels
from harness.check.arithmetic import OWNER
from harness.check.facts import Ill, Reading
from harness.check.files import HOME, Configuration
from harness.check.finding import Finding, in_order
from harness.check.local import looked_for, runs_pidof
from harness.check.places import statements, where
from harness.check.standins import twice
from harness.check.ways import Amiss

_WAYS = {
    "director and real server in one": "director-is-real-server",
    "NAT on one LAN": "nat-one-lan",
    "no floating inner address for NAT": "nat-no-inner-vip",
    "NAT legs that fail over apart": "nat-legs-apart",
    "real server outside the LAN": "real-server-outside",
    "VIP on a device that announces nothing": "vip-not-announced",
    "VIP that makes its subnet local": "vip-takes-subnet",
    "IPv6 VIP that the director speaks from": "ipv6-vip-speaks",
}
"""By what :mod:`harness.check.ways` calls it, the name of the finding."""

_DEFINING = (
    "vrrp_instance",
    "vrrp_sync_group",
    "vrrp_script",
    "vrrp_track_process",
    "track_file",
    "vrrp_track_file",
    "bfd_instance",
)
_VIPS = 3
LIKE = 0.6
"""How alike two names of files are, from 0 to 1, where one may be meant by the other."""


def of_text(
    readings: Mapping[str, Reading],
    complaints: Mapping[str, tuple[str, ...]],
    configurations: Sequence[Configuration],
) -> tuple[Finding, ...]:
    """What is found once keepalived has read, before any cluster is built: findings first, then
    notes.
    """
    found = comparing.compare(readings, configurations)
    found += _services_twice(readings, configurations)
    found += arithmetic.weights(readings, configurations)
    found += arithmetic.bfd(readings, configurations)
    for configuration in configurations:
        found += _missing_scripts(configuration)
    found += _ill_scripts(readings, configurations)
    found += _endless_scripts(readings, configurations)
    found += _accepting_nothing(readings, configurations)
    found += _pidof(readings, configurations)
    defined = {each.director: list(_defined(each)) for each in configurations}
    found += following.unexplained(levels.graded(complaints, defined), configurations)
    return in_order(found)


def _services_twice(
    readings: Mapping[str, Reading], configurations: Sequence[Configuration]
) -> Iterator[Finding]:
    """Services of which a director's files have more than one block."""
    for configuration in configurations:
        for service, count in twice(readings[configuration.director].services):
            places = [
                each.place
                for each in statements(configuration)
                if each.words[:3] == ("virtual_server", service.vip, str(service.port))
            ]
            text = f"{configuration.director} has {service.called} {count} times"
            yield Finding("service-twice", text, ", ".join(places))


def _defined(configuration: Configuration) -> Iterator[str]:
    """The names of what a director's files define, wherever that is."""
    for statement in statements(configuration):
        if statement.words[0] in _DEFINING and len(statement.words) > 1:
            yield statement.words[1]


def of_ways(amiss: Iterable[Amiss]) -> tuple[Finding, ...]:
    """What is found once every machine has its place: ways on which packets cannot go."""
    return tuple(Finding(_WAYS[each.name], each.about, cure=_sentence(each.cure)) for each in amiss)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _missing_scripts(configuration: Configuration) -> Iterator[Finding]:
    """Scripts below /etc/keepalived that are not beside the file, and the names that were
    probably meant.
    """
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


def _ill_scripts(
    readings: Mapping[str, Reading], configurations: Sequence[Configuration]
) -> Iterator[Finding]:
    """Scripts that fail where nothing is broken, each once for all directors on which it does
    the same.
    """
    places: dict[tuple[str, Ill], list[str]] = {}
    for configuration in configurations:
        reading = readings[configuration.director]
        commands = {script.name: script.script for script in reading.scripts}
        for ill in reading.ill:
            place = (
                where(configuration, "script", block=f"vrrp_script {ill.script}")
                or configuration.director
            )
            places.setdefault((commands[ill.script], ill), []).append(place)
    for (command, ill), found in places.items():
        if ill.endless:
            yield _never_ends(f"{ill.script} runs {command}", ill, found)
        elif ill.needs_shell:
            text = (
                f"{ill.script} runs {command}, which only a shell understands, and keepalived"
                f" runs none"
            )
            yield Finding("script-needs-shell", text, ", ".join(found))
        else:
            text = (
                f"{ill.script} runs {command}, which exits with {ill.status} here and says"
                f" {ill.said}"
            )
            cure = (
                f"Nothing, if it succeeds on the directors; --set rest.{ill.script}=runs has"
                f" it run as it is."
            )
            yield Finding("script-fails-here", text, ", ".join(found), cure)


def _endless_scripts(
    readings: Mapping[str, Reading], configurations: Sequence[Configuration]
) -> Iterator[Finding]:
    """Programs that no ``vrrp_script`` runs and that never end, each once for all directors."""
    places: dict[Ill, list[str]] = {}
    for configuration in configurations:
        for each in readings[configuration.director].endless:
            places.setdefault(each, []).append(
                _script_at(configuration, each.script) or configuration.director
            )
    for each, found in places.items():
        yield _never_ends(f"{each.script} is run", each, found)


def _never_ends(runs: str, script: Ill, places: Sequence[str]) -> Finding:
    text = f"{runs}, which never ends: it says {script.said}"
    return Finding("script-never-ends", text, ", ".join(places))


def _accepting_nothing(
    readings: Mapping[str, Reading], configurations: Sequence[Configuration]
) -> Iterator[Finding]:
    """Instances whose master drops what is sent to its VIPs: that matters where something is
    asked there.
    """
    places: dict[tuple[str, str], list[str]] = {}
    for configuration in configurations:
        for found in _dropping(readings[configuration.director], configuration):
            places.setdefault((found.name, found.text), []).append(found.where)
    for (name, text), each in places.items():
        yield Finding(name, text, ", ".join(each))


def _dropping(reading: Reading, configuration: Configuration) -> Iterator[Finding]:
    listening = {address: each.called for each in reading.services for address, _ in each.endpoints}
    marked = [each.called for each in reading.services if each.fwmark is not None or each.marks]
    for one in reading.instances:
        if one.accepts or one.priority == OWNER:
            continue
        vips = [vip.address for vip in one.held]
        beside: list[str] = []
        for script in one.track_scripts:
            beside += [each.name for each in looked_for(script.script, configuration.files, vips)]
        asked = [listening[vip] for vip in vips if vip in listening] or marked or beside
        place = where(configuration, "no_accept", block=f"vrrp_instance {one.name}")
        place = place or where(configuration, "strict_mode", block=f"vrrp_instance {one.name}")
        place = place or where(configuration, "vrrp_strict") or configuration.director
        text = f"the master of {one.name} drops what is sent to {', '.join(vips[:_VIPS]) or 'it'}"
        if asked:
            yield Finding("vip-drops-requests", f"{text}, where {asked[0]} is asked", place)
        elif vips:
            yield Finding("vip-accepts-nothing", text, place)


def _pidof(
    readings: Mapping[str, Reading], configurations: Sequence[Configuration]
) -> Iterator[Finding]:
    """Scripts that Debian's pidof always fails."""
    places = []
    for configuration in configurations:
        for script in readings[configuration.director].scripts:
            if runs_pidof(script.script):
                places.append(where(configuration, "script", block=f"vrrp_script {script.name}"))
                name = script.name
    if places:
        text = (
            f"{name} runs pidof, which always fails under keepalived 2.2.7 on Debian 12 and Ubuntu"
        )
        yield Finding("pidof-on-debian", text, ", ".join(filter(None, places)))


def _script_at(configuration: Configuration, path: str) -> str:
    for quoted in (f'"{path}"', path, f'"{path}'):
        if place := where(configuration, "", value=quoted):
            return place
    return ""
