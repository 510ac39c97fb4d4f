"""A template that has not been filled in is refused with its line, and what only looks like one is
none. Pure.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.check.files import load_all
from harness.errors import HarnessError


@pytest.mark.parametrize(
    "blank",
    [
        *("<your_interface>", "<VIP>/24", "${VIP}", "{{ vip }}", "<%= @vip %>", "%VIP%", "@@VIP@@"),
        *("<virtual_ip>", "<interface>:1", "[main_ip]/24", "@STATE@", "{$VIP}", "XXX.XXX.XXX.XXX"),
        *("XX.XX.XX.88/32", "10.xx.1xx1.xxx", "192.168.1.x"),
    ],
)
def test_a_template_is_refused_with_its_line(blank: str, tmp_path: Path) -> None:
    file = tmp_path / "lb1.conf"
    file.write_text(f"vrrp_instance V {{\n    priority {blank}\n}}\n")
    with pytest.raises(
        HarnessError, match=r"lb1.conf:2: this is a template that has not been filled in"
    ):
        load_all([str(file)])


@pytest.mark.parametrize(
    "script",
    [
        "/bin/sh -c 'ps ax | grep [n]ginx'",
        "</dev/tcp/127.0.0.1/80",
        "/bin/sh -c 'curl -s localhost | grep \"<title>\"'",
        "/usr/bin/test -x /opt/1.2.x.sh",
        "/bin/sh -c '[ -f /etc/keepalived/down ]'",
    ],
)
def test_what_only_looks_like_a_template_is_none(script: str, tmp_path: Path) -> None:
    file = tmp_path / "lb1.conf"
    file.write_text(f'vrrp_script chk {{\n    script "{script}"\n}}\nvrrp_instance V {{\n}}\n')
    assert load_all([str(file)])


def test_variables_that_the_file_defines_are_no_template(tmp_path: Path) -> None:
    file = tmp_path / "lb1.conf"
    file.write_text(
        "$VIP=192.0.2.80\n@lb1 $PRIO = 200\n"
        "vrrp_instance V {\n  priority ${PRIO}\n  virtual_ipaddress {\n  ${VIP}\n } # {{ a"
        " comment }}\n}\n"
    )
    assert load_all([str(file)])
