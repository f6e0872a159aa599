"""The wall around a worker: what it may reach is granted, the kernel refuses the rest.

A worker calls `enter` before it opens anything and while it has one thread; there is no way back.
The wall is Landlock for files and ports, seccomp for system calls, rlimits for memory and file
sizes. It does not make untrusted SQL safe on a system without them, and says so: `Isolation`.
It does not hide that a path exists (stat). Hosts are told apart by whoever answers the worker's
connects (core/workers/broker.py); without, a host's port is open at every host.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.errors import ConfigError
from core.workers import grip, landlock, privileges, seccomp
from core.workers.places import host_and_port

_SYSTEM_PATHS = (
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/lib",
    "/lib64",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/dev/null",
    "/dev/urandom",
    # Single files, because the folder also leads to environ, mem and the sockets of the machine.
    *(f"/proc/self/{name}" for name in ("cgroup", "maps", "mountinfo", "stat", "statm", "status")),
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys/vm/overcommit_memory",
    # DuckDB aborts the process if this exists and cannot be read; so too /proc/self/cgroup.
    "/sys/fs/cgroup",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
    "/sys/kernel/mm/transparent_hugepage",
)
# How names become addresses, and which certificates are believed.
_NETWORK_PATHS = (
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
)
_DNS = 53


@dataclass(frozen=True)
class Wall:
    """What a worker may reach; everything else is refused by the kernel.

    `read` and `write` are absolute paths of files or folders with all that is in them; nothing in
    them can be executed. Of folders in `listed` the names may be listed, below them too, and
    nothing read. A path that does not exist is no grant. `hosts` are those that may be connected
    to over TCP, each `name:port` or `[address]:port`; without any there is no network. `memory`
    counts private memory, `file_size` each file written, both in bytes; 0 leaves the limit that is
    there.
    """

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    memory: int = 0
    file_size: int = 0

    def __post_init__(self) -> None:
        for path in (*self.read, *self.write, *self.listed):
            if not os.path.isabs(path):
                raise ConfigError(f"{path!r} cannot be granted to a worker: it is not absolute.")
        for host in self.hosts:
            host_and_port(host)

    def to_json(self) -> dict[str, Any]:
        """Return the wall as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, described: dict[str, Any]) -> Wall:
        """Return the wall that `to_json` described."""
        lists = {key: tuple(value) for key, value in described.items() if isinstance(value, list)}
        return cls(**{**described, **lists})


@dataclass(frozen=True)
class Isolation:
    """What the kernel granted: Landlock's version (0: none), seccomp, rlimits, grants by host."""

    landlock: int
    seccomp: bool
    limits: bool
    hosts: bool

    @property
    def complete(self) -> bool:
        """Tell whether people may use this worker who are not trusted with the machine."""
        return self.landlock >= 1 and self.seccomp

    def sentence(self) -> str:
        """Say in one sentence, for a person, how well workers are shut in."""
        if not self.complete:
            parts = {"Landlock": self.landlock, "seccomp": self.seccomp}
            missing = " and ".join(name for name, there in parts.items() if not there)
            rest = ", only limits on memory and file sizes" if self.limits else ""
            return f"For trusted users only: this system has no {missing} to shut workers in{rest}."
        return (
            "Workers reach only what is granted to them: the kernel refuses the rest "
            f"(Landlock {self.landlock}, seccomp{self._network()})."
        )

    def _network(self) -> str:
        if self.hosts:
            return ""
        if self.landlock >= 4:
            return "; it does not tell hosts apart, so the port of a source is open at every host"
        return "; with a source on the network every host and port is open to it"

    def to_json(self) -> dict[str, Any]:
        """Return the isolation as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, described: dict[str, Any]) -> Isolation:
        """Return the isolation that `to_json` described."""
        return cls(**described)


def available() -> Isolation:
    """Tell what this system offers, entering nothing."""
    limits = sys.platform != "win32"
    return Isolation(landlock.version(), seccomp.offered(), limits, grip.offered())


def enter(wall: Wall, hand_over: Callable[[int], None] | None = None) -> Isolation:
    """Shut this process in, for good, and return how well; what the system lacks is left out.

    `hand_over` gives a descriptor to whoever will answer this process's connects; it closes it
    here. Without it the ports of `wall.hosts` are open at every host, and so is DNS over TCP.

    The caller has one thread, so nothing of the process stays outside: ConfigError otherwise.
    OSError where the kernel has a part of the wall and refuses it: do not go on then. Python
    modules not yet found by name must lie in `wall.read`.
    """
    if sys.platform == "linux":
        privileges.refuse_threads()
    limits = privileges.limit(wall.memory, wall.file_size)
    if sys.platform != "linux":
        return Isolation(landlock=0, seccomp=False, limits=limits, hosts=False)
    filtered = seccomp.offered()
    ask = hand_over if wall.hosts and filtered else None
    privileges.give_up(watched=ask is not None)
    read = (*wall.read, *_NETWORK_PATHS) if wall.hosts else wall.read
    # Where another process connects for this one, it needs no port of its own.
    ports = () if ask is not None else _ports(wall.hosts)
    version = landlock.restrict(read, wall.write, wall.listed, ports=ports)
    # Below version 3 Landlock would let truncate() empty any file.
    allowed = ["truncate"] if version >= 3 else []
    if ask is not None:
        ask(seccomp.install("ask", allowed))
    elif filtered:
        seccomp.install("allow" if wall.hosts else "refuse", allowed)
    return Isolation(version, filtered, limits, hosts=filtered and hand_over is not None)


def _ports(hosts: tuple[str, ...]) -> tuple[int, ...]:
    ports = {host_and_port(each)[1] for each in hosts}
    return (*ports, _DNS) if ports else ()


def runtime_paths() -> tuple[str, ...]:
    """Return what a Python worker itself has to read: the interpreter, packages, system libraries.

    `core` and `connectors` are named one by one, because the folder they lie in may hold the data
    folder, with the key. `/proc/self` in a path means the process that enters the wall.
    """
    keys = ("stdlib", "platstdlib", "purelib", "platlib")
    python = [sysconfig.get_path(key) for key in keys]
    python += [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    library = sysconfig.get_config_var("LIBDIR")
    if library and Path(library).name.startswith("lib"):
        python.append(library)
    project = Path(__file__).resolve().parents[2]
    packages = [str(project / name) for name in ("core", "connectors")]
    return tuple(dict.fromkeys([*_SYSTEM_PATHS, *python, *packages]))
