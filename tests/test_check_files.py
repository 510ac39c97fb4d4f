"""A configuration comes with what it includes and the scripts beside it, and with nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.check.files import load, load_all
from harness.errors import HarnessError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "lb1.conf").write_text(
        'include conf.d/*.conf\n  includer "gone.conf"\n# include commented.conf\n'
        'vrrp_script chk {\n  script "/etc/keepalived/chk.sh -x"\n}\n'
    )
    (tmp_path / "conf.d/a.conf").write_text("include b.inc\n")
    (tmp_path / "conf.d/b.inc").write_text("include /etc/keepalived/conf.d/a.conf\n")
    (tmp_path / "chk.sh").write_text("#!/bin/sh\nexit 0\n")
    (tmp_path / "chk.sh").chmod(0o775)
    (tmp_path / "private.key").write_text("not of the configuration")
    return tmp_path


def test_what_belongs_to_it_comes_along(folder: Path) -> None:
    loaded = load(str(folder / "lb1.conf"))

    assert loaded.director == "lb1"
    assert {path: mode for path, (_, mode) in loaded.files.items()} == {
        "/etc/keepalived/keepalived.conf": 0o644,
        "/etc/keepalived/conf.d/a.conf": 0o644,
        "/etc/keepalived/conf.d/b.inc": 0o644,
        "/etc/keepalived/chk.sh": 0o755,
    }
    assert loaded.text == (folder / "lb1.conf").read_bytes()
    assert loaded.missing == ("gone.conf",)


def test_a_director_is_called_as_one_likes(folder: Path) -> None:
    (folder / "keepalived.conf").write_text("")
    assert load(f"one={folder}/lb1.conf").director == "one"
    assert load(f"{folder}/keepalived.conf").director == folder.name.replace("_", "-")
    with pytest.raises(HarnessError, match="two directors are called lb1: give them names"):
        load_all([f"{folder}/lb1.conf", f"{folder}/lb1.conf"])


def test_links_do_not_lead_out(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = tmp_path_factory.mktemp("elsewhere") / "secret"
    secret.write_text("secret")
    (folder / "chk.sh").unlink()
    (folder / "chk.sh").symlink_to(secret)
    (folder / "conf.d/a.conf").unlink()
    (folder / "conf.d/a.conf").symlink_to(secret)

    loaded = load(str(folder / "lb1.conf"))

    assert loaded.files.keys() == {"/etc/keepalived/keepalived.conf"}
    assert loaded.missing == ("conf.d/*.conf", "gone.conf")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\0\1\2", "lb1.conf is no text"),
        (b"include ../../x.conf", r"include ../../x.conf leads out of /etc/keepalived"),
        (b"#" * (5 << 20), "more than 4 MiB"),
    ],
)
def test_what_is_no_configuration_is_refused(folder: Path, content: bytes, message: str) -> None:
    (folder / "lb1.conf").write_bytes(content)
    with pytest.raises(HarnessError, match=message):
        load(str(folder / "lb1.conf"))


def test_a_file_that_cannot_be_read_is_named(folder: Path) -> None:
    with pytest.raises(HarnessError, match=r"cannot read none\.conf: No such file"):
        load("none.conf")


def test_the_programs_that_it_names_are_known(folder: Path) -> None:
    (folder / "conf.d/b.inc").write_text(
        '  misc_path "/opt/probe -v"\n@lb1 notify_master /opt/told\n# script /opt/not\n'
    )

    assert load(str(folder / "lb1.conf")).programs == (
        "/etc/keepalived/chk.sh",
        "/opt/probe",
        "/opt/told",
    )
