"""Images from an OCI layout on disk (image-spec: image-layout.md), unpacked by umoci."""

from __future__ import annotations

import hashlib
import platform
import shutil
from pathlib import Path
from typing import Any

from harness import received
from harness.errors import HarnessError
from harness.images import cache
from harness.kernels.making.steps import Steps

_TAG = "org.opencontainers.image.ref.name"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def split(name: str) -> tuple[Path, str] | None:
    """``FOLDER`` or ``FOLDER:TAG`` as a folder and a tag; None if that is no OCI layout.

    The tag is "" if none is given, which means the only one.
    """
    folder, _, tag = name.rpartition(":")
    for path, wanted in ((Path(name), ""), (Path(folder or name), tag)):
        if (path / "oci-layout").is_file() and (path / "index.json").is_file():
            return path, wanted
    return None


def make(folder: Path, tag: str, progress: cache.Progress) -> Path:
    """The folder of the unpacked root file system, from the cache or unpacked now.

    Raises HarnessError, which names what is wrong.
    """
    what = f"image {folder}"
    manifest = _manifest(folder, tag, what)
    if shutil.which("umoci") is None:
        raise HarnessError(
            f"{what}: umoci is missing; run `make images`, or: apt-get install umoci"
        )

    def fill(made: Path, work: Path, steps: Steps) -> None:
        steps.begin(f"unpack {folder}")
        image = f"{folder.absolute()}:{manifest['annotations'][_TAG]}"
        steps.run("umoci", "raw", "unpack", "--rootless", "--image", image, work / "root")
        made.rmdir()
        (work / "root").rename(made)

    return cache.make(key(manifest), what, fill, progress)


def find(folder: Path, tag: str) -> Path | None:
    """The folder of the unpacked root file system, if it is in the cache."""
    return cache.find(key(_manifest(folder, tag, f"image {folder}")))


def key(manifest: dict[str, Any]) -> str:
    """The key of an image in the cache: the digest of its content."""
    return f"oci-{hashlib.sha256(manifest['digest'].encode()).hexdigest()[:12]}"


def _manifest(folder: Path, tag: str, what: str) -> dict[str, Any]:
    """The descriptor of the image's manifest.

    Raises HarnessError if it is missing, or only there for other processors.
    """
    try:
        named = _named(received.parse(received.read(folder, "index.json"))["manifests"])
        if (chosen := named.get(tag) if tag else next(iter(named.values()), None)) is None or (
            not tag and len(named) > 1
        ):
            raise HarnessError(
                f"{what}: say which of its images:"
                f" {', '.join(f'{folder}:{name}' for name in named)}"
            )
        configuration = _blob(folder, _blob(folder, chosen)["config"])
    except OSError as problem:
        raise HarnessError(f"{what}: its OCI layout is damaged: {problem.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise HarnessError(
            f"{what}: its OCI layout is damaged: {type(problem).__name__}: {problem}"
        ) from None
    if configuration.get("architecture") != (
        own := _ARCHITECTURES.get(platform.machine(), platform.machine())
    ):
        raise HarnessError(
            f"{what} is of another architecture: {configuration.get('architecture')},"
            f" and this is {own}"
        )
    return chosen


def _named(manifests: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The descriptors that have a name, by that name. Damaged ones raise what their parts raise."""
    named = {
        entry["annotations"][_TAG]: entry
        for entry in manifests
        if _TAG in entry.get("annotations", {})
    }
    if not all(isinstance(name, str) and name.isprintable() for name in named):
        raise ValueError("the name of an image is no text that can be shown")
    return named


def _blob(folder: Path, descriptor: dict[str, Any]) -> dict[str, Any]:
    algorithm, _, digest = descriptor["digest"].partition(":")
    if not (algorithm.isalnum() and digest.isalnum()):
        raise ValueError(f"no digest: {descriptor['digest']}")
    blob = received.parse(received.read(folder, f"blobs/{algorithm}/{digest}"))
    if not isinstance(blob, dict):
        raise TypeError(f"{digest} is no object of JSON")
    return blob
