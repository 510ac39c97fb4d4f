"""Which versions a run runs on: asked on its own kernel, for without IPVS ipvsadm does not even
tell its version.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

import harness
from harness.daemons.daemon import programs
from harness.kernels import native

_ASKED = {
    "keepalived": ("keepalived", "--version"),
    "ipvsadm": ("ipvsadm", "--version"),
    "apache2": ("httpd", "-v"),
}
_NUMBER = re.compile(r"v?(\d+(?:\.\d+)+)")


def versions() -> dict[str, str]:
    """Program -> version; ``missing`` where it is not installed, ``unknown`` where it does not
    say.
    """
    native.load_ipvs()
    found = {
        "harness": metadata.version("lvs-harness"),
        "Linux": os.uname().release,
        "Python": platform.python_version(),
    }
    for program, _, path in programs():
        if program in _ASKED:
            name, option = _ASKED[program]
            found[name] = "missing" if path is None else _ask(path, option)
    return found


def commit() -> str | None:
    """Of which commit the harness is, ``-dirty`` if it has been changed since; None if it is no
    checkout, or of others.

    Asked where the run is started, for in the embedded kernel git would read for long.
    """
    root = Path(harness.__file__).parents[1]
    if not (root / ".git").exists() or (git := shutil.which("git")) is None:
        return None
    asked = [
        git,
        "--no-optional-locks",
        "-C",
        str(root),
        "describe",
        "--always",
        "--abbrev=12",
        "--dirty",
        "--exclude=*",
    ]
    answer = subprocess.run(asked, capture_output=True, text=True, errors="replace", check=False)
    return answer.stdout.strip() or None


def _ask(path: Path, option: str) -> str:
    try:
        answer = subprocess.run(
            [path, option], capture_output=True, text=True, errors="replace", timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    number = _NUMBER.search(answer.stdout + answer.stderr) if answer.returncode == 0 else None
    return number[1] if number else "unknown"
