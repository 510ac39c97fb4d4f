"""The one process below which all machines live: pid 1 of a pid namespace, in a network namespace that holds the wires.

When it ends, for whatever reason, the kernel ends every machine and removes every namespace, mount and interface;
and it ends with the process that started it (:mod:`harness.lab.supervisor`), even when that one dies by SIGKILL.

Every machine is forked from it, and what a fork costs, above all in the embedded kernel, is the memory that parent and
child touch afterwards. So it is a program of its own, executed and not forked from its caller, imports C modules only,
and makes a machine's namespaces and files itself, before it forks the machine's pid 1 into them.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` adds enums, which take 10 ms to import
import _socket
import gc
import marshal
import os
from typing import TYPE_CHECKING, Any, NoReturn

from harness.kernels import linux
from harness.lab import init

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTROL = 3  # the descriptor that the caller left for it
FRESH_FOLDERS = {"run": "755", "tmp": "1777", "var/log": "755", "etc/keepalived": "755"}  # and their permissions
KEPT_FILE = "etc/keepalived/keepalived.config-opts"  # without it Debian's keepalived does not start from 2.3 on
_OWN_FILE_SYSTEMS = ("boot", "home", "opt", "root", "srv", "usr")
_NAMESPACES = {
    "mnt": linux.CLONE_NEWNS,
    "uts": linux.CLONE_NEWUTS,
    "ipc": linux.CLONE_NEWIPC,
    "net": linux.CLONE_NEWNET,
}
NO_IPV6 = {"disable_ipv6": "1"}
"""Of the wires' ends at the switches, which are not to speak themselves."""
QUIET = {"accept_dad": "0", "router_solicitations": "0"}
"""IPv6 addresses are usable at once, since all are known to differ, and nobody asks for routers that are not there."""
_UPPER, _ROOT = "/tmp/upper", "/tmp/root"


def main() -> NoReturn:
    """Answer with the namespace of the wires, then make a machine for every request, until the caller lets go."""
    control = _socket.socket(fileno=CONTROL)
    try:
        linux.die_with_parent(0)  # in its own pid namespace a parent outside counts as pid 0
        os.closerange(CONTROL + 1, 1 << 20)
        _signal.signal(_signal.SIGCHLD, _signal.SIG_IGN)  # nobody asks how a machine ended, so the kernel reaps it
        linux.unshare(linux.CLONE_NEWNS | linux.CLONE_NEWNET | linux.CLONE_NEWIPC)
        linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
        linux.mount("proc", "/proc", "proc")
        _set_ipv6(NO_IPV6)
        own = {kind: os.open(f"/proc/self/ns/{kind}", os.O_RDONLY) for kind in _NAMESPACES}
        kept = _kept_mounts()
        gc.disable()  # a collection writes into all objects, which every machine then has its own copies of
        gc.freeze()
        init.send(control, {}, [own["net"]])
        while request := control.recv(init.MESSAGE_LIMIT):
            _make_machine(control, marshal.loads(request), own, kept)
    except OSError as problem:
        init.send(control, {"error": str(problem)})
    os._exit(0)


def _kept_mounts() -> list[str]:
    """Where the file systems are mounted that a machine sees as they are, beside the one of ``/``."""
    with open("/proc/self/mountinfo", "rb") as mounts:
        points = [os.fsdecode(line.split()[4]) for line in mounts]
    return [point for point in points if point.split("/")[1] in _OWN_FILE_SYSTEMS]


def _make_machine(control: _socket.socket, wanted: dict[str, Any], own: dict[str, int], kept: list[str]) -> None:
    """Make a machine with the given ``hostname``, file ``hosts`` and files; answer with its four descriptors."""
    pairs = [_socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET) for _ in range(2)]
    held = [ours.fileno() for ours, _ in pairs]
    try:
        try:
            linux.unshare(sum(_NAMESPACES.values()))
            held.append(os.open("/proc/self/ns/net", os.O_RDONLY))
            linux.set_hostname(wanted["hostname"])
            _set_ipv6(QUIET)
            etc = {"hosts": wanted["hosts"], "hostname": wanted["hostname"] + "\n"}
            _make_root(wanted["root"], wanted["added"], etc, kept if wanted["root"] == "/" else [])
            if (pid := linux.clone(linux.CLONE_NEWPID)) == 0:
                for descriptor in (*own.values(), CONTROL, *held):
                    os.close(descriptor)
                init.serve(pairs[0][1], pairs[1][1])
        finally:
            for kind, descriptor in own.items():
                linux.setns(descriptor, _NAMESPACES[kind])
        held.append(os.pidfd_open(pid))
        init.send(control, {}, held)
    except OSError as problem:
        init.send(control, {"error": str(problem)})
    finally:
        for pair in pairs:
            for end in pair:
                end.close()
        for descriptor in held[2:]:
            os.close(descriptor)


