"""Pid 1 of the embedded kernel: makes a machine around the host's files, runs one program and
reports its end.

Every import and every system call costs here (facts: 2 to 60 ms, 50 to 75 µs), so this module knows
only the C modules it needs, and nothing polls: in virtual time a poll would burn real time.
"""

from __future__ import annotations

import _socket
import fcntl
import marshal
import os
import sys
import termios

from harness.kernels import wire
from harness.kernels.calls import linux
from harness.kernels.guest.streams import Program, move_high

TYPE_CHECKING = False  # that of `typing` takes 15 ms to import
if TYPE_CHECKING:
    from typing import Any

_LINE = "/dev/ttyS0"
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 0x1
_MODULES = ("veth", "bridge", "ip_vs", "ip_vs_rr")
"""What nearly every cluster needs, where that is not in the kernel: it would start modprobe for
each of them.
"""
_BUILDING = "/sys"  # an empty folder of every machine, where the root is put together


def main() -> None:
    """What the kernel starts: ``sys.argv[1]`` is the host's descriptor of the folder with the
    request.
    """
    try:
        _fill_standard_descriptors()
        linux.mount("proc", "/proc", "proc")
        linux.mount("tmpfs", _BUILDING, "tmpfs")
        request = _receive(sys.argv[1])
        _enter_overlay(request)
        _mount_system()
        _make_machine(request)
        _serve(request)
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
    # The end of pid 1 would be a panic; the host ends the kernel as soon as it has the last frame,
    # or sees this.
    linux.power_off()


def _fill_standard_descriptors() -> None:
    """Without a /dev/console on the host the kernel starts pid 1 without descriptors 0 to 2."""
    while (descriptor := os.open("/dev/null", os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


def _receive(store: str) -> dict[str, Any]:
    """The request, read through hostfs: that is synchronous, so no virtual time passes. With it
    goes an open file.
    """
    folder = _BUILDING + "/request"
    os.mkdir(folder)
    linux.mount("none", folder, "hostfs", linux.MS_RDONLY, f"/proc/self/fd/{store}/.")
    if not os.path.exists(folder + "/request"):
        raise RuntimeError("this kernel was started again, from inside: a guest starts once")
    with open(folder + "/request", "rb") as file:
        request: dict[str, Any] = marshal.load(file)
    request["imports"] = move_high(os.open(folder + "/imports", os.O_RDONLY))
    linux.unmount(folder, linux.MNT_DETACH)
    return request


def _enter_overlay(request: dict[str, Any]) -> None:
    """Make the host's files, below a layer that is thrown away, the root."""
    _load_overlay(request["modules"], request["release"])
    for name in ("upper", "work", "root"):
        os.mkdir(f"{_BUILDING}/{name}")
    layers = f"lowerdir=/,upperdir={_BUILDING}/upper,workdir={_BUILDING}/work"
    linux.mount("overlay", _BUILDING + "/root", "overlay", 0, layers)
    linux.change_root(_BUILDING + "/root")


def _load_overlay(modules: str | None, release: str) -> None:
    if modules is None or _has_overlay():
        return
    folder = f"{_BUILDING}/lib/modules/{release}"
    os.makedirs(folder)
    linux.mount(modules, folder, flags=linux.MS_BIND)
    os.waitpid(
        os.posix_spawn(
            "/sbin/modprobe", ["modprobe", "-q", "-d", _BUILDING, "-a", "overlay", *_MODULES], {}
        ),
        0,
    )
    if not _has_overlay():
        raise RuntimeError(f"modprobe cannot load the overlay module from {modules}")
    linux.unmount(folder)


def _has_overlay() -> bool:
    with open("/proc/filesystems") as file:
        return "\toverlay\n" in file.read()


def _mount_system() -> None:
    linux.mount("proc", "/proc", "proc")
    linux.mount("sysfs", "/sys", "sysfs")
    linux.mount("cgroup2", "/sys/fs/cgroup", "cgroup2")
    linux.mount("devtmpfs", "/dev", "devtmpfs")
    os.mkdir("/dev/pts")
    linux.mount("devpts", "/dev/pts", "devpts", 0, "ptmxmode=0666,mode=0620,gid=5")
    os.mkdir("/dev/shm")
    linux.mount("tmpfs", "/dev/shm", "tmpfs", 0, "mode=1777")
    linux.mount("tmpfs", "/run", "tmpfs", 0, "mode=0755")
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        os.symlink("/proc/self/fd" + target, "/dev/" + name)


def _make_machine(request: dict[str, Any]) -> None:
    """The writable folder, the kernel's modules where modprobe looks for them, the hostname, and
    lo.
    """
    writable = request["writable"]
    os.makedirs(writable, exist_ok=True)
    linux.mount("none", writable, "hostfs", 0, writable)
    if request["modules"]:
        folder = f"/lib/modules/{request['release']}"
        os.makedirs(folder, exist_ok=True)
        linux.mount(request["modules"], folder, flags=linux.MS_BIND)
    linux.set_hostname(request["hostname"])
    socket = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
    fcntl.ioctl(
        socket.fileno(), _SIOCSIFFLAGS, b"lo".ljust(16, b"\0") + _IFF_UP.to_bytes(24, "little")
    )
    socket.close()
    _set_limits()


def _set_limits() -> None:
    """For what all machines share, the tables of neighbours and the queue of frames between them,
    room for large farms.

    A broadcast in a farm of 500 is 500 frames at once (kernel, ip-sysctl.rst and sysctl/net.rst).
    And a new network namespace has no tunl0, gre0 and so on, as where those are modules that nobody
    has loaded. What a machine's firewall logs is in the kernel's log.
    """
    settings = {
        "net/core/netdev_max_backlog": 1 << 20,
        "net/core/fb_tunnels_only_for_init_net": 1,
        "net/netfilter/nf_log_all_netns": 1,
    }
    for ip in ("ipv4", "ipv6"):
        for number in (1, 2, 3):
            settings[f"net/{ip}/neigh/default/gc_thresh{number}"] = 1 << 16
    for name, value in settings.items():
        if os.path.exists(path := f"/proc/sys/{name}"):
            with open(path, "w") as setting:
                setting.write(str(value))


def _serve(request: dict[str, Any]) -> None:
    """Run the program, relay its streams, and report its exit status as the last frame."""
    line = _open_line(_LINE)
    wire.write_all(line, wire.frame(wire.READY))
    status = Program(line, request).relay()
    for index, path in enumerate(request["collect"]):
        _send_files(line, index, path)
    os.sync()
    wire.write_all(line, wire.frame(wire.EXIT, bytes([status])))
    termios.tcdrain(line)


def _open_line(path: str) -> int:
    """A serial line that passes every byte as it is (cfmakeraw(3))."""
    line = os.open(path, os.O_RDWR | os.O_NOCTTY)
    attributes = termios.tcgetattr(line)
    attributes[:4] = [0, 0, termios.CS8 | termios.CREAD, 0]
    termios.tcsetattr(line, termios.TCSANOW, attributes)
    return line


def _send_files(line: int, index: int, path: str, below: str = "") -> None:
    """Send the regular file at ``path``, or all below it, each as one frame; links are left out."""
    if os.path.islink(path):
        return
    if os.path.isfile(path):
        with open(path, "rb") as file:
            wire.write_all(line, wire.frame(wire.FILE, wire.file(index, below, file.read())))
    elif os.path.isdir(path):
        for name in os.listdir(path):
            _send_files(line, index, f"{path}/{name}", f"{below}/{name}" if below else name)
