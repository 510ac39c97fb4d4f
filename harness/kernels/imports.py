"""The compiled code of modules, in one file, from the process that starts a guest to the
interpreter that runs there.

Nearly all that a run imports its caller has imported as well. In the guest the host's files cost
half a dozen system calls a module (facts: 2 to 60 ms), what is at a known place of one open file
costs one.
"""

from __future__ import annotations

import marshal
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType

from harness.kernels import wire

TYPE_CHECKING = False  # that of `typing` takes 15 ms to import
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType

_HEADER = 16  # of a .pyc: magic number, flags, the source's modification time and size (PEP 552)
_LENGTH = 8


def gather() -> bytes:
    """What :func:`install` takes: the code of all modules of this process that lie compiled beside
    their sources.
    """
    index, codes, at = {}, [], 0
    for name, module in [*sys.modules.items()]:
        spec = getattr(module, "__spec__", None)
        if spec is None or type(spec.loader) is not SourceFileLoader or spec.name != name:
            continue
        if (code := _compiled(spec)) is not None:
            index[name] = (spec.origin, spec.cached, spec.submodule_search_locations, at, len(code))
            codes.append(code)
            at += len(code)
    head = marshal.dumps(index)
    return b"".join([len(head).to_bytes(_LENGTH, "big"), head, *codes])


def _compiled(spec: ModuleSpec) -> bytes | None:
    """The code of a module, unless its source is newer or it has none that depends on the source's
    time.
    """
    if not spec.cached or not spec.origin:
        return None
    try:
        source = os.stat(spec.origin)
        with open(spec.cached, "rb") as file:
            data = file.read()
    except OSError:
        return None
    stamp = [int.from_bytes(data[at : at + 4], "little") for at in (4, 8, 12)]
    known = stamp == [0, int(source.st_mtime) & 0xFFFFFFFF, source.st_size & 0xFFFFFFFF]
    return data[_HEADER:] if known else None


def install(descriptor: int = wire.IMPORTS) -> None:
    """Import from an open file what is in it; whoever rewrites what is imported goes before, as
    always.
    """
    os.set_inheritable(descriptor, False)
    sys.meta_path.insert(sys.meta_path.index(PathFinder), _Finder(descriptor))


class _Finder:
    """A finder of importlib's, before that of ``sys.path``."""

    def __init__(self, descriptor: int) -> None:
        self._file = descriptor
        length = int.from_bytes(os.read(self._file, _LENGTH), "big")
        self._index: Mapping[str, tuple[str, str, list[str] | None, int, int]] = marshal.loads(
            os.read(self._file, length)
        )
        self._begin = _LENGTH + length

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if (known := self._index.get(name)) is None:
            return None
        origin, cached, locations, at, size = known
        loader = _Loader(name, origin, self._file, self._begin + at, size)
        spec = ModuleSpec(name, loader, origin=origin)
        spec.has_location = True
        spec.cached, spec.submodule_search_locations = cached, locations
        return spec


class _Loader(SourceFileLoader):
    """What a module is loaded with in any case, but for where its code comes from."""

    def __init__(self, name: str, origin: str, file: int, at: int, size: int) -> None:
        super().__init__(name, origin)
        self._where = file, size, at

    def get_code(self, fullname: str) -> CodeType | None:
        try:
            code = marshal.loads(os.pread(*self._where))
        except (OSError, EOFError, ValueError):  # a fork of the program has closed the file
            return super().get_code(fullname)
        return code if isinstance(code, CodeType) else super().get_code(fullname)
