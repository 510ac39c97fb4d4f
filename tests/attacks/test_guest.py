"""What root in a guest can do to this machine: the rows of docs/security.md, started by root and by
an ordinary user.

The attacker mounts this machine's files again, all of them, and goes on from there.
"""

from __future__ import annotations

import inspect
import math
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.kernels.host import quota
from tests.guests import BUILT, NOBODY, PACKAGED, Host, make_host

SECRET = "to be read by nobody"

ATTACKER = """
    import os, socket, stat, subprocess, sys, time
    from pathlib import Path

    HOST = Path("/run/host")
    HERE = Path.cwd()
    RUN = HOST / str(HERE / "writable").lstrip("/")

    def mounted():
        HOST.mkdir()
        subprocess.run(["/bin/mount", "-t", "hostfs", "none", "-o", "/", HOST], check=True)

    def attempt(name, act):
        try:
            print(name, repr(act()), flush=True)
        except OSError as error:
            print(name, error.strerror, flush=True)
        os.sync()

    def write():
        mounted()
        above = HOST / str(HERE).lstrip("/")
        attempt("new", lambda: (above / "new").write_text("x"))
        attempt("changed", lambda: (above / "untouched").write_text("x"))
        attempt("cut", lambda: os.truncate(above / "untouched", 0))
        attempt("removed", lambda: (above / "untouched").unlink())
        attempt("renamed", lambda: (above / "untouched").rename(above / "moved"))
        attempt("folder", lambda: (above / "new").mkdir())
        attempt("mode", lambda: (above / "untouched").chmod(0o777))
        attempt("owner", lambda: os.chown(above / "untouched", 12345, 12345))
        attempt("time", lambda: os.utime(above / "untouched", (1, 1)))

    def links():
        mounted()
        for folder in (RUN, HERE / "writable"):
            attempt("symlink", lambda: (folder / "run.json.new").symlink_to(HERE / "untouched"))
            attempt("link", lambda: os.link(folder / "kept", folder / "second"))
            attempt("fifo", lambda: os.mkfifo(folder / "run.json"))
            block = stat.S_IFBLK | 0o666
            attempt("device", lambda: os.mknod(folder / "device", block, os.makedev(1, 0)))
            attempt("socket", lambda: socket.socket(socket.AF_UNIX).bind(str(folder / "socket")))

    def setuid():
        mounted()
        for number, folder in enumerate((RUN, HERE / "writable")):
            flags = os.O_CREAT | os.O_WRONLY
            attempt("made", lambda: os.close(os.open(folder / f"made{number}", flags, 0o6755)))
            (folder / f"later{number}").write_text("x")
            attempt("later", lambda: (folder / f"later{number}").chmod(0o6755))
            attempt("folder", lambda: (folder / f"folder{number}").mkdir(0o2755))
            attempt("folder", lambda: os.chmod(folder, 0o6777))

    def read():
        mounted()
        names = sys.argv[2:]
        for name in names:
            attempt(name, lambda: (HOST / name.lstrip("/")).read_text())
        attempt("processes", lambda: (HOST / "proc/1/environ").read_bytes())
        attempt("list", lambda: os.listdir(HOST / "proc"))

    def reach():
        mounted()
        with socket.socket(socket.AF_UNIX) as pathname:
            attempt("socket", lambda: pathname.connect(str(HOST / sys.argv[2].lstrip("/"))))
        with socket.socket() as network:
            attempt("network", lambda: network.connect(("127.0.0.1", int(sys.argv[3]))))

    def fill():
        for number in range(20):
            (HERE / f"writable/{number}").write_bytes(bytes(4 << 20))
        os.sync()
        print("written", flush=True)
        time.sleep(300)

    def fill_unseen():
        held = []
        for number in range(20):
            held.append(open(HERE / f"writable/{number}", "wb", buffering=0))
            (HERE / f"writable/{number}").unlink()
            held[-1].write(bytes(4 << 20))
        os.sync()
        print("written", flush=True)
        time.sleep(300)

    def flood():
        for number in range(12_000):
            (HERE / f"writable/{number}").touch()
        os.sync()
        print("written", flush=True)
        time.sleep(300)

    def sparse():
        mounted()
        for number, folder in enumerate((RUN, HERE / "writable")):
            with open(folder / f"sparse{number}", "wb") as file:
                attempt("truncated", lambda: file.truncate(1 << 40))
                attempt("behind", lambda: os.pwrite(file.fileno(), b"x", 1 << 40))

    def rename():
        mounted()
        above = HOST / str(HERE).lstrip("/")
        (RUN / "mine").write_text("x")
        attempt("out", lambda: (RUN / "mine").rename(above / "mine"))
        attempt("over", lambda: (RUN / "mine").rename(above / "untouched"))
        attempt("in", lambda: (above / "untouched").rename(RUN / "untouched"))
        attempt("itself", lambda: RUN.rename(above / "other"))
        attempt("removed", RUN.rmdir)

    def frames():
        with open("/dev/ttyS0", "wb", buffering=0) as line:
            line.write(eval(sys.argv[2]))
        time.sleep(300)

    def restart():
        print("boots", flush=True)
        Path("/proc/sysrq-trigger").write_text("b")
        time.sleep(300)

    def ordinary():
        folder = HERE / "writable/below/it"
        folder.mkdir(parents=True)
        (folder / "file").write_text("kept")
        (folder / "file").chmod(0o600)
        (folder / "file").rename(folder.parent / "moved")
        os.utime(folder.parent / "moved")
        print((folder.parent / "moved").read_text(), os.stat("/etc/passwd").st_uid, flush=True)

    globals()[sys.argv[1]]()
"""


