"""Hundreds of hostile inputs, drawn by a seed: no traceback, no hang, no file outside, and a status
that says so.

Each is made from a good bundle, folder or configuration by a few changes, so that it gets as far as
it can.
"""

from __future__ import annotations

import contextlib
import json
import random
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.check.configured import Configured
from harness.cli import main
from harness.errors import HarnessError
from harness.report import artifacts, bundle
from tests.attacks.damaging import DEEP, FOLDERS, damage, exchange, twist
from tests.attacks.folders import new_run, no_hang

__all__ = ["no_hang"]

CONFIGURATION = """
global_defs {
    router_id lb1
}
include conf.d/*.conf
$VIP=192.0.2.80
vrrp_script chk {
    script "/etc/keepalived/chk.sh"
}
vrrp_instance VI_1 {
    interface eth0
    notify /etc/keepalived/told.sh
    virtual_router_id 51
    virtual_ipaddress {
        $VIP
    }
}
virtual_server 192.0.2.80 80 {
    real_server 192.0.2.21 80 {
    }
}
"""


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[None]:
    """What must not change, and beside what no file may appear."""
    (tmp_path / "victim").write_text("untouched")
    yield
    assert (tmp_path / "victim").read_text() == "untouched"
    names = {path.name for path in tmp_path.iterdir()}
    assert names <= {
        "victim",
        "run",
        "other",
        "b.zip",
        "c.html",
        "merged",
        "into",
        "good",
        "received",
    }


def status(*arguments: str | Path) -> int:
    """Of a command in this process: a traceback of its own would be status 3."""
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as ended:
        return int(ended.code or 0)


@pytest.mark.parametrize("seed", range(120))
def test_folders(
    seed: int, tmp_path: Path, outside: None, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(f"folder {seed}")
    run, other = new_run(tmp_path / "run"), new_run(tmp_path / "other")
    artifacts.update(other / artifacts.RUN, {"shard": "2/2"})
    for _ in range(rng.randrange(1, 4)):
        rng.choice(FOLDERS)(rng, run)
    found = [
        status("report", run),
        status("report", "--compare", other, run, "--output", tmp_path / "c.html"),
        status("bundle", run, "--output", tmp_path / "b.zip"),
        status("report", run, other, "--artifacts", tmp_path / "merged"),
    ]
    said = capsys.readouterr()
    assert set(found) <= {0, 1}, said.err
    assert "Traceback" not in said.err + said.out
    assert (1 in found) == ("lvs-harness: " in said.err.replace("...\n", "")) or 0 in found


@pytest.mark.parametrize("seed", range(120))
def test_bundles(
    seed: int, tmp_path: Path, outside: None, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(f"bundle {seed}")
    bundle.make(new_run(tmp_path / "run"), tmp_path / "good")
    target = tmp_path / "b.zip"
    if seed % 2:
        target.write_bytes(damage(rng, (tmp_path / "good").read_bytes()))
    else:
        forge(rng, tmp_path / "good", target)
    found = status("reproduce", target, "--into", tmp_path / "into", "--kernel", "/nowhere/linux")
    said = capsys.readouterr()
    assert found == 1, said.err
    assert "Traceback" not in said.err + said.out
    with contextlib.suppress(HarnessError):
        bundle.read(target)


def forge(rng: random.Random, good: Path, target: Path) -> None:
    """A bundle whose manifest is wrong somewhere, and right again about its files."""
    with zipfile.ZipFile(good) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(files.pop(bundle.MANIFEST))
    manifest = twist(rng, twist(rng, manifest))
    text = DEEP if rng.random() < 0.1 else json.dumps(manifest)
    with zipfile.ZipFile(
        target, "w", rng.choice([zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    ) as made:
        for number, (name, data) in enumerate(files.items()):
            made.writestr(rng.choice([name] * 9 + [f"sources/../../x{number}"]), data)
        made.writestr(bundle.MANIFEST, text)


@pytest.mark.parametrize("seed", range(80))
def test_configurations(seed: int, tmp_path: Path, outside: None) -> None:
    rng = random.Random(f"configuration {seed}")
    folder = tmp_path / "received"
    (folder / "conf.d").mkdir(parents=True)
    (folder / "conf.d" / "a.conf").write_text("include b.inc\n")
    (folder / "chk.sh").write_text("#!/bin/sh\n")
    data = CONFIGURATION.encode()
    for _ in range(rng.randrange(1, 4)):
        data = damage(rng, data)
    lines = data.split(b"\n")
    for _ in range(rng.randrange(3)):
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(LINES))
    (folder / "lb1.conf").write_bytes(b"\n".join(lines))
    exchange(rng, folder)
    settings = dict([rng.choice(SETTINGS)])
    with contextlib.suppress(HarnessError):
        Configured(str(folder / "lb1.conf"), settings=settings)


LINES = [
    b"include /etc/shadow",
    b"include ../../../etc/passwd",
    b"include *",
    b"include conf.d/../../x",
    b"$A=$A$A",
    b"include [",
    b"include " + b"*/" * 50,
    b"include /proc/self/mem",
    b"include /dev/zero",
    b"notify /etc",
    b"include " + b"x" * 5000,
    b'script "/etc/keepalived/\\x00"',
    b"\xff\xfe",
    b"{" * 1000,
    b"include lb1.conf",
    b"$B=include\n$B /etc/shadow",
]
SETTINGS = [
    ("eth0", "10.0.0.0/24"),
    ("include", "/nowhere:::"),
    ("script./x", "/etc"),
    ("script./x", "a\0b"),
    ("", ""),
    ("include", "\0"),
    ("script./etc/keepalived/chk.sh", "/dev/zero"),
]


@pytest.mark.parametrize("seed", range(40))
def test_options(
    seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rng = random.Random(f"options {seed}")
    words = [
        "report",
        "bundle",
        "reproduce",
        "check",
        "--output",
        "--watchdog",
        "--set",
        "--compare",
        "--into",
        "--yes",
    ]
    values = [
        "",
        "-1",
        "nan",
        "/dev/zero",
        ".",
        "x=y",
        "--",
        "=",
        "²",
        "a" * 5000,
        "9" * 5000,
        "\0",
    ]
    given = [rng.choice(words[:4]), *rng.choices([*words, *values], k=rng.randrange(5))]
    assert status(*given) in (0, 1, 2, 4)
    assert "Traceback" not in capsys.readouterr().err
