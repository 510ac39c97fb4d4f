"""What keepalived says of a configuration, by levels: it changes something, passes over a word, or
says more (pure).

What it refuses altogether is no finding but an error: it does not run then. The words are those of
``keepalived -t``, which are what its sources give to ``report_config_error`` (2.1.5 to 2.3.4).

What counts is what follows. Where keepalived goes on with something else than the line says, or
without it, that is a finding. Where the cluster does the same with and without the line, it is a
note: an older word for what is the default today, a second statement of the same, a script that
nothing tracks.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from harness.check import following
from harness.check.finding import Finding
from harness.check.words import WORDS

_PLACE = re.compile(r"^\((?P<file>[^():]+): Line (?P<line>\d+)\) *(?P<rest>.*)")
_UNKNOWN = re.compile(r"Unknown keyword '?(?P<word>[^\s']+)'?")
_SCHEDULER = re.compile(r"lvs_scheduler '?(?P<name>[^\s']+)'?")
_UNTRACKED = re.compile(
    r"track (?P<what>script|file|process|bfd) (?P<name>\S+) not found, ignoring"
)

_NO_INCLUDE = re.compile(
    r"include (?P<ours>.+): there is no such file"
    r"|(?:[Cc]onfig files missing:?|No config files matched) ['\"](?P<said>.*)['\"]"
)

_NUMBER = re.compile(r"(?:invalid |negative )?number '(?P<value>[^']*)'")
"""What keepalived says of a number first, before it says which word has it."""
_OF_THE_NUMBER = re.compile(r"invalid|not valid|must be|outside|ignor")
_ZERO = re.compile(r"(?:garp|gna)_interval|persistence_timeout")
"""Words whose 0 is refused, and means what their absence does."""
_TWICE = re.compile(r"(?:instance|group) (?P<name>\S+) already defined")
_DROPPED = re.compile(
    r"(?:instance|group) \S+ already defined|[Dd]uplicate (?:VRID|instance)|has duplicate|is"
    r" duplicated|another peer"
)
"""Seconds of what may be there once: not a statement, but the whole of it is left out."""
_HARMLESS = re.compile(
    r"since own interface"  # an instance follows the state of its own interface anyway
    r"|scope for IPv6|label for IPv6|first IPv6 VIP|vmac_xmit_base - setting|unicast_ttl without"
    r" unicast"
    # of a group: by DR and TUN the port stays as it is anyway
    r"|:\[.*\] and real server .* ports don't match$"
    r"|already (?:been )?(?:specified|set|defined)|previously set as|\bduplicates?\b|is a duplicate"
    r"|does not support authentication|AH authentication"
    # the default is what the file asks for by saying nothing
    r"|no (?:scheduler|forwarding method) set"
    r"|port will be ignored|protocol will be ignored|has port specified"
    r"|not tracking|no preference specified"  # routes and rules are set all the same
    r"|automatically set|only 1 virtual router|is not used"
    # gratuitous ARP and timers, which nobody misses
    r"|[Ss]trict mode requires|is incompatible with strict mode"
    r"|script_security|SECURITY VIOLATION|for script execution"
    # the harness's own kernel
    r"|kernel (?:does not|doesn't) support|supported by kernel|no kernel support"
    r"|linkbeat|snmp|dbus|iptables|ipset|nftables|rcv_bufs|rx_bufs|real-time|process priority"
    r"|smtp|email"
    r"|process_names?|cpu_id|umask|config_save_dir",
    re.IGNORECASE,
)
_SCRIPT_TWICE = re.compile(r"(?:notify\w*|quorum_\w+) script already specified - ignoring")
_REMOVED = re.compile(r"script (?P<name>\S+) - removing")
_LOOKED_UP = re.compile(r"Invalid smtp server (?=\S*[A-Za-z])[A-Za-z0-9][\w.-]* \d+$")
"""A mail server that is given by a name, which no machine here can look up: directors can."""
_STATE = re.compile(r"unknown state '(?P<name>[^']*)'")
_STATES = ("MASTER", "BACKUP")
_ANNOUNCES_BY_MULTICAST = re.compile(
    r"unicast keyword has been specified without any unicast peers", re.IGNORECASE
)
_OLD = re.compile(
    r"obsolete|deprecat|no longer|superfluous|please (?:use|replace)|not needed", re.IGNORECASE
)
_PASSED = re.compile(r"ignor|skip|duplicate|already", re.IGNORECASE)
_CHANGED = re.compile(
    r"ignor|skip|remov|disabl|clear|reset|replac|overwrit|round|truncat|default|moved to"
    r"|setting|treating|using|reducing|invalid|not valid|unknown|not found|not supported|unable"
    r"|missing"
    r"|must be|will not work|won't work|will always fail|cannot|not allowed|requires"
    r"|unmatched|unterminated|trailing|extra|mismatch|mixed|not match|don't match|should be|not"
    r" a number|only valid"
    r"|out of range|outside|too (?:long|large|small|high|low|many)|exceed|conflict",
    re.IGNORECASE,
)
LIKE = 0.8
"""How alike two words are, from 0 to 1, where one may be meant by the other."""

ABSENT: Mapping[str, str] = {
    "nb_get_retry": "Without it the checker tries again once; the word for it is retry.",
    "nat_mask": "Nothing follows from that: NAT needs no mask.",
    "warmup": "The first check of each server then comes at a random time within delay_loop.",
    "lb_algo": "The scheduler is then wlc.",
    "lb_kind": "The forwarding method is then NAT.",
}
"""What follows from the absence of a word that keepalived does not take at that place."""

_BRACES: Mapping[str, str] = {
    following.WITHOUT: "a block begins without its {",
    following.UNCLOSED: "a block is not closed here, or further up there is a { too many",
    following.EXTRA: "there is a } too many here or further up",
}
"""By what keepalived says of braces, the mistake."""

_CURES: Mapping[str, str] = {
    "ports don't match - resetting": (
        "With DR and TUN requests reach a real server at the port of the virtual server:"
        " give the real server that port, or forward by NAT."
    ),
    "nopreempt will not work with initial state MASTER": (
        "Write state BACKUP beside nopreempt, on all directors."
    ),
    "checker has no urls specified": (
        "Give the checker what it is to ask for, such as url { path / }: without it the real"
        " server is not checked."
    ),
    "script already specified": (
        "Of each of these words the first is run, and no other: notify_backup, notify_fault and"
        " notify_stop are for the other changes of state."
    ),
    "with weights due to SYNC group": (
        "Leave the weight out: then a failure is FAULT of the whole group; or give the"
        " vrrp_sync_group sync_group_tracking_weight."
    ),
    "with weights due to address_owner": (
        "Give a priority below 255: with 255 a director is the VIP's owner, whose priority no"
        " weight changes."
    ),
    "preempt delay will not work with initial state MASTER": (
        "Write state BACKUP beside preempt_delay."
    ),
    "has no virtual router(s)": (
        "Name the instances in a block of its own within the vrrp_sync_group: group { ... }."
    ),
    "] routing method for": "Write DR, NAT or TUN, in capitals.",
    "Unable to set default user": (
        "Name the user that runs scripts in global_defs: script_user. Otherwise there must be a"
        " user keepalived_script."
    ),
    "unknown track script option": "Write a space for the =, as in: weight -20.",
    "Truncating auth_pass": (
        "Give auth_pass the first 8 of its characters alone: all directors compare no more."
    ),
}
"""By what keepalived says of a change, its cure."""

MARK = "\ufeff"
"""The byte order mark, which some editors put before a text."""

Graded = tuple[str, str, str]
"""The name of its kind, what is told, and the cure if there is a better one than the kind's."""


