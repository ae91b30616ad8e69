"""Start a program of which nothing is trusted; `core.isolation` runs this file.

    python -I isolated_start.py SETTINGS COMMAND…

SETTINGS is the JSON of `isolation.Settings`. This process ends with the one that started it, and
the program ends with this process: on Linux by the kernel, however they end.
"""

import ctypes
import json
import os
import signal
import socket
import struct
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

_SET_DEATH_SIGNAL, _DROP_BOUNDING, _NO_NEW_PRIVILEGES = 1, 24, 38
_NEW_MOUNTS, _NEW_IPC, _NEW_USER, _NEW_PROCESSES, _NEW_NETWORK = (
    *(0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000),
)
_BIND, _RECURSIVE, _PRIVATE = 0x1000, 0x4000, 0x40000
_SET_MOUNT_ATTRIBUTES, _AT_RECURSIVE, _READ_ONLY_NO_SUID = 442, 0x8000, 1 | 2
_SET_FLAGS, _UP = 0x8914, 0x1
_CAPABILITIES = 64
"""More than Linux has."""

_SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/opt", "/nix"),
    *("/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d"),
    *("/etc/localtime", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/hosts"),
    *("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"),
    *("/sys/devices/system/cpu", "/sys/fs/cgroup"),
)
"""What is visible of the system: programs and libraries, and nothing that is a user's."""

_INSIDE = 1000
"""The user inside; not root, so that the program has no capability even in its namespaces."""


def main(settings: Mapping[str, Any], command: Sequence[str]) -> NoReturn:
    """Start the command, wait for its end, and exit as it did."""
    parent = settings["parent"]
    on_linux = sys.platform == "linux"
    if on_linux:
        _die_with_parent()
    if os.getppid() != parent:
        sys.exit(1)
    if settings["namespaces"]:
        _unshare()
    child = os.fork()
    if child == 0:
        os.setsid()
        if on_linux:
            _die_with_parent()
            if settings["namespaces"]:
                _start_loopback()
                _enter_own_files(settings)
            _give_up_privileges()
        _limit(settings["limits"])
        os.chdir(settings["folder"])
        os.execv(command[0], [*command])  # noqa: S606
    sys.exit(_exit_code(child, parent))


def _exit_code(child: int, parent: int) -> int:
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0:
        if os.getppid() != parent:  # systems without a signal for it
            os.killpg(child, signal.SIGKILL)
        time.sleep(0.02)
    return os.waitstatus_to_exitcode(ended[1]) % 256


def _call(name: str, *arguments: Any) -> None:
    """Call a function of the C library that returns -1 for an error."""
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")


def _die_with_parent() -> None:
    _call("prctl", _SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def _give_up_privileges() -> None:
    """Let no program that this one starts have more rights, not even as root or by sudo."""
    _call("prctl", _NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    for capability in range(_CAPABILITIES):
        try:
            _call("prctl", _DROP_BOUNDING, capability, 0, 0, 0)
        except OSError:  # unknown to this kernel, or the user may not: then it has none, either
            break


def _unshare() -> None:
    user, group = os.geteuid(), os.getegid()
    _call("unshare", _NEW_USER | _NEW_MOUNTS | _NEW_PROCESSES | _NEW_NETWORK | _NEW_IPC)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{_INSIDE} {user} 1"),
        ("gid_map", f"{_INSIDE} {group} 1"),
    ):
        Path("/proc/self", name).write_text(text, encoding="ascii")


def _start_loopback() -> None:
    with socket.socket() as any_socket:
        import fcntl  # noqa: PLC0415 - not on Windows

        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh14x", b"lo", _UP))


def _enter_own_files(settings: Mapping[str, Any]) -> None:
    """Change to a root folder with nothing but the system, and the named files and folders."""
    root = Path(settings["root"])
    _mount("none", Path("/"), "", _PRIVATE | _RECURSIVE)
    _mount("tmpfs", root, "tmpfs", 0, f"mode=755,size={settings['limits']['tmp']}")
    for folder in ("tmp", "dev/shm", "proc"):
        (root / folder).mkdir(parents=True, mode=0o700)
    try:
        _mount("proc", root / "proc", "proc")
    except OSError:  # a container whose own /proc is covered in parts
        _mount("/proc", root / "proc", "", _BIND | _RECURSIVE)
    for place in _places([*_SYSTEM, *settings["visible"]]):
        _show(place, root, writable=False)
    for place in _places(settings["writable"]):
        _show(place, root, writable=True)
    os.chroot(root)


def _places(paths: Sequence[str]) -> list[Path]:
    """Return where files and folders are and, if links lead to them, where they really are.

    Outer folders come first: a folder that exists already is one that is visible.
    """
    existing = [path for path in map(Path, paths) if path.exists()]
    places = {place for path in existing for place in (path, path.resolve())}
    return sorted(places, key=lambda place: len(place.parts))


def _show(place: Path, root: Path, *, writable: bool) -> None:
    target = root / place.relative_to("/")
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.mkdir() if place.is_dir() else target.touch()
    _mount(str(place.resolve()), target, "", _BIND | _RECURSIVE)
    if not writable:
        attributes = struct.pack("QQQQ", _READ_ONLY_NO_SUID, 0, 0, 0)
        where = ctypes.c_char_p(os.fsencode(target))
        _call("syscall", _SET_MOUNT_ATTRIBUTES, -1, where, _AT_RECURSIVE, attributes, 32)


def _mount(source: str, target: Path, kind: str, flags: int = 0, options: str = "") -> None:
    texts = (os.fsencode(source), os.fsencode(target), kind.encode())
    _call("mount", *texts, ctypes.c_ulong(flags), options.encode())


def _limit(limits: Mapping[str, int]) -> None:
    import resource  # noqa: PLC0415 - not on Windows

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for kind, most in (
        (resource.RLIMIT_DATA, limits["memory"]),
        (resource.RLIMIT_FSIZE, limits["file"]),
        (resource.RLIMIT_NPROC, limits["processes"]),
    ):
        _, hard = resource.getrlimit(kind)
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (value, value))


if __name__ == "__main__":
    try:
        main(json.loads(sys.argv[1]), sys.argv[2:])
    except OSError as error:
        sys.exit(f"{error.strerror or error}")
