"""Which node has which image, by ``--image``, ``--keepalived`` and ``--matrix keepalived=``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.errors import HarnessError
from harness.images import cache, oci, program, release
from harness.images.image import HOST, Image

ROLES = ("director", "realserver", "client")
_ASSIGNED = re.compile(r"(?:(?P<whose>[A-Za-z0-9-]+)=)?(?P<name>.+)")


@dataclass(frozen=True)
class Selection:
    """Names of images and of keepaliveds, each for a node, for a role, or for all ("").

    ``rotation`` are images that the directors have in turn instead. They may also be keepaliveds,
    which are then laid over the image that the director has otherwise.
    """

    images: Mapping[str, str] = field(default_factory=dict)
    keepaliveds: Mapping[str, str] = field(default_factory=dict)
    rotation: tuple[str, ...] = ()

    @classmethod
    def of(cls, images: Iterable[str], keepaliveds: Iterable[str]) -> Selection:
        """The selection that the values of the options describe: ``NAME``, ``ROLE=NAME``,
        ``NODE=NAME``.

        Raises HarnessError for a contradiction, and for a keepalived that is none.
        """
        chosen = cls(_assigned("--image", images), _assigned("--keepalived", keepaliveds))
        for name in chosen.keepaliveds.values():
            if not program.is_one(name) and not Path(name).is_dir():
                raise HarnessError(
                    f"--keepalived {name}: give a program, the folder of its source, or"
                    " CHECKOUT@COMMIT"
                )
        return chosen

    def with_directors(self, names: Sequence[str]) -> Selection:
        """The same selection, with these images for the directors in turn."""
        return replace(self, rotation=tuple(names))

    @property
    def whose(self) -> set[str]:
        """The nodes and roles that it names."""
        return {*self.images, *self.keepaliveds} - {""}

    def image_of(self, node: str, role: str, number: int) -> Image:
        """The image of a node. ``number`` counts the nodes of its role, from 0.

        Raises HarnessError if the image has not been made (:meth:`make`), or cannot be used.
        """
        base, own = _pick(self.images, node, role), _pick(self.keepaliveds, node, role)
        if role == "director" and self.rotation:
            chosen = self.rotation[number % len(self.rotation)]
            base, own = (base, chosen) if program.is_one(chosen) else (chosen, own)
        image = HOST if base in (None, "host") else find(base)
        if own is None or (role != "director" and node not in self.keepaliveds):
            return image
        return replace(image, name=f"{own} on {image.name}", added=str(program.find(own)))

    @property
    def names(self) -> list[str]:
        """Every image and every keepalived once."""
        return list(
            dict.fromkeys([*self.images.values(), *self.keepaliveds.values(), *self.rotation])
        )


def _assigned(option: str, values: Iterable[str]) -> dict[str, str]:
    assigned: dict[str, str] = {}
    for value in values:
        found = _ASSIGNED.fullmatch(value)
        if found is None:
            raise HarnessError(
                f"{option} {value!r}: give a name or a path, or ROLE=NAME, or NODE=NAME"
            )
        whose = found["whose"] or ""
        if assigned.setdefault(whose, found["name"]) != found["name"]:
            raise HarnessError(
                f"{option}: {whose or 'everything'} is to be both {assigned[whose]} and"
                f" {found['name']}"
            )
    return assigned


def _pick(names: Mapping[str, str], node: str, role: str) -> str | None:
    return names.get(node) or names.get(role) or names.get("")


def find(name: str) -> Image:
    """The image of this name. Raises HarnessError if it has not been made, or is no image."""
    if release.is_with_packages(name) and not Path(name).is_dir():
        root = cache.find(release.key(name))
    elif (layout := oci.split(name)) is not None:
        root = oci.find(*layout)
    elif Path(name).is_dir():
        root = Path(name).absolute()
    else:
        known = ", ".join(release.RELEASES)
        raise HarnessError(
            f"{name} is neither a release ({known}, ...) nor a folder: give the path of"
            " a root or of OCI"
        )
    if root is None:
        raise HarnessError(
            f"the image {name} has not been made yet; make it: lvs-harness image make {name}"
        )
    return Image(name, str(root)).check()


def make(name: str, progress: cache.Progress) -> None:
    """Make an image or build a keepalived, unless it is in the cache. Raises HarnessError."""
    if name == "host":
        return
    if program.is_one(name):
        program.make(name, progress)
    elif release.is_with_packages(name) and not Path(name).is_dir():
        release.make(name, progress)
    elif (layout := oci.split(name)) is not None:
        oci.make(*layout, progress)
    else:
        find(name)


def versions(names: Iterable[str]) -> dict[str, str]:
    """The version of keepalived in each of these images and keepaliveds.

    All of them have been made before. It is ``none`` where there is no keepalived.
    """
    found = {}
    for name in names:
        if name != "host":
            image = (
                replace(HOST, added=str(program.find(name))) if program.is_one(name) else find(name)
            )
            try:
                found[name] = str(image.keepalived)
            except HarnessError:
                found[name] = "none"
    return found
