"""Each number that an option takes has a range, and what is outside of it is refused in a
sentence.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.version import Version

from harness.cli import main
from harness.errors import HarnessError
from harness.kernels.host import memory
from harness.kernels.host.watchdog import limit
from harness.plugin.units import Shard
from tests.guests import ROOT

NO_NUMBERS = [
    "",
    " ",
    "-1",
    "1e",
    "0x10",
    "²",
    "٣",
    "1_0",
    "nan",
    "inf",
    "-inf",
    "1e400",
    "9" * 5000,
    "1\n",
    "--",
]


@pytest.mark.parametrize(
    "text", [text for text in NO_NUMBERS if text not in ("٣", "1_0", "1\n")] + ["0.5", "86401"]
)
def test_limits_of_the_watchdog(text: str) -> None:
    with pytest.raises(
        argparse.ArgumentTypeError, match="is no limit: give seconds, 1 to 86400, or 0 for never"
    ):
        limit(text)
    assert (limit("0"), limit("1"), limit("86400")) == (0, 1, 86400)


@pytest.mark.parametrize(
    "text", [*NO_NUMBERS, *(f"{text}G" for text in NO_NUMBERS), "0M", "1.5G", "01G", "1TG"]
)
def test_amounts_of_memory(text: str) -> None:
    with pytest.raises(HarnessError, match=r"is no amount of memory|write it as"):
        memory.parse(text)
    assert memory.parse("512M") == 512 << 20


@pytest.mark.parametrize(
    "text", [*NO_NUMBERS, *(f"{text}G" for text in NO_NUMBERS), "0M", "1025G", "999999G"]
)
def test_quotas(text: str) -> None:
    with pytest.raises(
        HarnessError, match=r"is no amount of disk|may write 1M at least and 1024G at most"
    ):
        memory.quota(text)
    assert memory.quota("1M") == 1 << 20


@pytest.mark.parametrize(
    "text",
    [
        *NO_NUMBERS,
        *(f"1/{text}" for text in NO_NUMBERS),
        "0/1",
        "2/1",
        "1/1001",
        "1/99999999999",
        "1/2/3",
        "²/3",
    ],
)
def test_shards(text: str) -> None:
    with pytest.raises(
        HarnessError, match=r"give K/N, the number of this part and of how many, 1000 at most"
    ):
        Shard.of(text)
    assert Shard.of("1000/1000").count == 1000


@pytest.mark.parametrize("value", ["inf", "nan", "-1"])
def test_an_option_of_a_command_is_refused_with_its_range(
    value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["reproduce", "b.zip", f"--watchdog={value}"])
    assert re.search(r"argument --watchdog: .* 1 to 86400, or 0 for never", capsys.readouterr().err)


@pytest.mark.parametrize(
    "option",
    [
        "--watchdog=inf",
        "--watchdog=-1",
        "--shard=1/99999999999",
        "--shard=²/3",
        "-n=100000",
        "-n=-1",
    ],
)
def test_an_option_of_pytest_is_refused_with_its_range(
    pytester: pytest.Pytester, option: str
) -> None:
    pytester.makepyfile("def test_it(): pass")
    result = pytester.runpytest_subprocess(option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "Traceback" not in result.stderr.str() + result.stdout.str()
    assert re.search(r"1 to 86400|1000 at most|0 to 1000", result.stderr.str()), result.stderr.str()


def test_a_failure_of_the_harness_itself_is_told_as_such(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a line to report, without a traceback, and with a status of its own."""

    def fail(*_: object) -> None:
        raise KeyError("LVS_HARNESS_HEADER")

    monkeypatch.setattr("harness.report.bundle.make", fail)
    assert main(["bundle", "run"]) == 3
    said = capsys.readouterr().err
    assert "the harness failed: KeyError: 'LVS_HARNESS_HEADER'" in said
    assert "harness/cli/bundle.py:" in said
    assert "says nothing of your cluster: please report this line" in said
    assert "Traceback" not in said


def test_a_failure_of_the_harness_itself_is_at_its_own_lines_and_at_no_library_s(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("harness.report.bundle.make", lambda *_: Version("no version"))
    assert main(["bundle", "run"]) == 3
    said = capsys.readouterr().err
    assert "InvalidVersion" in said
    assert re.search(r"harness/cli/bundle\.py:\d+\)", said), said
    assert "site-packages" not in said


@pytest.mark.parametrize(
    ("raised", "status", "word"),
    [("KeyError('x')", 3, "harness failed"), ("AssertionError('x')", 1, "BREAKS")],
)
def test_a_failure_of_the_harness_is_no_verdict(
    pytester: pytest.Pytester, raised: str, status: int, word: str
) -> None:
    """``check`` says BREAKS of what a cluster was seen to do, and of nothing else."""
    pytester.makepyfile(f'def test_it():\n    "It works."\n    raise {raised}')
    conf = pytester.path / "lb1.conf"
    conf.write_text("vrrp_instance VI_1 {\n}\n")
    result = pytester.runpytest_subprocess(f"--director={conf}", "--tb=no")
    assert result.ret == status
    result.stdout.fnmatch_lines([f"{word} *It works."])


def test_a_path_that_pytest_takes_for_that_of_the_tests_is_told(tmp_path: Path) -> None:
    """It looks for its root before it knows that ``--kernel`` has a value."""
    (tmp_path / "test_it.py").write_text("def test_it(): pass\n")
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "--kernel", os.devnull],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (
        "pytest takes /dev for the folder of the tests, since --kernel names it: write"
        " --kernel=PATH, with an =, or name the tests to be run"
    ) in told.stderr
    assert told.returncode == pytest.ExitCode.USAGE_ERROR
