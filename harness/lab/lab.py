"""A plan made real: the supervisor makes the namespaces, netlink the links and addresses."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable

from harness.errors import HarnessError
from harness.lab import cuts, entering, impairment, offload
from harness.lab.cuts import Cut
from harness.lab.impairment import Impairment
from harness.lab.machine import Machine, Process
from harness.lab.netlink import Batch, wait_running
from harness.lab.plan import HostPlan, InterfacePlan, Plan
from harness.lab.supervisor import Supervisor

LOOPBACK = 1  # the index of lo in every network namespace
_FIRST_LAN = 2
_FIRST_WIRE = 1000
_AT_ONCE = 50  # wires, of which each has two ends


class Lab:
    """The network of one cluster.

    ``machines`` has them by name. Their wires end on bridges in the supervisor's own namespace.
    """

    def __init__(self, plan: Plan, supervisor: Supervisor) -> None:
        self.plan = plan
        self.machines: dict[str, Machine] = {}
        self._supervisor = supervisor
        self._bridges = {lan: _FIRST_LAN + number for number, lan in enumerate(plan.lans)}
        wires = [interface.wire for host in plan.hosts for interface in host.interfaces]
        self._wires = {wire: _FIRST_WIRE + number for number, wire in enumerate(wires)}
        self._cuts: dict[tuple[str, str, Cut], int] = {}

    @property
    def fabric(self) -> int:
        """The network namespace of bridges and wires, as a file descriptor."""
        return self._supervisor.fabric

    @property
    def wire_ends(self) -> dict[int, tuple[str, str]]:
        """The machine and the interface at the other end of each wire, by the wire's index."""
        return {
            self._wires[interface.wire]: (host.name, interface.name)
            for host in self.plan.hosts
            for interface in host.interfaces
        }

    def wire_lans(self) -> None:
        """Make the bridges. Observers of the wires can start after that and before any machine."""
        batch = Batch()
        for number, lan in enumerate(self.plan.lans):
            batch.bridge(lan, f"02:ff:00:00:00:{number:02x}")
        with entering.inside_netns(self.fabric):
            batch.send("LANs")
            self._bridges = {lan: socket.if_nametoindex(lan) for lan in self.plan.lans}

    def power_on(
        self, hosts: Iterable[HostPlan], watch: Callable[[Machine], None] = lambda machine: None
    ) -> None:
        """Start machines together: the pid 1 of each, then its wires and addresses. No daemon runs
        yet.

        ``watch`` is called for each machine before it has a wire, so that observers miss nothing.
        """
        machines = Machine.make(list(hosts), self.plan.etc_hosts, self._supervisor)
        try:
            for machine in machines:
                machine.wait_ready()
                self.machines[machine.name] = machine
                watch(machine)
        except BaseException:
            for machine in machines:
                if self.machines.get(machine.name) is not machine:
                    machine.let_go()
            raise
        batch = Batch()
        for machine in machines:
            for interface in machine.plan.interfaces:
                self._add_wire(batch, machine, interface)
        with entering.inside_netns(self.fabric):
            batch.send("wires")
        self._cut_again({machine.name for machine in machines})
        for machine in machines:
            self._configure(machine)

    def wait_wired(self) -> None:
        """Wait until the wires of a large cluster carry frames. Those of a small one do at once."""
        if len(self._wires) > _AT_ONCE:
            with entering.inside_netns(self.fabric):
                wait_running(set(self._wires.values()))

    def _add_wire(self, batch: Batch, machine: Machine, interface: InterfacePlan) -> None:
        batch.wire(
            self._wires[interface.wire], interface.wire, self._bridges[interface.lan],
            machine.netns, interface.name, interface.mac,
        )  # fmt: skip

    def _configure(self, machine: Machine) -> None:
        batch = Batch()
        batch.set_link(LOOPBACK, True, "lo")
        with machine.inside():
            for interface in machine.plan.interfaces:
                self._set_up(batch, interface)
            if (
                not machine.plan.role.links
            ):  # else the gateways are behind devices that are yet to be made
                for gateway in machine.plan.default_routes:
                    batch.default_route(gateway)
            batch.send(machine.name)

    def _set_up(self, batch: Batch, interface: InterfacePlan) -> None:
        """Set a new interface up and give it its addresses.

        Addresses that one of the machine's devices takes over are left out.
        """
        index = socket.if_nametoindex(interface.name)
        offload.switch_off(interface.name)
        batch.set_link(index, True, interface.name)
        if interface.held_by is None:
            for address in interface.addresses:
                batch.address(index, str(address.ip), address.network.prefixlen)

    def wire_again(self, machine: str, name: str) -> None:
        """Make a wired interface that was deleted again, with the other end of its wire."""
        held = self.machines[machine]
        interface = held.plan.interface(name)
        batch = Batch()
        batch.delete_link(
            self._wires[interface.wire], interface.wire
        )  # where an end of the other name is left
        self._add_wire(batch, held, interface)
        with entering.inside_netns(self.fabric):
            batch.send("wires")
        self._cut_again({machine})
        batch = Batch()
        with held.inside():
            self._set_up(batch, interface)
            batch.send(machine)

    def unplug(self, machine: str, interface: str | None = None) -> None:
        """Pull one cable, or all of a machine's.

        The machine loses its carrier, and the switch forwards nothing to it.
        """
        self._set_wires(machine, interface, up=False)

    def plug(self, machine: str, interface: str | None = None) -> None:
        """Put one cable back, or all of a machine's."""
        self._set_wires(machine, interface, up=True)

    def block(self, machine: str, blocked: bool) -> None:
        """Let the switch drop all that goes to or comes from a machine, or forward it again."""
        batch = Batch()
        for interface in self.machines[machine].plan.interfaces:
            batch.set_port_state(self._wires[interface.wire], not blocked, interface.wire)
        with entering.inside_netns(self.fabric):
            batch.send(machine)

    def _set_wires(self, machine: str, name: str | None, up: bool) -> None:
        plan = self.machines[machine].plan
        batch = Batch()
        for interface in plan.interfaces if name is None else (plan.interface(name),):
            batch.set_link(self._wires[interface.wire], up, interface.wire)
        with entering.inside_netns(self.fabric):
            batch.send(machine)

    def impair(self, machine: str, impaired: Impairment | None, *, arriving: bool) -> None:
        """Impair all frames that arrive at a machine, or all that leave it; None ends that.

        Raises HarnessError if they are impaired already.
        """
        held = self.machines[machine]
        if not arriving and not held.powered:
            return  # what impaired it is gone with its interfaces
        batch = Batch()
        with entering.inside_netns(self.fabric if arriving else held.netns):
            for interface in held.plan.interfaces:
                index = (
                    self._wires[interface.wire]
                    if arriving
                    else socket.if_nametoindex(interface.name)
                )
                if impaired is None:
                    impairment.mend(batch, index, interface.wire)
                else:
                    impairment.impair(batch, index, impaired, interface.wire)
            batch.send(machine)

    def cut(self, sender: str, receiver: str, what: Cut) -> None:
        """Let the switches drop what ``sender`` sends to ``receiver``, until :meth:`mend_cut`.

        It stays cut when the power goes off and on. Raises HarnessError if the two share no LAN, or
        if it is cut already.
        """
        key = (sender, receiver, what)
        if key in self._cuts:
            raise HarnessError(
                f"{sender} and {receiver} are cut apart like that already; heal that fault first"
            )
        if off := [name for name in (sender, receiver) if not self.machines[name].powered]:
            raise HarnessError(f"{off[0]} is powered off: there is no wire to cut")
        wires = self.shared_wires(sender, receiver)
        number = next(
            free for free in range(len(self._cuts) + 1) if free not in self._cuts.values()
        )
        batch = Batch()
        for leaves, arrives in wires:
            cuts.cut(batch, self._wires[arrives], arrives, leaves, what, number)
        with entering.inside_netns(self.fabric):
            batch.send(receiver)
        self._cuts[key] = number

    def mend_cut(self, sender: str, receiver: str, what: Cut) -> None:
        """Undo :meth:`cut`."""
        number = self._cuts.pop((sender, receiver, what))
        batch = Batch()
        for _, wire in self.shared_wires(sender, receiver):
            cuts.mend(batch, self._wires[wire], wire, what, number)
        with entering.inside_netns(self.fabric):
            batch.send(receiver)

    def _cut_again(self, names: set[str]) -> None:
        """Cut the new wires of machines that have just been switched on, as the old ones were."""
        for sender, receiver, what in list(self._cuts):
            both_powered = self.machines[sender].powered and self.machines[receiver].powered
            if names & {sender, receiver} and both_powered:
                self.mend_cut(sender, receiver, what)
                self.cut(sender, receiver, what)

    def shared_wires(self, one: str, other: str) -> list[tuple[str, str]]:
        """The wires of two machines on each LAN that both are on.

        Raises HarnessError if there is none.
        """
        first, second = (self.machines[name].plan.interfaces for name in (one, other))
        found = [
            (mine.wire, theirs.wire)
            for mine in first
            for theirs in second
            if mine.lan == theirs.lan
        ]
        if one == other or not found:
            raise HarnessError(
                f"{one} and {other} share no LAN: cut each from what lies between them"
            )
        return found

    def power_off(self, machine: str) -> list[Process]:
        """Cut the power: nothing more leaves the machine, and its processes die without noticing.

        Returns the programs that died.
        """
        self.block(machine, True)
        died = self.machines[machine].power_off()
        batch = Batch()
        for interface in self.machines[machine].plan.interfaces:
            batch.delete_link(self._wires[interface.wire], interface.wire)
        with entering.inside_netns(self.fabric):
            batch.send(machine)
        return died

    def close(self) -> None:
        """Remove all machines and LANs of this cluster."""
        for name, machine in self.machines.items():
            if machine.powered:
                self.power_off(name)
        batch = Batch()
        for lan, index in self._bridges.items():
            batch.delete_link(index, lan)
        with entering.inside_netns(self.fabric):
            batch.send("LANs")
