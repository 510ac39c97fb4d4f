"""What a user can get wrong: one clear error with a way out, nothing left running, and the logs
kept.

Each case is a scenario and a topology in a folder of their own, run by pytest as a user runs it on
a native kernel.
"""

from __future__ import annotations

import os
import signal
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.daemons import httpd
from harness.images.image import Image
from harness.kernels import choice
from harness.kernels.calls import linux
from harness.kernels.run import VARIABLE
from harness.nodes import Node
from harness.observers.recorder import Recorder
from harness.topology.services import SCHEDULERS
from tests.inside.users import User

pytestmark = pytest.mark.usefixtures("lvs_kernel", "alone")

MS_REMOUNT = 32
TOPOLOGY = """
    from topologies.director_pair import DirectorPair

    class Mine(DirectorPair):
        pass
"""
SCENARIO = """
    from harness.scenario import topology
    from mine import Mine

    pytestmark = topology(Mine)

    def test_it(cluster):
        assert cluster.nodes
"""


@pytest.fixture
def user(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> User:
    for name in (choice.GUEST, VARIABLE):
        monkeypatch.delenv(name, raising=False)
    made = User(pytester)
    made.writes("mine.py", TOPOLOGY)
    made.writes("test_scenario.py", SCENARIO)
    return made


def test_good_input_is_run(user: User) -> None:
    """What the cases below get wrong is right here."""
    assert user.runs().parseoutcomes() == {"passed": 1}


# -- found before anything starts ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            "from harness.topology import Director, VirtualService;"
            ' unfair = VirtualService("10.0.0.1", scheduler="fair");'
            ' self.addHost("director9", cls=Director, services=[unfair])',
            "mine.py:6: VirtualService 10.0.0.1:80: scheduler must be one of rr, ",
        ),
        (
            'super().build(vip="172.16.10.11")',
            "director1: its VIP 172.16.10.11 is the address of director1; take a free one",
        ),
        (
            'super().build(subnet="10.0.0.0/24")',
            "director1: its VIP 172.16.10.50 is in no LAN's subnet: 10.0.0.0/24 (lan)",
        ),
        (
            'super().build(); self.addHost("web1")',
            "mine.py:6: two nodes with one name: web1; rename one",
        ),
        ("1 / 0", "mine.py:6: topology Mine raised ZeroDivisionError: division by zero"),
        (
            'super().build(); self.setNodeInfo("web2", self.nodeInfo("web1"))',
            "web2 and web1 both have the address 172.16.10.21; give one another",
        ),
    ],
)
def test_a_topology_that_cannot_be_is_found_first(user: User, build: str, message: str) -> None:
    user.writes(
        "mine.py", f"{textwrap.dedent(TOPOLOGY)[:-9]}    def build(self):\n        {build}\n"
    )
    user.is_told(message)
    assert not (user.folder / "artifacts").exists()


def test_a_scenario_without_a_topology_is_found_first(user: User) -> None:
    user.writes("test_scenario.py", "def test_it(cluster): pass")
    user.is_told("test_scenario.py::test_it: say on which topology it runs: pytestmark = topology(")


@pytest.mark.parametrize(
    "use", ["pytestmark = pytest.mark.topology(Mine)", "@pytest.mark.topology(Mine)"]
)
def test_a_topology_that_pytest_takes_for_what_is_marked_is_told(user: User, use: str) -> None:
    user.writes(
        "test_scenario.py",
        f"import pytest\nfrom mine import Mine\n\n{use}\ndef test_it(cluster): pass",
    )
    message = (
        "test_scenario.py: pytest.mark.topology(Mine) would mark the class itself; write"
        " topology(Mine), "
    )
    user.is_told(message, status=pytest.ExitCode.INTERRUPTED)


def test_the_scenario_of_a_wrong_topology_is_named(user: User) -> None:
    user.writes(
        "test_scenario.py", SCENARIO.replace("topology(Mine", 'topology(Mine, sheduler="rr"')
    )
    user.is_told("test_scenario.py::test_it: topology Mine: ")


def test_a_topology_file_that_raises_is_told_with_its_line(user: User) -> None:
    user.writes("mine.py", "topology = undefined")
    result = user.runs()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(
        ["mine.py:1: in <module>", "E   NameError: name 'undefined' is not defined"]
    )


