"""A bundle run again: what is asked first, what is chosen as it was, and what must be named."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import cli
from harness.errors import HarnessError
from harness.repeating import again, reproduced
from harness.report import artifacts, bundle
from tests.bundles import made, run

__all__ = ["made", "run"]


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
