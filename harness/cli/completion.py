"""``lvs-harness completion``: a script with which a shell completes commands and options."""

from __future__ import annotations

import argparse
from typing import Any

SHELLS = ("bash", "zsh", "tcsh")  # those that shtab knows


def add(commands: Any) -> None:
    """Declare the command."""
    completion = commands.add_parser(
        "completion",
        help="print a script with which your shell completes commands and options",
        description="For bash: lvs-harness completion bash"
        ' >"$HOME/.local/share/bash-completion/completions/lvs-harness"',
    )
    completion.add_argument("shell", choices=SHELLS)
    completion.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    import shtab

    from harness.cli import parser

    print(shtab.complete(parser(), shell=options.shell))
    return 0
