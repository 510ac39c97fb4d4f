"""Bundles: what is in them, what is masked, and what is refused of somebody else's."""

from __future__ import annotations

import contextlib
import hashlib
import json
import resource
import stat
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import cli
from harness.cli import reproduce
from harness.errors import HarnessError
from harness.repeating import again, reproduced
from harness.report import artifacts, bundle, page, secrets

TEST = "scenarios/test_x.py::test_it"
SOURCE = b"import os\nos.system('touch /tmp/x')\n"
CONF = b"authentication {\n  auth_pass s3cret\n}\nauthentication {\n  auth_pass other1\n}\n"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a run of one test, with what it was made of."""
    folder = tmp_path / "run"
    (folder / artifacts.SOURCES / "scenarios").mkdir(parents=True)
    (folder / artifacts.SOURCES / "scenarios" / "test_x.py").write_bytes(SOURCE)
    (folder / "test_it" / "director1").mkdir(parents=True)
    (folder / "test_it" / "director1" / "keepalived.conf").write_bytes(CONF)
    (folder / "test_it" / artifacts.CAPTURE).write_bytes(b"\0\1s3cret\0\0\2")
    artifacts.update(
        folder / "test_it" / artifacts.ABOUT, {"test": TEST, "outcome": "passed", "began": 0}
    )
    (folder / "test_it" / artifacts.TIMELINE).write_text(
        '{"at": 1, "node": "a", "kind": "fault", "name": "PowerOff", "action": "injected"}\n'
    )
    sources = {"scenarios/test_x.py": hashlib.sha256(SOURCE).hexdigest()}
    about = {"clock": "virtual", "seed": 7, "status": 0, "sources": sources}
    artifacts.update(folder / artifacts.RUN, about)
    return folder


@pytest.fixture
def made(run: Path, tmp_path: Path) -> Path:
    bundle.make(run, tmp_path / "b.zip")
    return tmp_path / "b.zip"


def test_a_bundle_has_run_and_sources(made: Path) -> None:
    opened = bundle.read(made)
    assert opened.sources == {"scenarios/test_x.py": SOURCE}
    (scenario,) = opened.manifest["scenarios"]
    assert (scenario["test"], scenario["outcome"]) == (TEST, "passed")
    assert scenario["faults"] == [
        {"at": 1.0, "node": "a", "kind": "fault", "name": "PowerOff", "action": "injected"}
    ]
    assert opened.timeline(scenario).startswith(b'{"at": 1')
    assert opened.manifest["seed"] == 7


def test_the_same_run_gives_the_same_bundle(run: Path, made: Path, tmp_path: Path) -> None:
    bundle.make(run, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == made.read_bytes()


def test_passwords_are_masked_everywhere_and_stay_different(made: Path) -> None:
    files = bundle.read(made).files
    assert not any(b"s3cret" in data or b"other1" in data for data in files.values())
    assert files["run/test_it/director1/keepalived.conf"].count(b"auth_pass *****") == 2
    assert len(set(files["run/test_it/director1/keepalived.conf"].split(b"auth_pass ")[1:])) == 2
    assert len(files["run/test_it/capture.pcapng"]) == 11


def test_passwords_are_left_when_asked(run: Path, tmp_path: Path) -> None:
    bundle.make(run, tmp_path / "b.zip", with_secrets=True)
    assert CONF in bundle.read(tmp_path / "b.zip").files.values()


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (b'auth_pass="s3cret"', b'auth_pass="*****0"'),
        (b"auth_pass = 's3cret',", b"auth_pass = '*****0',"),
        (b'"auth_pass": "x"', b'"auth_pass": "0"'),
        (b"auth_pass: str | None = None", b"auth_pass: str | None = None"),
    ],
)
def test_passwords_are_found_in_sources_too(text: bytes, masked: bytes) -> None:
    assert secrets.mask(text, secrets.find([text])) == masked


def test_what_has_changed_since_is_told(run: Path, tmp_path: Path) -> None:
    (run / artifacts.SOURCES / "scenarios" / "test_x.py").write_text("# otherwise\n")
    assert any(
        "is not what the run was made of" in note for note in bundle.make(run, tmp_path / "b.zip")
    )
    (run / artifacts.SOURCES / "scenarios" / "test_x.py").unlink()
    notes = bundle.make(run, tmp_path / "c.zip")
    assert any("is not in its folder" in note for note in notes)
    assert any("not reproduced" in note for note in notes)


def test_no_file_is_replaced(run: Path, made: Path) -> None:
    with pytest.raises(HarnessError, match="is there already"):
        bundle.make(run, made)


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    """No file grows beyond 200 bytes, which fails as a full disk does, only with EFBIG."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_of_what_cannot_be_written_nothing_stays(run: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    large = bundle.Bundle({}, {"sources/a.py": b"x", "sources/b.py": b"x" * 300})
    with full_disk():
        with pytest.raises(HarnessError, match=r"cannot write .*b\.zip: File too large; make room"):
            bundle.make(run, tmp_path / "b.zip")
        with pytest.raises(
            HarnessError, match=r"cannot write .*compare\.html: File too large; make room"
        ):
            page.write_comparison(run, run, tmp_path / "compare.html")
        with pytest.raises(
            HarnessError, match=r"cannot write the evidence below .*: File too large; make room"
        ):
            artifacts.update(run / artifacts.RUN, {"x": "x" * 300})
        with pytest.raises(HarnessError, match=r"cannot write .*new: File too large; make room"):
            reproduce._extract(large, tmp_path / "new")
    assert sorted(tmp_path.rglob("*")) == before


