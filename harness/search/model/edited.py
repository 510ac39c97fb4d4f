"""What an edited keepalived.conf says, read from its text as far as invariants need it (pure).

It is the text that the harness itself has written, with one of the edits of
:mod:`harness.search.edits`: a block or a line less, or another number. The user's own files are not
read here, but by keepalived (:mod:`harness.check.reading`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from harness.search.edits import edits_of
from harness.search.observed import Act
from harness.search.setting import DirectorSetting
from harness.topology.services import endpoint


@dataclass
class Block:
    """A block, or the whole file: its head, the words of its own lines, and the blocks in it."""

    head: list[str]
    lines: list[list[str]] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)

    def within(self, name: str) -> Iterator[Block]:
        """The blocks of a name directly in it."""
        return (each for each in self.blocks if each.head[0] == name)

    def value(self, name: str) -> str | None:
        """What follows a word at the beginning of one of its lines."""
        return next((line[1] for line in self.lines if line[0] == name and len(line) > 1), None)


@dataclass(frozen=True)
class Configured:
    """What a director is to have: the weights of real servers by table and address, the sorry
    servers of each table, the VIPs of each instance, and which instances have them on an interface
    with the virtual hardware address (``use_vmac``). ``inhibited`` has the real servers of each
    table that stay there with weight 0 while they fail, ``checked`` how each is checked.
    """

    tables: Mapping[str, Mapping[str, int]]
    sorry: Mapping[str, tuple[str, ...]]
    vips: Mapping[str, frozenset[str]]
    vmac: frozenset[str] = frozenset()
    inhibited: Mapping[str, frozenset[str]] = field(default_factory=dict)
    checked: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


def parsed(text: str) -> Block:
    """The blocks of a keepalived.conf whose braces end lines or stand alone. Raises ValueError for
    another one.
    """
    stack = [Block([])]
    for line in text.splitlines():
        words = line.split()
        if not words or words[0].startswith(("#", "!")):
            continue
        if words == ["}"]:
            done = stack.pop()
            if not stack:
                raise ValueError("a brace too many")
            stack[-1].blocks.append(done)
        elif words[-1] == "{":
            stack.append(Block(words[:-1]))
        elif "{" in words or "}" in words:
            raise ValueError(f"a brace within a line: {line.strip()}")
        else:
            stack[-1].lines.append(words)
    if len(stack) != 1:
        raise ValueError("a brace is missing")
    return stack[0]


def configured(text: str) -> Configured:
    """What a generated keepalived.conf says. Raises ValueError for one that is written
    otherwise.
    """
    whole = parsed(text)
    groups = {block.head[1]: block.lines for block in whole.within("virtual_server_group")}
    tables: dict[str, dict[str, int]] = {}
    sorry: dict[str, tuple[str, ...]] = {}
    inhibited: dict[str, frozenset[str]] = {}
    checked: dict[str, Mapping[str, object]] = {}
    for block in whole.within("virtual_server"):
        servers = {
            each.head[1]: int(each.value("weight") or 1) for each in block.within("real_server")
        }
        if not servers:  # keepalived ignores it (``check_data.c``, ``validate_check_config``)
            continue
        apology = block.value("sorry_server")
        for name in _names(block, groups):
            tables[name] = servers
            sorry[name] = (apology,) if apology else ()
            inhibited[name] = _inhibited(block)
            checked[name] = {
                each.head[1]: (block.value("delay_loop"), each.blocks)
                for each in block.within("real_server")
            }
    instances = list(whole.within("vrrp_instance"))
    vmac = {each.head[1] for each in instances if any(line[0] == "use_vmac" for line in each.lines)}
    vips = {each.head[1]: _vips(each) for each in instances}
    return Configured(tables, sorry, vips, frozenset(vmac), inhibited, checked)


def _inhibited(service: Block) -> frozenset[str]:
    """The real servers of which ``inhibit_on_failure`` is said, or of all of them."""
    word = ["inhibit_on_failure"]
    return frozenset(
        each.head[1]
        for each in service.within("real_server")
        if word in (*service.lines, *each.lines)
    )


def _names(block: Block, groups: Mapping[str, list[list[str]]]) -> list[str]:
    """What the IPVS table calls a virtual server."""
    _, first, second = block.head
    if first == "fwmark":
        return [f"FWM {second}"]
    protocol = block.value("protocol") or "TCP"
    members = groups[second] if first == "group" else [[first, second]]
    return [f"{protocol} {endpoint(address, int(port))}" for address, port, *_ in members]


def _vips(instance: Block) -> frozenset[str]:
    blocks = (*instance.within("virtual_ipaddress"), *instance.within("virtual_ipaddress_excluded"))
    return frozenset(line[0].partition("/")[0] for block in blocks for line in block.lines)


def edited(director: DirectorSetting, act: Act) -> Configured | None:
    """What a director is to have while a deed has edited its configuration; None if that cannot be
    told.
    """
    name = act.parameters.get("edit")
    for edit in edits_of(director.config):
        if edit.name == name:
            try:
                return configured(director.config.replace(edit.old, edit.new))
            except (ValueError, KeyError, IndexError):
                return None
    return None