@pytest.fixture(params=[None, NOBODY], ids=["root", "ordinary-user"])
def user(request: pytest.FixtureRequest) -> int | None:
    if os.geteuid():
        pytest.skip("only root can be both")
    found: int | None = request.param
    return found


@pytest.fixture(params=[PACKAGED, BUILT], ids=str)
def host(tmp_path: Path, user: int | None, request: pytest.FixtureRequest) -> Host:
    host = make_host(tmp_path / "attacked", user, request.param, ATTACKER)
    host.home = host.folder / "home"
    host.home.mkdir()
    os.chown(host.home, user or 0, user or 0)
    os.chown(host.folder / "untouched", user or 0, user or 0)
    return host


def attack(host: Host, *argv: str) -> dict[str, str]:
    """What came of each attempt, by its name."""
    out, err = host.run(*argv)
    assert err.endswith(b"\n0\n") or err == b"0\n", err
    return dict(line.split(" ", 1) for line in out.decode().splitlines())


def below(folder: Path) -> Iterator[os.stat_result]:
    yield os.lstat(folder)
    for entry in folder.rglob("*"):
        yield os.lstat(entry)


def test_a_run_writes_files_as_ever(host: Host) -> None:
    out, err = host.run("ordinary")
    assert out == b"kept 0\n", err
    assert (host.folder / "writable/below/moved").read_text() == "kept"


def test_nothing_outside_the_folder_of_the_run_is_written(host: Host) -> None:
    before = os.lstat(host.folder / "untouched")
    attack(host, "write")
    after = os.lstat(host.folder / "untouched")
    assert (host.folder / "untouched").read_text() == "as it was"
    assert not (host.folder / "new").exists()
    assert (before.st_mode, before.st_uid, before.st_mtime) == (
        after.st_mode,
        after.st_uid,
        after.st_mtime,
    )


def test_only_regular_files_and_folders_are_written(host: Host) -> None:
    (host.folder / "writable/kept").write_text("x")
    tried = attack(host, "links")
    kinds = {stat.S_IFMT(status.st_mode) for status in below(host.folder / "writable")}
    assert kinds <= {stat.S_IFREG, stat.S_IFDIR}, tried
    assert os.stat(host.folder / "writable/kept").st_nlink == 1
    assert "symlink" in tried


def test_no_file_is_setuid(host: Host) -> None:
    attack(host, "setuid")
    assert not any(
        status.st_mode & (stat.S_ISUID | stat.S_ISGID) for status in below(host.folder / "writable")
    )


def test_only_what_a_run_needs_is_read(host: Host) -> None:
    """The key is in the home of the user who starts the run, /etc/shadow is root's, the other
    lies about in /tmp.
    """
    assert host.home is not None
    key, other = host.home / ".ssh/id_ed25519", host.folder.parent / "other"
    key.parent.mkdir(mode=0o700)
    for path in (key, other):
        path.write_text(SECRET)
        path.chmod(0o600)
    for path in (key, key.parent, other):
        os.chown(path, host.user or 0, host.user or 0)
    code = host.folder / "probe.py"
    tried = attack(host, "read", str(key), str(other), "/etc/shadow", "/etc/hostname", str(code))
    assert {tried[name] for name in (str(key), str(other), "/etc/shadow")} == {"Permission denied"}
    assert {tried["processes"], tried["list"]} == {"Permission denied"}
    assert tried["/etc/hostname"] == repr(Path("/etc/hostname").read_text())
    assert "def mounted" in tried[str(code)]


