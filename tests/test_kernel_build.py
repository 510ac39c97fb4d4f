"""The virtual-time kernel's build, with stand-ins for all that takes long: no compiler, no
network.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

import pytest

import harness
from harness.errors import HarnessError
from harness.kernels.making import apt, cache, fetch
from harness.kernels.making import build as building
from harness.kernels.making.build import build, find

VERSION = "7.2.12-1"
BOOTS = f"echo '{building.PROOF}'"


@pytest.fixture
def kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "lvs-harness" / "kernels"


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of stand-ins first on PATH; make's "kernel" is a script that says what a booted
    one would.
    """
    folder = tmp_path / "tools"
    folder.mkdir()
    for tool in building.TOOLS.keys() - {"tar", "dpkg-deb", "setpriv"}:
        program(folder / tool, "exit 0")
    program(folder / "strip", 'cp "$3" "$2"')
    make(folder, kernel=BOOTS)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A package like Debian's linux-source, with next to nothing in it."""
    root = tmp_path_factory.mktemp("source") / "root"
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN/control").write_text(
        f"Package: linux-source-7.2\nVersion: {VERSION}\nArchitecture: all\nMaintainer:"
        f" me\nDescription: -\n"
    )
    (root / "usr/src").mkdir(parents=True)
    with tarfile.open(root / "usr/src/linux-source-7.2.tar.gz", "w:gz") as archive:
        archive.add(root / "DEBIAN/control", "linux-source-7.2/Makefile")
    package = root.parent / "source.deb"
    subprocess.run(
        ["dpkg-deb", "-Znone", "--build", root, package], check=True, capture_output=True
    )
    return str(package)


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def make(
    tools: Path, *, configure: str = "cp ours.config .config", kernel: str = "", after: str = "true"
) -> None:
    compiled = f'printf "#!/bin/sh\\n%s\\n" "{kernel}" >linux; chmod +x linux; {after}'
    program(
        tools / "make",
        f"case $* in *allnoconfig) {configure};; *prepare | *--dry-run*) ;; *) {compiled};; esac",
    )


def cached(version: str, content: bytes = b"kernel") -> Path:
    """Puts a kernel into the cache as a build would."""
    folder = cache.folder_of(version)
    folder.mkdir(parents=True)
    (folder / "linux").write_bytes(content)
    (folder / "linux").chmod(0o755)
    (folder / "linux.sha256").write_text(cache.checksum(folder / "linux"))
    return folder / "linux"


def left_in(kernels: Path) -> list[str]:
    return sorted(path.name for path in kernels.iterdir())


class TestSource:
    @pytest.mark.parametrize(
        ("offered", "chosen"),
        [
            (["linux-source-7.2", "linux-source-7.10", "linux-source"], "linux-source-7.10"),
            (["linux-source-6.16", "linux-source-6.1"], "linux-source-6.16"),
            (["linux-source-6.17.0", "linux-source-6.8.0"], "linux-source-6.17.0"),
            (["linux-source-6.12", "linux-source-7.2-rt"], None),
            ([], None),
        ],
    )
    def test_newest_with_seccomp_is_chosen(self, offered: list[str], chosen: str | None) -> None:
        assert fetch.newest(offered) == chosen

    def test_archives_are_the_machines_without_additional_suites(self) -> None:
        printed = (
            "'http://mirror.test/debian/dists/bookworm/InRelease' a 0 \n"
            "'http://mirror.test/debian/dists/bookworm-updates/InRelease' b 0 \n"
            "'http://mirror.test/security/dists/bookworm-security/InRelease' c 0 \n"
            "'http://mirror.test/debian/dists/bookworm/main/binary-amd64/Packages.xz' d 0 \n"
        )
        assert apt.archives(printed) == ["http://mirror.test/debian"]

    def test_none_to_be_had_names_the_suites_and_the_remedy(
        self, kernels: Path, tools: Path
    ) -> None:
        program(tools / "apt-cache", "exit 0")
        with pytest.raises(
            HarnessError, match=r"6\.16 or newer can be had from .*check the network"
        ):
            build(progress=lambda _: None)

    def test_what_is_not_a_package_is_refused(
        self, kernels: Path, tools: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "no.deb").write_text("no package")
        with pytest.raises(HarnessError, match=r"no\.deb is not a Debian package"):
            build(progress=lambda _: None, source=str(tmp_path / "no.deb"))


