"""The prompt's words without a cluster: faults by their names, and what was typed as a scenario."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from harness.console import naming
from harness.console.saving import Script
from harness.errors import HarnessError
from harness.faults import Cut, Drain, HangHttpd, HangKeepalived, Impaired, PowerOff, Unplug
from harness.faults.fault import Fault, struck
from harness.lab.impairment import Impairment
from harness.lab.plan import plan
from harness.nodes import Node, node_of
from harness.spec import Origin
from harness.topology import VirtualService
from topologies.director_pair import VIP, DirectorPair
from topologies.without_keepalived import OwnChecker


@pytest.fixture(scope="module")
def nodes() -> Mapping[str, Node]:
    planned = plan(DirectorPair())
    return {host.name: node_of(host, planned) for host in planned.hosts}


def typed(line: str, nodes: Mapping[str, Node]) -> Fault[Node]:
    word, *arguments = line.split()
    return naming.fault(word, arguments, nodes, [VirtualService(VIP)])


def test_a_fault_is_what_its_words_say(nodes: Mapping[str, Node]) -> None:
    director, web, client = (nodes[name] for name in ("director1", "web1", "client"))
    assert typed("poweroff web1", nodes) == PowerOff(web)
    assert typed("unplug director1 eth0", nodes) == Unplug(director, "eth0")
    cut = Cut(director, client, both=False, protocol="TCP", port=80)
    assert typed("cut director1 client both=no protocol=TCP port=80", nodes) == cut
    assert typed("impaired web1 loss=0.3 arriving=no", nodes) == Impaired(
        web, Impairment(loss=0.3), arriving=False
    )
    assert isinstance(typed("drain director1 80 web1", nodes), Drain)
    assert isinstance(typed("hang director1", nodes), HangKeepalived)
    assert isinstance(typed("hang web1", nodes), HangHttpd)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("poweroff", "say which machine: poweroff MACHINE"),
        ("poweroff web9", "no node web9; nodes: director1 director2 web1 web2 client"),
        ("poweroff web1 now", "'now' is too much: poweroff MACHINE"),
        ("cut web1", "it needs other: cut MACHINE OTHER [both] [protocol] [port]"),
        ("drain director1 443 web1", "no service 443; services: TCP 172.16.10.50:80"),
        (
            "stoplocal director1 haproxy",
            "service is a LocalService, which cannot be typed here: say it in Python (px)",
        ),
        ("impaired web1 loss=much", "loss is a number, not 'much'"),
        ("impaired web1 loss=0.1 seed=0.5", "seed is a whole number, not '0.5'"),
        ("impaired web1 loss=7", "Impairment: loss is a share from 0 to 1, not 7"),
        ("impaired web1 only=tea", "Impairment: only takes "),
        ("starve director1 often 1", "stands is a number, not 'often'"),
        ("cut web1 director1 both=perhaps", "both is yes or no, not 'perhaps'"),
    ],
)
def test_a_line_that_names_none_says_what_it_lacks(
    line: str, told: str, nodes: Mapping[str, Node]
) -> None:
    with pytest.raises(HarnessError) as refused:
        typed(line, nodes)
    assert str(refused.value).startswith(told)


def test_every_fault_has_a_usage_and_befalls_a_kind_of_machine() -> None:
    for name, kind in naming.FAULTS.items():
        assert naming.usage(kind).startswith("MACHINE"), name
        assert issubclass(struck(kind), Node), name
    assert all(name in naming.FAULTS for names in naming.SHORT.values() for name in names)


def test_a_fault_of_another_kind_of_machine_is_refused(nodes: Mapping[str, Node]) -> None:
    with pytest.raises(
        HarnessError, match="HangHttpd befalls a real server, and director1 is none"
    ):
        typed("hanghttpd director1", nodes).check()
    typed("poweroff director1", nodes).check()


def test_a_fault_of_a_name_says_how_to_give_the_node() -> None:
    with pytest.raises(HarnessError, match=r"befalls a node, and 'director1' is none: .*nodes\["):
        PowerOff("director1").check()  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", naming.FAULTS.values(), ids=naming.FAULTS)
def test_what_is_said_of_a_fault_is_a_sentence_of_plain_text(kind: type[Fault[Node]]) -> None:
    about = naming.about(kind)
    assert about.endswith(".")
    assert not about.endswith(" .")
    assert "`" not in about
    assert naming.about(Drain).endswith(": ipvsadm -e ... -w 0.")


def test_a_fault_of_what_speaks_vrrp_wants_a_director_that_does() -> None:
    planned = plan(OwnChecker())
    nodes = {host.name: node_of(host, planned) for host in planned.hosts}
    with pytest.raises(HarnessError, match="HangKeepalived befalls what speaks VRRP, and dir"):
        typed("hang director1", nodes).check()
    typed("hangprogram director1 checker", nodes).check()


def test_what_was_typed_is_a_module_that_python_takes(nodes: Mapping[str, Node]) -> None:
    script, among = Script(), list(nodes.values())
    power, cut = PowerOff(nodes["director1"]), Cut(nodes["web1"], nodes["client"], protocol="TCP")
    script.inject(power, among)
    script.begin("cluster.client.load(20)")
    script.inject(cut, among)
    script.heal(cut)
    script.end()
    script.begin("cluster.client.load(5)")
    origin = Origin(("from topologies.director_pair import DirectorPair",), "DirectorPair")
    text = script.module("moved", origin, ["cluster.owners() == []"], [power])
    compile(text, "test_moved.py", "exec")
    body = text[text.index("def test_moved") :].splitlines()
    assert body[2:] == [
        "    cluster.settle()",
        "    director1 = cluster.directors[0]",
        "    web1 = cluster.real_servers[0]",
        "    client = cluster.client",
        "    fault1 = PowerOff(director1)",
        "    cluster.inject(fault1)",
        "    with cluster.client.load(20):",
        '        fault2 = Cut(web1, other=client, protocol="TCP")',
        "        cluster.inject(fault2)",
        "        cluster.heal(fault2)",
        "    with cluster.client.load(5):",
        "        pass",
        "    assert cluster.owners() == []",
        "    cluster.heal(fault1)",
    ]
    assert "pytestmark = topology(DirectorPair)" in text
