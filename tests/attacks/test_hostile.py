"""Hundreds of hostile inputs, drawn by a seed: no traceback, no hang, no file outside, and a status
that says so.

Each is made from a good bundle, folder or configuration by a few changes, so that it gets as far as
it can.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import os
import random
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.check.configured import Configured
from harness.cli import main
from harness.errors import HarnessError
from harness.report import artifacts, bundle
from tests.attacks.test_folders import no_hang
from tests.runs import make_run

__all__ = ["no_hang"]

VALUES: list[Any] = [
    None,
    True,
    -1,
    0,
    10**400,
    2**63,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "\0",
    "x" * 10_000,
    "\ud800",
    "../../x",
    "/etc/passwd",
    "\x1b[2J",
    [],
    {},
    [[]],
    {"": {}},
    [None],
    ["a", 1],
    "1/2",
    -(10**30),
]
DEEP = "[" * 50_000
SOURCE = b"def test_it():\n    pass\n"
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


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to all that is in a JSON value, itself too."""
    yield path
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, each in inner:
        yield from places(each, (*path, key))


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """The value with something else at a path."""
    if not path:
        return new
    changed = copy.copy(value)
    changed[path[0]] = put(value[path[0]], path[1:], new)
    return changed


def twist(rng: random.Random, value: Any) -> Any:
    return put(value, rng.choice(list(places(value))), rng.choice(VALUES))


def damage(rng: random.Random, data: bytes) -> bytes:
    """Some bits flipped, or a piece lost, doubled, or replaced by NULs."""
    at, size = rng.randrange(len(data) + 1), rng.randrange(1, 200)
    kind = rng.randrange(5)
    if kind == 0:
        return data[:at]
    if kind == 1:
        return data[:at] + data[at + size :]
    if kind == 2:
        return data[:at] + b"\0" * size + data[at:]
    if kind == 3:
        return data[:at] + data[max(0, at - size) : at] + data[at:]
    changed = bytearray(data)
    for _ in range(rng.randrange(1, 20)):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def new_run(folder: Path) -> Path:
    run = make_run(folder)
    (run / "sources").mkdir()
    (run / "sources" / "test_x.py").write_bytes(SOURCE)
    artifacts.update(run / "test_it" / artifacts.ABOUT, {"test": "test_x.py::test_it"})
    about = {
        "clock": "virtual",
        "seed": 7,
        "memory": 1 << 30,
        "sources": {"test_x.py": hashlib.sha256(SOURCE).hexdigest()},
        "order": ["test_x.py::test_it"],
        "versions": {"keepalived": "2.2.7"},
        "images": {"bookworm": "2.2.7"},
        "arguments": ["-q"],
        "selection": {"image": ["bookworm"]},
        "wall": 1.5,
        "seconds": 2.5,
        "verbosity": -1,
        "shard": "1/2",
        "division": "x",
    }
    artifacts.update(run / artifacts.RUN, about)
    return run


# -- ways to change a folder -----------------------------------------------------------------------


def some_file(rng: random.Random, run: Path) -> Path:
    files = [path for path in sorted(run.rglob("*")) if path.is_file() and not path.is_symlink()]
    return rng.choice(files) if files else run / "nothing"


def damage_file(rng: random.Random, run: Path) -> None:
    file = some_file(rng, run)
    file.write_bytes(damage(rng, file.read_bytes() if file.exists() else b""))


def twist_json(rng: random.Random, run: Path) -> None:
    file = rng.choice([run / artifacts.RUN, run / "test_it" / artifacts.ABOUT])
    if not file.is_file():
        return
    with contextlib.suppress(OSError, ValueError, RecursionError):
        content = twist(rng, json.loads(file.read_bytes()))
        file.write_text(json.dumps(content))


def twist_event(rng: random.Random, run: Path) -> None:
    file = run / "test_it" / artifacts.TIMELINE
    if not file.is_file():  # it has been exchanged before
        return
    with contextlib.suppress(OSError, ValueError, RecursionError):
        lines = file.read_text().splitlines()
        number = rng.randrange(len(lines))
        lines[number] = json.dumps(twist(rng, json.loads(lines[number])))
        file.write_text("\n".join(lines))


def deepen(rng: random.Random, run: Path) -> None:
    some_file(rng, run).write_text(
        rng.choice([DEEP, '{"a":' * 50_000, "{" + '"b": ' + "[" * 70 + "]" * 70 + "}"])
    )


def exchange(rng: random.Random, run: Path) -> None:
    """Something that is no file in a file's place, or beside it under the name that the host
    writes to.
    """
    file = some_file(rng, run)
    file = file.with_name(file.name + rng.choice(["", "", ".new"]))
    file.unlink(missing_ok=True)
    kind = rng.randrange(4)
    if kind == 0:
        os.mkfifo(file)
    elif kind == 1:
        file.symlink_to(rng.choice([run.parent / "victim", Path("/dev/zero"), Path("."), file]))
    elif kind == 2:
        file.mkdir()
    elif os.geteuid() == 0:
        os.mknod(file, 0o600 | 0o020000, os.makedev(1, 5))


def name_badly(rng: random.Random, run: Path) -> None:
    name = rng.choice(
        [b"\xff\xfe", b"a\nb", b"x" * 255, b"<img src=x>", b"-rf", b"a\\b", b" ", b"\x1b[2J"]
    )
    with contextlib.suppress(FileExistsError):
        os.mkdir(os.fsencode(run) + b"/" + name)
    Path(os.fsdecode(os.fsencode(run) + b"/" + name), artifacts.ABOUT).write_text('{"format": 1}')


def link_folder(rng: random.Random, run: Path) -> None:
    with contextlib.suppress(FileExistsError):
        (run / rng.choice(["linked", "sources2"])).symlink_to(
            rng.choice([run, run.parent, Path("/etc")])
        )


FOLDERS: list[Callable[[random.Random, Path], None]] = [
    damage_file,
    twist_json,
    twist_json,
    twist_event,
    twist_event,
    deepen,
    exchange,
    exchange,
    name_badly,
    link_folder,
]


# -- the suite -------------------------------------------------------------------------------------


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
