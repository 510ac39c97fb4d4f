"""``lvs-harness doctor``: what is here to run clusters with, what is missing, and which command
comes next.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from harness.errors import HarnessError
from harness.kernels import choice

_VERSION = re.compile(r"\d+(?:\.\d+)+[\w.-]*")
_VERSION_FLAGS = {"keepalived": "-v", "apache2": "-v", "ip": "-V"}
_PATIENCE = 10  # seconds for a program to say its version


def add(commands: Any) -> None:
    """Declare the command."""
    doctor = commands.add_parser(
        "doctor", help="say what is here to run clusters with, and what is missing"
    )
    doctor.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from harness.daemons.daemon import programs

    found = [(program, package, path) for program, package, path in programs()]
    missing = [package for _, package, path in found if path is None]
    rows = [(program, _version(program, package, path)) for program, package, path in found]
    chosen, problem = _kernel()
    virtual_time = chosen is not None and chosen.virtual
    rows.append(("kernel", chosen.header if chosen else problem))
    rows.append(("virtual time", "yes" if virtual_time else _why_not()))
    rows.append(("images", _images()))
    width = max(len(name) for name, _ in rows)
    for name, text in rows:
        print(f"{name:<{width}}  {text}")
    if chosen is None and _packaged_kernel_would_help():
        missing.append("user-mode-linux")
    print()
    if missing:
        print(f"install: {_as_root()}apt-get install {' '.join(dict.fromkeys(missing))}")
    ready = chosen is not None and not missing
    print(f"next: {_next(ready, virtual_time)}")
    return 0 if ready else 1


def _version(program: str, package: str, path: Path | None) -> str:
    """What a program says of its version, and where it is.

    ipvsadm says nothing on a kernel without IPVS; then its package is asked.
    """
    if path is None:
        return "missing"
    said = _said([program, _VERSION_FLAGS.get(program, "--version")], path)
    if said is None and (dpkg := shutil.which("dpkg-query")):
        said = _said(
            [dpkg, "--show", "--showformat", f"{program} ${{Version}}", package], Path(dpkg)
        )
    version = _VERSION.search(said or "")
    return f"{version[0] if version else '?':<12} {path}"


def _said(command: list[str], path: Path) -> str | None:
    """What a program prints. None where it fails.

    The name stands before the path, because some programs are many in one file, which their name
    tells apart.
    """
    try:
        done = subprocess.run(
            command,
            executable=path,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return None if done.returncode else done.stdout + done.stderr


def _kernel() -> tuple[choice.Choice | None, str]:
    """The kernel that clusters would run on; None, and why, if there is none."""
    try:
        return choice.choose("auto", "auto", 0), ""
    except HarnessError as problem:
        return None, str(problem)


def _packaged_kernel_would_help() -> bool:
    from harness.kernels.host import uml

    return choice.unsuited() is None and uml.packaged() is None


def _why_not() -> str:
    from harness.kernels.making.build import missing_tools

    if (problem := choice.unsuited()) is not None:
        return f"no: {problem}"
    if lacking := missing_tools():
        return (
            f"no: building its kernel takes {', '.join(lacking)}, which `make scenarios` installs"
        )
    return "no: no kernel with it has been built yet"


def _images() -> str:
    from harness.images import cache, release

    made = [name for name in release.RELEASES if cache.find(release.key(name)) is not None]
    return ", ".join(made) or "none (other releases' keepaliveds need them: make images)"


def _as_root() -> str:
    return "" if os.geteuid() == 0 else "sudo "


def _next(ready: bool, virtual_time: bool) -> str:
    """The command to go on with. In a checkout `make scenarios` installs and builds what is
    missing, and runs.
    """
    if choice.unsuited() is not None:
        return "pytest scenarios/ --kernel native" if ready else f"{_as_root()}modprobe ip_vs"
    if not (ready and virtual_time):
        in_a_checkout = Path("Makefile").exists() and Path("scenarios").is_dir()
        return "make scenarios" if in_a_checkout else "pip install lvs_harness_kernel-*.whl"
    return (
        "pytest scenarios/ -k failover"
        if Path("scenarios").is_dir()
        else "lvs-harness up director_pair"
    )