def graded(
    complaints: Mapping[str, tuple[str, ...]], defined: Mapping[str, Sequence[str]] | None = None
) -> list[Finding]:
    """The directors' complaints as findings and notes, each once, with the places of all its lines.

    ``defined`` are the names of all that a director's files define, each as often as they do.
    """
    found: dict[Graded, list[str]] = {}
    for director, lines in complaints.items():
        removed = {each["name"] for line in lines if (each := _REMOVED.search(line))}
        known = [each for each in (defined or {}).get(director, ()) if each not in removed]
        for line in _together(following.first_causes(lines)):
            located = _PLACE.match(line)
            place = f"{located['file']}:{located['line']}" if located else director
            rest = located["rest"] if located else line
            if not _LOOKED_UP.search(rest):
                found.setdefault(_grade(rest, known, removed), []).append(place)
    return [
        Finding(name, text, ", ".join(dict.fromkeys(places)), cure)
        for (name, text, cure), places in found.items()
    ]


def _together(lines: Iterable[str]) -> Iterator[str]:
    """The lines, with what is said of a number joined to what is then said of its word."""
    number = ""
    for line in lines:
        rest = _without_place(line)
        if number and _OF_THE_NUMBER.search(rest):
            yield f"{line}: {_without_place(number)}"
            number = ""
            continue
        if number:
            yield number
        number = line if _NUMBER.match(rest) else ""
        if not number:
            yield line
    if number:
        yield number


def _without_place(line: str) -> str:
    return re.sub(r"^\((?:[^():]+: )?Line \d+\) *", "", line)


def _grade(said: str, defined: Sequence[str], removed: Collection[str]) -> Graded:
    """What keepalived's words are: by the first of these that knows them, or else by what they
    say follows. ``removed`` are the names of scripts that it does not keep.
    """
    for known in (
        _number_zero(said),
        _brace(said),
        _unknown(said),
        _scheduler(said),
        _state(said),
        _untracked(said, defined, removed),
        _include(said),
        _said_twice(said, defined),
        _peers(said),
        _script_twice(said),
    ):
        if known is not None:
            return known
    told = f"keepalived: {said}"
    if _OLD.search(said) or (_HARMLESS.search(said) and _PASSED.search(said)):
        return "keepalived-ignored", told, ""
    if _CHANGED.search(said) and not _HARMLESS.search(said):
        cure = next((cure for words, cure in _CURES.items() if words in said), "")
        return "keepalived-changed", told, cure
    return "keepalived-says", told, ""


