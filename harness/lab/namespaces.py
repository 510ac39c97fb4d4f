"""The namespaces of machines with their files in them, made from inside by a thread of the harness.

Threads have namespaces of their own, so this takes no process: what a forked one costs, above all
in the embedded kernel, is each page of memory that it touches.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from harness.errors import HarnessError
from harness.images.image import FRESH_FOLDERS
from harness.kernels.calls import linux
from harness.lab import supervisor_process
from harness.lab.plan import HostPlan

# without it Debian's keepalived does not start from 2.3 on
KEPT_FILE = "etc/keepalived/keepalived.config-opts"
_OWN_FILE_SYSTEMS = ("boot", "home", "opt", "root", "srv", "usr")
QUIET = {"accept_dad": "0", "router_solicitations": "0"}
"""IPv6 addresses are usable at once, since all are known to differ, and nobody asks for routers
that are not there.
"""
_UPPER, _ROOT = "/tmp/upper", "/tmp/root"


def make(hosts: Sequence[HostPlan], etc_hosts: str) -> list[list[int]]:
    """For each machine the descriptors of its new namespaces, in the order of
    ``supervisor_process.NAMESPACES``.

    Raises HarnessError.
    """
    with ThreadPoolExecutor(
        1
    ) as thread:  # it ends with the block, and leaves the namespaces to the descriptors
        return thread.submit(_make_all, hosts, etc_hosts).result()


def _make_all(hosts: Sequence[HostPlan], etc_hosts: str) -> list[list[int]]:
    own = _open_namespace("mnt")
    made: list[list[int]] = []
    try:
        for host in hosts:
            try:
                linux.unshare(sum(supervisor_process.NAMESPACES.values()))
                made.append([_open_namespace(kind) for kind in supervisor_process.NAMESPACES])
                _furnish(host, etc_hosts)
                linux.setns(own, linux.CLONE_NEWNS)
            except OSError as problem:
                raise HarnessError(f"{host.name}: cannot set up this machine: {problem}") from None
    except BaseException:
        close(made)
        raise
    finally:
        os.close(own)
    return made


def close(made: Iterable[Iterable[int]]) -> None:
    """Let go of namespaces."""
    for namespaces in made:
        for descriptor in namespaces:
            os.close(descriptor)


def _open_namespace(kind: str) -> int:
    return os.open(f"/proc/thread-self/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)


def _furnish(host: HostPlan, etc_hosts: str) -> None:
    """Give the calling thread's namespaces what the machine has in them."""
    linux.set_hostname(host.name)
    supervisor_process.set_ipv6(QUIET)
    _make_root(
        host.image.root, host.image.added, {"hosts": etc_hosts, "hostname": host.name + "\n"}
    )


def _kept_mounts() -> list[str]:
    """Where the file systems are mounted that a machine sees as they are, beside the one of
    ``/``.
    """
    with open("/proc/self/mountinfo", "rb") as mounts:
        points = [os.fsdecode(line.split()[4]) for line in mounts]
    return [point for point in points if point.split("/")[1] in _OWN_FILE_SYSTEMS]


def _make_root(root: str, added: str | None, etc: dict[str, str]) -> None:
    """A private, writable view of the folder ``root``: an overlay over it, fresh folders on top,
    with what is added.

    ``root`` is named by a descriptor, so that its name may have any characters, and be hidden by
    our own /tmp.
    """
    lower = os.open(root, os.O_PATH | os.O_DIRECTORY)
    files = [] if added is None else list(_tree(added))
    if os.path.isfile(f"{root}/{KEPT_FILE}"):
        with open(f"{root}/{KEPT_FILE}", "rb") as file:
            files.append((KEPT_FILE, file.read(), 0o644))
    linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
    kept = _kept_mounts() if root == "/" else []
    linux.mount("machine", "/tmp", "tmpfs", data="mode=755")
    for folder in (
        _UPPER,
        "/tmp/work",
        _ROOT,
        *(f"{_UPPER}/{name}" for name in ("etc", "dev", "proc", "sys")),
    ):
        os.mkdir(folder, 0o755)
    for name, text in etc.items():
        supervisor_process.put(f"{_UPPER}/etc/{name}", text.encode())
    try:
        layers = f"lowerdir=/proc/self/fd/{lower},upperdir={_UPPER},workdir=/tmp/work"
        linux.mount("machine", _ROOT, "overlay", data=layers)
    except OSError as problem:
        raise OSError(
            f"{problem}; machines need the kernel's file system overlay (CONFIG_OVERLAY_FS)"
        ) from None
    finally:
        os.close(lower)
    for point in kept:
        linux.mount(point, _ROOT + point, flags=linux.MS_BIND)
    linux.mount("/dev", _ROOT + "/dev", flags=linux.MS_BIND | linux.MS_REC)
    # syslog(3) falls back on the console where no syslog daemon runs: that is the harness's
    # terminal, keep it clean
    linux.mount("/dev/null", _ROOT + "/dev/console", flags=linux.MS_BIND)
    guarded = linux.MS_NOSUID | linux.MS_NODEV
    for folder, permissions in FRESH_FOLDERS.items():
        os.makedirs(f"{_ROOT}/{folder}", exist_ok=True)
        linux.mount("machine", f"{_ROOT}/{folder}", "tmpfs", guarded, f"mode={permissions}")
    for path, content, mode in files:
        os.makedirs(os.path.dirname(f"{_ROOT}/{path}"), exist_ok=True)
        supervisor_process.put(f"{_ROOT}/{path}", content, mode)
    linux.mount("sysfs", _ROOT + "/sys", "sysfs", guarded | linux.MS_NOEXEC)
    linux.change_root(_ROOT)


def _tree(folder: str) -> Iterator[tuple[str, bytes, int]]:
    """All files below a folder: path from there, content and permissions."""
    with os.scandir(folder) as scanned:
        entries = list(scanned)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from (
                (f"{entry.name}/{path}", content, mode) for path, content, mode in _tree(entry.path)
            )
        elif entry.is_file(follow_symlinks=False):
            with open(entry.path, "rb") as file:
                yield entry.name, file.read(), os.fstat(file.fileno()).st_mode & 0o777
