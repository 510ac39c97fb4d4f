"""The embedded kernel as a place to run a program: everything is as if the program had been run
directly.
"""

from __future__ import annotations

import fcntl
import os
import random
import select
import signal
import struct
import subprocess
import termios
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from harness.errors import HarnessError
from harness.kernels import wire
from harness.kernels.calls import linux
from harness.kernels.host import uml
from tests.guests import (
    BUILT,
    NOBODY,
    PACKAGED,
    VIRTUAL,
    Host,
    descendants,
    kernel_process,
    make_host,
    status,
)

INPUT = (
    bytes(range(256)) * 300
)  # more than a serial line's buffer, and every byte that it could mistake

PROBE = """
    import os, signal, subprocess, sys, time
    from pathlib import Path

    from harness.kernels.calls import linux

    def streams():
        terminals = [stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)]
        print(*terminals, sys.argv[1:], file=sys.stderr)
        sys.stdout.buffer.write(sys.stdin.buffer.read())
        sys.exit(7)

    def files():
        here = Path.cwd()
        (here / "writable/kept").write_text(os.environ["WORD"])
        (here / "untouched").write_text("thrown away")
        Path("/srv/report/below").mkdir(parents=True)
        Path("/srv/report/below/file").write_bytes(bytes(range(256)))
        Path("/srv/report/link").symlink_to("/etc/passwd")
        print((here / "untouched").read_text(), os.stat("/etc/passwd").st_uid, here)

    def machine():
        pair = ["one", "type", "veth", "peer", "name", "two"]
        subprocess.run(["/sbin/ip", "link", "add", *pair], check=True)
        paths = ("/sys/class/net/one", "/dev/pts/ptmx", "/dev/fd/0")
        print(*(Path(path).exists() for path in paths), flush=True)
        subprocess.run(["/sbin/ip", "-4", "address", "show", "lo"], check=True)

    def escape():
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("CapEff"):
                print(line)
        os.makedirs("/run/host")
        # Not mount(8): that of util-linux 2.41 uses the new system calls, which hostfs does not
        # take its folder from.
        linux.mount("none", "/run/host", "hostfs", 0, "/")
        print("mounted", flush=True)
        try:
            Path("/run/host" + os.getcwd(), "escaped").write_text("x")
            os.sync()
        except OSError as error:
            print(error.strerror)

    def wait():
        # pause() would sleep through a signal that comes between print and itself
        told, signal_came = os.pipe()
        os.set_blocking(signal_came, False)
        signal.set_wakeup_fd(signal_came)
        print("waiting", flush=True)
        os.read(told, 1)

    def endless():
        while True:
            print("y" * 4000)

    def kill():
        os.kill(os.getpid(), signal.SIGKILL)

    def terminal():
        print(os.isatty(0), os.isatty(1), os.get_terminal_size(), flush=True)
        awaited = {signal.SIGWINCH, signal.SIGINT}
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGWINCH})
        print("read", input(), flush=True)
        signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
        while signal.sigwait(awaited) == signal.SIGWINCH:
            print("resized", os.get_terminal_size(), flush=True)
        raise KeyboardInterrupt

    globals()[sys.argv[1]]()
"""


@pytest.fixture(params=[PACKAGED, VIRTUAL], ids=str)
def host(tmp_path: Path, request: pytest.FixtureRequest) -> Host:
    return make_host(tmp_path / "a folder, spaced", None, request.param, PROBE)


@pytest.fixture(params=[None, NOBODY], ids=["caller", "ordinary-user"])
def user(request: pytest.FixtureRequest) -> int | None:
    if request.param is not None and os.geteuid():
        pytest.skip("only root can become another user")
    return cast("int | None", request.param)


@pytest.fixture(params=[PACKAGED, BUILT, VIRTUAL], ids=str)
def any_host(tmp_path: Path, user: int | None, request: pytest.FixtureRequest) -> Host:
    return make_host(tmp_path / "a folder, spaced", user, request.param, PROBE)


def test_streams_arrive_byte_for_byte_and_apart(any_host: Host) -> None:
    out, err = any_host.run("streams", "an argument", data=INPUT)
    assert out == INPUT
    assert err == b"False False False ['streams', 'an argument']\n7\n"


def test_only_the_writable_folder_and_collected_files_keep_what_is_written(any_host: Host) -> None:
    out, err = any_host.run("files")
    folder = any_host.folder
    assert out.decode() == f"thrown away 0 {folder}\n", err
    assert (folder / "untouched").read_text() == "as it was"
    assert (folder / "writable/kept").read_text() == "väl"
    assert [path.relative_to(folder) for path in (folder / "collected").rglob("*")] == [
        Path("collected/below"),
        Path("collected/below/file"),
    ]
    assert (folder / "collected/below/file").read_bytes() == bytes(range(256))
    assert not (folder / "none").exists()


def test_guest_is_a_whole_machine(host: Host) -> None:
    out, err = host.run("machine")
    assert out.startswith(b"True True True\n"), err
    assert b"inet 127.0.0.1/8" in out


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's kernel process is confined")
def test_root_kernel_process_can_write_nothing_else(host: Host) -> None:
    out, err = host.run("escape")
    assert out.endswith(b"mounted\nRead-only file system\n"), err
    assert not (host.folder / "escaped").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's kernel process is confined")
