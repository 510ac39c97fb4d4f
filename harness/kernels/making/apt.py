"""apt, with configurations of its own that are derived from the machine's.

The machine says which archive it uses, through which proxy and with which credentials. The suite,
the package lists and the downloads are ours, below one folder: nothing of the machine's is written
and no root is needed. apt checks the archive's signature against Debian's keyring.
"""

from __future__ import annotations

import re
from pathlib import Path

from harness.kernels.making.steps import Steps

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

CONFIGURATION = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Sandbox::User "root";
Acquire::AllowInsecureRepositories "false";
APT::Get::AllowUnauthenticated "false";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::CNF::DefaultEnabled "false";
Debug::NoLocking "true";
Dir::Cache "{folder}/cache";
Dir::State::lists "{folder}/lists";
Dir::State::status "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
"""
# Hooks are cleared: some empty the machine's own cache. Root's apt downloads as a user that cannot
# enter root's home.


def configuration(place: Path, sources: str = "") -> Path:
    """Writes an apt configuration that works below ``place``, with these sources instead of the
    machine's.
    """
    (place / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    (place / "cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    text = CONFIGURATION.format(folder=place)
    if sources:
        (place / "private.sources").write_text(sources)
        text += (
            f'Dir::Etc::sourcelist "{place}/private.sources";\nDir::Etc::sourceparts "/dev/null";\n'
        )
    written = place / "apt.conf"
    written.write_text(text)
    return written


def own_archives(place: Path, steps: Steps) -> list[str]:
    """The addresses of the archives that this machine uses; ``place`` is a folder to work in."""
    own = configuration(place)
    return archives(steps.output("apt-get", "-c", own, "update", "--print-uris"))


def archives(uris: str) -> list[str]:
    """The archives' addresses in what ``apt-get update --print-uris`` prints, each once, in its
    order.

    Suites with a dash (updates, security, backports) lie in the archive of the suite they belong
    to, or in one that has none of ours.
    """
    found: list[str] = re.findall(r"^'([^']+)/dists/[^'/-]+/InRelease'", uris, re.MULTILINE)
    return list(dict.fromkeys(found))


def sources(uris: list[str], suite: str, keyring: Path = KEYRING) -> str:
    """The text of a ``.sources`` file (sources.list(5)) for one suite, its signature to be checked
    with ``keyring``.
    """
    return (
        f"Types: deb\nURIs: {' '.join(uris)}\nSuites: {suite}\nComponents:"
        f" main\nSigned-By: {keyring}\n"
    )


def acquisition(steps: Steps) -> str:
    """How this machine's apt reaches archives and what it believes, as the text of an apt.conf(5).

    Proxies, time limits, the validity of dates, and where the credentials are.
    """
    lines = steps.output("apt-config", "dump", "--no-empty").splitlines()
    kept = [line for line in lines if line.startswith("Acquire::") and "::IndexTargets" not in line]
    credentials = [
        'Dir::Etc::netrc "/etc/apt/auth.conf";',
        'Dir::Etc::netrcparts "/etc/apt/auth.conf.d";',
    ]
    strict = [
        'Acquire::AllowInsecureRepositories "false";',
        'Acquire::Languages "none";',
        'APT::Sandbox::User "root";',
    ]
    return "\n".join([*kept, *credentials, *strict]) + "\n"
