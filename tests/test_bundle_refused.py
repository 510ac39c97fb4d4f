"""What is refused of somebody else's bundle: names, sizes, manifests and changes on the way."""

from __future__ import annotations

import hashlib
import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.errors import HarnessError
from harness.report import bundle
from tests.bundles import made, run

__all__ = ["made", "run"]


def forged(
    made: Path, change: Callable[[dict[str, bytes], dict[str, Any]], Any], **more: int
) -> Path:
    """The bundle with its files and manifest changed, and the list in it made right again."""
    opened = bundle.read(made)
    files, manifest = dict(opened.files), opened.manifest
    change(files, manifest)
    if "files" in manifest:
        manifest["files"] = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    target = made.with_name("forged.zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {"bundle.json": json.dumps(manifest).encode(), **files}.items():
            member = zipfile.ZipInfo(name)
            member.external_attr = more.get(name.rpartition("/")[2], 0) << 16
            archive.writestr(member, data, zipfile.ZIP_DEFLATED)
    return target


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("sources/../../evil.py", "leads out of its folder"),
        ("/etc/cron.d/evil", "leads out of its folder"),
        ("sources/./evil.py", "leads out of its folder"),
        ("sources//evil.py", "leads out of its folder"),
        ("sources\\evil.py", "no name for a file"),
        ("sources/a\nb.py", "no name for a file"),
        ("sources/" + "x" * 400, "no name for a file"),
        ("evil.py", "neither bundle.json nor below"),
        ("SOURCES/scenarios/test_x.py", "neither bundle.json nor below"),
        ("sources/scenarios/TEST_x.py", "is in it twice"),
    ],
)
def test_names_that_lead_elsewhere_are_refused(made: Path, name: str, reason: str) -> None:
    with pytest.raises(HarnessError, match=reason):
        bundle.read(forged(made, lambda files, manifest: files.update({name: b"x"})))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR])
def test_links_and_devices_are_refused(made: Path, kind: int) -> None:
    path = forged(
        made,
        lambda files, manifest: files.update({"sources/link": b"/etc/passwd"}),
        link=kind | 0o777,
    )
    with pytest.raises(HarnessError, match="link or a device"):
        bundle.read(path)


def test_sizes_are_bounded(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = forged(made, lambda files, manifest: files.update({"run/bomb": bytes(5 << 20)}))
    monkeypatch.setattr(bundle, "LARGEST_FILE", 4 << 20)
    with pytest.raises(HarnessError, match="'run/bomb' has 5242880 bytes"):
        bundle.read(bomb)
    monkeypatch.setattr(bundle, "LARGEST_FILE", 8 << 20)
    monkeypatch.setattr(bundle, "LARGEST", 4 << 20)
    with pytest.raises(HarnessError, match="it holds"):
        bundle.read(bomb)
    monkeypatch.setattr(bundle, "MOST_FILES", 2)
    with pytest.raises(HarnessError, match="2 are the most"):
        bundle.read(bomb)


def test_a_size_that_lies_is_refused(made: Path) -> None:
    data = bytearray(
        forged(
            made, lambda files, manifest: files.update({"run/bomb": bytes(1 << 20)})
        ).read_bytes()
    )
    data = data.replace((1 << 20).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    made.with_name("lies.zip").write_bytes(data)
    with pytest.raises(HarnessError, match="can be read"):
        bundle.read(made.with_name("lies.zip"))


def named(test: str) -> dict[str, str]:
    return {"test": test, "folder": "x", "outcome": "passed"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda files, manifest: manifest.update(format=2), "its format is 2"),
        (lambda files, manifest: manifest.pop("format"), "its format is None"),
        (lambda files, manifest: manifest.pop("files"), "not those that bundle.json lists"),
        (
            lambda files, manifest: manifest.update(scenarios=[named("-p evil")]),
            "list of",
        ),
        (
            lambda files, manifest: manifest.update(scenarios=[named("../x")]),
            "list of",
        ),
        (lambda files, manifest: manifest.update(scenarios="x"), "list of scenarios"),
        (lambda files, manifest: manifest.update(clock="none"), "on which clock"),
        (lambda files, manifest: manifest.update(seed="0; rm"), "on which clock"),
        (lambda files, manifest: manifest.update(seed=True), "on which clock"),
        (lambda files, manifest: manifest.update(selection=["--image"]), "images and keepaliveds"),
        (
            lambda files, manifest: manifest.update(selection={"junitxml": ["/etc/passwd"]}),
            "images and keepaliveds",
        ),
        (
            lambda files, manifest: manifest.update(selection={"image": "sid"}),
            "images and keepaliveds",
        ),
        (lambda files, manifest: manifest.update(speaker="--pdb"), "which VRRP implementation"),
        (lambda files, manifest: manifest.update(speaker=["frr"]), "which VRRP implementation"),
        (lambda files, manifest: manifest.update(versions=[1]), "list of versions"),
        (lambda files, manifest: manifest.update(memory="all"), "how much memory"),
    ],
)
def test_manifests_that_are_not_what_they_should_be_are_refused(
    made: Path, change: Any, reason: str
) -> None:
    with pytest.raises(HarnessError, match=reason):
        bundle.read(forged(made, change))


def test_what_was_changed_on_the_way_is_refused(made: Path) -> None:
    target = made.with_name("changed.zip")
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(target, "w") as new:
        for member in old.infolist():
            new.writestr(member, old.read(member).replace(b"touch", b"rmdir"))
    with pytest.raises(
        HarnessError, match=r"'sources/scenarios/test_x.py' is not what bundle.json says"
    ):
        bundle.read(target)


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"x" * 1000])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b.zip").write_bytes(content)
    with pytest.raises(HarnessError, match="no bundle that can be read"):
        bundle.read(tmp_path / "b.zip")
