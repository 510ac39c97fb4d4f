"""A real server that a file speaks for is taken in when a reload adds it."""

import pytest

from harness.cluster import Cluster
from harness.events import DestinationChanged
from harness.scenario import fresh_topology
from topologies.reported import Reported

ADDED = "real_server 172.16.10.21 80 { FILE_CHECK { track_file drain } }"
CONFIG = """
track_file drain { file /run/drain
    weight 0
    init_file 0 }
virtual_server 172.16.10.50 80 { lb_kind DR
    protocol TCP
    # here
    real_server 172.16.10.22 80 { FILE_CHECK { track_file drain } } }
"""


@pytest.mark.regression(
    "#1737",
    "a FILE_CHECK that a reload adds never takes its real server in",
    present="<2.2",
    caught="is taken in",
)
@fresh_topology(Reported, configs=(CONFIG,), real_servers=2)
def test_a_file_check_that_a_reload_adds_takes_its_server_in(cluster: Cluster) -> None:
    """The file says 0 all the while, which is success for weight 0 (keepalived.conf(5),
    ``FILE_CHECK``); keepalived ``ipwrapper.c``, ``init_service_rs``.
    """
    (director,) = cluster.directors
    director.does(DestinationChanged, action="added", address="172.16.10.22:80")

    reloaded = director.reload(("# here", ADDED))

    director.does(  # label: is taken in
        DestinationChanged, since=reloaded, action="added", address="172.16.10.21:80"
    )
