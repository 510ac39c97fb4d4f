"""What health scripts look for on the director itself, from their commands and texts (pure).

More than half of the configurations that people run track a program that runs beside keepalived:
haproxy, nginx, an API server. Without it the script fails, so a stand-in is assumed to run, and its
end is a fault that can be tried.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from harness.check.files import FOLDER
from harness.errors import HarnessError
from harness.topology.checks import NetworkCheck
from harness.topology.local import LocalService
from harness.topology.services import VirtualService
from harness.topology.tracking import VrrpScript

RUNS, ABSENT = "runs", "absent"
PIDOF, PROGRAM, LINK = "pidof", "program", "link"
PREFIX = "local."
"""``--set local.haproxy=absent``: nothing of that name runs on the directors."""

_SHELL = re.compile(
    r"\|\||&&|[;|&\n(){}`]|\b(?:if|then|elif|else|while|until|do|done|fi)\b|(?<!\S)!(?!\S)"
)
_COMMENT = re.compile(r"(?m)(?<!\S)#.*$")
_PLAIN = re.compile(r"[A-Za-z0-9/][\w.+/-]*", re.ASCII)
_REDIRECTED = re.compile(r"/dev/tcp/([\w.:]+)/(\d+)")
_LISTED = re.compile(r"(?:\bss\b|\bnetstat\b|\blsof\b)[^\n]*?\bgrep\b[^\n|;]*?[:\s\"'](\d{2,5})\b")
_SHOWN = re.compile(r"\bps\b[^\n|;]*\|\s*[ef]?grep\s+(?:-\w+\s+)*[\"']?((?:\[\w\])?[\w.-]*)")
_ASSIGNED = re.compile(
    r"(?m)^[ \t]*(?:(?:export|local|readonly)[ \t]+)?([A-Za-z_]\w*)="
    r"(\"[^\"`\n]*\"|'[^'\n]*'|[^\s;`$()\"']*)[ \t]*(?:;|$|#)"
)
_USED = re.compile(r"\$\{([A-Za-z_]\w*|\d)(?::?-([^}$]*))?\}|\$([A-Za-z_]\w*|\d)")
_DEEP = 4
_INTO = re.compile(r"\d*[<>]")
_LOCAL = re.compile(r"localhost|127\.\d+\.\d+\.\d+|::1|0\.0\.0\.0")
_SWITCH = re.compile(r"(?:\btest|\[) '?!'? -[ef] '?(/[\w./+-]+)")
_INTERPRETERS = re.compile(
    r"(?:ba|da|z|k)?sh|python[\d.]*|perl|env|timeout|sudo|nice|test|\[|true|false|killall|pidof"
    r"|pgrep|"
    r"systemctl|service|curl|wget|nc|ncat|netcat|telnet|ps|ping|ip|grep"
)
_ENDS = re.compile(
    r"\b(?:systemctl|service)\b[^\n;|&]*\b(?:stop\b[^\n;|&]*\bkeepalived"
    r"|keepalived(?:\.service)?[ \t]+stop)"
    r"|/init\.d/keepalived[ \t]+stop"
    r"|\b(?:pkill|killall)\b(?![^\n;|&]*[ \t]-0)[^\n;|&]*\bkeepalived"
    r"|\bkill\b(?![^\n;|&]*[ \t]-0)[^\n;]*\bkeepalived"
)
_SLEEPS = re.compile(r"\bsleep[ \t]+(\d+(?:\.\d+)?)")
_SHELLS = re.compile(r"(?:ba|da|z|k)?sh")
_BEFORE = ("sudo", "timeout", "exec", "command", "nice", "env", "if", "!")
_SELF = ("keepalived", "sh", "bash", "sleep", "grep")
_HTTP, _HTTPS = 80, 443
_ASKS = ("TCP_CHECK", "HTTP_GET", "SSL_GET")
"""Checkers that are content with what a stand-in says."""


def looked_for(
    command: str, files: Mapping[str, tuple[bytes, int]], own: Collection[str] = ()
) -> tuple[LocalService, ...]:
    """The local services that a command, or a script of ``files`` that it runs, looks for, each
    once.

    ``own`` are addresses that the director may hold.
    """
    texts = [command]
    words = _words(command)
    if words and _SHELLS.fullmatch(PurePosixPath(words[0]).name):
        texts += [word for option, word in pairwise(words) if option in ("-c", "-lc", "-ec")]
    for number, word in enumerate(words):
        if word in files:
            texts.append(_filled(files[word][0].decode(errors="replace"), words[number + 1 :]))
    return tuple(dict.fromkeys(service for text in texts for service in _in_text(text, own)))


def _filled(text: str, arguments: Sequence[str]) -> str:
    """A script with what its variables are known to be in place of their names."""
    known = {str(number): word for number, word in enumerate(arguments, start=1)}
    known |= {name: value.strip("\"'") for name, value in _ASSIGNED.findall(_COMMENT.sub("", text))}
    for _ in range(_DEEP):
        text = _USED.sub(lambda used: known.get(used[1] or used[3], used[2] or used[0]), text)
    return text


def program_of(command: str, files: Mapping[str, tuple[bytes, int]]) -> str | None:
    """The file whose replacement makes a script fail; None if that is a program of the
    system's, for anybody.
    """
    words = _words(command)
    own = next((word for word in words if word in files), None)
    if own is not None:
        return own
    runs = words[0] if words else ""
    return (
        runs
        if runs.startswith("/") and not _INTERPRETERS.fullmatch(PurePosixPath(runs).name)
        else None
    )


def switch_of(command: str) -> str | None:
    """The file whose existence makes a script fail (``test ! -e /etc/keepalived/down``); None
    if it is not so made.
    """
    found = _SWITCH.search(command)
    return found[1] if found is not None else None


def ends_keepalived(script: VrrpScript, files: Mapping[str, tuple[bytes, int]]) -> bool:
    """Whether a script ends keepalived itself, so that the VIP moves whatever the weight is: when
    nginx has ended and cannot be started again. One that pauses for as long as its timeout is ended
    before that.
    """
    ends = any(_ENDS.search(text) for text in _texts(script.script, files))
    return ends and pauses(script.script, files) < (script.timeout or script.interval)


def pauses(command: str, files: Mapping[str, tuple[bytes, int]]) -> float:
    """For how many seconds at most a script sleeps in one run, if it does so in no loop."""
    whole = 0.0
    for text in _texts(command, files):
        whole += sum(map(float, _SLEEPS.findall(text)))
    return whole


def _texts(command: str, files: Mapping[str, tuple[bytes, int]]) -> list[str]:
    """A command and the script that it runs, without comments."""
    texts = [
        command,
        *(files[word][0].decode(errors="replace") for word in _words(command) if word in files),
    ]
    return [_COMMENT.sub("", text) for text in texts]


def runs_one_of(command: str, programs: Collection[str]) -> bool:
    """Whether a command's program is one of these, which are named by their whole paths: a stand-in
    for one that is missing looks for nothing.
    """
    runs = (_words(command) or [""])[0]
    return bool(runs) and (runs in programs or f"{FOLDER}/{runs}" in programs)


def runs_pidof(command: str) -> bool:
    """Whether a command's program is pidof."""
    return PurePosixPath((_words(command) or [""])[0]).name == "pidof"


