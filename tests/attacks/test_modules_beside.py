"""Who checks files that were received runs nothing that lies beside them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.guests import VIRTUAL

CONFIGURATION = """\
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {
        192.0.2.80/24
    }
}
"""
INI = """\
[pytest]
python_files = nothing_*.py
addopts = --no-such-option
"""


@pytest.mark.parametrize("module", ["conftest", "pytest", "json", "sitecustomize", "harness"])
def test_no_module_beside_the_files_is_run(tmp_path: Path, module: str) -> None:
    VIRTUAL.find()
    (tmp_path / "lb1.conf").write_text(CONFIGURATION)
    (tmp_path / "pytest.ini").write_text(INI)
    ran = tmp_path / "ran"
    (tmp_path / f"{module}.py").write_text(f"open({str(ran)!r}, 'w')\nraise SystemExit(7)\n")
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    command = [str(Path(sys.executable).with_name("lvs-harness")), "check", "--explain", "lb1.conf"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "VI_1: VRID 51" in done.stdout
    assert not ran.exists()
