"""Who is who in a derived cluster: real servers by name, and directors that are real servers as
well (pure).
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.check import selves
from harness.check.deriving.assuming import Assuming
from harness.check.deriving.wanted import Wanted
from harness.errors import HarnessError

ITSELF = "itself"
"""``--set lb1=web1``: a director and a real server are one machine; by default each is a
machine of its own.
"""


class Identities:
    """``names`` are the real servers' by their addresses, ``said`` the addresses of the real
    servers that directors are as the user says, ``selves`` those that they are for any reason.
    """

    def __init__(
        self, wanted: Wanted, assuming: Assuming, likely_selves: Mapping[str, str]
    ) -> None:
        self._wanted = wanted
        self._assuming = assuming
        self.selves = dict(likely_selves)
        self.names = self._names_of_servers()
        self.said = self._said_to_be_servers()
        self.selves |= self.said

    def is_director(self, address: str) -> bool:
        """Whether a real server's address is that of a director."""
        if selves.is_loopback(address) or address in self.selves.values():
            return True
        own = {one.source for one in self._wanted.instances()}
        own |= {
            value
            for key, value in self._assuming.given.items()
            if "." in key and key.partition(".")[0] in self._wanted.readings
        }
        return address in own

    def _names_of_servers(self) -> dict[str, str]:
        """What each real or sorry server is called, by its address, but for those that are
        directors for sure.
        """
        services = list(self._wanted.services())
        addresses = []
        for service in services:
            addresses += [server.address for server in service.real_servers]
        for service in services:
            if service.sorry_server:
                addresses.append(service.sorry_server.address)
        others = [address for address in dict.fromkeys(addresses) if not self.is_director(address)]
        return {address: f"web{number}" for number, address in enumerate(others, start=1)}

    def _said_to_be_servers(self) -> dict[str, str]:
        """By director the address of the real server that it is as well, where the user says so."""
        found: dict[str, str] = {}
        for director in self._wanted.readings:
            if (said := self._assuming.said(director, ITSELF)) == ITSELF:
                continue
            address = next(
                (each for each, name in self.names.items() if said in (name, each)), None
            )
            if address is None:
                known = ", ".join(f"{name} ({each})" for each, name in self.names.items()) or "none"
                raise HarnessError(
                    f"--set {director}={said}: there is no such real server: {known}; or"
                    f" {ITSELF}: {director} is a"
                    " machine of its own"
                )
            if address in found.values():
                raise HarnessError(
                    f"--set {director}={said}: another director is that machine already"
                )
            found[director] = address
        return found
