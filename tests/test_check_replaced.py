"""What takes the place of what machines in namespaces cannot have: the lines stay where they
are. Pure.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.check.files import load, load_all
from harness.check.rehearsal import _is_joined, _line
from harness.check.replaced import replaced
from harness.errors import HarnessError

PROCESSES = """\
vrrp_track_process chk_proxy {
    process "/usr/sbin/haproxy-with-a-long-name" -f x
    weight 10
    quorum 1
    delay 2
}
vrrp_instance V {
    track_process {
        chk_proxy weight 5
    }
}
"""


def test_a_tracked_process_becomes_a_script_that_looks_for_it() -> None:
    text, said = replaced(PROCESSES)

    assert text.splitlines()[:6] == [
        "vrrp_script chk_proxy {",
        '    script "/usr/bin/pgrep -x haproxy-with-a-"',
        "    weight 10",
        "    # quorum 1",
        "    # delay 2",
        "}",
    ]
    assert "    track_script {\n        chk_proxy weight 5" in text
    assert "first network namespace" in said[0]


def test_the_machine_stands_for_a_namespace() -> None:
    text, said = replaced("net_namespace amphora-haproxy\nvrrp_instance V {\n}\n")

    assert text == "# net_namespace amphora-haproxy\nvrrp_instance V {\n}\n"
    assert said == ("net_namespace amphora-haproxy: the whole machine stands for it",)


def test_what_needs_no_replacement_stays_byte_for_byte(tmp_path: Path) -> None:
    content = b"! caf\xe9\nvrrp_instance V {\n}\n"
    (tmp_path / "lb1.conf").write_bytes(content)

    loaded = load(str(tmp_path / "lb1.conf"))

    assert loaded.text == content
    assert loaded.changed == ()


@pytest.mark.parametrize("line", ["<<<<<<< HEAD", "=======", ">>>>>>> f634149e", "||||||| base"])
def test_a_file_with_marks_of_a_merge_is_refused_with_its_line(line: str, tmp_path: Path) -> None:
    (tmp_path / "lb1.conf").write_text(f"vrrp_instance V {{\n{line}\n}}\n")

    with pytest.raises(HarnessError, match=r"lb1.conf:2: this file was not merged to the end"):
        load_all([str(tmp_path / "lb1.conf")])


def test_a_line_of_the_same_letters_in_a_comment_is_no_mark(tmp_path: Path) -> None:
    (tmp_path / "lb1.conf").write_text(
        "#======= section =======\n# =======\nvrrp_instance V {\n}\n"
    )

    assert load_all([str(tmp_path / "lb1.conf")])


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (["ss", "-ltn", "|", "grep", ":80 "], "ss -ltn | grep ':80 '"),
        (["pidof", "nginx", ">/dev/null", "2>&1"], "pidof nginx >/dev/null 2>&1"),
        (["test", "$(pidof nginx)"], 'test "$(pidof nginx)"'),
        (["pidof nginx && exit 0 || exit 1"], "pidof nginx && exit 0 || exit 1"),
    ],
)
def test_the_words_become_the_line_that_a_shell_was_meant_to_run(
    argv: list[str], line: str
) -> None:
    assert _line(argv) == line


def test_a_pipe_between_words_is_for_a_shell_whatever_comes_of_it() -> None:
    assert _is_joined(["curl", "localhost", "|", "grep", "ok"])
    assert not _is_joined(["grep", "a|b", "/etc/passwd"])


def test_what_only_another_host_includes_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "lb1.conf").write_text(
        "@lb1 include one.conf\n@lb2 include /etc/keepalived/two.conf\n@^lb1 include three.conf\n"
    )
    for name in ("one", "two", "three"):
        (tmp_path / f"{name}.conf").write_text("vrrp_instance V {\n}\n")

    (loaded,) = load_all([str(tmp_path / "lb1.conf")])

    assert [path.rpartition("/")[2] for path in loaded.files] == ["keepalived.conf", "one.conf"]
    assert loaded.missing == ()


@pytest.mark.parametrize(
    "blank", ["{{ vip }}", "${VIP}", "<VIP>", "__VIP__/24", "<<10.0.0.1>>", "<--VIP-->", "@@VIP@@"]
)
def test_a_template_that_was_not_filled_in_is_refused_with_its_line(
    blank: str, tmp_path: Path
) -> None:
    (tmp_path / "lb1.conf").write_text(
        f"vrrp_instance V {{\n virtual_ipaddress {{\n  {blank}\n }}\n}}\n"
    )

    with pytest.raises(
        HarnessError, match=r"lb1.conf:3: this is a template that has not been filled in"
    ):
        load_all([str(tmp_path / "lb1.conf")])


@pytest.mark.parametrize("text", ["", "global\n  log /dev/log local0\n", "worker_processes 1;\n"])
def test_a_file_of_another_program_is_told_without_a_run(text: str, tmp_path: Path) -> None:
    (tmp_path / "lb1.conf").write_text(text)

    with pytest.raises(
        HarnessError, match=r"finds neither a vrrp_instance nor a virtual_server in .*lb1.conf"
    ):
        load_all([str(tmp_path / "lb1.conf")])