def _set_ipv6(settings: dict[str, str]) -> None:
    """Settings that the interfaces yet to come take over (kernel, Documentation/networking/ip-sysctl.rst)."""
    folder = "/proc/sys/net/ipv6/conf/default"
    if os.path.isdir(folder):  # not so in a kernel without IPv6
        for name, value in settings.items():
            _put(f"{folder}/{name}", value.encode())


def _make_root(root: str, added: str | None, etc: dict[str, str], kept: list[str]) -> None:
    """A private, writable view of the folder ``root``: an overlay over it, fresh folders on top, with what is added.

    ``root`` is named by a descriptor, so that its name may have any characters, and be hidden by our own /tmp.
    """
    lower = os.open(root, os.O_PATH | os.O_DIRECTORY)
    files = [] if added is None else list(_tree(added))
    if os.path.isfile(f"{root}/{KEPT_FILE}"):
        with open(f"{root}/{KEPT_FILE}", "rb") as file:
            files.append((KEPT_FILE, file.read(), 0o644))
    linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("machine", "/tmp", "tmpfs", data="mode=755")
    for folder in (_UPPER, "/tmp/work", _ROOT, *(f"{_UPPER}/{name}" for name in ("etc", "dev", "proc", "sys"))):
        os.mkdir(folder, 0o755)
    for name, text in etc.items():
        _put(f"{_UPPER}/etc/{name}", text.encode())
    try:
        layers = f"lowerdir=/proc/self/fd/{lower},upperdir={_UPPER},workdir=/tmp/work"
        linux.mount("machine", _ROOT, "overlay", data=layers)
    except OSError as problem:
        raise OSError(f"{problem}; machines need the kernel's file system overlay (CONFIG_OVERLAY_FS)") from None
    finally:
        os.close(lower)
    for point in kept:
        linux.mount(point, _ROOT + point, flags=linux.MS_BIND)
    linux.mount("/dev", _ROOT + "/dev", flags=linux.MS_BIND | linux.MS_REC)
    # syslog(3) falls back on the console where no syslog daemon runs: that is the harness's terminal, keep it clean
    linux.mount("/dev/null", _ROOT + "/dev/console", flags=linux.MS_BIND)
    guarded = linux.MS_NOSUID | linux.MS_NODEV
    for folder, permissions in FRESH_FOLDERS.items():
        os.makedirs(f"{_ROOT}/{folder}", exist_ok=True)
        linux.mount("machine", f"{_ROOT}/{folder}", "tmpfs", guarded, f"mode={permissions}")
    for path, content, mode in files:
        os.makedirs(os.path.dirname(f"{_ROOT}/{path}"), exist_ok=True)
        _put(f"{_ROOT}/{path}", content, mode)
    linux.mount("sysfs", _ROOT + "/sys", "sysfs", guarded | linux.MS_NOEXEC)
    linux.change_root(_ROOT)


def _put(path: str, content: bytes, mode: int | None = None) -> None:
    """Write a file in as few system calls as it takes, which is half of what ``open`` makes of it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        while content:
            content = content[os.write(descriptor, content) :]
        if mode is not None:
            os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


def _tree(folder: str) -> Iterator[tuple[str, bytes, int]]:
    """All files below a folder: path from there, content and permissions."""
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            yield from ((f"{entry.name}/{path}", content, mode) for path, content, mode in _tree(entry.path))
        elif entry.is_file(follow_symlinks=False):
            with open(entry.path, "rb") as file:
                yield entry.name, file.read(), os.fstat(file.fileno()).st_mode & 0o777