def _number_zero(said: str) -> Graded | None:
    number = _NUMBER.search(said)
    if number is None or number["value"] != "0" or not _ZERO.search(said):
        return None
    text = f"keepalived: {said}. It goes on as if the word were not there, as 0 asks for."
    return "keepalived-ignored", text, ""


def _brace(said: str) -> Graded | None:
    """A block with a brace too few or too many: all after it is read otherwise than it is meant."""
    for words, mistake in _BRACES.items():
        if words in said:
            after = "keepalived takes what follows for something else, or passes over it"
            return "braces-unbalanced", f"{mistake}, and {after}", ""
    return None


def _scheduler(said: str) -> Graded | None:
    if (scheduler := _SCHEDULER.search(said)) is None:
        return None
    text = f"keepalived does not know the scheduler {scheduler['name']} and goes on with wlc"
    cure = "Name a scheduler of IPVS: rr, wrr, lc, wlc, sh, mh, ... (ipvsadm(8))."
    return "keepalived-changed", text, cure


def _state(said: str) -> Graded | None:
    """A state that is neither, unless one of the two may be meant."""
    state = _STATE.search(said)
    if state is None or difflib.get_close_matches(state["name"], _STATES, 1, LIKE):
        return None
    text = f"keepalived: {said}. Priorities decide who is master, whatever the state."
    return "keepalived-ignored", text, ""


def _untracked(said: str, defined: Sequence[str], removed: Collection[str]) -> Graded | None:
    if (untracked := _UNTRACKED.search(said)) is None:
        return None
    what, name = untracked["what"], untracked["name"]
    if name in removed:
        where = "it has removed it"
        cure = "Mend what it removes it for, which is told of its own line."
    elif name in defined:
        where = "it is defined only further down"
        cure = "Define it above the instance that tracks it."
    else:
        where = "none is defined"
        cure = f"Define it, or mend the name in track_{what}."
    text = f"keepalived tracks no {what} {name}, since {where}: {said}"
    return "keepalived-changed", text, cure


def _include(said: str) -> Graded | None:
    if (include := _NO_INCLUDE.search(said)) is None:
        return None
    named = include["ours"] or include["said"]
    return "include-missing", f"include {named}: there is no such file", ""


def _said_twice(said: str, defined: Sequence[str]) -> Graded | None:
    """The second of what may be there once, unless keepalived has only read its file twice."""
    twice, told = _TWICE.search(said), f"keepalived: {said}"
    if twice is not None and defined.count(twice["name"]) == 1:
        once = f"{told}. It is there once, and keepalived reads its file twice."
        return "keepalived-ignored", once, ""
    return ("keepalived-changed", told, "") if _DROPPED.search(said) else None


def _peers(said: str) -> Graded | None:
    if not _ANNOUNCES_BY_MULTICAST.search(said):
        return None
    cure = "Name the other directors in unicast_peer, or leave unicast_src_ip out."
    return "keepalived-changed", f"keepalived: {said}", cure


def _marked(word: str) -> Graded:
    """The first word of a file that begins with a byte order mark."""
    text = "the file begins with a byte order mark, which keepalived takes for a part of its first"
    if not word:  # a comment follows
        return "keepalived-ignored", f"{text} line. Nothing follows from that.", ""
    cure = "Save the file as UTF-8 without a byte order mark (BOM)."
    return "keepalived-changed", f"{text} word, {word}, and so it passes over that", cure


def _script_twice(said: str) -> Graded | None:
    """A second script for the same event, which is never run: often another event is meant."""
    if not _SCRIPT_TWICE.search(said):
        return None
    return "keepalived-changed", f"keepalived: {said}", _CURES["script already specified"]


def _unknown(said: str) -> Graded | None:
    """A word that keepalived passes over: one of another place or release, or one that is
    mistyped.
    """
    if (unknown := _UNKNOWN.search(said)) is None:
        return None
    word, begins_a_block = unknown["word"], following.ITS_BLOCK in said
    if word.startswith(MARK):
        return _marked(word.removeprefix(MARK))
    passed = "it and the block that it begins" if begins_a_block else "it"
    text = f"keepalived does not know {word} here and passes over {passed}."
    before, equals, value = word.partition("=")
    if equals and value and before in WORDS:
        cure = f"Write a space for the =: {before} {value}."
        return "word-mistyped", f"{text} It may be meant to be {before} {value}.", cure
    alike = (
        difflib.get_close_matches(word, WORDS, n=1, cutoff=LIKE)
        if word not in {*WORDS, *ABSENT}
        else []
    )
    if alike:
        return (
            "word-mistyped",
            f"{text} It may be meant to be {alike[0]}.",
            f"Write {alike[0]}, if that is meant.",
        )
    if begins_a_block:
        text = f"{text} What follows in the block around it may be lost as well."
        return "keepalived-changed", text, "Remove the block, or put it where keepalived takes it."
    follows = ABSENT.get(word, "The cluster works as if it were not there.")
    return "keepalived-ignored", f"{text} {follows}", ""
