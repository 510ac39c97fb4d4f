"""``check``: keepalived's own samples, what a user's configurations can have wrong, and where their
scripts run.

Each case is run by pytest as ``lvs-harness check`` runs it, on a native kernel. Those that take
more than a few seconds are marked ``slow``: `make test` leaves them out, `make samples` has all.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.kernels import choice
from harness.kernels.run import VARIABLE
from tests.inside.users import User

pytestmark = pytest.mark.usefixtures("lvs_kernel", "alone")

EXAMPLE = Path(__file__).parents[2] / "examples/two-directors"
SAMPLES = sorted(Path("/usr/share/doc/keepalived/samples").glob("keepalived.conf.*"))
NOT_EMULATED = {
    "IPv6": (
        "service ae00::1:80: SMTP_CHECK of ae00::10: stand-ins have their mail server on IPv4 only"
    ),
    "virtual_server_group": "service group VSG_1: 192.168.200.1:1358, its real server's own",
}
"""The samples that are not run as they are, and what is said of them instead."""

SLOW = pytest.mark.slow
READ = "harness.behaviours.test_configuration"


@pytest.fixture
def user(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> User:
    for name in (choice.GUEST, VARIABLE):
        monkeypatch.delenv(name, raising=False)
    shutil.copytree(EXAMPLE, pytester.path, dirs_exist_ok=True)
    return User(pytester)


def directors(*files: str | Path) -> list[str]:
    """Scripts run without a question: this kernel is the guest's, and not this machine's own."""
    return [
        "--trust",
        *(f"--director=lb{number}={file}" for number, file in enumerate(files, start=1)),
    ]


TWO = directors("lb1.conf", "lb2.conf")


def is_told(
    user: User,
    message: str,
    *arguments: str,
    status: int = pytest.ExitCode.USAGE_ERROR,
    of: str = "keepalived_runs",
) -> str:
    return user.is_told(
        message, "--pyargs", READ, "--tb=no", "-rN", "-k", of, *arguments, status=status
    )


# -- samples ---------------------------------------------------------------------------------------


def test_most_samples_are_run() -> None:
    if not SAMPLES:
        pytest.skip("keepalived's package is installed without its samples")
    assert len(NOT_EMULATED) <= 0.2 * len(SAMPLES)


QUICKLY = ("inhibit", "IPv6", "conditional_conf")
"""Of the samples, one that is run and some that are not."""


def _name(sample: Path) -> str:
    return sample.name.removeprefix("keepalived.conf.")


@pytest.mark.parametrize(
    "sample",
    [
        pytest.param(each, marks=() if _name(each) in QUICKLY else SLOW, id=_name(each))
        for each in SAMPLES
    ],
)
def test_a_sample_is_run_or_said_not_to_be_emulated(user: User, sample: Path) -> None:
    ways = 2 if "vrrp_instance" in sample.read_text() else 1
    result = user.runs(
        "--pyargs", READ, "--tb=no", "-k", "keepalived_runs", *directors(*[sample] * ways)
    )
    shown = " ".join((result.stdout.str() + result.stderr.str()).replace("│", "").split())

    assert "Traceback" not in shown
    if reason := NOT_EMULATED.get(_name(sample)):
        assert reason in shown
    else:
        assert "keepalived reads the configurations and stays up." in shown
        assert (
            "BREAKS" not in shown or "not found, ignoring" in shown
        )  # a sample names a script that it has not got
        assert "not emulated service" not in shown


# -- good input, in full ---------------------------------------------------------------------------


@SLOW
def test_the_example_works_in_full(user: User) -> None:
    result = user.runs("--pyargs", "harness.behaviours", "--tb=no", *TWO)

    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["LAN eth0, 192.0.2.0/24", "in short: * works, * does not apply"])


@SLOW
def test_what_breaks_is_told_with_its_reason_and_evidence(user: User) -> None:
    backup = user.folder / "vip-backup.conf"
    backup.write_text(backup.read_text().replace("router_id 51", "router_id 52"))

    told = "silenced        vrid-differs: to see what breaks"
    silence = ("--silence", "vrid-differs=to see what breaks")
    election = ("--pyargs", "harness.behaviours.test_election", "-k", "one_owner", "--tb=no", "-rN")
    shown = user.is_told(told, *election, *TWO, *silence, status=1)

    assert (
        "BREAKS          Every VIP has one owner, the director of the highest priority, and"
        " keeps it." in shown
    )
    assert "because: looks like: VRID mismatch (lb1, lb2)" in shown
    (evidence,) = [line.split(": ")[1] for line in shown.splitlines() if "evidence: " in line]
    assert (user.folder / evidence / "timeline.jsonl").exists()


# -- bad input -------------------------------------------------------------------------------------


def test_a_syntax_error_is_told_with_keepalived_s_message_file_and_line(user: User) -> None:
    (user.folder / "vip.conf").write_text("vrrp_instance web {\n    colour green\n}\n")
    is_told(user, "(vip.conf: Line 2) Unknown keyword 'colour'", *TWO)


def test_a_line_that_keepalived_passes_over_is_no_success(user: User) -> None:
    services = user.folder / "services.conf"
    services.write_text(services.read_text().replace("lb_algo rr", "lb_algo rrr"))
    shown = is_told(
        user, "does not know the scheduler rrr", *TWO, status=pytest.ExitCode.TESTS_FAILED
    )
    assert "finding         keepalived-changed: " in shown


def test_a_file_that_is_no_configuration_is_told(user: User) -> None:
    (user.folder / "notes.txt").write_text("Ask before you touch it.\n")
    is_told(
        user,
        "finds neither a vrrp_instance nor a virtual_server in notes.txt",
        *directors("notes.txt"),
    )


SCRIPTED_SERVICE = """
virtual_server 192.0.2.80 80 {
    lb_algo rr
    lb_kind DR
    protocol TCP
    real_server 192.0.2.21 80 {
        MISC_CHECK {
            misc_path /usr/bin/true
        }
    }
}
"""


def test_scripts_may_run_as_an_ordinary_user(user: User) -> None:
    """keepalived 2.2.7, Debian 12's, ends its own test of such a checker by SIGTERM, before it
    has said anything.
    """
    for name in ("lb1.conf", "lb2.conf"):
        text = (user.folder / name).read_text()
        (user.folder / name).write_text(
            text.replace("global_defs {", "global_defs {\n script_user nobody", 1)
        )
    (user.folder / "services.conf").write_text(SCRIPTED_SERVICE)
    is_told(
        user,
        "works           keepalived reads the configurations and stays up.",
        *TWO,
        status=pytest.ExitCode.OK,
    )


def test_an_include_that_is_missing_is_told(user: User) -> None:
    (user.folder / "services.conf").unlink()
    told = is_told(
        user,
        "include services.conf: there is no such file",
        *TWO,
        status=pytest.ExitCode.TESTS_FAILED,
    )
    assert "Config files missing" not in told  # which is keepalived's own line for the same


@SLOW
def test_a_script_that_is_missing_is_assumed_to_succeed_or_is_mapped(user: User) -> None:
    services = user.folder / "services.conf"
    text = services.read_text()
    begin, end = text.index("HTTP_GET"), text.index("    real_server 192.0.2.22")
    services.write_text(text[:begin] + "MISC_CHECK {\n misc_path /opt/probe\n }\n }\n" + text[end:])
    is_told(user, "script./opt/probe=exit 0", *TWO, status=pytest.ExitCode.OK)

    (user.folder / "mine.sh").write_text("#!/bin/sh\nexit 1\n")
    mapped = user.runs(
        "--pyargs",
        "harness.behaviours",
        "--tb=no",
        "-k",
        "found_well",
        *TWO,
        "--set",
        "script./opt/probe=mine.sh",
    )
    assert mapped.ret == pytest.ExitCode.TESTS_FAILED
    mapped.stdout.fnmatch_lines(
        ["BREAKS * Every real server that answers its checks stays in every director's pool."]
    )
    is_told(user, "no configuration names this script", *TWO, "--set", "script./opt/other=mine.sh")


@SLOW
def test_scripts_run_inside_the_machines_only(user: User) -> None:
    traces = ("/tmp/lvs-trace-include", "/tmp/lvs-trace-notify", "/tmp/lvs-trace-check")
    (user.folder / "chk.sh").write_text(f"#!/bin/sh\ntouch {traces[0]}\n")
    (user.folder / "chk.sh").chmod(0o755)
    for name in ("vip.conf", "vip-backup.conf"):
        file = user.folder / name
        told = f'notify "/bin/touch {traces[1]}"\n    interface'
        file.write_text(file.read_text().replace("interface", told, 1))
    for name in ("lb1.conf", "lb2.conf"):
        file = user.folder / name
        file.write_text(
            file.read_text().replace(
                "/usr/bin/test ! -e /etc/keepalived/down", "/etc/keepalived/chk.sh"
            )
        )

    is_told(user, "works ", *TWO, status=pytest.ExitCode.OK)

    assert not [trace for trace in traces if Path(trace).exists()]


def test_a_vip_on_no_lan_is_sent_to_that_of_its_interface(user: User) -> None:
    message = "eth0.routed=192.0.2.80"
    is_told(user, message, *TWO, "--set", "eth0=10.9.0.0/24", status=pytest.ExitCode.OK)


def test_interfaces_that_do_not_exist_are_made_and_told(user: User) -> None:
    for name in ("vip.conf", "vip-backup.conf"):
        file = user.folder / name
        file.write_text(file.read_text().replace("eth0", "enp3s0"))
    is_told(user, "LAN enp3s0, 192.0.2.0/24", *TWO, status=pytest.ExitCode.OK)


def test_directors_that_share_nothing_are_told(user: User) -> None:
    text = (
        (user.folder / "vip-backup.conf")
        .read_text()
        .replace("router_id 51", "router_id 52")
        .replace("192.0.2.80", "192.0.2.90")
    )
    (user.folder / "lb2.conf").write_text(
        text.replace("chk_down", "").replace("track_script {\n        \n    }", "")
    )
    is_told(
        user,
        "these directors share no VRID, no VIP and no virtual server, so they are no cluster",
        *TWO,
    )


def test_a_binary_file_is_told(user: User) -> None:
    (user.folder / "lb2.conf").write_bytes(Path("/bin/true").read_bytes())
    is_told(user, "lb2.conf is no text: give a keepalived.conf", *TWO)


@SLOW
def test_a_hundred_services(user: User) -> None:
    """All of them are in the table."""
    (user.folder / "services.conf").write_text("".join(
        f"virtual_server 192.0.2.80 {port} {{\n lb_algo rr\n lb_kind DR\n protocol TCP\n"
        f" real_server 192.0.2.{21 + port % 2} {port} {{\n TCP_CHECK {{\n }}\n }}\n}}\n"
        for port in range(8000, 8100)
    ))  # fmt: skip
    result = user.runs(
        "--pyargs", "harness.behaviours", "--tb=no", "-k", "found_well or keepalived_runs", *TWO
    )
    assert result.ret == pytest.ExitCode.OK, result.stdout.str()