# -- hostile ones ----------------------------------------------------------------------------------


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


def test_nothing_is_run_before_it_is_agreed_to(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from harness.kernels import choice

    ran: list[str] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(choice, "choose", lambda *_: choice.Choice(None, True, "none", 0))
    monkeypatch.setattr(choice.Choice, "run", lambda *_: ran.append("it"))
    monkeypatch.setattr(choice.Choice, "header", "an embedded kernel")
    assert cli.main(["reproduce", str(made)]) == 1
    shown = capsys.readouterr()
    assert "scenarios/test_x.py" in shown.out
    assert "say --yes" in shown.err
    assert ran == []


def test_what_was_left_to_be_looked_at_is_what_runs_and_nothing_else(
    made: Path, tmp_path: Path
) -> None:
    from harness.cli.reproduce import _extract

    read, into = bundle.read(made), tmp_path / "looked at"
    assert _extract(read, into) == _extract(read, into) == into
    (into / "scenarios" / "test_x.py").write_text("changed")
    with pytest.raises(HarnessError, match="is there already"):
        _extract(read, into)


CHOSEN = {
    "image": ["director=trixie"],
    "keepalived": [],
    "matrix": ["keepalived=bullseye+sid,mixed"],
}


def test_images_are_chosen_as_they_were(run: Path, tmp_path: Path) -> None:
    artifacts.update(
        run / artifacts.RUN, {"selection": CHOSEN, "bugs_fail": True, "speaker": "frr"}
    )
    bundle.make(run, tmp_path / "b.zip")
    opened = bundle.read(tmp_path / "b.zip")
    selection = {option: again.selected(opened, option, None) for option in bundle.SELECTION}
    assert selection == CHOSEN
    assert again.images(selection) == ["trixie", "bullseye", "sid"]
    arguments = again.arguments(opened, selection)
    assert arguments[-7:-1] == [
        "--image=director=trixie",
        "--matrix=keepalived=bullseye+sid,mixed",
        "--bugs-fail",
        "--speaker",
        "frr",
        "--",
    ]


@pytest.mark.parametrize(
    ("verbosity", "given"), [(-1, ["-q"]), (2, ["-vv"]), (0, []), (900, []), ("--yes", [])]
)
def test_as_much_is_shown_as_was(
    run: Path, tmp_path: Path, verbosity: int | str, given: list[str]
) -> None:
    artifacts.update(run / artifacts.RUN, {"verbosity": verbosity})
    bundle.make(run, tmp_path / "b.zip")
    arguments = again.arguments(bundle.read(tmp_path / "b.zip"), {})
    assert [option for option in arguments if option.startswith(("-v", "-q"))] == given


def test_an_image_with_packages_is_one_name_and_wants_to_be_asked_for(
    run: Path, tmp_path: Path
) -> None:
    artifacts.update(run / artifacts.RUN, {"selection": {"image": ["director=trixie+frr,tcpdump"]}})
    bundle.make(run, tmp_path / "b.zip")
    opened = bundle.read(tmp_path / "b.zip")
    with pytest.raises(HarnessError, match=r"adds packages: .* say --image trixie\+frr,tcpdump"):
        again.selected(opened, "image", None)
    chosen = again.selected(opened, "image", ["director=trixie+frr,tcpdump"])
    assert chosen == ["director=trixie+frr,tcpdump"]
    assert again.images({"image": chosen}) == ["trixie+frr,tcpdump"]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("keepalived", "/home/somebody/keepalived"),
        ("keepalived", "director2=src/keepalived@v2.3.1"),
        ("image", "client=/srv/oci:latest"),
        ("matrix", "keepalived=sid,/home/somebody/keepalived"),
    ],
)
def test_what_a_bundle_does_not_hold_is_to_be_named(
    run: Path, tmp_path: Path, option: str, value: str
) -> None:
    artifacts.update(run / artifacts.RUN, {"selection": {option: [value]}})
    bundle.make(run, tmp_path / "b.zip")
    opened = bundle.read(tmp_path / "b.zip")
    with pytest.raises(HarnessError, match=f"say what to take instead, with --{option}"):
        again.selected(opened, option, None)
    assert again.selected(opened, option, ["director=sid"]) == ["director=sid"]


def test_paths_named_here_are_the_same_from_another_folder(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "keepalived").mkdir()
    opened = bundle.read(made)
    here = tmp_path / "keepalived"
    assert again.selected(opened, "keepalived", ["keepalived@v2"]) == [f"{here}@v2"]
    assert again.selected(opened, "matrix", ["keepalived=keepalived,sid"]) == [
        f"keepalived={here},sid"
    ]


def test_other_versions_are_told() -> None:
    there = {
        "versions": {"keepalived": "2.2.7", "Linux": "7.2"},
        "images": {"sid": "2.3.4"},
        "commit": "a",
    }
    here = {
        "versions": {"keepalived": "2.3.3", "Linux": "7.2"},
        "images": {"sid": "2.3.4"},
        "commit": "b",
    }
    assert reproduced.other_versions(there, there) == []
    assert reproduced.other_versions(there, here) == [
        "keepalived is 2.3.3 here, and was 2.2.7",
        "the harness is of commit b here, and was of a",
    ]


def test_a_bundle_never_runs_on_this_kernel(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["reproduce", str(made), "--kernel", "native", "--yes"]) == 1
    assert "in the embedded kernel only" in capsys.readouterr().err
