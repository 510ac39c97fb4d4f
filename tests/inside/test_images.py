"""Machines with root file systems of their own: each sees its image, and nobody can change it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.images.image import HOST, Image
from harness.lab.lab import Lab
from harness.lab.machine import Machine
from harness.lab.plan import Plan, make_topo, plan
from harness.lab.supervisor import Supervisor
from topologies.director_group import DirectorGroup

BUILT = "/etc/keepalived/keepalived.config-opts"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Its name is nothing for a mount option, and it lies in ``/tmp``, of which every machine
    has its own.
    """
    folder = tmp_path / "ro,ot:1"
    (folder / "usr/local").mkdir(parents=True)
    (folder / "usr/local/file").write_text("image's")
    (folder / "etc/keepalived").mkdir(parents=True)
    for file in (BUILT, "/etc/keepalived/keepalived.conf"):
        (folder / file[1:]).write_text("image's")
    return folder


@pytest.fixture
def lab(lvs_kernel: str, root: Path, tmp_path: Path) -> Iterator[Lab]:
    """Directors with an image and with this machine's files; a program is added to both. The
    client has the image.
    """
    (tmp_path / "added/run/sbin").mkdir(parents=True)
    (tmp_path / "added/run/sbin/keepalived").write_text("#!/bin/sh\necho added\n")
    (tmp_path / "added/run/sbin/keepalived").chmod(0o755)
    checked = plan(make_topo(DirectorGroup))
    images = (
        Image("it", str(root), str(tmp_path / "added")),
        replace(HOST, added=str(tmp_path / "added")),
        Image("it", str(root)),
    )
    hosts = tuple(
        replace(host, image=image) for host, image in zip(checked.hosts, images, strict=True)
    )
    supervisor = Supervisor.start()
    built = Lab(Plan(checked.lans, hosts), supervisor)
    try:
        built.wire_lans()
        built.power_on(hosts)
        yield built
        built.close()
    finally:
        supervisor.stop()


def text(machine: Machine, file: str) -> str | None:
    try:
        return machine.read(file)
    except FileNotFoundError:
        return None


def test_a_machine_has_its_image_and_nothing_of_this_machine(lab: Lab) -> None:
    imaged, hosted, _ = lab.machines.values()
    assert text(imaged, "/usr/local/file") == "image's"
    assert text(hosted, "/usr/local/file") is None
    assert text(imaged, "/usr/bin/env") is None
    assert text(hosted, "/usr/bin/env") is not None
    assert text(imaged, "/proc/1/comm") is not None
    assert text(imaged, "/etc/hostname") == "director1\n"


def test_what_a_machine_writes_reaches_neither_the_image_nor_another(lab: Lab, root: Path) -> None:
    writer, _, reader = lab.machines.values()
    writer.write("/usr/local/file", "changed")
    assert text(writer, "/usr/local/file") == "changed"
    assert text(reader, "/usr/local/file") == "image's"
    assert (root / "usr/local/file").read_text() == "image's"


def test_what_is_added_is_found_first_and_with_its_permissions(lab: Lab) -> None:
    imaged, hosted, plain = lab.machines.values()
    reader, writer = os.pipe()
    process = hosted.spawn(["keepalived"], writer, writer, writer)
    os.close(writer)
    with open(reader) as output:
        assert output.read() == "added\n"
    while process.status is None:
        hosted.read_note()
    assert process.status == 0
    assert text(imaged, "/run/sbin/keepalived") == "#!/bin/sh\necho added\n"
    assert text(plain, "/run/sbin/keepalived") is None


def test_of_keepalived_only_what_it_was_built_with_is_left(lab: Lab) -> None:
    imaged, *_ = lab.machines.values()
    assert text(imaged, BUILT) == "image's"
    assert text(imaged, "/etc/keepalived/keepalived.conf") is None
