"""The evidence of real scenarios, as a user finds it: captures that tshark reads, runs that
were killed, bundles.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.events import Request
from harness.report import artifacts, page
from tests.guests import ROOT, VIRTUAL

pytestmark = pytest.mark.slow

SCENARIOS = """
    import pytest
    from harness.clock import Window
    from harness.faults import PowerOff
    from harness.scenario import topology
    from topologies.director_pair import DirectorPair

    pytestmark = topology(DirectorPair)

    @pytest.mark.parametrize("odd", ["<b>&'"], ids=str)
    def test_fails(cluster, odd):
        master, backup = cluster.settle()
        with cluster.client.load() as load, cluster.suffering(PowerOff(master)) as struck:
            took = backup.takes(cluster.vip, since=struck, until=5)
            load.wait_answers(3, since=struck + took)
        assert took.within(Window(1, 2))

    def test_passes(cluster):
        assert cluster.client.fetch(2)

    def test_is_killed(cluster):
        cluster.settle()
        cluster.client.fetch(1)
        if SPIN:
            while True: pass
"""


def project(folder: Path, spin: bool = False) -> Path:
    (folder / "test_it.py").write_text(textwrap.dedent(SCENARIOS).replace("SPIN", str(spin)))
    shutil.copytree(
        ROOT / "topologies", folder / "topologies", ignore=shutil.ignore_patterns("__pycache__")
    )
    (folder / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    return folder


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", *arguments]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run in virtual time, of which everything is kept."""
    VIRTUAL.find()
    folder = project(tmp_path_factory.mktemp("project"))
    told = subprocess.run(
        command("pytest", "--clock", "virtual", "--keep", "all", "--junitxml", "junit.xml"),
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "GITHUB_STEP_SUMMARY": f"{folder}/summary.md"},
    )
    assert told.returncode == 1, told.stdout + told.stderr
    (folder / "told.txt").write_text(told.stdout)
    (found,) = (folder / "artifacts").iterdir()
    return found


def test_everything_is_there(run: Path) -> None:
    read = artifacts.read_run(run)
    assert [scenario.outcome for scenario in read.scenarios] == ["failed", "passed", "passed"]
    assert read.problems == []
    assert (run / artifacts.PAGE).exists()
    for scenario in read.scenarios:
        assert scenario.problems == []
        assert scenario.about["dropped"] == 0
        assert [event.at for event in scenario.events] == sorted(
            event.at for event in scenario.events
        )
        found = {path.relative_to(scenario.folder).as_posix() for path in scenario.files}
        wanted = (
            "keepalived.conf",
            "keepalived.log",
            "keepalived.data",
            "keepalived.stats",
            "ipvs.txt",
            "addresses.txt",
            "counters.txt",
        )
        assert {f"director{n}/{name}" for n in (1, 2) for name in wanted} <= found
        assert {
            "web1/httpd.log",
            "web1/apache2.conf",
            "client/neighbours.txt",
            artifacts.CAPTURE,
        } <= found
        table = (scenario.folder / "director1/ipvs.txt").read_text()
        assert "TCP  172.16.10.50:80 rr" in table
        assert "  -> 172.16.10.21:80 " in table
        assert "eth0 up 172.16.10.100/24" in (scenario.folder / "client/addresses.txt").read_text()
    logs = [
        (scenario.folder / "director1/keepalived.log").read_text() for scenario in read.scenarios
    ]
    assert ["Starting VRRP child process" in log for log in logs] == [True, False, False]


def test_tshark_reads_every_capture(run: Path) -> None:
    if shutil.which("tshark") is None:
        pytest.skip("no tshark: apt-get install tshark")
    for scenario in artifacts.read_run(run).scenarios:
        fields = (
            "-T",
            "fields",
            "-e",
            "frame.interface_name",
            "-e",
            "frame.comment",
            "-e",
            "_ws.col.Protocol",
        )
        read = subprocess.run(
            ["tshark", "-r", scenario.folder / artifacts.CAPTURE, *fields],
            capture_output=True,
            text=True,
        )
        assert read.returncode == 0, read.stderr
        lines = [line.split("\t") for line in read.stdout.splitlines()]
        assert len(lines) == scenario.about["frames"] > 0
        assert {interface for interface, _, _ in lines} <= {
            f"{node} eth0" for node in ("director1", "director2", "web1", "web2", "client")
        }
        assert all(
            protocol == "VRRP"
            for _, comment, protocol in lines
            if comment.startswith("advertisement")
        )
        assert any(comment.startswith("client request") for _, comment, _ in lines)


