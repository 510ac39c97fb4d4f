"""Images without a network: names understood, choices made, layouts and folders judged, a cache
of whole things.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest

from harness import spec
from harness.daemons.daemon import PROGRAMS
from harness.errors import HarnessError
from harness.images import cache, image, oci, program, release, selection
from harness.images.image import HOST, Image
from harness.images.selection import Selection
from harness.kernels.making.steps import Steps

ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00"
HERE, ELSEWHERE = (62, 183) if platform.machine() == "x86_64" else (183, 62)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def keepalived(path: Path, version: str, machine: int = HERE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        ELF + machine.to_bytes(2, "little") + f"...Keepalived v{version} (01/02,2003)\0".encode()
    )
    return path


def root(folder: Path, version: str | None = "2.3.4", machine: int = HERE) -> Path:
    """A folder that looks like a root file system."""
    (folder / "usr/bin").mkdir(parents=True)
    (folder / "usr/bin/sh").write_bytes(ELF + machine.to_bytes(2, "little"))
    if version is not None:
        keepalived(folder / "usr/sbin/keepalived", version, machine)
    return folder


def test_all_that_machines_run_is_in_a_release_image() -> None:
    assert set(PROGRAMS.values()) <= set(release.PACKAGES)


def test_an_image_with_more_packages_is_another_image() -> None:
    assert release.parts("trixie+haproxy,iputils-ping") == ("trixie", ("haproxy", "iputils-ping"))
    assert release.is_with_packages("trixie+haproxy")
    assert not release.is_release("trixie+haproxy"), "what a bundle names is made without asking"
    keys = {
        release.key(name)
        for name in ("trixie", "trixie+haproxy", "trixie+nginx", "bookworm+haproxy")
    }
    assert len(keys) == 4
    assert "--include=" + ",".join([*release.PACKAGES, "haproxy"]) in release._arguments(
        Path("options"), "trixie", ("haproxy",)
    )
    with pytest.raises(HarnessError, match="image trixie\\+a b: 'a b' is no name of a package"):
        selection.find("trixie+a b")


def test_a_release_that_is_not_merged_by_its_packages_is_merged() -> None:
    merging = "--setup-hook=/usr/share/mmdebstrap/hooks/merged-usr/setup00.sh"
    assert merging in release._arguments(Path("options"), "bullseye")
    assert merging not in release._arguments(Path("options"), "bookworm")


def test_the_version_is_read_without_running_anything(tmp_path: Path) -> None:
    found = selection.find(str(root(tmp_path / "root", "2.2.8")))
    assert str(found.keepalived) == "2.2.8"
    assert not found.is_host


def test_a_program_that_a_machine_has_hidden_is_not_there() -> None:
    there = shutil.which("true")
    assert there is not None
    hidden = Path(tempfile.mkdtemp(dir="/tmp")) / "true"
    shutil.copy(there, hidden)

    try:
        assert HOST.program(there) is not None
        assert HOST.program(str(hidden)) is None
    finally:
        shutil.rmtree(hidden.parent)


def test_a_program_is_found_through_links_that_stay_in_the_image(tmp_path: Path) -> None:
    folder = root(tmp_path / "root", None)
    keepalived(folder / "opt/built/keepalived", "2.3.1")
    (folder / "usr/sbin").mkdir()
    (folder / "usr/sbin/keepalived").symlink_to("/opt/built/keepalived")
    (folder / "sbin").symlink_to("usr/sbin")
    assert str(Image("it", str(folder)).keepalived) == "2.3.1"
    (folder / "usr/bin/other").symlink_to("../../../../etc/hostname")
    assert image.inside(str(folder), "usr/bin/other") is None


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("no-such-release", "neither a release .* nor a folder"),
        ("bullseye", "has not been made yet; make it: lvs-harness image make bullseye"),
        ("empty", "is no root file system: it has no program sh"),
        ("foreign", "is of another architecture"),
    ],
)
def test_an_image_that_cannot_be_used_is_refused(tmp_path: Path, name: str, told: str) -> None:
    (tmp_path / "empty").mkdir()
    root(tmp_path / "foreign", machine=ELSEWHERE)
    given = str(tmp_path / name) if (tmp_path / name).exists() else name
    with pytest.raises(HarnessError, match=told):
        selection.find(given)


def test_an_image_without_keepalived_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        HarnessError, match=r"bare has no keepalived; install it there, or take another image"
    ):
        _ = Image("bare", str(root(tmp_path / "bare", None))).keepalived


def test_node_goes_before_role_and_role_before_all(tmp_path: Path) -> None:
    a, b, c = (str(root(tmp_path / name)) for name in "abc")
    chosen = Selection.of([a, f"director={b}", f"director2={c}"], [])
    names = [
        chosen.image_of(node, role, 0).name
        for node, role in (
            ("director1", "director"),
            ("director2", "director"),
            ("web1", "realserver"),
        )
    ]
    assert names == [b, c, a]
    assert chosen.whose == {"director", "director2"}
    assert Selection().image_of("web1", "realserver", 0) is HOST


def test_the_directors_of_a_mixed_cluster_take_turns(tmp_path: Path) -> None:
    old, new = str(root(tmp_path / "old", "2.1.5")), str(root(tmp_path / "new", "2.3.4"))
    mixed = Selection.of([], []).with_directors([old, new])
    assert [str(mixed.image_of("d", "director", n).keepalived) for n in range(3)] == [
        "2.1.5",
        "2.3.4",
        "2.1.5",
    ]
    assert mixed.image_of("web1", "realserver", 0) is HOST


def test_a_keepalived_of_ones_own_lies_over_the_image(tmp_path: Path) -> None:
    base = str(root(tmp_path / "base", "2.1.5"))
    own = str(keepalived(tmp_path / "source/bin/keepalived", "2.3.9"))
    chosen = Selection.of([base], [own])
    with pytest.raises(HarnessError, match="has not been built yet"):
        chosen.image_of("director1", "director", 0)
    assert chosen.names == [base, own]
    selection.make(own, lambda line: None)
    assert selection.versions(chosen.names) == {base: "2.1.5", own: "2.3.9"}
    layered = chosen.image_of("director1", "director", 0)
    assert str(layered.keepalived) == "2.3.9"
    assert layered.root == base
    assert chosen.image_of("web1", "realserver", 0) == Image(base, base)
    assert program.make(str(tmp_path / "source"), print) == program.find(own), (
        "the same program is the same layer"
    )


@pytest.mark.parametrize("name", ["nowhere", "/nowhere@v2.2.7"])
def test_a_keepalived_that_is_not_there_is_told(name: str) -> None:
    with pytest.raises(
        HarnessError, match=f"--keepalived {name}: give a program, the folder of its source, or"
    ):
        Selection.of([], [name])


def test_an_ubuntu_release_without_its_keyring_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "UBUNTU_KEYRING", tmp_path / "ubuntu-archive-keyring.gpg")
    monkeypatch.setattr("shutil.which", lambda tool: f"/usr/bin/{tool}")
    monkeypatch.setattr(release, "_distribution", {"noble": "ubuntu"}.get)
    told = (
        r"image noble: .*/ubuntu-archive-keyring.gpg is missing; apt-get install"
        r" ubuntu-archive-keyring, or,"
    )
    with pytest.raises(HarnessError, match=told):
        selection.make("noble", lambda line: None)


@pytest.mark.parametrize(
    ("values", "told"),
    [(["a=x", "a=y"], "a is to be both x and y"), ([""], "give a name or a path")],
)
def test_contradictions_are_refused(values: list[str], told: str) -> None:
    with pytest.raises(HarnessError, match=told):
        Selection.of(values, [])


def test_a_program_that_is_no_keepalived_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="is no keepalived"):
        program.make("/bin/true", print)
    with pytest.raises(HarnessError, match="is of another architecture"):
        program.make(str(keepalived(tmp_path / "keepalived", "2.3.9", ELSEWHERE)), print)
    (tmp_path / "empty").mkdir()
    with pytest.raises(HarnessError, match="has no built keepalived; run"):
        program.make(str(tmp_path / "empty"), print)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "E: Unable to locate package haproxxy\n",
            "trixie has no package haproxxy; take another release, or a folder",
        ),
        (
            "Package teamd is not available, but is referred to by another package.\n"
            "E: Package 'teamd' has no installation candidate\n",
            "trixie has no package teamd; take another release, or a folder",
        ),
        (
            "E: The repository 'http://archive.test/debian trixie Release' does not have a"
            " Release file.\n",
            "the archives of this machine's apt have no release trixie; take another",
        ),
        (
            "E: Failed to fetch http://archive.test/a.deb  Connection reset [IP: 192.0.2.1 80]\n",
            "nothing is kept of it: http://archive.test/a.deb: Connection reset; try again",
        ),
        (
            "newuidmap: write to uid_map failed\n",
            "mmdebstrap needs root, or else the package uidmap and an entry in /etc/subuid",
        ),
        ("something else\n", "mmdebstrap ended with status 25"),
    ],
)
def test_why_an_image_could_not_be_made_is_told_in_one_line(
    tmp_path: Path, said: str, told: str
) -> None:
    """What mmdebstrap and apt write, in their words."""
    steps = Steps(tmp_path / "log", lambda line: None, "image trixie")
    steps.log.write_text(said)
    ended = HarnessError("image trixie: mmdebstrap ended with status 25")
    problem = release._explained("trixie", steps, ended)
    assert told in str(problem).splitlines()[0]


def test_what_cannot_be_made_leaves_nothing_and_what_is_made_is_made_once(tmp_path: Path) -> None:
    def half(made: Path, work: Path, steps: Steps) -> None:
        (made / "half").touch()
        steps.run("false")

    def whole(made: Path, work: Path, steps: Steps) -> None:
        (made / "whole").touch()

    with pytest.raises(HarnessError, match=r"image it: step 'start': false ended with status 1"):
        cache.make("it", "image it", half, print)
    assert cache.find("it") is None
    assert {path.name for path in cache.location().iterdir()} == {"build-it.log", ".lock-it"}
    assert os.listdir(cache.make("it", "image it", whole, print)) == ["whole"]
    assert cache.make("it", "image it", half, print) == cache.find("it")


def layout(folder: Path, architecture: str = "amd64", tags: tuple[str, ...] = ("latest",)) -> Path:
    """An OCI layout whose images have no layers."""

    def blob(name: str, content: dict[str, Any]) -> dict[str, Any]:
        (folder / "blobs/sha256").mkdir(parents=True, exist_ok=True)
        (folder / "blobs/sha256" / name).write_text(json.dumps(content))
        return {"digest": f"sha256:{name}"}

    config = blob("c0", {"architecture": architecture})
    manifests = [
        {
            **blob(f"e{n}", {"config": config}),
            "annotations": {"org.opencontainers.image.ref.name": tag},
        }
        for n, tag in enumerate(tags)
    ]
    (folder / "oci-layout").write_text("{}")
    (folder / "index.json").write_text(json.dumps({"manifests": manifests}))
    return folder


def test_an_oci_layout_is_told_by_its_files_and_may_have_a_tag(tmp_path: Path) -> None:
    folder = layout(tmp_path / "it", tags=("a", "b"))
    assert oci.split(str(folder)) == (folder, "")
    assert oci.split(f"{folder}:b") == (folder, "b")
    assert oci.split(str(tmp_path)) is None


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the layout is made for amd64")
def test_an_oci_layout_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        HarnessError, match=r"is of another architecture: riscv64, and this is amd64"
    ):
        oci.find(layout(tmp_path / "foreign", "riscv64"), "")
    with pytest.raises(HarnessError, match=r"say which of its images: .*two:a, .*two:b"):
        oci.find(layout(tmp_path / "two", tags=("a", "b")), "")
    damaged = layout(tmp_path / "damaged")
    (damaged / "blobs/sha256/c0").write_bytes(b"\0\xff")
    with pytest.raises(HarnessError, match="its OCI layout is damaged"):
        oci.find(damaged, "")
    assert oci.find(layout(tmp_path / "well"), "") is None, "it has not been unpacked yet"


@pytest.mark.parametrize(
    "index",
    [
        "[" * 10_000,
        "[]",
        '{"manifests": 3}',
        '{"manifests": [{"annotations": {"org.opencontainers.image.ref.name": "\\u0000"}}]}',
        '{"manifests": [{"annotations": {"org.opencontainers.image.ref.name": ["a"]}}]}',
        '{"manifests": [{"annotations": {"org.opencontainers.image.ref.name": "a"},'
        ' "digest": "sha256:../x"}]}',
    ],
    ids=range(6),
)
def test_an_index_of_somebody_elses_is_data(index: str, tmp_path: Path) -> None:
    folder = layout(tmp_path / "it")
    (folder / "index.json").write_text(index)
    with pytest.raises(HarnessError, match="its OCI layout is damaged"):
        oci.find(folder, "")


@pytest.mark.parametrize("name", ["index.json", "blobs/sha256/c0"])
def test_no_file_of_an_image_is_a_link_or_a_fifo(name: str, tmp_path: Path) -> None:
    folder = layout(tmp_path / "it")
    (folder / name).rename(tmp_path / "elsewhere")
    (folder / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HarnessError, match="its OCI layout is damaged: it is a link"):
        oci.find(folder, "")
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(HarnessError, match="its OCI layout is damaged: it is no regular file"):
        oci.find(folder, "")


VERSIONED = """
    import pytest
    from harness.check.configured import configured
    from harness.scenario import topology
    from topologies.director_pair import DirectorPair

    @topology(DirectorPair)
    def test_of_a_topology(): pass

    @topology(configured("lb1.conf", "lb2.conf"))
    def test_of_configurations(): pass

    def test_of_the_run(): pass
