"""Ways to damage a run's folder, a file's bytes or a JSON value, drawn by a seed."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from harness.report import artifacts

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