def test_a_failure_shows_the_table_and_no_frame_of_the_harness(run: Path) -> None:
    told = (run.parent.parent / "told.txt").read_text()
    assert "= director1: PowerOff injected" in told
    assert "NOT IN 995.0 to 2005.0" in told
    assert "due until here" in told
    assert "harness/" not in told.partition("= FAILURES =")[2].partition("lvs-harness:")[0].replace(
        "/harness/plugin", ""
    )


def test_junit_and_github_are_told(run: Path) -> None:
    junit = (run.parent.parent / "junit.xml").read_text()
    assert '<property name="seed" value="0" />' in junit
    assert 'name="director2 takes 172.16.10.50"' in junit
    assert "2 passed, 1 failed" in (run.parent.parent / "summary.md").read_text()


def test_passed_scenarios_keep_the_small_files_only(run: Path, tmp_path: Path) -> None:
    folder = project(tmp_path)
    subprocess.run(
        command("pytest", "-q", "--clock", "virtual", "-k", "passes"),
        cwd=folder,
        check=True,
        capture_output=True,
    )
    (scenario,) = artifacts.read_run(next((folder / "artifacts").iterdir())).scenarios
    assert {path.name for path in scenario.files} == {
        artifacts.ABOUT,
        artifacts.TIMELINE,
        "keepalived.conf",
    }


