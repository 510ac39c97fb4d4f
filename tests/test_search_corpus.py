"""The corpus of a search, and how a sequence is made from one that is in it: all without a
kernel.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness import received
from harness.plugin import corpus as files
from harness.search import coverage
from harness.search.corpus import Corpus, from_file
from harness.search.drafts import CHANGES, Change, Draft, Steps
from harness.search.sequence import step

POWER, UNPLUG, RELOAD = (
    step(1, "PowerOff", "director1", 3),
    step(2, "Unplug", "web1", 4),
    step(5, "Reload", "director2"),
)
HANG = step(0.5, "HangHttpd", "web2", 6)
FIRST: Steps = (POWER, UNPLUG)
SECOND: Steps = (RELOAD, HANG)


def corpus_of(*sequences: Steps) -> Corpus:
    """A corpus in which each sequence led to a state of its own."""
    corpus = Corpus()
    for number, steps in enumerate(sequences):
        assert corpus.add(steps, [(f"state {number}",)])
    return corpus


def draft(change: Change | None, at: int = 0, other_at: int = 0, most: int = 5) -> Draft:
    return Draft((HANG,), change, 0, 1, RELOAD, at, other_at, most)


@pytest.mark.parametrize(
    ("change", "at", "made"),
    [
        ("longer", 1, (POWER, RELOAD, UNPLUG)),
        ("longer", 2, (POWER, UNPLUG, RELOAD)),
        ("shorter", 0, (UNPLUG,)),
        ("another deed", 1, (POWER, step(2, "Reload", "director2"))),
        ("another time", 0, (step(5, "PowerOff", "director1"), UNPLUG)),
        ("joined", 0, (POWER, HANG)),
        (None, 0, (HANG,)),
    ],
)
def test_a_change_makes_another_sequence_of_one_in_the_corpus(
    change: Change | None, at: int, made: Steps
) -> None:
    assert draft(change, at, other_at=1).steps(corpus_of(FIRST, SECOND)) == made


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_the_change_there_is_something_to_do_and_not_too_much(change: Change) -> None:
    for sequences in ((FIRST,), ((POWER,),), (FIRST * 10, SECOND)):
        for number in (0, 7, 2**16):
            made = Draft((HANG,), change, number, number, RELOAD, number, number, 5).steps(
                corpus_of(*sequences)
            )
            assert 1 <= len(made) <= 5


@pytest.mark.parametrize("change", [None, *CHANGES])
def test_an_empty_corpus_has_nothing_to_change(change: Change | None) -> None:
    assert draft(change).steps(Corpus()) == (HANG,)


def test_only_what_leads_to_a_new_state_is_kept() -> None:
    corpus = Corpus()
    assert corpus.add(FIRST, [("a",), ("b",)])
    assert not corpus.add(SECOND, [("a",)])
    assert corpus.add(SECOND, [("a",), ("c",)])
    assert [each.states for each in corpus.kept] == [{("a",), ("b",)}, {("c",)}]


def test_two_corpora_are_one_with_each_state_once() -> None:
    one, other = corpus_of(FIRST, SECOND), corpus_of(FIRST, SECOND, (HANG,))
    one.merge(other)
    assert [each.steps for each in one.kept] == [FIRST, SECOND, (HANG,)]


def test_a_corpus_survives_its_file() -> None:
    corpus = corpus_of(FIRST, SECOND)
    again = from_file(json.loads(json.dumps(corpus.to_json())), pytest.fail)
    assert again.to_json() == corpus.to_json()


def test_sequences_of_another_topology_are_left_out() -> None:
    part = corpus_of(FIRST, SECOND).possible([RELOAD.deed, HANG.deed])
    assert [each.steps for each in part.kept] == [SECOND]
    assert part.states == {("state 0",), ("state 1",)}


@pytest.mark.parametrize("value", [[], {}, {"sequences": 3}, "x", None])
def test_what_is_no_corpus_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="it is no corpus"):
        from_file(value, pytest.fail)


@pytest.mark.parametrize(
    "wrong",
    [
        3,
        {},
        {"steps": [[1]], "states": [["a"]]},
        {"steps": [[1, "Reload", "d", 1, {"x": []}]], "states": [["b"]]},
        {"steps": [[float("nan"), "Reload", "d", 1, {}]], "states": [["c"]]},
        {"steps": [[-1, "Reload", "d", 1, {}]], "states": [["d"]]},
        {"steps": [[1, "Reload", "d", 1, {"after": 1}]], "states": [["e"]]},
        {"steps": [[1, "Reload", "d", 1, {}]] * 200, "states": [["f"]]},
        {"steps": [[1, "Reload", "d", 1, {}]], "states": [[3]]},
        {"steps": "abc", "states": [["g"]]},
    ],
)
def test_what_is_no_sequence_is_left_out_and_told(wrong: Any) -> None:
    told: list[str] = []
    good = corpus_of(FIRST).to_json()
    corpus = from_file({"sequences": [wrong, *good["sequences"]]}, told.append)
    assert [each.steps for each in corpus.kept] == [FIRST]
    assert told == ["1 of the corpus's entries are no sequences, and are left out"]


def test_the_table_counts_states_by_deed_and_by_what_directors_are() -> None:
    seen = [
        ("director1 VI_1 MASTER", "director2 VI_1 BACKUP"),
        ("director1 VI_1 MASTER", "director2 VI_1 BACKUP", "director1 lacks 1", "while Unplug web"),
        (
            "director1 VI_1 MASTER",
            "director2 VI_1 BACKUP",
            "while PowerOff web",
            "while Unplug web",
        ),
    ]
    assert coverage.table(seen)[2:] == [
        "| nothing | 1 |",
        "| PowerOff web | 1 |",
        "| Unplug web | 2 |",
    ]


class Config:
    """What the plugin asks pytest's configuration for."""

    def __init__(self, folder: Path, file: str | None) -> None:
        self.invocation_params = type("Params", (), {"dir": folder})
        self._options = {"corpus": file, "searched": "director_pair"}
        self.stash: dict[object, object] = {}

    def getoption(self, name: str) -> str | None:
        return self._options[name]