def links_pidof(scripts: Iterable[VrrpScript], setting: Callable[[str, str, str], str]) -> bool:
    """Whether pidof is a link on the directors, which keepalived gets wrong
    (:data:`harness.daemons.local.PIDOF`).

    HarnessError for a setting that is neither word.
    """
    asking = [script.name for script in scripts if runs_pidof(script.script)]
    if not asking:
        return False
    why = (
        f"{asking[0]} runs it: a program of its own; on Debian it is a link to killall5, which"
        f" keepalived 2.2.7 runs"
    )
    why += (
        f" under that name, and so always fails: --set {PIDOF}={LINK} shows it, killall -0"
        f" does not suffer from it"
    )
    value = setting(PIDOF, PROGRAM, why)
    if value not in (PROGRAM, LINK):
        raise HarnessError(f"--set {PIDOF}={value}: write {PROGRAM} or {LINK}")
    return value == LINK


def running(
    scripts: Mapping[str, tuple[VrrpScript, ...]],
    files: Mapping[str, Mapping[str, tuple[bytes, int]]],
    setting: Callable[[str, str, str], str],
    own: Collection[str] = (),
) -> dict[str, dict[str, tuple[LocalService, ...]]]:
    """By director and script what runs there for it; ``setting`` asks whether it does.

    ``scripts`` and ``files`` are the directors', by name; ``own`` are addresses that they may hold.
    HarnessError for a setting that is neither word.
    """
    found: dict[str, dict[str, tuple[LocalService, ...]]] = {}
    for director, tracked in scripts.items():
        for script in tracked:
            looked = looked_for(script.script, files[director], own)
            wanted = [
                each for each in looked if _runs(each, f"{script.name} looks for it", setting)
            ]
            found.setdefault(director, {})[script.name] = tuple(wanted)
    return _joined(found)


