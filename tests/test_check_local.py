"""Local services: what health scripts look for on the director, told from their commands and
texts.
"""

from __future__ import annotations

import pytest

from harness.check.local import ends_keepalived, looked_for, program_of
from harness.topology import LocalService, VrrpScript

PROCESS = {
    "killall -0 haproxy": "haproxy",
    "/usr/bin/killall -0 haproxy": "haproxy",
    "pidof nginx": "nginx",
    "/bin/pidof /usr/sbin/nginx": "/usr/sbin/nginx",
    "pgrep -x mysqld": "mysqld",
    "/usr/bin/pkill -0 haproxy": "haproxy",
    "pidof mfsmaster > /dev/null": "mfsmaster",
    "/bin/systemctl status nfs-server.service": "nfs-server",
    "sh -c 'ps aux | grep [n]ginx'": "nginx",
    "systemctl is-active --quiet docker.service": "docker",
    "sh -c 'pidof nginx || exit 1'": "nginx",
}
PORT = {
    "curl -sfk --max-time 2 https://localhost:6443/healthz -o /dev/null": LocalService(
        port=6443, tls=True, path="/healthz"
    ),
    "wget -q -O- http://127.0.0.1/": LocalService(port=80),
    "curl localhost:8080/alive": LocalService(port=8080, path="/alive"),
    "nc -z localhost 6379": LocalService(port=6379),
    "bash -c '</dev/tcp/127.0.0.1/3306'": LocalService(port=3306),
}
SCRIPT = """#!/bin/bash
# pidof foo
if [ $(ps -C nginx --no-header | wc -l) -eq 0 ]; then
   systemctl start nginx
   if ! killall -0 "haproxy" 2>/dev/null; then exit 1; fi
fi
errorExit() { echo "*** $*" 1>&2; exit 1; }
curl -sfk --max-time 2 https://localhost:8443/healthz -o /dev/null || errorExit "Error GET"
if ip addr | grep -q 192.0.2.80; then curl https://192.0.2.80:6443/; fi
netstat -tln | grep -q ':3306 '
killall keepalived
"""
PLACE = "/etc/keepalived/check.sh"


@pytest.mark.parametrize(("command", "name"), PROCESS.items())
def test_a_process_is_looked_for(command: str, name: str) -> None:
    assert looked_for(command, {}) == (LocalService(process=name),)


@pytest.mark.parametrize(("command", "service"), PORT.items())
def test_a_port_is_looked_for(command: str, service: LocalService) -> None:
    assert looked_for(command, {}) == (service,)


@pytest.mark.parametrize(
    "command", ["killall haproxy", "/usr/bin/test -e /x", "curl https://www.example.com", "'"]
)
def test_what_is_not_on_the_director_is_not_looked_for(command: str) -> None:
    assert looked_for(command, {}) == ()


def test_the_text_of_a_script_says_what_it_looks_for() -> None:
    found = looked_for(f"{PLACE} 1", {PLACE: (SCRIPT.encode(), 0o755)})

    assert {service.name for service in found} == {"nginx", "haproxy", "8443", "3306"}


VARIABLES = """#!/bin/sh
VIP=192.0.2.80
PORT="6443"  # of the API
curl -k https://localhost:${PORT}/ || exit 1
curl -k https://${VIP}:$1/
curl -k https://${OTHER:-localhost}:9443/
"""


def test_a_script_s_variables_and_arguments_are_known() -> None:
    files = {PLACE: (VARIABLES.encode(), 0o755)}

    found = looked_for(f"{PLACE} 8443", files, ["192.0.2.80"])

    assert {service.name for service in found} == {"6443", "8443", "9443"}
    assert {service.name for service in looked_for(f"{PLACE} 8443", files)} == {"6443", "9443"}


def test_only_what_no_other_program_runs_is_made_to_fail() -> None:
    assert program_of(f"/bin/sh {PLACE}", {PLACE: (b"", 0o755)}) == PLACE
    assert program_of("/usr/local/bin/probe -x", {}) == "/usr/local/bin/probe"
    assert program_of("/bin/sh -c true", {}) is None
    assert program_of("killall -0 haproxy", {}) is None


def test_a_program_of_the_systems_is_not_made_to_fail() -> None:
    assert program_of("/usr/bin/killall -0 haproxy", {}) is None


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("systemctl stop keepalived", True),
        ("sleep 1\nsystemctl stop keepalived", True),
        ("sleep 2\nsystemctl --no-block stop keepalived.service", False),
        ("/etc/init.d/keepalived stop", True),
        ("service keepalived stop", True),
        ("pkill keepalived", True),
        ("killall keepalived", True),
        ("kill -15 $(cat /var/run/keepalived.pid)", True),
        ("killall -0 keepalived", False),
        ("# systemctl stop keepalived", False),
        ("systemctl stop nginx", False),
        ("systemctl restart keepalived", False),
    ],
)
def test_a_script_that_ends_keepalived_is_known(text: str, ends: bool) -> None:
    """One that sleeps for as long as keepalived lets it run does not come to it."""
    script = VrrpScript(name="chk", script="/etc/keepalived/chk.sh", interval=2)

    assert ends_keepalived(script, {"/etc/keepalived/chk.sh": (text.encode(), 0o755)}) is ends
