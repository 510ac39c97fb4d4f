"""A backup only receives connections from IPVS's sync daemon, also if it was master when it was
killed.
"""

import pytest

from harness.cluster import Cluster
from harness.events import AddressChanged, StateChanged
from harness.faults import KillKeepalived
from harness.scenario import fresh_topology
from topologies.director_pair import DirectorPair

STAYS = (("state BACKUP", "state BACKUP\n    nopreempt"),)


@pytest.mark.regression(
    "found by search",
    "a master that is killed and comes back as a backup goes on sending its connections",
    present="",
    caught="sends nothing",
)
@fresh_topology(DirectorPair, sync_daemon=True, edits={"director1": STAYS, "director2": STAYS})
def test_a_master_that_was_killed_sends_no_connections_as_a_backup(cluster: Cluster) -> None:
    """Where ``lvs_sync_daemon`` names an instance, a start of keepalived starts the kernel's daemon
    for backups (``vrrp_scheduler.c``, ``vrrp_init_state``), and stops none that is there already.
    It does where no instance is named: "if we terminated abnormally" (``check_daemon.c``,
    ``start_check``).
    """
    master, backup = cluster.settle()

    with cluster.suffering(KillKeepalived(master)) as struck:
        backup.does(AddressChanged, since=struck, action="added", address=cluster.vip)
    master.does(StateChanged, since=struck, state="BACKUP")
    cluster.timeline.let_pass(1.0)

    daemons = master.machine.run(["ipvsadm", "--list", "--daemon"]).stdout
    assert "backup sync daemon" in daemons
    assert "master sync daemon" not in daemons  # label: sends nothing