class TestConfiguration:
    def test_every_group_says_who_needs_it(self) -> None:
        groups = cache.CONFIGURATION.read_text().strip().split("\n\n")
        assert [group for group in groups if not group.startswith("# ")] == []

    def test_only_what_is_on_and_nothing_twice(self) -> None:
        options = cache.options()
        assert [option for option in options if not re.search(r"=(y|\d+)$", option)] == []
        assert len(set(options)) == len(options)

    def test_only_options_tell_configurations_apart(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fingerprint(text: str) -> str:
            (tmp_path / "config").write_text(text)
            return cache.fingerprint()

        monkeypatch.setattr(cache, "CONFIGURATION", tmp_path / "config")
        two = fingerprint("CONFIG_A=y\nCONFIG_B=y\n")
        assert fingerprint("# why\nCONFIG_B=y\n\nCONFIG_A=y\n") == two
        assert fingerprint("CONFIG_A=y\nCONFIG_B=y\nCONFIG_C=y\n") != two

    def test_what_is_patched_tells_kernels_apart_and_the_reason_given_does_not(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fingerprint(text: str) -> str:
            (tmp_path / "patch").write_text(text)
            return cache.fingerprint()

        monkeypatch.setattr(cache, "PATCH", tmp_path / "patch")
        hunk = "\n--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-a\n+"
        assert fingerprint(f"why{hunk}b\n") == fingerprint(f"because{hunk}b\n")
        assert fingerprint(f"why{hunk}b\n") != fingerprint(f"why{hunk}c\n")

    def test_renamed_option_is_not_lost(self) -> None:
        lines = [line for line in cache.options() if line != "CONFIG_PROC_SYSCTL=y"]
        assert building.lost_options("\n".join(lines)) == []
        lines.remove("CONFIG_SYSCTL=y")
        assert building.lost_options("\n".join(lines)) == [
            "CONFIG_SYSCTL=y",
            "CONFIG_PROC_SYSCTL=y",
        ]


class TestFind:
    def test_nothing_cached(self, kernels: Path) -> None:
        assert find() is None

    def test_newest_of_this_configuration(
        self, kernels: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cached("7.2.9-1")
        newest = cached("7.2.12-1~bpo13+1")
        with monkeypatch.context() as other:
            other.setattr(cache, "fingerprint", lambda: "0123456789ab")
            cached("7.4.1-1")
        assert find() == building.Kernel(newest, "7.2.12-1~bpo13+1")

    @pytest.mark.parametrize("damage", ["content", "missing", "mode", "checksum"])
    def test_damaged_kernel_is_refused(self, kernels: Path, damage: str) -> None:
        linux = cached(VERSION)
        if damage == "content":
            linux.write_bytes(b"kerne1")
        elif damage == "missing":
            linux.unlink()
        elif damage == "mode":
            linux.chmod(0o644)
        else:
            linux.with_name("linux.sha256").unlink()
        with pytest.raises(HarnessError, match="run `make kernel` again"):
            find()


class TestBuild:
    def test_built_kernel_is_found_and_not_built_again(
        self, kernels: Path, tools: Path, source: str
    ) -> None:
        said: list[str] = []
        linux = build(progress=said.append, source=source)
        assert find() == building.Kernel(linux, VERSION)
        assert left_in(kernels) == [".lock", linux.parent.name, "build.log"]
        steps = [line.partition("] ")[2].split()[0] for line in said[:-1]]
        assert steps == ["unpack", "apply", "configure", "count", "compile", "boot"]
        make(tools, after="exit 1")
        assert build(progress=said.append, source=source) == linux

    def test_damaged_kernel_is_replaced(self, kernels: Path, tools: Path, source: str) -> None:
        cached(VERSION).write_bytes(b"damaged")
        assert BOOTS in build(progress=lambda _: None, source=source).read_text()

    def test_failed_step_leaves_no_kernel(self, kernels: Path, tools: Path, source: str) -> None:
        make(tools, kernel=BOOTS, after="echo undefined reference; exit 2")
        with pytest.raises(
            HarnessError, match=r"(?s)compile.*status 2.*build\.log.*undefined reference"
        ):
            build(progress=lambda _: None, source=source)
        assert left_in(kernels) == [".lock", "build.log"]

    def test_full_disk_is_named(self, kernels: Path, tools: Path, source: str) -> None:
        make(tools, after="echo 'as: x.o: No space left on device'; exit 1")
        with pytest.raises(HarnessError, match="no space left on the disk"):
            build(progress=lambda _: None, source=source)

    def test_source_that_the_patch_does_not_fit_is_refused(
        self, kernels: Path, tools: Path, source: str
    ) -> None:
        program(tools / "patch", "echo Hunk 1 FAILED; exit 1")
        with pytest.raises(
            HarnessError, match=r"(?s)apply.*not what deterministic\.patch changes.*Hunk 1 FAILED"
        ):
            build(progress=lambda _: None, source=source)
        assert left_in(kernels) == [".lock", "build.log"]

    def test_lost_option_is_named_before_compiling(
        self, kernels: Path, tools: Path, source: str
    ) -> None:
        make(tools, configure="grep -v -e '_IP_VS_SH=' ours.config >.config", after="exit 2")
        with pytest.raises(HarnessError, match="does not take CONFIG_IP_VS_SH=y of"):
            build(progress=lambda _: None, source=source)

    def test_kernel_that_does_not_boot_is_not_kept(
        self, kernels: Path, tools: Path, source: str
    ) -> None:
        make(tools, kernel="echo panic")
        with pytest.raises(HarnessError, match="does not boot"):
            build(progress=lambda _: None, source=source)
        assert find() is None

    def test_interrupt_ends_the_compiler_and_leaves_nothing(
        self, kernels: Path, tools: Path, source: str, tmp_path: Path
    ) -> None:
        ended = tmp_path / "ended"
        signal.signal(signal.SIGINT, signal.default_int_handler)  # not so below a shell's "&"
        make(tools, after=f"trap 'echo >{ended}; exit' TERM; kill -INT $PPID; sleep 60 & wait")
        with pytest.raises(KeyboardInterrupt):
            build(progress=lambda _: None, source=source)
        assert ended.exists()
        assert left_in(kernels) == [".lock", "build.log"]

    def test_killed_build_takes_the_compiler_along(
        self, kernels: Path, tools: Path, source: str, tmp_path: Path
    ) -> None:
        compiler = tmp_path / "compiler"
        os.mkfifo(compiler)
        make(tools, after=f"exec >{compiler}; echo started; exec sleep 60")
        script = (
            f"from harness.kernels.making.build import build; build(progress=print,"
            f" source={source!r})"
        )
        here = Path(harness.__file__).parents[1]
        builder = subprocess.Popen(
            [sys.executable, "-c", script], cwd=here, stdout=subprocess.DEVNULL
        )
        with builder, compiler.open() as alive:
            assert alive.readline() == "started\n"
            builder.kill()
            killed = time.monotonic()
            assert alive.read() == ""
        assert time.monotonic() - killed < 30

    def test_remains_of_a_killed_build_are_removed(
        self, kernels: Path, tools: Path, source: str
    ) -> None:
        (kernels / ".build-killed").mkdir(parents=True)
        build(progress=lambda _: None, source=source)
        assert not (kernels / ".build-killed").exists()

    def test_second_build_waits_for_the_first_and_takes_its_kernel(
        self, kernels: Path, tools: Path
    ) -> None:
        kernels.mkdir(parents=True)
        waiting = threading.Event()
        built: list[Path] = []
        second = threading.Thread(
            target=lambda: built.append(build(progress=lambda _: waiting.set())), daemon=True
        )
        with (kernels / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            second.start()
            assert waiting.wait(10)
            second.join(0.2)
            assert second.is_alive()
            first = cached(VERSION)
        second.join(10)
        assert built == [first]


class TestProgress:
    def test_how_far_it_is_and_how_long_is_told_now_and_then(self) -> None:
        told: list[str] = []
        seconds = iter(range(0, 1000, 5))
        compiled = building.Compiled(20, told.append, now=lambda: float(next(seconds)))
        for number in range(22):  # two more than make had said
            compiled(f"  CC      kernel/{number}.o\n")
            compiled("  AR      kernel/built-in.a\n")
        assert told[0] == "3 of 20, about 85 s left"
        assert [line.split()[0] for line in told] == ["3", "6", "9", "12", "15", "18"]


class TestBadMachine:
    def test_missing_tools_are_named_before_anything_is_fetched(
        self, kernels: Path, tools: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        said: list[str] = []
        (tools / "flex").unlink()
        (tools / "bc").unlink()
        monkeypatch.setenv("PATH", str(tools))
        for tool in ("tar", "dpkg-deb", "setpriv"):
            program(tools / tool, "exit 0")
        with pytest.raises(HarnessError, match="`apt-get install bc flex`"):
            build(progress=said.append)
        assert said == []

    def test_headers_of_libc_are_asked_for(self, tools: Path) -> None:
        program(tools / "gcc", "exit 1")
        assert building.missing_tools() == ["libc6-dev"]

    def test_the_headers_come_with_the_compiler(
        self, tools: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """On a bare Debian gcc brings none, and what is missing is installed once."""
        (tools / "gcc").unlink()
        monkeypatch.setenv("PATH", str(tools))
        assert {"gcc", "libc6-dev"} <= set(building.missing_tools())

    def test_too_little_room(
        self, kernels: Path, tools: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        room = shutil.disk_usage("/")._replace(free=10 << 20)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: room)
        with pytest.raises(HarnessError, match=r"where 10 MiB are free.*XDG_CACHE_HOME"):
            build(progress=lambda _: None)

    def test_cache_that_cannot_be_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").touch()
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
        with pytest.raises(HarnessError, match="cannot write below"):
            build(progress=lambda _: None)