@pytest.mark.parametrize("program", ["keepalived", "ipvsadm", "apache2"])
def test_a_missing_program_is_found_first(
    user: User, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    monkeypatch.setattr(
        Image, "program", lambda image, name: None if name == program else Path("/usr/sbin", name)
    )
    user.is_told(f"{program} is not installed; run `make setup`, or: apt-get install {program}")
    assert not (user.folder / "artifacts").exists()


def with_config(user: User, config: str) -> None:
    user.writes(
        "mine.py",
        TOPOLOGY.replace(
            "pass",
            f"""
        def build(self):
            super().build(configs=(None, "{config}"))
    """,
        ),
    )


def test_a_keepalived_conf_that_is_not_there_is_found_first(user: User) -> None:
    with_config(user, "nowhere/keepalived.conf")
    user.is_told(
        "director2: cannot read its keepalived.conf nowhere/keepalived.conf: No such file or"
        " directory"
    )
    assert not (user.folder / "artifacts").exists()


def test_the_topology_of_another_folder_s_file_of_the_same_name_is_refused(user: User) -> None:
    for name in ("mine.py", "test_scenario.py"):
        (user.folder / name).unlink()
    for folder in ("one", "two"):
        (user.folder / folder).mkdir()
        user.writes(f"{folder}/mine.py", TOPOLOGY)
        user.writes(f"{folder}/test_{folder}.py", SCENARIO)
    message = "test_two.py: its topology is that of "
    shown = user.is_told(message, status=pytest.ExitCode.TESTS_FAILED)
    assert "one/mine.py, although a file of the same name lies beside" in shown
    assert "1 passed, 1 error" in shown


# -- artifacts -------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(user: User) -> Iterator[Path]:
    """A file system of its own where the artifacts go."""
    folder = user.folder / "artifacts"
    folder.mkdir()
    linux.mount("test", str(folder), "tmpfs", data="size=256k")
    yield folder
    linux.unmount(str(folder), linux.MNT_DETACH)


def test_a_full_artifacts_folder_is_found_first(user: User, small_disk: Path) -> None:
    (small_disk / "all-there-is").write_bytes(bytes(256 << 10))
    user.is_told("cannot write the artifacts folder")
    user.is_told("No space left on device; mend it or use --artifacts DIR")
    user.is_told("cannot write the artifacts folder", "--artifacts", str(small_disk / "below"))


@pytest.mark.parametrize("kibibytes", [12, 20, 36, 68, 132])
def test_an_artifacts_folder_that_fills_up_is_told_and_all_is_cleaned_up(
    user: User, small_disk: Path, kibibytes: int
) -> None:
    """Whenever that happens: while daemons start, in a scenario or after it."""
    user.writes("test_scenario.py", SCENARIO.replace("assert cluster.nodes", """
        with cluster.client.load() as load:
            load.wait_answers(40, since=cluster.timeline.now())
    """))  # fmt: skip
    (small_disk / "filler").write_bytes(bytes((256 - kibibytes) << 10))
    shown = user.is_told("No space left on device; make room", status=pytest.ExitCode.TESTS_FAILED)
    assert f"{small_disk}/" in shown


def test_a_read_only_artifacts_folder_is_found_first(user: User, small_disk: Path) -> None:
    linux.mount("none", str(small_disk), flags=MS_REMOUNT | linux.MS_RDONLY)
    user.is_told("Read-only file system; mend it or use --artifacts DIR")
    assert user.runs("--artifacts", str(user.folder / "elsewhere")).parseoutcomes() == {"passed": 1}


# -- found by the kernel or by a daemon ------------------------------------------------------------


def logs(user: User) -> dict[str, str]:
    """Every daemon's log that was kept."""
    return {
        path.parent.name: path.read_text()
        for path in (user.folder / "artifacts").glob("*/cluster-*/*/*.log")
    }


def test_a_keepalived_conf_that_keepalived_rejects(user: User) -> None:
    user.writes("bad.conf", """\
        vrrp_instance VI_1 {
            interface eth0
            virtual_router_id 51
            colour green
            virtual_ipaddress {
                172.16.10.50/32
            }
        }
    """)  # fmt: skip
    with_config(user, "bad.conf")
    message = "director2: keepalived rejects bad.conf: (bad.conf: Line 4) Unknown keyword 'colour'"
    user.is_told(message, status=pytest.ExitCode.TESTS_FAILED)
    assert logs(user) == {}, "before any daemon starts"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "colour green",
            "rejects keepalived.conf: (keepalived.conf: Line 2) Unknown keyword 'colour'",
        ),
        ("interface lo", "does not run with keepalived.conf: "),
    ],
)
def test_a_report_that_keepalived_rejects(user: User, line: str, message: str) -> None:
    words = [line, "virtual_router_id 51", "virtual_ipaddress { 172.16.10.50 }"]
    if "interface" not in line:
        words.append("interface eth0")
    config = "vrrp_instance V {\n" + "".join(f"    {each}\n" for each in words) + "}\n"
    user.writes(
        "test_scenario.py",
        f"""
        from harness.scenario import topology
        from topologies.reported import Reported

        @topology(Reported, configs=({config!r},))
        def test_it(cluster):
            assert cluster.nodes
    """,
    )
    user.is_told(f"director1: keepalived {message}", status=pytest.ExitCode.TESTS_FAILED)
    assert logs(user) == {}, "before any daemon starts"