def test_no_socket_of_the_host_is_reached(host: Host) -> None:
    with socket.socket(socket.AF_UNIX) as pathname, socket.socket() as network:
        pathname.bind(str(host.folder / "socket"))
        (host.folder / "socket").chmod(0o777)
        pathname.listen()
        network.bind(("127.0.0.1", 0))
        network.listen()
        tried = attack(host, "reach", str(host.folder / "socket"), str(network.getsockname()[1]))
        assert tried == {"socket": "Connection refused", "network": "Connection refused"}
        for listener in (pathname, network):
            listener.setblocking(False)
            with pytest.raises(BlockingIOError):
                listener.accept()


@pytest.mark.parametrize("way", ["fill", "fill_unseen", "flood"])
def test_a_guest_that_fills_the_disk_is_ended(host: Host, way: str) -> None:
    """With files that are there, or that it has removed and holds open, or with thousands of
    empty ones.
    """
    host.quota = 32 << 20
    _, err = host.run(way)
    assert err.startswith(b"HarnessError: the guest wrote more than it may, and was ended"), err


def test_a_file_with_holes_is_no_larger_than_a_file_may_be(host: Host) -> None:
    host.run("sparse")
    sizes = [(host.folder / f"writable/sparse{number}").stat().st_size for number in range(2)]
    assert max(sizes) <= 1 << 33, sizes


def test_nothing_is_moved_into_or_out_of_the_folder_of_the_run(host: Host) -> None:
    tried = attack(host, "rename")
    assert sorted(path.name for path in (host.folder / "writable").iterdir()) == ["mine"], tried
    assert (host.folder / "untouched").read_text() == "as it was"
    assert not (host.folder / "mine").exists()


@pytest.mark.parametrize(
    "frame",
    [
        "b'1' + b'\\xff' * 4",
        "b'F' + (6 + 11 + 1).to_bytes(4, 'big') + bytes(2) + (11).to_bytes(4, 'big') +"
        " b'../../stray' + b'x'",
        "b'F' + (6 + 10 + 1).to_bytes(4, 'big') + bytes(2) + (10).to_bytes(4, 'big') +"
        " b'/tmp/stray' + b'x'",
        "b'F' + (7).to_bytes(4, 'big') + b'\\xff\\xff' + bytes(5)",
        "b'I' + bytes(4)",
        "b'X' + bytes(4)",
        "b'R' + bytes(4)",
    ],
    ids=["huge", "above", "elsewhere", "unknown", "empty", "no-status", "second"],
)
def test_frames_of_the_guests_own_are_refused(host: Host, frame: str) -> None:
    """Whoever is root in there writes to the serial line what pid 1 never would."""
    _, err = host.run("frames", frame)
    assert err.startswith(b"HarnessError: the guest "), err
    assert b"Traceback" not in err
    assert not list(host.folder.parent.rglob("stray"))
    assert not Path("/tmp/stray").exists()


def test_a_guest_starts_once(host: Host) -> None:
    out, err = host.run("restart")
    assert out in (b"boots\n", b"")  # on a busy machine it restarts before that was passed on
    assert b"a guest starts once" in err
    assert b"the embedded kernel died" in err


def test_what_is_too_deep_to_be_counted_is_too_much(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("x" * 250, dir_fd=folder)
        above, folder = folder, os.open("x" * 250, os.O_RDONLY, dir_fd=folder)
        os.close(above)
    os.close(folder)
    assert quota.used(str(tmp_path)) == math.inf


def test_all_files_count(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    for number in range(10):
        (tmp_path / f"below/{number}").touch()
    (tmp_path / "large").write_bytes(bytes(1 << 20))
    (tmp_path / "away").symlink_to("/")
    assert (1 << 20) + 12 * 4096 <= quota.used(str(tmp_path)) <= (1 << 20) + 14 * 4096


def test_the_page_has_a_row_for_each_of_these() -> None:
    page = Path(__file__).parents[2].joinpath("docs/security.md").read_text()
    for name, test in globals().items():
        if name.startswith("test_") and "host" in inspect.signature(test).parameters:
            assert f"`{name}`" in page


def test_a_guest_reads_what_lies_for_whoever_started_it_alone(host: Host) -> None:
    """In the folders that a run needs: docs/security.md says so."""
    key = host.folder / "key"
    key.write_text(SECRET)
    key.chmod(0o600)
    tried = attack(host, "read", str(key))
    assert tried[str(key)] == ("Permission denied" if host.user else repr(SECRET))