def answering(
    service: VirtualService, setting: Callable[[str, str, str], str]
) -> tuple[LocalService, ...]:
    """What answers the checks of a service's real servers that are the director itself.

    ``setting`` asks whether it does; HarnessError for a setting that is neither word.
    """
    found: dict[LocalService, None] = {}
    for server in service.real_servers:
        for checker in server.checks:
            if not isinstance(checker, NetworkCheck) or checker.keyword not in _ASKS:
                continue
            if not (port := checker.port or server.port):
                continue
            paths = [url.path for url in checker.urls] or ["/"]
            found.update(
                (LocalService(port=port, tls=checker.keyword == "SSL_GET", path=path), None)
                for path in paths
            )
    why = f"{service.called} has it as a real server and checks it"
    return tuple(each for each in found if _runs(each, why, setting))


def _joined(
    found: dict[str, dict[str, tuple[LocalService, ...]]],
) -> dict[str, dict[str, tuple[LocalService, ...]]]:
    """The same, in which a process has one path on a director, however many scripts name it."""
    for own in found.values():
        places: dict[str, str] = {}
        for service in (each for services in own.values() for each in services):
            if service.process is not None and (
                service.name not in places or service.process.startswith("/")
            ):
                places[service.name] = service.process
        for script, services in own.items():
            own[script] = tuple(
                replace(each, process=places[each.name]) if each.process is not None else each
                for each in services
            )
    return found


def _runs(service: LocalService, why: str, setting: Callable[[str, str, str], str]) -> bool:
    what = (
        "a process of this name"
        if service.process is not None
        else "something that answers at this port"
    )
    what += ", with TLS," if service.tls else ""
    key = f"{PREFIX}{service.name}"
    value = setting(key, RUNS, f"{what} is on every director, since {why}; or {ABSENT}")
    if value not in (RUNS, ABSENT):
        raise HarnessError(f"--set {key}={value}: write {RUNS} or {ABSENT}")
    return value == RUNS


def _in_text(text: str, own: Collection[str]) -> Iterator[LocalService]:
    text = _COMMENT.sub("", text)
    for host, port in _REDIRECTED.findall(text):
        if _is_local(host, own):
            yield from _port(port)
    for port in _LISTED.findall(text):
        yield from _port(port)
    for name in _SHOWN.findall(text):
        yield from _processes([name.replace("[", "").replace("]", "")] if name else [])
    for statement in _SHELL.split(text):
        yield from _in_statement(_words(statement), own)


def _is_local(host: str, own: Collection[str]) -> bool:
    return bool(_LOCAL.fullmatch(host)) or host in own


def _in_statement(words: list[str], own: Collection[str]) -> Iterator[LocalService]:
    while words and (
        PurePosixPath(words[0]).name in _BEFORE or words[0].isdigit() or "=" in words[0]
    ):
        words = words[1:]
    if not words:
        return
    redirected = next(
        (number for number, word in enumerate(words) if _INTO.match(word)), len(words)
    )
    tool, arguments = PurePosixPath(words[0]).name, words[1:redirected]
    plain = [word for word in arguments if not word.startswith("-") and _PLAIN.fullmatch(word)]
    asks = "0" in "".join(
        word for word in arguments if word.startswith("-")
    )  # by signal 0, which ends nothing
    if tool in ("pidof", "pgrep") or (tool in ("killall", "pkill") and asks):
        yield from _processes(plain[-1:])
    elif tool == "ps" and "-C" in arguments:
        yield from _processes(plain[:1])
    elif (tool == "systemctl" and {"is-active", "status"} & {*plain}) or (
        tool == "service" and "status" in plain
    ):
        names = [
            word.removesuffix(".service") for word in plain if word not in ("is-active", "status")
        ]
        yield from _processes(names[:1])
    elif tool in ("curl", "wget"):
        yield from (service for word in arguments for service in _in_url(word, own))
    elif (
        tool in ("nc", "ncat", "netcat", "telnet") and len(plain) > 1 and _is_local(plain[-2], own)
    ):
        yield from _port(plain[-1])


def _processes(names: list[str]) -> Iterator[LocalService]:
    for name in names:
        if PurePosixPath(name).name not in _SELF and not name.isdigit():
            yield LocalService(process=name)


def _in_url(word: str, own: Collection[str]) -> Iterator[LocalService]:
    try:
        url = urlsplit(word if "://" in word else f"http://{word}")
        host, port = url.hostname or "", url.port
    except ValueError:
        return
    if _is_local(host, own) and url.scheme in ("http", "https"):
        tls = url.scheme == "https"
        yield LocalService(port=port or (_HTTPS if tls else _HTTP), tls=tls, path=url.path or "/")


def _port(text: str) -> Iterator[LocalService]:
    if text.isdigit() and 0 < int(text) < 1 << 16:
        yield LocalService(port=int(text))


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # a quote that another statement closes
        return text.split()
