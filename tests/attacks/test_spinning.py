"""What computes for ever, a keepalived, a process or a scenario, is told by name, and the rest
of the run goes on.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.images import selection
from tests.guests import ROOT, VIRTUAL

SPINS_ON = """
    global_defs {
        script_user root
    }
    virtual_server 192.0.2.80 25 {
        delay_loop 3
        lb_algo rr
        lb_kind DR
        protocol TCP
        real_server 192.0.2.81 25 {
            SMTP_CHECK {
                helo_name check
                host {
                    connect_ip 192.0.2.81
                    connect_port 25
                }
                host {
                    connect_ip 192.0.2.81
                    connect_port 2525
                }
            }
        }
    }
"""
"""keepalived 2.3.3 never ends reading this: two hosts in one SMTP_CHECK."""

SCENARIOS = """
    import subprocess

    from harness.scenario import topology
    from topologies.director_pair import DirectorPair

    pytestmark = topology(DirectorPair)

    def test_a_process_spins(cluster):
        process = cluster.client.machine.popen("sh", "-c", "while :; do :; done")
        assert process.wait() == -24  # SIGXCPU

    def test_a_scenario_spins(cluster):
        while True:
            pass

    def test_a_shell_starts_programs_without_rest(cluster):
        process = cluster.client.machine.popen("sh", "-c", "while :; do /bin/true; done")
        assert process.wait() == -24

    def test_a_scenario_starts_programs_without_rest(cluster):
        while True:
            subprocess.run(["/bin/true"])

    def test_good(cluster):
        assert cluster.client.fetch(2)
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("clock", ["real", "virtual"])
def test_a_keepalived_that_never_ends_reading_is_told(clock: str, tmp_path: Path) -> None:
    """One sentence says so, in both times."""
    VIRTUAL.find()
    try:
        selection.find("trixie")
    except HarnessError:
        pytest.skip("no image of trixie, whose keepalived spins: make images")
    (tmp_path / "lb1.conf").write_text(textwrap.dedent(SPINS_ON))
    told = run(
        tmp_path, "harness.cli", "check", "lb1.conf", "--", "--image", "trixie", "--clock", clock
    )
    said = told.stdout + told.stderr
    assert (
        "lvs-harness: lb1: keepalived does not end reading lb1.conf: it computed for 5 s and was"
        " ended" in said
    )
    assert "Traceback" not in said
    assert "did not move" not in said
    assert told.returncode == pytest.ExitCode.USAGE_ERROR


def test_the_watchdog_ends_a_process_or_a_scenario_and_not_the_run(tmp_path: Path) -> None:
    VIRTUAL.find()
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_it.py").write_text(textwrap.dedent(SCENARIOS))
    told = run(
        tmp_path, "pytest", "--clock", "virtual", "--watchdog", "10", "-p", "no:cacheprovider"
    )
    assert "2 failed, 3 passed" in told.stdout, told.stdout + told.stderr
    assert "on client: sh -c while :; do :; done" in told.stderr
    assert "on client: sh -c while :; do /bin/true; done" in told.stderr
    assert "the watchdog ended the scenario" in told.stdout
    assert told.returncode == 1


COMPUTING = """
    import pytest

    from harness.scenario import topology
    from topologies.director_pair import DirectorPair

    @topology(DirectorPair)
    def test_that_needs_virtual_time(cluster):
        cluster.settle()

    @pytest.mark.parametrize("number", range(60))
    def test_that_computes(number):
        sum(range(20_000_000))
"""


def test_scenarios_that_take_no_virtual_time_are_no_spinning_together(tmp_path: Path) -> None:
    """The watchdog's limit is for each of them, not for all that come one after the other."""
    VIRTUAL.find()
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_it.py").write_text(textwrap.dedent(COMPUTING))
    limits = ["--clock", "virtual", "--watchdog", "2", "-p", "no:cacheprovider"]
    told = run(tmp_path, "pytest", *limits)
    assert "61 passed" in told.stdout, told.stdout + told.stderr
    assert "did not move" not in told.stderr


SPINNING_SCRIPT = """
    from harness.scenario import topology
    from topologies.director_pair import DirectorPair

    SCRIPT = '"/usr/bin/test ! -e /etc/keepalived/down"'
    SPINS = '''"/bin/sh -c 'test ! -e /tmp/spin || while :; do :; done'"'''

    @topology(DirectorPair, edits={"director1": ((SCRIPT, SPINS),)})
    def test_it(cluster):
        cluster.settle()
        cluster.directors[0].machine.write("/tmp/spin", "")
        cluster.timeline.let_pass(1.5)
        assert not cluster.owners()
"""


def test_a_failure_names_the_script_that_spins(tmp_path: Path) -> None:
    """keepalived's own child, which the watchdog ends; the first line of the failure says where
    it was.
    """
    VIRTUAL.find()
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_it.py").write_text(textwrap.dedent(SPINNING_SCRIPT))
    told = run(
        tmp_path,
        "pytest",
        "--clock",
        "virtual",
        "--watchdog",
        "2",
        "--tb=short",
        "-p",
        "no:cacheprovider",
    )
    lines = [line.removeprefix("E   ") for line in told.stdout.splitlines()]
    first = next(line for line in lines if line.startswith("looks like: "))
    said = "VRRP_Script(maintenance) failed (due to signal 24)"
    assert first.startswith(f"looks like: process that spins (director1): {said}"), told.stdout
    assert told.returncode == 1


RELOAD = """
    from harness.scenario import topology
    from topologies.director_pair import DirectorPair

    HOST = "host {{\\nconnect_ip 172.16.10.12\\nconnect_port {port}\\n}}\\n"
    CHECK = "SMTP_CHECK {\\nhelo_name check\\n" + HOST.format(port=25) + HOST.format(port=26) + "}"
    SERVER = f"real_server 172.16.10.12 25 {{\\n{CHECK}\\n}}"

    @topology(DirectorPair)
    def test_it(cluster):
        cluster.settle()
        cluster.directors[0].reload(("protocol TCP", f"protocol TCP\\n{SERVER}"))
        cluster.timeline.let_pass(0.05)
        assert not cluster.owners()
"""
"""keepalived 2.3.3 never ends reading that, and waits for SIGXCPU in a loop to which it never comes
back.
"""


def test_a_keepalived_that_spins_at_a_reload_is_killed_and_named(tmp_path: Path) -> None:
    """It alone is, and not who wants the processor meanwhile."""
    VIRTUAL.find()
    try:
        selection.find("trixie")
    except HarnessError:
        pytest.skip("no image of trixie, whose keepalived spins: make images")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_it.py").write_text(textwrap.dedent(RELOAD))
    limits = ["--clock", "virtual", "--watchdog", "10", "--image", "director=trixie"]
    told = run(tmp_path, "pytest", *limits, "--tb=short", "-p", "no:cacheprovider")
    lines = [line.removeprefix("E   ") for line in told.stdout.splitlines()]
    first = next(line for line in lines if line.startswith("looks like: "))
    assert first.startswith("looks like: process that spins (director1): computed"), told.stdout
    ended = [line for line in told.stderr.splitlines() if "did not move: ended" in line]
    assert ended
    assert all(" on director1: keepalived " in line for line in ended), ended
    assert told.returncode == 1
