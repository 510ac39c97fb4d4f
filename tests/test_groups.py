"""``make test`` runs every test once, whatever its arguments are: tools/test-groups."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def stand_in(tmp_path: Path) -> Path:
    """In the place of pytest: it notes its arguments, and ends with the status that is wanted
    of the group.
    """
    program = tmp_path / "stand-in"
    program.write_text(
        "#!/bin/sh\n"
        f'echo "$@" >>{tmp_path}/groups\n'
        f"read status <{tmp_path}/wanted\n"
        'exit "$status"\n'
    )
    program.chmod(0o755)
    return program


def groups(stand_in: Path, status: int, *arguments: str) -> tuple[int, list[str]]:
    """What test-groups ends with if each group ends with ``status``, and the groups."""
    stand_in.with_name("wanted").write_text(f"{status}\n")
    done = subprocess.run(
        [ROOT / "tools/test-groups", *arguments], env={"PYTEST": str(stand_in)}, check=False
    )
    return done.returncode, stand_in.with_name("groups").read_text().splitlines()


def test_arguments_are_for_every_group_and_no_worker_for_what_runs_alone(stand_in: Path) -> None:
    status, ran = groups(stand_in, 0, "-n", "4", "-m", "slow")
    assert status == 0
    assert len(ran) == 5
    assert all("-n 4 -m slow" in group for group in ran)
    assert [group for group in ran if "--alone only" in group] == [
        "tests/ --alone only -n 4 -m slow -n 0"
    ]


@pytest.mark.parametrize(("each", "whole", "number"), [(1, 1, 1), (5, 5, 5)])
def test_a_failure_ends_it_and_only_where_no_group_has_tests_there_are_none(
    each: int, whole: int, number: int, stand_in: Path
) -> None:
    status, ran = groups(stand_in, each)
    assert (status, len(ran)) == (whole, number)


def test_every_test_is_either_shared_or_alone() -> None:
    def collected(*arguments: str) -> list[str]:
        command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
        files = [ROOT / "tests/test_uml.py", ROOT / "tests/test_determinism.py"]
        said = subprocess.run(
            [*command, *files, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        return [line for line in said.splitlines() if "::" in line]

    shared, alone = collected("--alone", "not"), collected("--alone", "only")
    assert shared
    assert alone
    assert sorted(shared + alone) == sorted(collected())
    named = {line.rpartition("::")[2].partition("[")[0] for line in alone}
    assert named == {
        "test_killed_caller_leaves_nothing",
        "test_same_seed_gives_the_same_timelines_in_a_terminal_on_a_busy_machine",
    }
