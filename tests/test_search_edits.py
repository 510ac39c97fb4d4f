"""Edits of keepalived.conf that a search makes."""

from __future__ import annotations

import pytest

from harness.search.edits import edits_of

CONFIG = """
virtual_server 10.0.0.1 80 {
    quorum 1
    quorum_up "/bin/up"
    real_server 10.0.0.2 80 {
        weight 1
    }
    real_server 10.0.0.3 80 {
        weight 1
    }
    sorry_server 10.0.0.4 80
}
virtual_server_group G {
    10.0.0.1 81
    10.0.0.1 82
}
vrrp_instance A {
    priority 100
    virtual_ipaddress {
        10.0.0.1/32
        10.0.0.9/32
    }
}
"""


def test_edits_take_blocks_and_lines_out_and_change_numbers() -> None:
    names = [edit.name for edit in edits_of(CONFIG)]

    assert "no real_server 10.0.0.3 80 in virtual_server 10.0.0.1 80" in names
    assert "no sorry_server 10.0.0.4 80 in virtual_server 10.0.0.1 80" in names
    assert "weight 3 in real_server 10.0.0.3 80, virtual_server 10.0.0.1 80" in names
    assert 'no quorum_up "/bin/up" in virtual_server 10.0.0.1 80' in names
    assert "priority 95 in vrrp_instance A" in names
    assert "no 10.0.0.1 82 in virtual_server_group G" in names
    assert "no 10.0.0.9 in virtual_ipaddress, vrrp_instance A" in names
    assert len(names) == len(set(names))


def test_every_edit_is_of_text_that_stands_once_and_leaves_braces_in_pairs() -> None:
    for edit in edits_of(CONFIG):
        assert CONFIG.count(edit.old) == 1
        changed = CONFIG.replace(edit.old, edit.new)
        assert changed != CONFIG
        assert changed.count("{") == changed.count("}")


TWO = """
vrrp_instance A {
    virtual_router_id 51
    version 2
    virtual_ipaddress {
        10.0.0.1/32
        10.0.0.9/32
    }
}
vrrp_instance B {
    virtual_router_id 52
    virtual_ipaddress {
        10.0.0.2/32
    }
}
"""


@pytest.mark.parametrize(
    ("name", "has", "has_not"),
    [
        ("A and B have each other's first VIP", "10.0.0.2/32\n        10.0.0.9/32", ""),
        ("A and B have each other's number", "A {\n    virtual_router_id 52", ""),
        ("A has the VIPs of B, which is gone", "10.0.0.9/32\n        10.0.0.2/32", "B {"),
        ("B has the last VIP of A", "10.0.0.2/32\n        10.0.0.9/32", ""),
        ("10.0.0.131 more in vrrp_instance A", "10.0.0.9/32\n        10.0.0.131/32", ""),
        ("no vrrp_instance B", "vrrp_instance A", "vrrp_instance B"),
        ("use_vmac in vrrp_instance B", "use_vmac\n}", ""),
        ("version 3 in vrrp_instance A", "version 3", "version 2"),
    ],
)
def test_vips_and_lines_move_come_and_go(name: str, has: str, has_not: str) -> None:
    (edit,) = (each for each in edits_of(TWO) if each.name == name)

    changed = TWO.replace(edit.old, edit.new)

    assert TWO.count(edit.old) == 1
    assert has in changed
    assert not has_not or has_not not in changed
    assert changed.count("{") == changed.count("}")


def test_a_vmac_may_send_from_the_interface_below_where_it_does_not_yet() -> None:
    named = "vmac_xmit_base in vrrp_instance A"

    def edits(*lines: str) -> list[str]:
        block = "".join(f"    {line}\n" for line in lines)
        return [each.name for each in edits_of(f"vrrp_instance A {{\n{block}}}\n")]

    assert named in edits("use_vmac vrrp.51")
    assert named not in edits("priority 100")
    assert named not in edits("use_vmac_addr")
    assert named not in edits("use_vmac vrrp.51", "vmac_xmit_base")
    assert named not in edits("use_vmac vrrp.51", "unicast_peer {", "10.0.0.2", "}")


def test_instances_of_one_number_do_not_exchange_it() -> None:
    """IPv4 and IPv6 may have the same: nothing would be edited."""
    names = [each.name for each in edits_of(TWO.replace("id 52", "id 51"))]

    assert "A and B have each other's first VIP" in names
    assert "A and B have each other's number" not in names


def test_a_lone_instance_is_not_taken_out() -> None:
    assert not any(each.name.startswith("no vrrp_instance") for each in edits_of(CONFIG))


def test_an_edit_of_one_real_server_leaves_the_other() -> None:
    edit = next(
        each
        for each in edits_of(CONFIG)
        if each.name.startswith("weight 3 in real_server 10.0.0.3")
    )

    changed = CONFIG.replace(edit.old, edit.new)

    assert changed.index("weight 1") < changed.index("10.0.0.3") < changed.index("weight 3")