def test_what_tests_leave_is_put_together_by_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").mkdir()
    config: Any = Config(tmp_path, "corpus.json")
    files.leave(tmp_path / "run", "DirectorPair-0]", corpus_of(FIRST))
    files.leave(tmp_path / "run", "../../x", corpus_of(FIRST, SECOND))

    files.collect(config, tmp_path / "run")

    assert "2 of 2 sequences are new in" in capsys.readouterr().out
    assert [each.steps for each in files.known(config).kept] == [FIRST, SECOND]
    assert "| while this lasts |" in (tmp_path / "run" / files.COVERAGE).read_text()
    files.collect(config, tmp_path / "run")
    assert "0 of 2 sequences are new in" in capsys.readouterr().out


def test_a_link_that_a_guest_has_left_is_not_followed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret, run = tmp_path / "secret.json", tmp_path / "run"
    secret.write_text(json.dumps(corpus_of(FIRST).to_json()))
    received.make_folders(tmp_path, "run/search/x")
    (run / "search/part.json").symlink_to(secret)
    (run / files.COVERAGE).symlink_to(secret)
    config: Any = Config(tmp_path, "corpus.json")

    files.collect(config, run)

    assert "FIRST" not in (run / files.COVERAGE).read_text()
    assert json.loads(secret.read_text()) == corpus_of(FIRST).to_json()
    assert not (run / files.COVERAGE).is_symlink()


@pytest.mark.parametrize(
    ("content", "told"), [("[", "it is no corpus"), ("{}", "it is no corpus"), (None, "no folder")]
)
def test_a_file_that_is_no_corpus_is_refused_before_anything_runs(
    content: str | None, told: str, tmp_path: Path
) -> None:
    named = "corpus.json" if content is not None else "missing/corpus.json"
    if content is not None:
        (tmp_path / named).write_text(content)
    config: Any = Config(tmp_path, named)
    with pytest.raises(pytest.UsageError, match=told):
        files.begin(config)
