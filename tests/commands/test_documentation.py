"""What docs/ and examples/ tell users to do, done: every command of the tutorial, and the
example repository.
"""

from __future__ import annotations

import fnmatch
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.images import cache as images
from harness.images import release
from harness.kernels.making import cache as kernels

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(
    r"(?:^`(?P<file>[\w./]+)`:\n\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_RELEASE = re.compile(r"\b(?:bullseye|bookworm|trixie|sid)\b")
_PATIENCE = ["--watchdog", "120"]


def run(folder: Path, argv: list[str], may_fail: bool = True) -> str:
    """What a command prints, run as a user runs it; where it ``may_fail``, pytest may, and
    anything else may not.
    """
    bin_folder = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "PYTEST_ADDOPTS": " ".join(_PATIENCE),
    }
    command = [str(bin_folder / argv[0]), *argv[1:]]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    allowed = (0, 1) if may_fail and argv[0] == "pytest" else (0,)
    assert done.returncode in allowed, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout


def require_kernel() -> None:
    if kernels.find() is None:
        pytest.skip("no kernel with virtual time: make kernel")


def require_images(command: str) -> None:
    missing = [name for name in _RELEASE.findall(command) if images.find(release.key(name)) is None]
    if missing:
        pytest.skip(f"no image of {', '.join(missing)}: make images")


def shows(output: str, expected: list[str]) -> None:
    """Every expected line comes, in order; ``...`` and ``*`` stand for anything."""
    lines = iter(output.splitlines())
    for wanted in expected:
        if wanted and wanted != "...":
            pattern = wanted.replace("[", "[[]")
            assert any(fnmatch.fnmatchcase(line, pattern) for line in lines), (
                f"{wanted!r} is not in:\n{output}"
            )


@pytest.mark.parametrize("page", ["tutorial.md", "first-scenario.md"])
def test_every_command_of_a_tutorial(page: str, tmp_path: Path) -> None:
    require_kernel()
    blocks = list(_BLOCK.finditer((ROOT / "docs" / page).read_text("utf-8")))
    assert (
        {"console", "python"}
        <= {block["kind"] for block in blocks}
        <= {"text", "console", "python"}
    )
    for block in blocks:
        if block["file"]:
            file = tmp_path / block["file"]
            file.parent.mkdir(exist_ok=True)
            file.write_text(block["text"], encoding="utf-8")
            continue
        command, *expected = block["text"].removeprefix("$ ").splitlines()
        require_images(command)
        shows(run(tmp_path, shlex.split(command)), expected)


READMES = ("README.md", "README.zh-CN.md")
ELSEWHERE = {
    "git clone <this repository> lvs-harness && cd lvs-harness": ".ci/run clones",
    "make scenarios": ".ci/run runs it",
    ". .venv/bin/activate": "the commands here are those of the environment that runs this test",
}
"""Commands of the README that are not run here, and where they are."""


def commands_of(readme: str) -> list[str]:
    blocks = [
        block["text"]
        for block in _BLOCK.finditer((ROOT / readme).read_text("utf-8"))
        if block["kind"] == "console"
    ]
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]


def test_the_readmes_tell_the_same_commands() -> None:
    first, *others = [commands_of(readme) for readme in READMES]
    assert len(first) > len(ELSEWHERE)
    assert all(other == first for other in others)
    assert ELSEWHERE.keys() <= set(first)


def test_every_command_of_the_readme(tmp_path: Path) -> None:
    require_kernel()
    for name in ("scenarios", "topologies", "examples"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for command in commands_of(READMES[0]):
        if command in ELSEWHERE:
            continue
        if _RELEASE.search(command) and images.find(release.key("trixie")) is None:
            continue  # the tutorial's test says by name that there is no image
        assert run(tmp_path, shlex.split(command), may_fail=False), command


def test_a_repository_of_one_s_own(tmp_path: Path) -> None:
    require_kernel()
    shutil.copytree(ROOT / "examples/own-repository", tmp_path, dirs_exist_ok=True)

    output = run(tmp_path, ["pytest"])

    expected = (
        "works           Before an upgrade of lb1 its keepalived is stopped: lb2 has the"
        " VIP within a second."
    )
    shows(output, [expected, "in short: 11 works, 2 does not apply"])
