"""Where this machine cannot keep a guest to its limits, what is somebody else's runs only with
``--trust``.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.cli import main
from harness.errors import HarnessError
from harness.kernels import choice, native
from harness.kernels.calls import landlock, seccomp
from harness.kernels.host import boundary
from harness.plugin import readable

PLAIN = (
    "vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n virtual_ipaddress {\n"
    " 10.0.0.1\n }\n%s}\n"
)
SCRIPTS = PLAIN % " notify_master /opt/somebody/notify\n"


def test_this_machine_lacks_nothing_in_an_embedded_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "version", lambda: landlock.SIGNALS)
    monkeypatch.setattr(seccomp, "known", lambda: True)
    assert boundary.lacking(embedded=True) is None


@pytest.mark.parametrize(
    ("version", "user", "missing"),
    [(0, 0, "no Landlock"), (0, 1000, "no Landlock"), (landlock.SIGNALS - 1, 1000, "signals")],
)
def test_what_is_missing_is_named(
    version: int, user: int, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(landlock, "version", lambda: version)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(seccomp, "known", lambda: True)
    assert missing in str(boundary.lacking(embedded=True))


def test_namespaces_of_root_s_keep_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "version", lambda: 1)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(native, "may_make_namespaces", lambda: True)
    monkeypatch.setattr(seccomp, "known", lambda: True)
    assert boundary.lacking(embedded=True) is None


@pytest.mark.parametrize("embedded", [True, False])
def test_configurations_with_scripts_are_trusted_or_not_run(
    embedded: bool, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landlock, "version", lambda: 0)
    (pytester.path / "plain.conf").write_text(PLAIN % "")
    (pytester.path / "scripts.conf").write_text(SCRIPTS)
    readable.check_trust(configured(pytester, "plain.conf"), embedded)
    readable.check_trust(configured(pytester, "scripts.conf", "--trust"), embedded)
    with pytest.raises(HarnessError, match=r"notify\).*--trust"):
        readable.check_trust(configured(pytester, "scripts.conf"), embedded)


def configured(pytester: pytest.Pytester, file: str, *options: str) -> pytest.Config:
    return pytester.parseconfigure("--director", file, *options)


def test_a_bundle_is_trusted_or_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(boundary, "lacking", lambda embedded: "nothing keeps it")
    monkeypatch.setattr("harness.cli.reproduce.read", lambda path: Bundle())
    monkeypatch.setattr("harness.cli.reproduce.choice.choose", lambda *_: None)
    assert main(["reproduce", str(tmp_path / "bundle"), "--yes"]) == 1
    assert "nothing keeps it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("terminal", "answer", "agreed"),
    [(True, "y", True), (True, "", False), (True, "no", False), (False, "y", False)],
)
def test_whoever_is_at_a_terminal_is_asked(
    terminal: bool, answer: str, agreed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: terminal, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: answer)
    assert boundary.agreed("nothing keeps it") is agreed


def test_scripts_are_run_where_somebody_agrees(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landlock, "version", lambda: 0)
    monkeypatch.setattr(boundary, "agreed", lambda missing: "name scripts" in missing)
    (pytester.path / "scripts.conf").write_text(SCRIPTS)
    readable.check_trust(configured(pytester, "scripts.conf"), embedded=True)


class Bundle:
    """As much of one as is looked at before."""

    def __init__(self) -> None:
        self.sources = {"test_it.py": b""}
        self.manifest = {"clock": "virtual", "seed": 0}


def test_a_configuration_gets_no_secret_read_by_calling_it_a_script(
    pytester: pytest.Pytester,
) -> None:
    key, script = pytester.path / "key", pytester.path / "script"
    for path, mode in ((key, 0o600), (script, 0o755)):
        path.write_text("x")
        path.chmod(mode)
    folder = pytester.path / "below"
    folder.mkdir()
    (folder / "it.conf").write_text(PLAIN % f" notify_master {key}\n notify_backup {script}\n")
    config = configured(pytester, str(folder / "it.conf"), "--readable", "more")
    paths = readable.paths(config)
    assert script in paths
    assert folder in paths
    assert pytester.path / "more" in paths
    assert key not in paths


def test_a_run_reads_the_configurations_before_it_starts_a_kernel(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pytest configures its plugins only afterwards, so nobody was ever asked."""
    monkeypatch.setattr(boundary, "lacking", lambda embedded: "nothing limits them here")
    monkeypatch.setattr(
        choice, "choose", lambda *asked: choice.Choice(None, False, "it is asked for")
    )
    (pytester.path / "scripts.conf").write_text(SCRIPTS)
    pytester.makepyfile("def test_it(cluster): pass")
    result = pytester.runpytest_inprocess("--director=scripts.conf")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*the configurations name scripts*nothing limits them here*--trust runs them*"]
    )
