"""Real workers and real sockets: what is granted is reached, and nothing else by any way round.

A case is code that runs in a worker behind its wall, and a pattern for what becomes of it. Two
hosts are granted: `127.0.0.1:<port>` and names at that port; `<other>` is a port that is not.
"""

from __future__ import annotations

import errno
import re
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil
import pytest

from core.settings import APP_FOLDER
from core.workers import broker, grip
from core.workers.protocol import Frame
from core.workers.wall import Wall, available, runtime_paths
from core.workers.worker import Pending, Worker

pytestmark = pytest.mark.skipif(
    not available().hosts,
    reason="needs Linux >= 5.6 whose processes may hold their children (Docker's profile refuses)",
)

PROBE = "tests.core.workers.probe"
MEANINGS = {
    "db.test": ["127.0.0.1"],
    "here.test": ["::ffff:127.0.0.1"],
    "metadata.test": ["169.254.169.254"],
    "away.test": [],
}
PRELUDE = """
import asyncio, ctypes, errno, fcntl, os, select, socket, struct, threading
from core.workers import syscalls
libc = ctypes.CDLL(None, use_errno=True)

def place(host, port):
    return struct.pack("=H", 2) + struct.pack("!H4s8x", port, socket.inet_aton(host))

def connect(handle, raw, size=None):
    failed = libc.connect(handle, raw, len(raw) if size is None else size)
    return ctypes.get_errno() if failed else 0

def number(name, *arguments):
    return syscalls.call(syscalls.numbers(syscalls.machine())[name], *arguments)
"""