def test_root_kernel_process_has_one_capability(host: Host) -> None:
    with host.start("wait") as caller:
        assert caller.stdout is not None
        caller.stdout.readline()
        found = status(kernel_process(host, caller.pid))
        caller.send_signal(signal.SIGTERM)
        caller.communicate()
    assert b"CapEff:\t0000000000000004\nCapBnd:\t0000000000000004\n" in found
    assert b"NoNewPrivs:\t1\n" in found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_reach_the_program(host: Host, number: signal.Signals) -> None:
    with host.start("wait") as caller:
        assert caller.stdout is not None
        assert caller.stdout.readline() == b"waiting\n"
        caller.send_signal(number)
        _, err = caller.communicate()
    assert (b"KeyboardInterrupt" in err) == (number == signal.SIGINT)
    assert err.endswith(b"%d\n" % (128 + number))


def test_program_killed_by_a_signal(host: Host) -> None:
    assert host.run("kill") == (b"", b"137\n")


def test_closed_standard_output_ends_the_program(host: Host) -> None:
    with host.start("endless") as caller:
        assert caller.stdout is not None
        assert caller.stdout.read(4001) == b"y" * 4000 + b"\n"
        caller.stdout.close()
        assert caller.stderr is not None
        assert b"BrokenPipeError" in caller.stderr.read()


def test_terminal(host: Host) -> None:
    with host.on_terminal("terminal") as screen:
        before = termios.tcgetattr(screen.slave)
        assert b"True True os.terminal_size(columns=100, lines=30)\r\n" in screen.until(
            b"lines=30)\r\n"
        )
        screen.type(b"abx\x7fc\r")
        assert b"read abc\r\n" in screen.until(b"read abc\r\n")
        fcntl.ioctl(screen.slave, termios.TIOCSWINSZ, struct.pack("4H", 20, 90, 0, 0))
        assert b"columns=90, lines=20" in screen.until(b"lines=20)\r\n")
        screen.type(b"\x03")
        assert screen.until(b"130\r\n").endswith(b"KeyboardInterrupt\r\n130\r\n")
        assert screen.caller.wait() == 0
        assert termios.tcgetattr(screen.slave) == before


def test_killed_caller_leaves_the_terminal_as_it_was(host: Host) -> None:
    with host.on_terminal("terminal") as screen:
        before = termios.tcgetattr(screen.slave)
        screen.until(b"lines=30)\r\n")
        assert termios.tcgetattr(screen.slave) != before
        ends = [os.pidfd_open(pid) for pid in descendants(screen.caller.pid)]
        screen.caller.kill()
        for end in ends:
            assert select.select([end], [], [], 30)[0]
            os.close(end)
        assert termios.tcgetattr(screen.slave) == before


@pytest.fixture
def orphans_come_here() -> Iterator[None]:
    """Whatever outlives its parent becomes a child of this process."""
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    yield
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 0)


def _children_end(seconds: int) -> bool:
    def give_up(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        while True:
            os.wait()
    except ChildProcessError:
        return True
    except TimeoutError:
        return False
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _traces(user: int) -> set[Path]:
    folders = ("/dev/shm", "/tmp", "/var/tmp")
    return {
        path
        for folder in folders
        for path in Path(folder).glob("lvs-harness-*")
        if path.stat().st_uid == user
    }


@pytest.mark.alone  # it looks for what any guard of this user has left
@pytest.mark.usefixtures("orphans_come_here")
def test_killed_caller_leaves_nothing(any_host: Host) -> None:
    user = os.geteuid() if any_host.user is None else any_host.user
    mounts = Path("/proc/self/mountinfo").read_bytes()
    before = _traces(user)
    for moment in random.Random(1).sample([number / 10 for number in range(1, 11)], 3):
        with any_host.start("wait") as caller:
            with pytest.raises(subprocess.TimeoutExpired):
                caller.wait(moment)
            caller.kill()
            caller.wait()
        assert _children_end(2), f"killed after {moment} s"
        assert _traces(user) == before
    assert Path("/proc/self/mountinfo").read_bytes() == mounts
    assert not (any_host.folder / ".uml").exists()


def test_caller_is_told_why_the_kernel_died(tmp_path: Path) -> None:
    kernel = replace(PACKAGED.find(), modules=Path("/nonexistent"))
    with pytest.raises(HarnessError, match="/nonexistent"):
        uml.run(kernel, "probe", [], writable=tmp_path)


def test_caller_is_told_that_the_kernel_was_killed(host: Host) -> None:
    with host.start("wait") as caller:
        assert caller.stdout is not None
        caller.stdout.readline()
        os.kill(kernel_process(host, caller.pid), signal.SIGKILL)
        _, err = caller.communicate()
    kept = os.fsencode(host.folder / "writable")
    assert (
        b"HarnessError: the embedded kernel was killed by SIGKILL, which came from outside" in err
    )
    assert kept in err
    assert caller.returncode == 1


def test_a_folder_that_is_none_is_refused_before_the_kernel_starts(tmp_path: Path) -> None:
    kernel = uml.Kernel(Path("/nonexistent"), "1.0", None, False, False, False)
    with pytest.raises(HarnessError, match="none is not a folder"):
        uml.run(kernel, "probe", [], writable=tmp_path / "none")


def test_what_is_no_kernel_is_refused() -> None:
    with pytest.raises(HarnessError, match="/bin/true is not a User Mode Linux kernel"):
        uml.Kernel.at(Path("/bin/true"))


def test_frames_come_whole_however_their_bytes_come() -> None:
    sent = [(wire.STDOUT, INPUT), (wire.READY, b""), (wire.EXIT, b"x")]
    stream = b"".join(wire.frame(*frame) for frame in sent)
    frames = wire.Frames()
    assert [frame for byte in stream for frame in frames.feed(bytes([byte]))] == sent
