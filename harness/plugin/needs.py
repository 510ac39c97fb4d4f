"""What a scenario needs that not every machine has: it is skipped by name and version, never
passed in silence.
"""

from __future__ import annotations

from collections.abc import Collection

import pytest
from packaging.specifiers import SpecifierSet

from harness.errors import HarnessError
from harness.images.image import HOST, Image
from harness.keepalived import version
from harness.kernels import choice
from harness.lab.features import lacks as kernel_lacks
from harness.plugin.specs import images_with, versions_of


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers."""
    config.addinivalue_line(
        "markers",
        "needs(feature, keepalived=VERSION, program=NAME, kernel=CONFIG_OPTION, clock='real'):"
        " the scenario is"
        " skipped where keepalived is older, the machines that want the program have not got it,"
        " the kernel was built"
        " without the option, or time is virtual",
    )
    config.addinivalue_line(
        "markers",
        'known_defect(reference, what, present="<2.3"): the scenario asserts exactly how'
        " keepalived or the kernel misbehaves, and is skipped for versions that do not"
        " (default: all do)",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what this machine, or an old director, cannot do."""
    for marker in item.iter_markers("needs"):
        oldest = min(versions_of(item)) if "keepalived" in marker.kwargs else None
        images = (
            images_with(item, marker.kwargs["program"]) if "program" in marker.kwargs else set()
        )
        if (
            lacking := lacks(
                item.nodeid, *marker.args, oldest=oldest, images=images, **marker.kwargs
            )
        ) is not None:
            pytest.skip(lacking)
    for marker in item.iter_markers("known_defect"):
        present = SpecifierSet(marker.kwargs.get("present", ""))
        if present and (
            without := sorted(each for each in versions_of(item) if each not in present)
        ):
            pytest.skip(
                f"keepalived {', '.join(map(str, without))} has no such defect:"
                f" {': '.join(marker.args)}"
            )


def lacks(
    scenario: str,
    *features: str,
    oldest: version.Version | None = None,
    images: Collection[Image] = (HOST,),
    **wanted: str,
) -> str | None:
    """What is missing for a feature, in words; None if nothing. HarnessError if the mark is wrong.

    ``oldest`` is the oldest keepalived of the scenario's directors, ``images`` are those of the
    machines that are to have the program.
    """
    if (
        len(features) != 1
        or not wanted
        or wanted.keys() - {"keepalived", "program", "kernel", "clock"}
    ):
        raise HarnessError(
            f'{scenario}: say pytest.mark.needs("a feature", keepalived="2.2.8"),'
            f' program="a program\'s name" or kernel="CONFIG_NF_TABLES_IPV4" or clock="real"'
        )
    (feature,) = features
    since = wanted.get("keepalived")
    if since is not None and oldest is not None and version.parse(since) > oldest:
        return f"keepalived {oldest} lacks {feature} (since {since})"
    program = wanted.get("program")
    for image in images if program is not None else ():
        if program is not None and image.program(program) is None:
            where = "is not installed" if image.is_host else f"is not in the image {image.name}"
            return f"{feature}: the program {program} {where}"
    option = wanted.get("kernel")
    if option is not None and (missing := kernel_lacks(option)) is not None:
        return f"{feature}: {missing}"
    if (clock := wanted.get("clock")) is not None:
        if clock != "real":
            raise HarnessError(f'{scenario}: clock={clock!r}: a scenario can need clock="real"')
        if choice.virtual():
            return f"{feature}: it needs real time, and here time is virtual: --clock real"
    return None
