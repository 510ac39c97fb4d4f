"""Puts the kernel that :mod:`harness.kernels.making.cache` finds into its wheel.

With it go what its licence asks for: the patch, the configuration, and the name of the source.
"""

from __future__ import annotations

import platform
import re
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

from harness.kernels.making import cache

_PACKAGE = "lvs_harness_kernel"
_GLIBC = re.compile(rb"\0GLIBC_(\d+)\.(\d+)")


class BuiltKernel(BuildHookInterface[BuilderConfig]):
    """Hatchling's hook: it is called once before the wheel is written."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files and the platform tag. SystemExit says what is missing."""
        if platform.machine() != "x86_64":
            raise SystemExit(
                f"a kernel's wheel is made on x86-64, and this is {platform.machine()}"
            )
        kernel = cache.find()
        if kernel is None:
            raise SystemExit("there is no kernel to make a wheel of yet; build it: make kernel")
        self._notes = tempfile.TemporaryDirectory()
        source = Path(self._notes.name, "SOURCE")
        source.write_text(source_of(kernel.version), encoding="utf-8")
        folder = kernel.path.parent
        target = f"{_PACKAGE}/kernels/{folder.name}"
        build_data["force_include"].update(
            {str(folder / name): f"{target}/{name}" for name in cache.FILES}
        )
        for file in (cache.PATCH, cache.CONFIGURATION, source):
            build_data["force_include"][str(file)] = f"{_PACKAGE}/{file.name}"
        build_data["pure_python"] = False
        build_data["tag"] = tag(kernel.path.read_bytes())


def tag(program: bytes) -> str:
    """The wheel's tag: any Python 3, and a C library that has the newest symbols the program
    needs.
    """
    major, minor = max((int(major), int(minor)) for major, minor in _GLIBC.findall(program))
    return f"py3-none-manylinux_{major}_{minor}_x86_64"


def source_of(version: str) -> str:
    """What SOURCE says."""
    return (
        f"Debian's source package linux, version {version},\n"
        f"with {cache.PATCH.name} applied and configured by {cache.CONFIGURATION.name}.\n"
    )
