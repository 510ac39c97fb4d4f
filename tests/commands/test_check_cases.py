"""``lvs-harness check`` on small versions of what real configurations contain, as a user runs it.

Each folder of ``check_cases`` has one or two directors' files and ``expect.toml``: the exit status,
a regular expression that the output must have, one that it must not have, and above them why.
``image`` is for those that another keepalived than this machine's is to run.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from harness.images import cache as images
from harness.images import release
from harness.kernels.making import cache

CASES = sorted(each for each in (Path(__file__).parent / "check_cases").iterdir() if each.is_dir())

NOT_YET: dict[str, str] = {
    "ipv6": (
        "with a VIP of /64 the master's checks are sent from the VIP, which is named as what breaks"
    ),
}
"""What does not come out as expected yet, and why. It fails here as soon as it does, so the
table stays true.
"""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_gets_its_verdict(case: Path, tmp_path: Path) -> None:
    if cache.find() is None:
        pytest.skip("no kernel with virtual time: make kernel")
    expected = tomllib.loads((case / "expect.toml").read_text("utf-8"))
    image = expected.get("image")
    if image is not None and images.find(release.key(image.partition("=")[2])) is None:
        pytest.skip(f"no image for {image}: make images")
    shutil.copytree(
        case, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("expect.toml")
    )
    directors = sorted(file.name for file in tmp_path.glob("lb*.conf"))

    command = [str(Path(sys.executable).with_name("lvs-harness")), "check", *directors]
    command += ["--image", image] if image is not None else []
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    shown = done.stdout + done.stderr
    wrong = []
    if done.returncode != expected["status"]:
        wrong.append(f"status {done.returncode} instead of {expected['status']}")
    if "says" in expected and not re.search(expected["says"], shown):
        wrong.append(f"does not say {expected['says']}")
    if "never" in expected and re.search(expected["never"], shown):
        wrong.append(f"says {expected['never']}")
    if case.name in NOT_YET:
        assert wrong, f"{case.name} comes out as expected now: take it out of NOT_YET"
        pytest.skip(f"not yet: {NOT_YET[case.name]}")
    assert not wrong, f"{'; '.join(wrong)}\n{shown}"
