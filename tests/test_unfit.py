"""A kernel that would die on this processor is refused in a sentence, before it is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.kernels import choice
from harness.kernels.host import uml


def kernel(release: str) -> uml.Kernel:
    return uml.Kernel(Path("/usr/bin/linux.uml"), release, None, False, False, False)


@pytest.mark.parametrize(
    ("release", "flags", "fit"),
    [
        ("6.1.176", ["fpu", "amx_tile"], False),
        ("6.12.113", ["amx_tile"], False),
        ("7.3.4", ["amx_tile"], True),
        ("6.1.176", ["fpu"], True),
        ("6.1.176", [], True),
    ],
)
def test_an_old_kernel_does_not_fit_a_processor_with_amx(
    release: str, flags: list[str], fit: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uml, "_processor_flags", lambda: flags)
    assert (uml.unfit(kernel(release)) is None) == fit


def test_it_is_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uml, "_processor_flags", lambda: ["amx_tile"])
    monkeypatch.setattr(choice, "_embedded", lambda *_: (kernel("6.1.176"), "packaged"))
    with pytest.raises(
        HarnessError,
        match=r"6\.1\.176 dies on a processor with AMX; build a newer one: make kernel",
    ):
        choice.choose("uml", "auto", 0)
