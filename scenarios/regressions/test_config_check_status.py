"""``keepalived -t`` ends with a status that says whether the configuration can be used."""

import pytest

from harness.cluster import Cluster
from harness.scenario import fresh_topology
from topologies.reported import Reported

GOOD = (
    "vrrp_instance V1 { interface eth0\n virtual_router_id 51\n virtual_ipaddress {"
    " 172.16.10.50/32 } }\n"
)


@pytest.mark.regression(
    "found by trying",
    "keepalived -t ends with 0 in spite of errors",
    present="<2.2",
    caught="refused",
)
@fresh_topology(Reported, read=False, configs=(GOOD,))
def test_config_check_fails_for_an_unknown_keyword(cluster: Cluster) -> None:
    """A wrapper that tests before it reloads is led into reloading (keepalived(8),
    ``--config-test``).
    """
    (director,) = cluster.directors
    director.machine.write("/run/bad.conf", GOOD.replace("interface", "interfaze"))

    tested = director.machine.run(["keepalived", "-t", "-f", "/run/bad.conf"], check=False)

    assert tested.returncode != 0  # label: refused