def until(condition, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def visitors(listener: socket.socket) -> int:
    count = 0
    while True:
        try:
            listener.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


@dataclass
class Ground:
    """A worker, a listener that it may reach, and two that it may not."""

    worker: Worker
    granted: socket.socket
    other: socket.socket
    beside: socket.socket

    def code(self, text: str) -> str:
        """Fill in the ports of a piece of code."""
        for name, listener in (("<port>", self.granted), ("<other>", self.other)):
            text = text.replace(name, str(listener.getsockname()[1]))
        return textwrap.dedent(PRELUDE) + textwrap.dedent(text)

    def run(self, text: str) -> str:
        """Run code in the worker; return what became of it."""
        return self.worker.call("python", 60, code=self.code(text)).head["outcome"]

    def start(self, text: str) -> Pending:
        """Run code in the worker without waiting for its end."""
        return self.worker.start("python", {"code": self.code(text)})


@pytest.fixture(scope="module")
def asked() -> Iterator[list[str]]:
    """The names that the system was asked for, which knows those of this module and localhost."""
    names: list[str] = []

    def getaddrinfo(name, port, *, type):
        names.append(name)
        known = {**MEANINGS, "localhost": ["127.0.0.1"]}
        if not known.get(name):
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        return [(0, type, 6, "", (each, 0)) for each in known[name]]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield names


def open_worker(*hosts: str) -> Worker:
    wall = Wall(read=(*runtime_paths(), str(APP_FOLDER / "tests")), hosts=hosts)
    worker = Worker(PROBE)
    worker.open({"wall": wall.to_json(), "note": "hello"})
    return worker


@pytest.fixture(scope="module")
def listeners() -> Iterator[list[socket.socket]]:
    with (
        socket.create_server(("127.0.0.1", 0)) as granted,
        socket.create_server(("127.0.0.1", 0)) as other,
        socket.create_server(("127.0.0.2", granted.getsockname()[1])) as beside,
    ):
        for each in (granted, other, beside):
            each.setblocking(False)
        yield [granted, other, beside]


@pytest.fixture(scope="module")
def shared(asked: list[str], listeners: list[socket.socket]) -> Iterator[Ground]:
    port = listeners[0].getsockname()[1]
    names = [f"{name}:{port}" for name in ("localhost", *MEANINGS)]
    worker = open_worker(f"127.0.0.1:{port}", "127.0.0.1:9", *names)
    yield Ground(worker, *listeners)
    worker.close()


@pytest.fixture
def ground(shared: Ground) -> Ground:
    """The module's worker, and listeners that nobody has visited yet."""
    for each in (shared.granted, shared.other, shared.beside):
        visitors(each)
    return shared


REACHED = {
    "waiting": "socket.create_connection(('127.0.0.1', <port>))",
    "with a timeout": "socket.create_connection(('127.0.0.1', <port>), 5)",
    "not waiting": """
        s = socket.socket()
        s.setblocking(False)
        assert s.connect_ex(('127.0.0.1', <port>)) in (0, errno.EINPROGRESS)
        waiter = select.poll()
        waiter.register(s, select.POLLOUT)
        assert waiter.poll(5000) == [(s.fileno(), select.POLLOUT)]
        assert s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        assert s.getpeername() == ('127.0.0.1', <port>)
        """,
    "in an event loop": "asyncio.run(asyncio.open_connection('127.0.0.1', <port>))",
    "over IPv6": """
        s = socket.socket(socket.AF_INET6)
        s.connect(('::ffff:127.0.0.1', <port>))
        assert s.getpeername()[0] == '::ffff:127.0.0.1'
        """,
    "a name of /etc/hosts": "socket.create_connection(('localhost', <port>), 5)",
    "a name of DNS": "socket.create_connection(('db.test', <port>), 5)",
    "a name, spelt otherwise": "socket.create_connection(('DB.Test.', <port>), 5)",
    "a name for an IPv6 address": "socket.create_connection(('here.test', <port>), 5)",
    "with options set before": """
        s = socket.socket()
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        s.connect(('127.0.0.1', <port>))
        assert s.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        """,
}


@pytest.mark.parametrize("code", REACHED.values(), ids=REACHED)
def test_a_granted_host_is_reached(ground: Ground, code: str) -> None:
    assert ground.run(code) == "value: None"
    assert visitors(ground.granted) == 1


NO_ADDRESS = r"gaierror: \[Errno -2\]"
DENIED = r"PermissionError: \[Errno 13\]"
REFUSED_CALL = r"PermissionError: \[Errno 1\]"
TCP = "s = socket.socket()\nvalue = connect(s.fileno(), "

KEPT_FROM = {
    "another port": ("socket.create_connection(('127.0.0.1', <other>))", DENIED),
    "another port, not waiting": (
        "s = socket.socket()\ns.setblocking(False)\nvalue = s.connect_ex(('127.0.0.1', <other>))",
        "value: 13",
    ),
    "another address on a granted port": (
        "socket.create_connection(('127.0.0.2', <port>))",
        DENIED,
    ),
    "any address": ("socket.create_connection(('0.0.0.0', <port>))", DENIED),
    "the other loopback": ("socket.create_connection(('::1', <port>))", DENIED),
    "metadata": ("socket.create_connection(('169.254.169.254', 80), 1)", DENIED),
    "metadata on a granted port": ("socket.create_connection(('169.254.169.254', <port>))", DENIED),
    "metadata in IPv6": ("socket.create_connection(('::ffff:169.254.169.254', <port>))", DENIED),
    "a name that means metadata": (
        "socket.create_connection(('metadata.test', <port>))",
        DENIED,
    ),
    "a name on another port": ("socket.create_connection(('db.test', <other>))", DENIED),
    "another name": ("socket.create_connection(('secret.example.test', <port>))", NO_ADDRESS),
    "a name that carries data": ("socket.getaddrinfo('secret.db.test', <port>)", NO_ADDRESS),
    "a name that means nothing": ("socket.getaddrinfo('away.test', <port>)", NO_ADDRESS),
    "UDP": ("socket.socket(type=socket.SOCK_DGRAM)", REFUSED_CALL),
    "UDP over IPv6": ("socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)", REFUSED_CALL),
    "raw": ("socket.socket(type=socket.SOCK_RAW, proto=1)", REFUSED_CALL),
    "MPTCP": ("socket.socket(proto=262)", REFUSED_CALL),
    "SCTP": ("socket.socket(proto=132)", REFUSED_CALL),
    "Unix": ("socket.socket(socket.AF_UNIX)", REFUSED_CALL),
    "Unix by a TCP socket": (
        TCP + r"struct.pack('=H', 1) + b'/run/dbus/system_bus_socket\0')",
        "value: 13",
    ),
    "by a pair": (
        "a, b = socket.socketpair()\nvalue = connect(a.fileno(), place('127.0.0.1', <port>))",
        "value: 13",
    ),
    "by its own channel": (
        "value = set()\n"
        "for n in range(64):\n"
        "    try: own = socket.socket(fileno=os.dup(n))\n"
        "    except OSError: continue\n"
        "    if own.family == socket.AF_UNIX: value.add(connect(n, place('127.0.0.1', <port>)))",
        r"value: \{(9, )?13\}",  # 9: a copy that was closed meanwhile
    ),
    "no family": (TCP + "bytes(16))", "value: 13"),
    "fast open": (
        "socket.socket().sendto(b'x', socket.MSG_FASTOPEN, ('127.0.0.1', <other>))",
        REFUSED_CALL,
    ),
    "fast open by message": (
        "socket.socket().sendmsg([b'x'], [], socket.MSG_FASTOPEN, ('127.0.0.1', <other>))",
        REFUSED_CALL,
    ),
    "fast open by connect": ("socket.socket().setsockopt(6, 30, 1)", REFUSED_CALL),
    "sending without connecting": (
        "socket.socket().sendto(b'x', socket.MSG_NOSIGNAL, ('127.0.0.1', <other>))",
        "BrokenPipeError",
    ),
    "a way round by another host": (
        r"socket.socket().setsockopt(0, 4, b'\x07\x07\x04\0\0\0\0\0')",
        REFUSED_CALL,
    ),
    "a way round in IPv6": (
        "value = []\n"
        "for option in (5, 6, 57):\n"
        "    try: socket.socket(socket.AF_INET6).setsockopt(41, option, bytes(24))\n"
        "    except PermissionError: value.append(option)",
        r"value: \[5, 6, 57\]",
    ),
    "another kind of socket": ("socket.socket().setsockopt(6, 31, b'smc')", REFUSED_CALL),
    "listening": ("socket.create_server(('127.0.0.1', 0))", REFUSED_CALL),
    "a filter that answers first": ("number('seccomp', 1, 8, 0)", REFUSED_CALL),
    "a filter by the old call": ("syscalls.prctl(22, 2, 0)", REFUSED_CALL),
    # A descriptor that questions are answered on would say ENOENT: no such question.
    "answering for itself": (
        "value = set()\n"
        "for n in range(64):\n"
        "    try: fcntl.ioctl(n, 0x40082102, bytes(8))\n"
        "    except OSError as error: value.add(error.errno)\n"
        "value -= {errno.EBADF, errno.ENOTTY, errno.EINVAL, errno.EOPNOTSUPP}",
        r"value: set\(\)",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("code", "expected"), KEPT_FROM.values(), ids=KEPT_FROM)
def test_a_worker_is_kept_from(ground: Ground, code: str, expected: str) -> None:
    outcome = ground.run(code)
    assert re.match(expected, outcome), outcome
    assert [visitors(each) for each in (ground.granted, ground.other, ground.beside)] == [0, 0, 0]
    assert ground.worker.ping(10)


MISTAKES = {
    "a pointer to nothing": ("s.fileno(), ctypes.c_void_p(16), 16", errno.EFAULT),
    "a pointer into the kernel": ("s.fileno(), ctypes.c_void_p(-4096), 16", errno.EFAULT),
    "memory that ends too soon": (
        "s.fileno(), ctypes.c_void_p(ctypes.addressof(ctypes.c_char.from_buffer(page)) + 4090), 16",
        errno.EFAULT,
    ),
    "too long": ("s.fileno(), place('127.0.0.1', <port>), 129", errno.EINVAL),
    "less than nothing": ("s.fileno(), place('127.0.0.1', <port>), -1", errno.EINVAL),
    "cut short": ("s.fileno(), place('127.0.0.1', <port>), 8", errno.EINVAL),
    "no descriptor": ("-1, place('127.0.0.1', <port>), 16", errno.EBADF),
    "no socket": ("os.open('/dev/null', 0), place('127.0.0.1', <port>), 16", errno.ENOTSOCK),
    "connected already": ("connected(), place('127.0.0.1', <port>), 16", errno.EISCONN),
}


@pytest.mark.parametrize(("arguments", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_answered_as_the_kernel_would(
    ground: Ground, arguments: str, expected: int
) -> None:
    code = f"""
        import mmap
        page = mmap.mmap(-1, 8192, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        libc.munmap(ctypes.c_void_p(ctypes.addressof(ctypes.c_char.from_buffer(page)) + 4096), 4096)
        kept = []
        def connected():
            kept.append(socket.create_connection(('127.0.0.1', <port>)))
            return kept[0].fileno()
        s = socket.socket()
        assert libc.connect({arguments}) == -1
        value = ctypes.get_errno()
        """
    assert ground.run(code) == f"value: {expected}"
    assert ground.worker.ping(10)


def test_nothing_that_listens_is_said_and_not_hidden(ground: Ground) -> None:
    for code in ("", ", 5"):
        outcome = ground.run(f"socket.create_connection(('127.0.0.1', 9){code})")
        assert outcome.startswith("ConnectionRefusedError")


def test_an_address_that_changes_after_the_call_leads_nowhere_else(ground: Ground) -> None:
    code = """
        good, bad = place('127.0.0.1', <port>), place('127.0.0.1', <other>)
        shared = ctypes.create_string_buffer(good)
        stop = threading.Event()

        def rewrite():
            while not stop.is_set():
                ctypes.memmove(shared, bad, 16)
                ctypes.memmove(shared, good, 16)

        threading.Thread(target=rewrite, daemon=True).start()
        reached = set()
        for _ in range(300):
            with socket.socket() as s:
                if connect(s.fileno(), shared, 16) == 0:
                    reached.add(s.getpeername())
        stop.set()
        value = reached == {('127.0.0.1', <port>)}
        """
    drained = threading.Event()
    reader = threading.Thread(target=_drain, args=[ground.granted, drained])
    reader.start()
    try:
        assert ground.run(code) == "value: True"
    finally:
        drained.set()
        reader.join()
    assert visitors(ground.other) == 0


def _drain(listener: socket.socket, stop: threading.Event) -> None:
    while not stop.wait(0.005):
        visitors(listener)


@pytest.mark.parametrize("server", ["10.9.8.7", "2001:db8::53"])
def test_whatever_name_server_it_asks_the_answer_is_ours(ground: Ground, server: str) -> None:
    code = f"""
        head = struct.pack("!6H", 5, 0x100, 1, 0, 0, 0)
        question = head + b"\\2db\\4test\\0" + struct.pack("!HH", 1, 1)
        s = socket.create_connection(({server!r}, 53), 10)
        s.sendall(struct.pack("!H", len(question)) + question)
        value = s.recv(1000)[-4:], s.getpeername()[0].removeprefix("::ffff:")
        """
    assert ground.run(code) == r"value: (b'\x7f\x00\x00\x01', '127.0.0.1')"


def test_no_name_is_looked_up_but_those_granted(ground: Ground, asked: list[str]) -> None:
    ground.run("socket.getaddrinfo('a-secret.example.test', 1)")
    ground.run("socket.getaddrinfo('db.test', 1)")
    assert set(asked) <= {*MEANINGS, "localhost"}


def test_what_it_was_kept_from_can_be_told(ground: Ground) -> None:
    moment = time.monotonic()
    ground.run("socket.create_connection(('127.0.0.2', <port>))")
    ground.run("socket.getaddrinfo('example.test', 1)")
    port = ground.granted.getsockname()[1]
    assert ground.worker.refused_since(moment) == (f"127.0.0.2:{port}", "example.test")
    assert ground.worker.refused_since(time.monotonic()) == ()


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A listener whose queue is full: it does not answer, as a host behind a firewall."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for each in (first, second):
            each.setblocking(False)
            each.connect_ex(listener.getsockname())
        yield listener


def place_of(listener: socket.socket) -> str:
    return "{}:{}".format(*listener.getsockname())


def brokers() -> set[threading.Thread]:
    return {each for each in threading.enumerate() if re.match("broker-|connect", each.name)}


def waiting(worker: Worker) -> int:
    assert worker._broker is not None
    return len(worker._broker._connecting)


@pytest.mark.parametrize("end", [lambda worker: worker.kill("of a test"), Worker.close])
def test_a_worker_that_ends_while_it_connects_leaves_nothing(
    asked: list[str], listeners: list[socket.socket], silent: socket.socket, end
) -> None:
    before = brokers(), psutil.Process().num_fds()
    ground = Ground(open_worker(place_of(silent)), *listeners)
    ground.start(f"socket.create_connection({silent.getsockname()!r})")
    assert until(lambda: waiting(ground.worker) == 1)
    end(ground.worker)
    # Those of a test before this one may end meanwhile.
    assert until(lambda: brokers() <= before[0])
    assert until(lambda: psutil.Process().num_fds() <= before[1])


def test_one_that_waits_keeps_no_other_from_connecting(
    asked: list[str], listeners: list[socket.socket], silent: socket.socket, monkeypatch
) -> None:
    monkeypatch.setattr(broker, "MOST_AT_ONCE", 2)
    ground = Ground(open_worker(place_of(silent), place_of(listeners[0])), *listeners)
    visitors(ground.granted)
    hang = f"socket.create_connection({silent.getsockname()!r})"
    ground.start(hang)
    assert until(lambda: waiting(ground.worker) == 1)
    assert ground.run("socket.create_connection(('127.0.0.1', <port>))") == "value: None"
    ground.start(hang)
    assert until(lambda: waiting(ground.worker) == 2)
    outcome = ground.run("socket.create_connection(('127.0.0.1', <port>))")
    assert outcome.startswith("BlockingIOError")  # EAGAIN
    ground.worker.kill("of a test")


def test_a_time_set_for_sending_ends_the_wait(
    asked: list[str], listeners: list[socket.socket], silent: socket.socket
) -> None:
    ground = Ground(open_worker(place_of(silent)), *listeners)
    code = f"""
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 100_000))
        value = s.connect_ex({silent.getsockname()!r})
        """
    assert ground.run(code) == f"value: {errno.EINPROGRESS}"
    ground.worker.close()


def test_descriptors_and_threads_do_not_pile_up(ground: Ground) -> None:
    code = """
        for number in range(40):
            socket.create_connection(('127.0.0.1', <port>)).close()
            socket.socket().connect_ex(('127.0.0.1', <other>))
            socket.getaddrinfo('db.test', 1)
            connect(-1, b'')
        """
    ground.run("socket.getaddrinfo('db.test', 1)")
    assert until(lambda: len(brokers()) == 1)
    before = psutil.Process().num_fds(), brokers()
    assert ground.run(code) == "value: None"
    assert until(lambda: brokers() == before[1])
    assert psutil.Process().num_fds() == before[0]


def test_workers_that_come_and_go_leave_nothing(ground: Ground) -> None:
    before = brokers(), psutil.Process().num_fds()
    for _ in range(5):
        worker = open_worker(place_of(ground.granted))
        again = Ground(worker, ground.granted, ground.other, ground.beside)
        assert again.run("socket.create_connection(('127.0.0.1', <port>))") == "value: None"
        worker.close()
    # Those of a test before this one may end meanwhile.
    assert until(lambda: brokers() <= before[0])
    assert until(lambda: psutil.Process().num_fds() <= before[1])


def test_a_worker_without_hosts_has_no_network_and_no_broker(
    listeners: list[socket.socket],
) -> None:
    worker = open_worker()
    ground = Ground(worker, *listeners)
    assert re.match(REFUSED_CALL, ground.run("socket.socket()"))
    assert re.match(
        REFUSED_CALL, ground.run("libc.connect(0, None, 0)\nnumber('connect', 0, 0, 0)")
    )
    assert worker._broker is None
    assert worker.refused_since(0) == ()
    worker.close()


def test_where_nobody_can_be_asked_ports_are_open_and_it_is_said(
    asked: list[str], listeners: list[socket.socket], monkeypatch
) -> None:
    monkeypatch.setattr(grip, "offered", lambda pid: False)
    worker = open_worker(place_of(listeners[0]))
    ground = Ground(worker, *listeners)
    assert worker.isolation is not None
    assert "open at every host" in worker.isolation.sentence()
    assert ground.run("socket.create_connection(('127.0.0.1', <port>))") == "value: None"
    assert ground.run("socket.create_connection(('127.0.0.2', <port>))") == "value: None"
    assert re.match(DENIED, ground.run("socket.create_connection(('127.0.0.1', <other>))"))
    assert re.match(REFUSED_CALL, ground.run("socket.socket(type=socket.SOCK_DGRAM)"))
    worker.close()


def test_a_worker_asks_for_a_broker_once_only(ground: Ground) -> None:
    with pytest.raises(ValueError, match="already"):
        ground.worker._dispatch(Frame({"listener": 0}))


def test_a_stranger_does_not_get_the_place_of_the_worker() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket() as stranger,
        socket.socket() as known,
    ):
        for each in (stranger, known):
            each.connect(server.getsockname())
        with broker._accept(server, known.getsockname()[1]) as accepted:
            assert accepted.getpeername() == known.getsockname()
        assert stranger.recv(1) == b""


ORDINARY = """
import ctypes, os, struct, socket
from core.workers import privileges, syscalls
from core.workers.wall import Wall, runtime_paths
from core.workers.worker import Worker
from core.settings import APP_FOLDER
if os.geteuid() == 0:  # as one who has the rights of a user and no more over other processes
    libc = ctypes.CDLL(None, use_errno=True)
    syscalls.prctl(24, 19)  # PR_CAPBSET_DROP, CAP_SYS_PTRACE
    [held] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("CapPrm")]
    kept = int(held, 16) & ~(1 << 19)
    low, high = kept & 0xFFFFFFFF, kept >> 32
    sets = struct.pack("=6I", low, low, 0, high, high, 0)
    assert libc.capset(struct.pack("=Ii", 0x20080522, 0), sets) == 0
listener = socket.create_server(("127.0.0.1", 0))
port = listener.getsockname()[1]
wall = Wall(read=(*runtime_paths(), str(APP_FOLDER / "tests")), hosts=(f"127.0.0.1:{port}",))
worker = Worker("tests.core.workers.probe")
print(worker.open({"wall": wall.to_json(), "note": "hello"}).hosts)
for host in ("127.0.0.1", "127.0.0.2"):
    code = f"import socket; socket.create_connection(('{host}', {port}))"
    print(worker.call("python", 20, code=code).head["outcome"])
worker.close()
"""


def test_no_right_to_debug_others_is_needed() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", ORDINARY], capture_output=True, text=True, cwd=APP_FOLDER, check=True
    )
    lines = ended.stdout.splitlines()
    assert lines[:2] == ["True", "value: None"]
    assert re.match(DENIED, lines[2])
