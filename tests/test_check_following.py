"""What keepalived says of braces and of blocks: the mistake, and not what follows from it. Pure.

The complaints are those of keepalived 2.2.7 about the text below with one mistake in it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.check.files import load_all
from harness.check.finding import Finding
from harness.check.following import first_causes, unexplained
from harness.check.levels import graded

TEXT = """\
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {
        192.0.2.50
    }
}
virtual_server 192.0.2.50 80 {
    lb_algo rr
    real_server 192.0.2.61 80 {
        TCP_CHECK {
        }
    }
    real_server 192.0.2.62 80 {
        weight 1
    }
}
"""
TOO_FEW = "There are 1 missing '}'s or extra '{'s"


def _said(*complaints: tuple[int, str]) -> tuple[str, ...]:
    return tuple(f"(lb1.conf: Line {line}) {rest}" if line else rest for line, rest in complaints)


def _block(line: int, word: str) -> tuple[tuple[int, str], tuple[int, str]]:
    return (line, f"Unknown keyword '{word}'"), (line, "Unexpected '{' - ignoring")


def _unknown(*lines: int, word: str = "}") -> list[tuple[int, str]]:
    return [(line, f"Unknown keyword '{word}'") for line in lines]


@pytest.mark.parametrize(
    ("complaints", "place", "told"),
    [
        (
            _said(
                (0, TOO_FEW),
                *_block(7, "virtual_server"),
                *_unknown(8, word="lb_algo"),
                *_block(9, "real_server"),
                *_unknown(12, 15, 16),
                (0, TOO_FEW),
            ),
            "lb1.conf:7",
            "a block is not closed here, or further up there is a { too many",
        ),
        (_said((0, TOO_FEW), (0, TOO_FEW)), "lb1", "a block is not closed here"),
        (
            _said(*_block(14, "real_server"), *_unknown(17), (18, "Extra '}' found")),
            "lb1.conf:14",
            "there is a } too many here or further up",
        ),
        (
            _said(
                (11, "Missing '{' at beginning of configuration block"),
                (12, "Missing '{' at beginning of configuration block"),
                (16, "Extra '}' found"),
                *_block(13, "real_server"),
            ),
            "lb1.conf:11",
            "a block begins without its {",
        ),
    ],
    ids=["not closed", "not closed at the end", "closed too early", "not opened"],
)
def test_of_a_brace_one_thing_is_told(complaints: tuple[str, ...], place: str, told: str) -> None:
    (found,) = graded({"lb1": complaints})
    assert (found.name, found.where) == ("braces-unbalanced", place)
    assert told in found.text
    assert "each block begins with one { and ends with one }" in found.remedy


def test_a_mistyped_block_is_told_and_not_what_is_in_it() -> None:
    complaints = _said(
        *_block(11, "TCP_CHEK"), *_block(14, "real_server"), *_unknown(15, word="weight"),
        *_unknown(16, 17), *_unknown(30, word="nat_mask"), *_unknown(31, word="delay_lop"),
    )  # fmt: skip
    found = graded({"lb1": complaints})
    assert [(each.name, each.where) for each in found] == [
        ("word-mistyped", "lb1.conf:11"),
        ("keepalived-ignored", "lb1.conf:30"),
        ("word-mistyped", "lb1.conf:31"),
    ]


def test_a_block_that_is_passed_over_is_a_finding_where_a_word_would_be_a_note() -> None:
    """What comes after it is misread, so it is more than a word that does nothing."""
    (found,) = graded({"lb1": _said(*_block(11, "track_script"), *_unknown(13, 17))})
    assert (found.name, found.where) == ("keepalived-changed", "lb1.conf:11")
    (word,) = graded({"lb1": _said(*_unknown(11, word="track_script"))})
    assert word.name == "keepalived-ignored"


def test_what_is_said_twice_is_told_where_it_is() -> None:
    said = ("(Line 4) Unknown keyword 'nat_mask'", "(lb1.conf: Line 4) Unknown keyword 'nat_mask'")
    assert first_causes(said) == [said[1]]
    assert first_causes(said[:1]) == [said[0]]


def _mistyped(folder: Path, word: str, meant: str, said: str) -> list[str]:
    file = folder / "lb1.conf"
    file.write_text(TEXT.replace(meant, word, 1))
    line = TEXT[: TEXT.index(meant)].count("\n") + 1
    found = [
        Finding("word-mistyped", f"keepalived does not know {word}", f"{file}:{line}"),
        Finding("keepalived-says", f"keepalived: {said}", "lb1"),
    ]
    return [each.name for each in unexplained(found, load_all([str(file)], ""))]


@pytest.mark.parametrize(
    ("word", "meant", "said", "follows"),
    [
        ("lb_alg", "lb_algo", "Virtual server [192.0.2.50]:tcp:80: no scheduler set", True),
        ("lb_alg", "lb_algo", "Virtual server [192.0.2.50]:tcp:81: no scheduler set", False),
        ("lb_alg", "lb_algo", "(VI_1) No VIP specified", False),
        ("virtual_ipadress", "virtual_ipaddress", "(VI_1) No VIP specified", True),
        ("virtual_ipadress", "virtual_ipaddress", "(VI_2) No VIP specified", False),
    ],
)
def test_a_note_about_a_block_in_which_a_word_is_mistyped_is_not_told(
    word: str, meant: str, said: str, follows: bool, tmp_path: Path
) -> None:
    told = ["word-mistyped"] if follows else ["word-mistyped", "keepalived-says"]
    assert _mistyped(tmp_path, word, meant, said) == told


def test_a_note_that_two_directors_have_is_told_if_one_has_no_mistake() -> None:
    found = [
        Finding("keepalived-says", "keepalived: (VI_1) No VIP specified", "lb1, lb2"),
    ]
    assert list(unexplained(found, [])) == found


def test_unmatched_ports_have_a_cure() -> None:
    said = (
        "WARNING - virtual server [192.0.2.50]:tcp:80 and real server [192.0.2.61]:tcp:8080"
        " ports don't match - resetting"
    )
    (found,) = graded({"lb1": (said,)})
    assert found.name == "keepalived-changed"
    assert "give the real server that port, or forward by NAT" in found.remedy
