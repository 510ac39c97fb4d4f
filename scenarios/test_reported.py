"""A report's few lines of configuration: what keepalived reads in them is what is judged by."""

import pytest

from harness import measures
from harness.cluster import Cluster
from harness.faults import HangKeepalived, PowerOff
from harness.keepalived import timers
from harness.scenario import topology
from harness.topology.notification import REPORT
from topologies.reported import VIP, Reported

pytestmark = pytest.mark.election

INSTANCE = f"""
vrrp_instance outer {{
    interface eth0
    virtual_router_id 51
    priority %d
    advert_int 2
    virtual_ipaddress {{ {VIP} }}
    notify_master "{REPORT} master"
}}
"""
SERVICE = f"""
virtual_server {VIP} 80 {{
    lb_algo rr
    lb_kind DR
    protocol TCP
    delay_loop 2
    real_server 172.16.10.21 80 {{ TCP_CHECK {{ connect_timeout 1
        warmup 0 }} }}
    real_server 172.16.10.22 80 {{ TCP_CHECK {{ connect_timeout 1
        warmup 0 }} }}
}}
"""


@topology(
    Reported,
    configs=(INSTANCE % 120 + SERVICE, INSTANCE % 90 + SERVICE),
    real_servers=2,
    tells=True,
)
@pytest.mark.control(
    "the backup hangs", fault=HangKeepalived, node="director2", caught="takes over"
)
def test_election_by_a_text_is_judged_by_what_keepalived_reads_in_it(cluster: Cluster) -> None:
    """Nothing but the text says that the interval is two seconds, which priorities there are, and
    who balances what: the windows, the pool and the owner come from what keepalived makes of it.
    """
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=False)
    assert (master.vrrp.priority, backup.vrrp.priority, backup.vrrp.advert_int) == (120, 90, 2)

    with cluster.client.load() as load, cluster.suffering(PowerOff(master)) as struck:
        took = backup.takes(cluster.vip, since=struck, until=due.latest)  # label: takes over
        load.wait_answers(4, since=struck + took)
        told = {
            channel: backup.notifications(channel, since=struck) for channel in ("fifo", "script")
        }

    assert took.within(due)
    assert told == {"fifo": ['INSTANCE "outer" MASTER 90'], "script": ["master"]}
    assert [each.node for each in measures.ownership(cluster.timeline, cluster.vip, since=struck)][
        :1
    ] == [backup.name]
