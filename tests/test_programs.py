"""Programs of the user's own: what a topology may say of them, and what is missed before
anything starts.
"""

from __future__ import annotations

from typing import Any

import pytest

from harness.daemons import programs
from harness.daemons.servers import servers_of
from harness.errors import HarnessError
from harness.faults import StopProgram
from harness.images.image import HOST
from harness.lab.plan import make_topo, plan
from harness.nodes import node_of, require_optional
from harness.topology import Program, RealServer, VirtualService
from topologies.proxies import Proxies


def test_a_program_is_called_after_its_file() -> None:
    assert Program(["/usr/sbin/haproxy", "-db"]).name == "haproxy"
    assert Program(["haproxy"], name="front").name == "front"
    assert programs.daemon_of(Program(["haproxy"])).ready is None


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"argv": "haproxy -db"}, "argv is a list of words"),
        ({"argv": []}, "argv is a list of words"),
        ({"argv": ["a"], "ready": "("}, r"Program a: ready='\(' is no regular expression"),
        (
            {"argv": ["a"], "serves": (0,)},
            "Program a: serves must be a number from 1 to 65535, not 0",
        ),
        (
            {"argv": ["a"], "files": {"etc/a.conf": ""}},
            "Program a: files need full paths, not etc/a.conf",
        ),
    ],
)
def test_what_is_no_program_is_refused(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(HarnessError, match=complaint):
        Program(**wrong)


def test_a_program_answers_in_place_of_httpd() -> None:
    web, other = VirtualService("172.16.10.50"), VirtualService("172.16.10.50", 3306)
    own = Program(["a"], serves=(3306,))
    (httpd,) = servers_of(RealServer(serves=(web, other), runs=(own,)))
    assert httpd.ports(RealServer(serves=(web, other), runs=(own,))) == [80]
    assert httpd.ports(RealServer(serves=(web, other))) == [80, 3306]
    with pytest.raises(
        HarnessError, match="a: it serves 3306, and the real server's services have the ports 80"
    ):
        RealServer(serves=(web,), runs=(own,))


def test_httpd_gives_way_to_a_program_at_its_own_port() -> None:
    web = VirtualService("172.16.10.50")
    own = Program(["a"], serves=(80,))
    assert servers_of(RealServer(serves=(web,), runs=(own,))) == []
    (httpd,) = servers_of(RealServer(serves=(web,), runs=(own,), listens=(8080,)))
    assert httpd.daemon.name == "httpd"


def test_a_program_that_is_not_installed_is_named_with_its_machine() -> None:
    with pytest.raises(
        HarnessError, match="proxy1: there is no program nothing; install it: apt-get install nst"
    ):
        programs.require("proxy1", [Program(["nothing"], package="nst")], HOST)
    own = "/usr/local/bin/mine"
    programs.require("proxy1", [Program([own], files={own: "#!/bin/sh\n"})], HOST)
    with pytest.raises(HarnessError, match=f"proxy1: there is no program {own}; give it among"):
        programs.require("proxy1", [Program([own])], HOST)
    twice = [Program(["sh"]), Program(["sh"])]
    with pytest.raises(
        HarnessError, match="proxy1: two programs are called sh; give one another name="
    ):
        programs.require("proxy1", twice, HOST)


def test_a_fault_of_a_program_that_a_machine_does_not_have_is_refused() -> None:
    whole = plan(make_topo(Proxies))
    node = node_of(whole.hosts[0], whole)
    assert StopProgram(node, "haproxy").name == "StopProgram haproxy"
    with pytest.raises(
        HarnessError, match="StopProgram: proxy1 does not run nginx; it runs keepalived, haproxy"
    ):
        StopProgram(node, "nginx")


def test_a_topology_can_be_drawn_where_its_program_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(type(HOST), "program", lambda image, name: None)
    whole = plan(make_topo(Proxies))
    with pytest.raises(
        HarnessError,
        match="proxy1: there is no program haproxy; install it: apt-get install haproxy",
    ):
        require_optional(whole)