def test_a_scheduler_that_the_kernel_lacks(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.topology.rules.services.SCHEDULERS", (*SCHEDULERS, "magic"))
    user.writes("mine.py", TOPOLOGY.replace("pass", """
        def build(self):
            super().build(scheduler="magic")
    """))  # fmt: skip
    message = (
        "director1: the kernel lacks the scheduler magic (module ip_vs_magic): load that"
        " module, take another"
    )
    user.is_told(message, status=pytest.ExitCode.TESTS_FAILED)
    assert logs(user) == {}, "before any daemon starts"


def test_a_kernel_without_overlay(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    mount = linux.mount

    def lacking(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
        mount(source, target, "no-such-file-system" if kind == "overlay" else kind, flags, data)

    monkeypatch.setattr(linux, "mount", lacking)
    message = "director1: cannot set up this machine: "
    shown = user.is_told(message, status=pytest.ExitCode.TESTS_FAILED)
    assert "machines need the kernel's file system overlay (CONFIG_OVERLAY_FS)" in shown


def test_a_daemon_that_ends_at_once_is_told_with_its_last_words(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(httpd, "_TEXT", httpd._TEXT + "Nonsense on\n")
    user.writes("test_scenario.py", SCENARIO)
    shown = user.is_told("httpd ended with 1, not serving: ", status=pytest.ExitCode.TESTS_FAILED)
    assert "Invalid command 'Nonsense'" in shown
    assert "Invalid command 'Nonsense'" in logs(user)["web1"]


def test_a_program_that_never_becomes_ready(user: User) -> None:
    user.writes("mine.py", TOPOLOGY.replace("pass", """
        def build(self):
            super().build()
            from harness.topology import Program
            program = Program(["sleep", "infinity"], ready="serving", name="mine")
            self.setNodeInfo("client", {**self.nodeInfo("client"), "runs": (program,)})
    """))  # fmt: skip
    shown = user.is_told("client: mine serves: not until ", status=pytest.ExitCode.TESTS_FAILED)
    assert "it has not said 'serving'; its last words: it said nothing" in shown


# -- Ctrl-C ----------------------------------------------------------------------------------------


def test_ctrl_c_in_a_scenario(user: User) -> None:
    user.writes(
        "test_scenario.py",
        SCENARIO
        + """
        import signal
        signal.raise_signal(signal.SIGINT)
    """,
    )
    assert user.runs().ret == pytest.ExitCode.INTERRUPTED
    assert set(logs(user)) == {"director1", "director2", "web1", "web2"}


@pytest.mark.parametrize("moment", ["Recorder.capture", "Node.start"])
def test_ctrl_c_while_the_cluster_is_built(
    user: User, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    cls, name = moment.split(".")
    owner = {"Recorder": Recorder, "Node": Node}[cls]
    original = getattr(owner, name)

    def interrupted(*arguments: Any, **options: Any) -> Any:
        result = original(*arguments, **options)
        signal.raise_signal(signal.SIGINT)
        return result

    monkeypatch.setattr(owner, name, interrupted)
    assert user.runs().ret == pytest.ExitCode.INTERRUPTED


@pytest.mark.skipif(not choice.in_guest(), reason="a native kernel knows who everybody is")
def test_temporary_files_of_an_ordinary_user_do_not_stop_the_guest_who_seems_to_be_root(
    tmp_path: Path,
) -> None:
    """pytest keeps its folders below ``/tmp``, refuses them to all but their owner, and has
    made them on the host.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:  # a worker has a folder of its own
        assert tmp_path.is_relative_to("/run")
    (tmp_path / "it").write_text("written")
    assert (tmp_path / "it").stat().st_uid == os.geteuid()