def test_a_killed_run_leaves_all_up_to_its_last_event(run: Path, tmp_path: Path) -> None:
    folder = project(tmp_path, spin=True)
    running = subprocess.Popen(
        command("pytest", "-q", "--clock", "virtual", "-k", "killed", "--watchdog", "0"),
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while not any(
        '"request"' in path.read_text() for path in folder.glob("artifacts/*/test_*/timeline.jsonl")
    ):
        assert time.monotonic() < deadline
        assert running.poll() is None
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    running.wait()

    (killed,) = (folder / "artifacts").iterdir()
    read = artifacts.read_run(killed)
    (scenario,) = read.scenarios
    assert scenario.outcome == "unfinished"
    assert read.problems == [
        "the run ended before it could say how: it was killed, or is still running"
    ]
    assert scenario.problems == [
        "the scenario had not ended: what follows is what was written until then"
    ]
    assert [event.status for event in scenario.events if isinstance(event, Request)] == [200]
    assert "Incomplete: the scenario had not ended" in page.write(killed).read_text()


def test_a_scenario_that_spins_is_ended_by_the_watchdog(tmp_path: Path) -> None:
    """That one alone, with where it was, and the timeline until then."""
    VIRTUAL.find()
    folder = project(tmp_path, spin=True)
    told = subprocess.run(
        command("pytest", "-q", "--clock", "virtual", "-k", "killed or passes", "--watchdog", "12"),
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    said = told.stdout + told.stderr
    assert told.returncode == pytest.ExitCode.TESTS_FAILED, said
    assert "1 failed, 1 passed" in said
    assert (
        "virtual time did not move while this computed, so the watchdog ended the scenario" in said
    )
    assert "test_it.py:" in said, "the line"
    assert '"request"' in next(folder.glob("artifacts/*/test_*killed*/timeline.jsonl")).read_text()


def test_a_bundle_repeats_to_the_byte(run: Path, tmp_path: Path) -> None:
    lvs = command("harness.cli")
    subprocess.run(
        [*lvs, "bundle", run, "--output", "b.zip"], cwd=tmp_path, check=True, capture_output=True
    )
    told = subprocess.run(
        [*lvs, "reproduce", "b.zip", "--yes"], cwd=tmp_path, capture_output=True, text=True
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "3 of 3 verdicts are the same, 3 timelines identical" in told.stdout


def test_a_bundle_that_spins_is_ended_by_the_watchdog(run: Path, tmp_path: Path) -> None:
    """Whoever made it may mean harm."""
    folder, lvs = project(tmp_path), command("harness.cli")
    test = (folder / "test_it.py").read_text().replace("if False", "if 'reproduced' in __file__")
    (folder / "test_it.py").write_text(test)
    subprocess.run(
        command("pytest", "-q", "--clock", "virtual", "-k", "killed"),
        cwd=folder,
        check=True,
        capture_output=True,
    )
    (made,) = (folder / "artifacts").iterdir()
    subprocess.run(
        [*lvs, "bundle", made, "--output", "b.zip"], cwd=folder, check=True, capture_output=True
    )
    told = subprocess.run(
        [*lvs, "reproduce", "b.zip", "--yes", "--into", "reproduced", "--watchdog", "12"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert told.returncode == 1, told.stdout + told.stderr
    assert "failed, and was passed" in told.stdout
    assert (
        "virtual time did not move: ended the scenario, as the tests themselves compute"
        in told.stderr
    )


def test_a_shell_on_failure_is_inside_the_fault(tmp_path: Path) -> None:
    VIRTUAL.find()
    folder = project(tmp_path)
    test = (folder / "test_it.py").read_text().replace("until=5", "until=1")
    (folder / "test_it.py").write_text(test)
    told = subprocess.run(
        command("pytest", "--clock", "virtual", "-k", "fails", "--shell-on-failure"),
        cwd=folder,
        input="director2 hostname\ndirector1 hostname\npass 20\nowners\n",
        capture_output=True,
        text=True,
    )
    assert "director2 takes 172.16.10.50: due within 1.000 s, and it has not" in told.stdout
    assert "lvs> director2\n" in told.stdout
    assert "director1 is powered off" in told.stdout
    assert "172.16.10.50: director2" in told.stdout
    assert told.returncode == 1


def test_a_pause_is_after_each_scenario(tmp_path: Path) -> None:
    VIRTUAL.find()
    told = subprocess.run(
        command("pytest", "--clock", "virtual", "-k", "passes or fails", "--pause"),
        cwd=project(tmp_path),
        input="director2 hostname\nexit\nowners\n",
        capture_output=True,
        text=True,
    )
    first, second = told.stdout.partition("test_passes passed.")[::2]
    assert "failed.\nThe cluster is alive" in first
    assert "lvs> director2\n" in first
    assert "172.16.10.50: director1" in second
    assert told.returncode == 1


def test_two_runs_at_once_have_folders_of_their_own(tmp_path: Path) -> None:
    made = [artifacts.new_run(tmp_path) for _ in range(3)]
    assert len({*made}) == 3


def test_a_link_to_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "artifacts").symlink_to(tmp_path / "gone")
    with pytest.raises(HarnessError, match=r"artifacts is a symbolic link to .*gone, which is not"):
        artifacts.new_run(tmp_path / "artifacts")


def test_a_new_folder_outside_of_the_project_takes_the_evidence(tmp_path: Path) -> None:
    """pytest takes that for a folder with tests, once it is there, and then has another root."""
    VIRTUAL.find()
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "test_it.py").write_text("def test_it(lvs_kernel): pass\n")
    told = subprocess.run(
        command("pytest", "-q", "--clock", "virtual", "test_it.py", "--artifacts", "../out"),
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    assert [*tmp_path.glob("out/*/run.json")]


def test_run_json_says_what_it_was_made_of(run: Path) -> None:
    about = json.loads((run / artifacts.RUN).read_text())
    assert {"test_it.py", "pytest.ini", "topologies/director_pair.py"} <= about["sources"].keys()
    assert about["versions"].keys() >= {"Linux", "keepalived", "ipvsadm", "httpd"}
    assert about["status"] == 1
