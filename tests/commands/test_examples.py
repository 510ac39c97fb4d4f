"""What examples/ offers for CI and for commits, each run on the example's own files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from harness.kernels.making import cache

EXAMPLES = Path(__file__).parents[2] / "examples"
BIN = Path(sys.executable).parent
ENVIRONMENT = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Somebody's repository with a pair of directors."""
    if cache.find() is None:
        pytest.skip("no kernel with virtual time: make kernel")
    shutil.copytree(EXAMPLES / "two-directors", tmp_path, dirs_exist_ok=True)
    return tmp_path


def break_it(repository: Path) -> None:
    file = repository / "vip-backup.conf"
    file.write_text(file.read_text().replace("router_id 51", "router_id 52"))


def steps_of(file: Path) -> list[dict[str, Any]]:
    document = YAML(typ="safe").load(file.read_text("utf-8"))
    steps: list[dict[str, Any]] = document["runs"]["steps"]
    return steps


@pytest.mark.parametrize(
    ("schema", "name"),
    [("vendor.github-workflows", "workflow.yml"), ("vendor.github-actions", "action.yml")],
)
def test_the_action_and_its_workflow_are_well_formed(schema: str, name: str) -> None:
    file = EXAMPLES / "github-action" / name
    subprocess.run([BIN / "check-jsonschema", "--builtin-schema", schema, file], check=True)


@pytest.mark.parametrize("broken", [False, True])
def test_the_action_s_step_checks_and_writes_sarif(broken: bool, repository: Path) -> None:
    if broken:
        break_it(repository)
    (step,) = steps_of(EXAMPLES / "github-action/action.yml")
    inputs = {"DIRECTORS": "lb1.conf lb2.conf", "SARIF": "found.sarif"}
    done = subprocess.run(
        ["bash", "-e", "-c", step["run"]],
        cwd=repository,
        env={**ENVIRONMENT, **inputs},
        capture_output=True,
        text=True,
    )
    assert done.returncode == (1 if broken else 0), done.stdout + done.stderr
    (run,) = json.loads((repository / "found.sarif").read_text())["runs"]
    assert ("vrid-differs" in {result["ruleId"] for result in run["results"]}) == broken


@pytest.mark.parametrize("broken", [False, True])
def test_the_hook_refuses_what_check_finds_something_in(broken: bool, repository: Path) -> None:
    if broken:
        break_it(repository)
    shutil.copy(EXAMPLES / "pre-commit/.pre-commit-config.yaml", repository)
    git = ["git", "-c", "user.name=tester", "-c", "user.email=tester@example.invalid"]
    subprocess.run([*git, "init", "--quiet", "."], cwd=repository, check=True)
    subprocess.run([*git, "add", "."], cwd=repository, check=True)
    home = {"PRE_COMMIT_HOME": str(repository / ".cache")}
    done = subprocess.run(
        [BIN / "pre-commit", "run", "--all-files"], cwd=repository, env={**ENVIRONMENT, **home},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == (1 if broken else 0), done.stdout + done.stderr
    assert ("vrid-differs" in done.stdout) == broken
