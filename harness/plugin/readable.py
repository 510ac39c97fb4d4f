"""Which of this machine's files a run in the embedded kernel can read: those that it needs
(docs/security.md).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import HarnessError
from harness.kernels.host import boundary
from harness.plugin import corpus, private_pytest
from harness.plugin.marks import CONFIGURED
from harness.plugin.matrix import images_asked_for

if TYPE_CHECKING:
    from collections.abc import Iterator

_BESIDE = ("conftest.py", "lvs-harness.toml")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option."""
    parser.getgroup("lvs-harness").addoption(
        "--readable",
        action="append",
        default=[],
        metavar="PATH",
        help="a file or folder of this machine that tests in the embedded kernel read, beside"
        " the system's, the"
        " interpreter's, those below pytest's rootdir and the working directory, and those named",
    )
    parser.getgroup("lvs-harness").addoption(
        "--trust",
        action="store_true",
        help="run scripts that configurations name also where this machine cannot limit what"
        " they do to it",
    )


def check_trust(config: pytest.Config, embedded: bool) -> None:
    """HarnessError if configurations name scripts, what these can do to this machine is not
    limited, and nobody said that they may: by an option, or at the terminal when asked.
    """
    configured = config.stash.get(CONFIGURED, None)
    if (
        configured is None
        or config.getoption("trust")
        or (missing := boundary.lacking(embedded)) is None
    ):
        return
    if programs := [
        name for configuration in configured.configurations for name in configuration.programs
    ]:
        if _asked(config, f"the configurations name scripts ({programs[0]}), and {missing}"):
            return
        cure = "" if embedded else "--kernel uml runs them in a kernel of their own, "
        raise HarnessError(
            f"the configurations name scripts ({programs[0]}), and {missing} (docs/security.md):"
            f" {cure}"
            "--trust runs them all the same"
        )


def _asked(config: pytest.Config, missing: str) -> bool:
    with private_pytest.at_the_terminal(config):
        return boundary.agreed(missing)


def paths(config: pytest.Config) -> list[Path]:
    """What is below the run's folders and what its options name; what is not there does no harm."""
    here = config.invocation_params.dir
    found = [config.rootpath, here, *(config.rootpath / name for name in _BESIDE)]
    found += [here / name for name in (*config.getoption("readable"), *images_asked_for(config))]
    found += [here / argument.partition("::")[0] for argument in config.args]
    if (searched := config.getoption("searched")) is not None:
        found.append(here / searched.partition(":")[0])
    if config.inipath is not None:
        found.append(config.inipath)
    if (learnt := corpus.file_of(config)) is not None:
        found.append(learnt)
    return [*found, *_of_configurations(config)]


def _of_configurations(config: pytest.Config) -> Iterator[Path]:
    """Directors' files and what lies beside them, the user's scripts for them, and programs that
    they name.

    A program is one that can be executed: so a configuration cannot have a secret read by calling
    it a script.
    """
    if (configured := config.stash.get(CONFIGURED, None)) is None:
        return
    for configuration in configured.configurations:
        yield configuration.origin.absolute().parent
        yield configuration.origin.absolute()
        yield from (
            Path(name)
            for name in configuration.programs
            if os.access(name, os.X_OK) and os.path.isfile(name)
        )
    for setting in (*config.getini("lvs_settings"), *config.getoption("lvs_set")):
        if setting.startswith("script."):
            yield config.invocation_params.dir / setting.partition("=")[2]
        if setting.startswith("include="):
            for folder in setting.partition("=")[2].split(":"):
                yield config.invocation_params.dir / folder
