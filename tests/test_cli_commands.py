"""lvs-harness: what its commands print about themselves, the topologies and the machine."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import COMMANDS, completion, doctor, main, up
from harness.errors import HarnessError
from harness.kernels import choice
from harness.kernels.host import uml

TOPOLOGY = '''"""One director alone."""
from mininet.topo import Topo
from harness.topology import Director, VrrpInstance

class Lonely(Topo):
    def build(self, priority: int = 100, **options) -> None:
        """``priority`` is the director's."""
        lan = self.addSwitch("lan", subnet="192.0.2.0/24")
        vrrp = VrrpInstance(vrid=7, vip="192.0.2.80", priority=priority)
        self.addLink(lan, self.addHost("lb1", cls=Director, ip="192.0.2.11/24", vrrp=vrrp))

topos = {"one": Lonely, "other": Lonely}
'''


def test_without_a_command_the_help_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0

    printed = capsys.readouterr().out
    first_words = [line.split()[0] for line in printed.splitlines() if line.startswith("    ")]
    for command in COMMANDS:
        assert command.__name__.rpartition(".")[2] in first_words


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    from importlib.metadata import version

    with pytest.raises(SystemExit) as ended:
        main(["--version"])

    assert ended.value.code == 0
    assert capsys.readouterr().out == f"lvs-harness {version('lvs-harness')}\n"


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_a_shell_can_complete_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0

    script = capsys.readouterr().out
    for command in COMMANDS:
        assert command.__name__.rpartition(".")[2] in script


def test_bash_takes_the_completion_and_completes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["completion", "bash"])
    script = tmp_path / "completion"
    script.write_text(capsys.readouterr().out, encoding="utf-8")
    ask = (
        'source "$1"; COMP_WORDS=(lvs-harness top); COMP_CWORD=1; '
        "function=$(complete -p lvs-harness | sed 's/.*-F \\([^ ]*\\).*/\\1/'); "
        '$function lvs-harness top lvs-harness; echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", ask, "bash", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["topologies"]


def test_every_topology_is_listed_with_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["topologies"]) == 0

    printed = capsys.readouterr().out
    whole = "The smallest LVS-DR cluster that can fail over: .* one client\\."
    assert re.search(rf"^director_pair +{whole}$", printed, re.MULTILINE)
    assert "as forwarding:one_lan or forwarding:two_lans" in printed


@pytest.mark.parametrize("name", up.known())
def test_every_topology_can_be_drawn(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["topologies", name]) == 0

    printed = capsys.readouterr().out
    assert "LAN " in printed
    assert "parameters\n" in printed


def test_a_drawing_has_machines_claims_services_and_parameters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["topologies", "director_pair", "real_servers=9"]) == 0

    printed = capsys.readouterr().out
    assert "director1  director  172.16.10.11 on eth0" in printed
    assert "VRID 51, priority 100: 172.16.10.50" in printed
    assert "... and 7 more" in printed
    assert "172.16.10.50:80 TCP, rr, DR -> web1, ..., web9" in printed
    assert "  scheduler='rr'" in printed


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (
            ["bare_uplink"],
            ["priority 90: 198.51.100.50 on eth1", "director2  director  no "],
        ),
        (["devices"], ["172.16.10.11 on bond0\n", "bond0: bond of eth0, eth1"]),
        (["two_nodes", "cure=mac"], ["firewall: -t mangle -A PREROUTING"]),
        (["firewalls:nftables"], ["firewall: nftables"]),
        (["proxies"], ["runs haproxy"]),
    ],
)
def test_a_drawing_has_what_machines_are_made_of(
    arguments: list[str], lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["topologies", *arguments]) == 0

    printed = capsys.readouterr().out
    assert [line for line in lines if line not in printed] == []


def test_a_file_of_several_topologies_is_drawn_whole_or_one_by_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "several.py"
    file.write_text(TOPOLOGY, encoding="utf-8")

    assert main(["topologies", str(file), "priority=42"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("VRID 7, priority 42: 192.0.2.80") == 2
    assert "  options: any other NAME=VALUE is passed on" in printed

    assert main(["topologies", f"{file}:other"]) == 0
    assert capsys.readouterr().out.count("VRID 7, priority 100: 192.0.2.80") == 1

    assert main(["topologies", f"{file}:neither"]) == 1
    assert f"{file}:one, {file}:other" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -m harness.cli topologies director_pair | true"
    script = f"set -o pipefail; {command}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)

    assert done.returncode == 0
    assert done.stderr == ""


def test_the_doctor_names_one_command_for_all_that_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from harness.daemons import daemon

    monkeypatch.setattr(
        daemon,
        "programs",
        lambda: [("keepalived", "keepalived", None), ("ip", "iproute2", Path("/bin/true"))],
    )
    monkeypatch.setattr(doctor, "_kernel", lambda: (None, "no kernel to run clusters on"))
    monkeypatch.setattr(uml, "packaged", lambda: None)

    assert main(["doctor"]) == 1
    printed = capsys.readouterr().out
    assert "apt-get install keepalived user-mode-linux\n" in printed
    assert "keepalived    missing" in printed
    assert printed.endswith("next: make scenarios\n"), "in a checkout it does all the rest"


def test_the_doctor_installs_no_kernel_that_cannot_run_here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Be it that this processor kills the packaged one, or that there is none for this kind of
    machine.
    """
    from harness.daemons import daemon

    monkeypatch.setattr(daemon, "programs", lambda: [])
    monkeypatch.setattr(
        doctor, "_kernel", lambda: (None, "the packaged kernel dies on this processor")
    )
    monkeypatch.setattr(uml, "packaged", lambda: Path("/usr/bin/linux.uml"))
    assert main(["doctor"]) == 1
    printed = capsys.readouterr().out
    assert "install:" not in printed
    assert printed.endswith("next: make scenarios\n")

    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(uml, "packaged", lambda: None)
    assert main(["doctor"]) == 1
    printed = capsys.readouterr().out
    assert "virtual time  no: this machine is aarch64" in printed
    assert "install:" not in printed
    assert printed.endswith("modprobe ip_vs\n")


def test_the_doctor_says_how_a_machine_without_a_checkout_gets_virtual_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from harness.daemons import daemon

    real_time = choice.Choice(None, False, "root, with IPVS")
    monkeypatch.setattr(daemon, "programs", lambda: [])
    monkeypatch.setattr(doctor, "_kernel", lambda: (real_time, ""))
    monkeypatch.chdir(tmp_path)
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.endswith("next: pip install lvs_harness_kernel-*.whl\n")


def test_the_doctor_asks_the_package_of_a_program_that_does_not_say_its_version(
    tmp_path: Path,
) -> None:
    assert doctor._said(["false"], Path("/bin/false")) is None
    assert doctor._said(["nothing"], tmp_path / "nothing") is None
    assert doctor._version("missing", "package", None) == "missing"


def test_an_error_of_a_command_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["topologies", "nonsense"]) == 1
    assert "there is no topology nonsense" in capsys.readouterr().err
    with pytest.raises(HarnessError, match="parameters are given as NAME=VALUE"):
        up.parameters_of(["x"])
