"""What the kernel process can do to this machine, if whoever is root in the guest has taken it
over.

That is tried without a kernel: a process confined like one tries it.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import textwrap
from pathlib import Path

import pytest

from tests.guests import NOBODY, ROOT

pytestmark = pytest.mark.alone  # it tries to change the machine, and to reach processes of its user

CONFINED = """
    import ctypes, errno, fcntl, os, resource, signal, socket, stat, sys
    from harness.kernels.host import limits
    run, store, socket_path, victim, readable, secret, *more = sys.argv[1:]
    orders = {"readable": [readable], "listable": [], "writable": run,
              "quota": 1 << 20, "memory": 1 << 20,
              "argv": ["/bin/true"]}
    libc = ctypes.CDLL(None, use_errno=True).syscall
    libc.restype = ctypes.c_long
    limits.enter(orders, os.open(store, os.O_RDONLY | os.O_DIRECTORY))

    def call(number, *arguments):
        words = [w.encode() if isinstance(w, str) else w for w in arguments]
        words = [ctypes.c_long(w) if isinstance(w, int) else w for w in words]
        if libc(ctypes.c_long(number), *words) < 0:
            return errno.errorcode[ctypes.get_errno()]
        return "done"

    def attempt(name, act):
        try:
            found = act()
        except OSError as problem:
            found = errno.errorcode[problem.errno]
        print(name, found, flush=True)

    attempt("connect", lambda: socket.socket(socket.AF_UNIX))
    attempt("network", lambda: socket.socket())
    attempt("datagrams", lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) and "done")
    attempt("streams", lambda: socket.socketpair() and "done")
    attempt("signal", lambda: os.kill(int(victim), signal.SIGUSR1) or "done")
    attempt("trace", lambda: call(101, 16, int(victim), 0, 0))
    attempt("memory", lambda: call(310, int(victim), 0, 0, 0, 0, 0))
    attempt("descriptor", lambda: call(438, int(victim), 0, 0))
    attempt("limits", lambda: call(302, int(victim), 7, 0, 0))
    attempt("keys", lambda: call(250, 0, -3, 0))
    attempt("namespaces", lambda: call(272, 0x10000000))
    attempt("namespaces", lambda: call(56, 0x10000000 | 17, 0, 0, 0, 0))
    attempt("new clone", lambda: call(435, 0, 0))
    attempt("mount", lambda: call(165, "none", run, "tmpfs", 0, 0))
    attempt("handle", lambda: call(304, 0, 0, 0))
    attempt("ring", lambda: call(425, 1, 0))
    attempt("bpf", lambda: call(321, 0, 0, 0))
    attempt("symlink", lambda: call(88, "/etc/passwd", run + "/link"))
    attempt("device", lambda: call(133, run + "/device", stat.S_IFBLK | 0o666, 256))
    attempt("setuid", lambda: call(2, run + "/setuid", os.O_CREAT | os.O_WRONLY, 0o4755))
    attempt("write", lambda: call(2, readable + "/file", os.O_WRONLY, 0))
    attempt("cut", lambda: call(2, readable + "/file", os.O_TRUNC | os.O_RDONLY, 0))
    attempt("truncate", lambda: call(76, readable + "/file", 0))
    attempt("make", lambda: call(2, readable + "/new", os.O_CREAT | os.O_WRONLY, 0o644))
    attempt("remove", lambda: call(87, readable + "/file"))
    attempt("rename", lambda: call(82, readable + "/file", run + "/file"))
    attempt("mode", lambda: os.chmod(readable + "/file", 0o777) or "done")
    attempt("secret", lambda: call(2, secret, os.O_RDONLY, 0))
    attempt("shadow", lambda: call(2, "/etc/shadow", os.O_RDONLY, 0))
    attempt("process", lambda: call(2, f"/proc/{victim}/environ", os.O_RDONLY, 0))
    # another way to each: numbers of x32 (0x40000000), and what came with later kernels
    attempt("x32 socket", lambda: call(0x40000000 | 41, 1, 1, 0))
    attempt("x32 open", lambda: call(0x40000000 | 2, secret, os.O_RDONLY, 0))
    attempt("vsock", lambda: call(41, 40, 1, 0))
    attempt("netlink", lambda: call(41, 16, 3, 0))
    attempt("packets", lambda: call(41, 17, 3, 0))
    attempt("openat2", lambda: call(437, -100, secret, bytes(24), 24))
    attempt("tree", lambda: call(428, -100, "/", 0))
    attempt("pidfd", lambda: call(434, int(victim), 0))
    attempt("pidfd signal", lambda: call(424, 0, 9, 0, 0))
    attempt("queued signal", lambda: call(129, int(victim), 9, bytes(128)))
    attempt("thread signal", lambda: call(200, int(victim), 9))
    attempt("writes memory", lambda: call(311, int(victim), 0, 0, 0, 0, 0))
    attempt("faults", lambda: call(323, 0))
    attempt("events", lambda: call(298, bytes(128), int(victim), -1, -1, 0))
    attempt("module", lambda: call(175, 0, 0, ""))
    attempt("kexec", lambda: call(246, 0, 0, 0, 0))
    attempt("reboot", lambda: call(169, 0xFEE1DEAD, 672274793, 0, 0))
    attempt("clock", lambda: call(227, 0, bytes(16)))
    attempt("hostname", lambda: call(170, "x", 1))
    attempt("chroot", lambda: call(161, run))
    attempt("setns", lambda: call(308, 0, 0))
    attempt("ports", lambda: call(172, 3))
    attempt("priority", lambda: call(141, 0, int(victim), 19))
    attempt("processor", lambda: call(203, int(victim), 8, bytes(8)))
    attempt("attribute", lambda: call(188, run, "user.x", "x", 1, 0))
    attempt("watch", lambda: call(254, 0, readable, 0xFFF))
    attempt("exchange", lambda: call(316, -100, readable + "/file", -100, run + "/kept", 2))
    attempt("link by descriptor", lambda: call(265, 0, "", -100, run + "/link", 0x1000))
    attempt("nameless", lambda: call(257, -100, readable, os.O_TMPFILE | os.O_RDWR, 0o600))
    attempt("setgid folder", lambda: call(258, -100, run + "/setgid", 0o2755))

    # In a guest these are the guest's own; the terminal above all, into which characters could be
    # typed (TIOCSTI).
    devices = ("tty", "pts/0", "kmsg", "mem", "fuse", "net/tun", "console", "vsock", "shm")
    for device in (*devices, "vda", "loop0"):
        attempt(device, lambda: call(2, "/dev/" + device, os.O_RDWR | os.O_NOCTTY, 0))
    attempt("types", lambda: call(16, 1, 0x5412, b"x"))

    def told_by_a_pipe():  # of which it says that the victim is to hear what comes, by SIGKILL
        reader, writer = os.pipe()
        for command, argument in ((8, int(victim)), (10, signal.SIGKILL), (4, os.O_ASYNC)):
            fcntl.fcntl(reader, command, argument)
        os.write(writer, b"x")
        return "tried"

    attempt("owner of a pipe", told_by_a_pipe)
    attempt("read", lambda: call(2, readable + "/file", os.O_RDONLY, 0))
    attempt("kept", lambda: call(2, run + "/kept", os.O_CREAT | os.O_WRONLY, 0o644))
    attempt("script", lambda: call(2, run + "/script", os.O_CREAT | os.O_WRONLY, 0o755))
    attempt("execute", lambda: os.execv(run + "/script", ["x"]))