"""


@pytest.mark.parametrize(
    ("options", "of_the_run"), [([], "host"), (["--director", "lb1.conf"], "old")]
)
def test_marks_of_versions_ask_the_keepalived_that_runs(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, options: list[str], of_the_run: str
) -> None:
    for name in ("lb1.conf", "lb2.conf"):
        (pytester.path / name).write_text("vrrp_instance V {}\n")
    old, new = (str(root(pytester.path / version, version)) for version in ("2.1.5", "2.3.4"))
    monkeypatch.setattr(Image, "keepalived", property(lambda image: image.name))
    monkeypatch.setattr(spec, "require_inputs", lambda plan: None)  # the folders have no more
    asked_for = [
        "--image",
        f"director={old}",
        "--image",
        f"lb2={new}",
        "--image",
        f"director2={new}",
    ]
    pytester.makepyfile(VERSIONED)
    pytester.makeconftest(
        "from harness.plugin.specs import versions_of\n"
        "def pytest_collection_finish(session):\n"
        "    for item in session.items:\n"
        "        print(item.name, 'is of', *sorted(versions_of(item)))\n"
    )
    result = pytester.runpytest("--collect-only", *asked_for, *options)
    last = "host" if of_the_run == "host" else old
    result.stdout.fnmatch_lines(
        [
            f"test_of_a_topology is of {old} {new}",
            f"test_of_configurations is of {old} {new}",
            f"test_of_the_run is of {last}",
        ]
    )
