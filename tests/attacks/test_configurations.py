"""A configuration of somebody else's: which files of the host come with it, and what the
harness trips over.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.check.files import Configuration, load, load_all
from harness.cli import main
from harness.errors import HarnessError
from tests.attacks.folders import SECRET, no_hang

__all__ = ["no_hang"]


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    return file


def configuration(tmp_path: Path, text: str) -> str:
    folder = tmp_path / "received"
    folder.mkdir(exist_ok=True)
    (folder / "lb1.conf").write_text(text)
    return str(folder / "lb1.conf")


@pytest.mark.parametrize(
    "line",
    [
        "include {secret}",
        "include ../secret",
        "  includer '{secret}'",
        "include {secret[0]}*",
        "@lb1 include {secret}",
        "@^other @lb1 include {secret}",
        "inclu\\\nde {secret}",
        "$FILE={secret}\ninclude $FILE",
        "$A=include\n$A {secret}",
        "$A=incl\n$B=ude\n${{A}}${{B}} {secret}",
        "$A=$B\n$B={secret}\ninclude ${{A}}",
        "~SEQ(x, 1, 2) include {secret}",
        "include conf.d/one.inc",
        "include {folder}/conf.d/one.inc",
    ],
)
def test_no_file_from_elsewhere_is_included(tmp_path: Path, secret: Path, line: str) -> None:
    """keepalived would say every line of it, as root, since it understands none."""
    folder = tmp_path / "received"
    (folder / "conf.d").mkdir(parents=True)
    (folder / "conf.d" / "one.inc").write_text(f"include {secret}\n")
    text = line.replace("{secret[0]}", str(secret)[:-1]).format(secret=secret, folder=folder)
    file = configuration(tmp_path, f"global_defs {{\n}}\n{text}\n")
    with pytest.raises(HarnessError, match=r"does not lie beside the configuration|leads out of"):
        load(file)
    assert main(["check", file]) == 4


def test_a_link_to_a_file_from_elsewhere_is_none_of_it(tmp_path: Path, secret: Path) -> None:
    file = configuration(tmp_path, "include link.inc\ninclude folder/secret\n")
    (tmp_path / "received" / "link.inc").symlink_to(secret)
    (tmp_path / "received" / "folder").symlink_to(tmp_path)
    assert not any(SECRET.encode() in content for content, _ in load(file).files.values())
    file = configuration(tmp_path, f"include {tmp_path}/received/link.inc\n")
    with pytest.raises(HarnessError, match="does not lie beside the configuration"):
        load(file)


def test_what_the_user_names_is_included(tmp_path: Path, secret: Path) -> None:
    file = configuration(tmp_path, f"include {secret}\n")
    assert isinstance(load(file, f"/nowhere:{tmp_path}"), Configuration)
    assert load_all([file], str(tmp_path))
    assert load(configuration(tmp_path, f"include {tmp_path}/received/*.inc\n")).missing


@pytest.mark.parametrize(
    "setting", ['include = "{folder}"', '"script./x" = "{secret}"', '"script./x" = "a\\u0000"']
)
def test_what_was_received_beside_it_names_no_file_from_elsewhere(
    tmp_path: Path, secret: Path, setting: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is the user who says ``--set``; lvs-harness.toml came with the configuration."""
    file = configuration(tmp_path, f"include {secret}\n")
    text = "[set]\n" + setting.format(folder=tmp_path, secret=secret)
    (tmp_path / "received" / "lvs-harness.toml").write_text(text)
    assert main(["check", file]) == 4
    assert "lvs-harness.toml" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["fifo", "folder", "device"])
def test_what_is_no_file_is_no_configuration(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "lb1.conf"
    if kind == "fifo":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    else:
        file.symlink_to("/dev/zero")
    assert main(["check", str(file)]) == 4
    told = "there is no */keepalived.conf in it" if kind == "folder" else "it is no regular file"
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    "content",
    [
        b"a = \0",
        b"[" * 10_000,
        b"a = " + b"[" * 100_000,
        b"\xff",
        b"[set]\na = 1\na = 2",
        b"set = 3",
    ],
    ids=len,
)
def test_a_damaged_settings_file_is_named(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    file = configuration(tmp_path, "")
    (tmp_path / "received" / "lvs-harness.toml").write_bytes(content)
    assert main(["check", file]) == 4
    assert "lvs-harness.toml: " in capsys.readouterr().err