"""
ALLOWED = {"streams", "read", "kept", "script", "mode"}
"""``mode`` is answered as if it were done."""


@pytest.fixture(params=[None, NOBODY], ids=["root", "ordinary-user"])
def user(request: pytest.FixtureRequest) -> int | None:
    if os.geteuid():
        pytest.skip("only root can be both")
    found: int | None = request.param
    return found


def test_a_kernel_process_that_was_taken_over_reaches_nothing(
    tmp_path: Path, user: int | None
) -> None:
    code = tmp_path / "code"
    shutil.copytree(
        ROOT / "harness", code / "harness", ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / "project").mkdir()
    (tmp_path / "project/file").write_text("as it was")
    (tmp_path / "project/file").chmod(0o644)
    (tmp_path / "secret").write_text("secret")
    for name in ("run", "store"):
        (tmp_path / name).mkdir()
    for path in tmp_path.rglob("*"):
        os.lchown(path, user or 0, user or 0)
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            folder.chmod(0o755)  # one for all, of pytest's, and one more for each worker
    places = [tmp_path / name for name in ("run", "store", "socket")]
    victim = subprocess.Popen(
        ["/bin/sleep", "600"], user=user, group=user, extra_groups=None if user is None else []
    )
    try:
        done = subprocess.run(
            ["/usr/bin/python3", "-B", "-c", textwrap.dedent(CONFINED), *places, str(victim.pid),
             tmp_path / "project",
             tmp_path / "secret"],
            env={"PYTHONPATH": str(code)}, user=user, group=user,
            extra_groups=None if user is None else [],
            capture_output=True, text=True, cwd="/",
        )  # fmt: skip
        assert victim.poll() is None
    finally:
        victim.kill()
        victim.wait()
    tried = [tuple(line.split()) for line in done.stdout.splitlines()]
    assert {words[0] for words in tried if words[-1] == "done"} == ALLOWED, done.stderr
    assert tried[-1] == ("execute", "EACCES"), done.stderr
    assert [path.name for path in (tmp_path / "project").iterdir()] == ["file"]
    assert (tmp_path / "project/file").read_text() == "as it was"
    assert stat.S_IMODE((tmp_path / "project/file").stat().st_mode) == 0o644
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"kept", "script"}
