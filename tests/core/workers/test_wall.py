"""Attacks from inside the wall, in real processes with the real engine, and work that must go on.

A case is a piece of code that runs walled in, and a pattern for what becomes of it: `value: ...`
or the exception. Whatever it was, nothing outside may have changed, and the secret is not told.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pytest

from core.errors import ConfigError
from core.settings import APP_FOLDER
from core.workers.places import host_and_port
from core.workers.wall import Isolation, Wall, available, runtime_paths

pytestmark = pytest.mark.skipif(
    not available().complete, reason="needs Linux >= 5.13 with Landlock and seccomp switched on"
)

SECRET = "the-treasure-is-under-the-mill"

INSIDE = """
import errno, json, os, signal, socket, subprocess, sys, threading, ctypes, fcntl, mmap, resource
from pathlib import Path
import connectors
from core.workers import syscalls
from core.workers.wall import Wall, enter
spec = json.loads(sys.argv[1])
parent = os.getppid()
isolation = enter(Wall.from_json(spec["wall"]))

def sql(text):
    import duckdb
    con = duckdb.connect(config={
        "home_directory": spec["write"], "temp_directory": spec["write"] + "/spill",
        "python_enable_replacements": "false", "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false", "threads": "2", "memory_limit": "100MB"})
    con.execute("SET enable_progress_bar = false")  # it prints into what the test reads
    for extension in spec["extensions"]:
        con.execute(f"LOAD '{extension}'")
    con.execute(text)
    return con.fetchall()

def number(name, *arguments):
    return syscalls.call(syscalls.numbers(syscalls.machine())[name], *arguments)

scope = dict(globals())
try:
    exec(spec["code"], scope)
    outcome = f"value: {scope.get('value')!r}"
except BaseException as error:
    outcome = f"{type(error).__name__}: {error}"
print(json.dumps({"outcome": outcome}))
"""


@dataclass
class Ground:
    """Folders granted to read and to write, one outside them, and a port that nobody may reach."""

    read: Path
    write: Path
    outside: Path
    listener: socket.socket
    wall: Wall

    def names(self) -> dict[str, str]:
        port = str(self.listener.getsockname()[1])
        places = {"read": self.read, "write": self.write, "outside": self.outside}
        return {name: str(path) for name, path in places.items()} | {"port": port}

    def run(self, code: str, *, extensions: tuple[str, ...] = (), **limits: object) -> str:
        """Run `code` walled in, `<read>` and the like replaced; return what became of it."""
        for name, value in self.names().items():
            code = code.replace(f"<{name}>", value)
        wall = replace(self.wall, **limits)
        spec = {"wall": wall.to_json(), "code": code, "extensions": extensions, **self.names()}
        ended = subprocess.run(
            [sys.executable, "-c", INSIDE, json.dumps(spec)],
            input="",
            capture_output=True,
            text=True,
            cwd=APP_FOLDER,
            env={"HIDDEN": SECRET},
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)["outcome"]

    def untouched(self) -> dict[str, object]:
        """Everything outside that an attack could change."""
        return {
            path.name: (path.lstat().st_mode, path.lstat().st_mtime_ns, path.read_bytes())
            for path in self.outside.iterdir()
        }

    def visitors(self) -> int:
        try:
            self.listener.accept()[0].close()
        except BlockingIOError:
            return 0
        return 1


@pytest.fixture
def ground(tmp_path: Path):
    read, write, outside = (tmp_path / name for name in ("read", "write", "outside"))
    for folder in (read, write, outside):
        folder.mkdir()
    (read / "numbers.csv").write_text("n\n1\n2\n")
    (outside / "secret.csv").write_text(f"word\n{SECRET}\n")
    (read / "way-out.csv").symlink_to(outside / "secret.csv")
    (write / "way-out").symlink_to(outside)
    duckdb.sql("SELECT 42 AS n").write_parquet(str(read / "numbers.parquet"))
    with duckdb.connect(str(outside / "other.duckdb")) as other:
        other.execute(f"CREATE TABLE t AS SELECT '{SECRET}' AS word")
    (outside / "excel.duckdb_extension").write_bytes(Path(extension("excel")).read_bytes())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        wall = Wall(read=(*runtime_paths(), str(read)), write=(str(write),))
        yield Ground(read, write, outside, listener, wall)


def extension(name: str) -> str:
    [path] = Path(duckdb.__file__).parents[1].glob(f"duckdb_extension_{name}/**/*.duckdb_extension")
    return str(path)


REFUSED = r"(PermissionError|IOException|OperationalError).*(Permission denied|Operation not perm)"

SQL = {
    "read_text": ("SELECT content FROM read_text('/etc/passwd')", REFUSED),
    "read_csv": ("FROM read_csv('/etc/passwd', sep=':', header=false)", REFUSED),
    "read_blob": ("FROM read_blob('<outside>/secret.csv')", REFUSED),
    "a name as a table": ("FROM '<outside>/secret.csv'", REFUSED),
    "up and over": ("FROM '<read>/../outside/secret.csv'", REFUSED),
    "a link in a granted folder": ("FROM '<read>/way-out.csv'", REFUSED),
    "a linked folder": ("FROM '<write>/way-out/secret.csv'", REFUSED),
    # Listing finds nothing rather than failing: the engine has to say why.
    "list /etc": ("SELECT count(*) FROM glob('/etc/*')", r"value: \[\(0,\)\]"),
    "list /proc": ("SELECT count(*) FROM glob('/proc/*')", r"value: \[\(0,\)\]"),
    "own environment": ("FROM read_text('/proc/self/environ')", REFUSED),
    "attach": ("ATTACH '<outside>/other.duckdb' AS o (READ_ONLY)", REFUSED),
    "attach new": ("ATTACH '<outside>/new.duckdb' AS o", REFUSED),
    "copy out": ("COPY (SELECT 1) TO '<outside>/out.csv'", REFUSED),
    "copy over": ("COPY (SELECT 1) TO '<outside>/secret.csv'", REFUSED),
    "copy through a link": ("COPY (SELECT 1) TO '<write>/way-out/out.csv'", REFUSED),
    "copy into what is readable": ("COPY (SELECT 1) TO '<read>/numbers.csv'", REFUSED),
    "copy in": ("CREATE TABLE t (a VARCHAR); COPY t FROM '/etc/passwd'", REFUSED),
    "export": ("EXPORT DATABASE '<outside>/dump'", r"IOException"),
    # A file that is a proper extension: but for the wall it would load.
    "load": ("LOAD '<outside>/excel.duckdb_extension'", r"(IO|Permission).*"),
    "install": ("INSTALL httpfs", r"IOException"),
    "http": ("FROM read_csv('http://127.0.0.1:<port>/x.csv')", r".*requires the extension httpfs"),
}


@pytest.mark.parametrize(("text", "expected"), SQL.values(), ids=SQL)
def test_sql_reaches_nothing_outside_the_wall(ground, text, expected):
    before = ground.untouched()
    outcome = ground.run(f"value = sql({text!r})")
    assert re.match(expected, outcome, re.DOTALL), outcome
    assert SECRET not in outcome
    assert ground.untouched() == before
    assert ground.visitors() == 0


def test_sql_reaches_no_sqlite_file_outside_the_wall(ground):
    before = ground.untouched()
    for name in ("secret.csv", "new.sqlite"):
        text = f"ATTACH '<outside>/{name}' AS o (TYPE sqlite); CREATE TABLE o.t AS SELECT 1 AS n"
        outcome = ground.run(f"value = sql({text!r})", extensions=(extension("sqlite_scanner"),))
        assert re.match(r"\w+Exception|Error", outcome), outcome
    assert ground.untouched() == before


DENIED = r"PermissionError: \[Errno 13\]"
REFUSED_CALL = r"PermissionError: \[Errno 1\]"
UNKNOWN_CALL = r"OSError: \[Errno 38\]"

PYTHON = {
    "read": ("open('/etc/passwd')", DENIED),
    "read the parent's environment": ("open(f'/proc/{parent}/environ')", DENIED),
    "read the parent's memory": ("open(f'/proc/{parent}/mem', 'rb')", DENIED),
    "read the parent's arguments": ("open(f'/proc/{parent}/cmdline')", DENIED),
    "read the other's environment": ("open('/proc/self/environ')", DENIED),
    "read the sockets of the machine": ("open('/proc/self/net/tcp')", DENIED),
    "read the project": (f"open({str(APP_FOLDER / 'pyproject.toml')!r})", DENIED),
    "list the project": (f"os.listdir({str(APP_FOLDER)!r})", DENIED),
    "list /proc": ("os.listdir('/proc')", DENIED),
    "write": ("open('<outside>/new', 'w')", DENIED),
    "write what is readable": ("open('<read>/numbers.csv', 'a')", DENIED),
    "remove": ("os.remove('<outside>/secret.csv')", DENIED),
    "remove what is readable": ("os.remove('<read>/numbers.csv')", DENIED),
    "empty": ("os.truncate('<outside>/secret.csv', 0)", DENIED),
    "move in": ("os.rename('<outside>/secret.csv', '<write>/s')", r"PermissionError|OSError"),
    "link in": ("os.link('<outside>/secret.csv', '<write>/s')", r"PermissionError|OSError"),
    "symbolic link": ("os.symlink('/etc', '<write>/etc')", DENIED),
    "named pipe": ("os.mkfifo('<write>/pipe')", REFUSED_CALL),
    "change a mode": ("os.chmod('<outside>/secret.csv', 0o777)", REFUSED_CALL),
    "change a mode, open": ("os.fchmod(os.open('<read>/numbers.csv', 0), 0o777)", REFUSED_CALL),
    "change an owner": ("os.chown('<outside>/secret.csv', 1, 1)", REFUSED_CALL),
    "change a time": ("os.utime('<outside>/secret.csv', (0, 0))", REFUSED_CALL),
    "an attribute": ("os.setxattr('<outside>/secret.csv', 'user.a', b'')", REFUSED_CALL),
    "watch a folder": ("number('inotify_add_watch', 0, b'<outside>', 4095)", REFUSED_CALL),
    "run a program": ("subprocess.run(['/bin/true'])", REFUSED_CALL),
    "run by shell": ("value = os.system('/bin/true')", r"value: (-1|32512)"),
    "fork": ("os.fork()", REFUSED_CALL),
    "become a program": ("os.execv('/bin/true', ['true'])", REFUSED_CALL),
    "spawn": ("os.posix_spawn('/bin/true', ['true'], {})", REFUSED_CALL),
    "TCP": ("socket.create_connection(('127.0.0.1', <port>))", REFUSED_CALL),
    "TCP 6": ("socket.create_connection(('::1', <port>))", REFUSED_CALL),
    "metadata": ("socket.create_connection(('169.254.169.254', 80), 1)", REFUSED_CALL),
    "UDP": ("socket.socket(socket.AF_INET, socket.SOCK_DGRAM)", REFUSED_CALL),
    "Unix socket": ("socket.socket(socket.AF_UNIX)", REFUSED_CALL),
    "netlink": ("socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)", REFUSED_CALL),
    "datagram pair": ("socket.socketpair(type=socket.SOCK_DGRAM)", REFUSED_CALL),
    "any other family": (
        "for family in set(range(50)) - {2}:\n"
        "    try: number('socket', family, 1, 0)\n"
        "    except PermissionError: continue\n"
        "    raise SystemExit(f'family {family}')",
        r"value: None",
    ),
    # Signal 0 only asks whether one may: a broken wall must not end the tests.
    "kill the parent": ("os.kill(parent, 0)", REFUSED_CALL),
    "kill the group": ("os.kill(0, 0)", REFUSED_CALL),
    "kill everybody": ("os.kill(-1, 0)", REFUSED_CALL),
    "have it signalled": ("fcntl.fcntl(0, fcntl.F_SETOWN, parent)", REFUSED_CALL),
    "limit the parent": ("resource.prlimit(parent, resource.RLIMIT_CPU)", REFUSED_CALL),
    "type into the terminal": ("fcntl.ioctl(2, 0x5412, b'x')", REFUSED_CALL),
    "be traced": ("number('ptrace', 0, 0, 0, 0)", REFUSED_CALL),
    "be root": ("os.setuid(0)", REFUSED_CALL),
    "rights of root": (
        "lines = [line.split() for line in open('/proc/self/status')]\n"
        "sets = [line[1] for line in lines if line[0] in ('CapEff:', 'CapPrm:')]\n"
        "value = [int(bits, 16) & ~0b110 for bits in sets]",
        r"value: \[0, 0\]",
    ),
    "raise a limit": (
        "resource.setrlimit(resource.RLIMIT_CORE, (2, 2))",
        r"ValueError: not allowed|PermissionError",
    ),
    "memory that is not counted": ("mmap.mmap(-1, 1 << 20)", REFUSED_CALL),
    "memory as a file": ("os.memfd_create('m')", REFUSED_CALL),
    "calls newer than the filter": ("syscalls.call(451)", UNKNOWN_CALL),
    "calls of x32": ("syscalls.call(0x40000000 + 39)", UNKNOWN_CALL),
}  # fmt: skip


@pytest.mark.parametrize(("code", "expected"), PYTHON.values(), ids=PYTHON)
def test_python_reaches_nothing_outside_the_wall(ground, code, expected):
    before = ground.untouched()
    outcome = ground.run(code)
    assert re.match(expected, outcome, re.DOTALL), outcome
    assert SECRET not in outcome
    assert ground.untouched() == before
    assert (ground.read / "numbers.csv").read_text() == "n\n1\n2\n"
    assert ground.visitors() == 0


def test_every_call_of_the_table_is_refused_or_checked(ground):
    """Arguments that no call would take: only a filter answers EPERM or ENOSYS before them all."""
    code = """
wrong = {}
checked = {"ioctl", "fcntl", "mmap", "sendto", "sendmsg", "sendmmsg", "truncate", "prlimit64"}
checked |= {"prctl", "setsockopt"}
harmless = {"kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "clone3"}
for name, call in syscalls.numbers(syscalls.machine()).items():
    if name in checked | harmless:
        continue
    try:
        wrong[name] = syscalls.call(call, -1, -1, -1, -1, -1)
    except OSError as error:
        if error.errno != errno.EPERM:
            wrong[name] = error.errno
value = wrong
"""
    # clone with all flags set claims to be a thread; the kernel itself refuses it.
    assert ground.run(code) == f"value: {{'clone': {22}}}"


def test_a_pipe_of_the_worker_has_no_mode_left(ground):
    # Root opens it all the same; a socket pair is closed to everybody.
    assert ground.run("value = oct(os.fstat(0).st_mode), oct(os.fstat(1).st_mode)") == (
        "value: ('0o10000', '0o10000')"
    )
    code = "a, b = socket.socketpair()\nopen(f'/proc/self/fd/{a.fileno()}', 'wb')"
    assert "No such device" in ground.run(code)


def test_where_nobody_is_asked_the_network_reaches_granted_ports_only(ground):
    host = f"127.0.0.1:{ground.listener.getsockname()[1]}"
    connect = "socket.create_connection(('127.0.0.1', <port>), 5).close()"
    assert ground.run(connect, hosts=(host,)) == "value: None"
    assert ground.visitors() == 1
    assert re.match(REFUSED_CALL, ground.run(connect))
    assert re.match(DENIED, ground.run(connect, hosts=("127.0.0.1:1",)))
    fast_open = "a = socket.socket()\na.sendto(b'x', socket.MSG_FASTOPEN, ('127.0.0.1', <port>))"
    assert re.match(REFUSED_CALL, ground.run(fast_open, hosts=("127.0.0.1:1",)))
    for other in ("proto=262", "type=socket.SOCK_RAW, proto=1", "type=socket.SOCK_DGRAM"):
        assert re.match(REFUSED_CALL, ground.run(f"socket.socket({other})", hosts=(host,)))
    listen = "socket.create_server(('127.0.0.1', 0))"
    assert re.match(REFUSED_CALL, ground.run(listen, hosts=(host,)))
    assert ground.visitors() == 0


def test_a_query_that_eats_memory_fails_and_the_process_lives(ground):
    code = """
import duckdb
con = duckdb.connect(config={"memory_limit": "100GB"})
try:
    con.execute("SELECT length(string_agg(repeat('x', 1000000), '')) FROM range(4000)").fetchall()
    raise SystemExit("nothing stopped it")
except (duckdb.Error, MemoryError) as error:
    value = type(error).__name__, con.execute("SELECT 42").fetchall()
"""
    outcome = ground.run(code, memory=900 << 20)
    assert re.match(r"value: \('(OutOfMemoryException|MemoryError)', \[\(42,\)\]\)", outcome)


def test_a_list_that_eats_memory_is_a_memory_error(ground):
    assert ground.run("bytes(1 << 30)", memory=500 << 20).startswith("MemoryError")


def test_a_file_that_grows_too_big_is_an_error(ground):
    python = "Path('<write>/big').write_bytes(bytes(3 << 20))"
    assert re.match(r"OSError: \[Errno 27\]", ground.run(python, file_size=1 << 20))
    query = "COPY (SELECT random() FROM range(1000000)) TO '<write>/big.csv'"
    outcome = ground.run(f"value = sql({query!r})", file_size=1 << 20)
    assert re.match(r"IOException.*too large", outcome, re.DOTALL)


LEGITIMATE = {
    "csv": ("value = sql(\"FROM '<read>/numbers.csv'\")", r"value: \[\(1,\), \(2,\)\]"),
    "parquet": ("value = sql(\"FROM '<read>/*.parquet'\")", r"value: \[\(42,\)\]"),
    "copy": ("value = sql(\"COPY (SELECT 1) TO '<write>/a.parquet'\")", r"value: \[\(1,\)\]"),
    "copy over itself": (
        "for _ in range(2):\n    value = sql(\"COPY (SELECT 1) TO '<write>/a.csv'\")",
        r"value: \[\(1,\)\]",
    ),
    "partitioned copy": (
        "value = sql(\"COPY (SELECT i, i % 2 AS p FROM range(4) t(i)) TO '<write>/d'\"\n"
        "            \" (PARTITION_BY p)\")",
        r"value: \[\(4,\)\]",
    ),
    "attach": (
        "value = sql(\"ATTACH '<write>/a.duckdb' AS a; CREATE TABLE a.t AS FROM range(3);\"\n"
        "            \" FROM a.t\")",
        r"value: \[\(0,\), \(1,\), \(2,\)\]",
    ),
    "spill": (
        "value = sql(\"SELECT count(*) FROM (SELECT i, hash(i) AS h, repeat('x', 50) || i AS w\"\n"
        "            \" FROM range(3000000) t(i) ORDER BY h, w) WHERE length(w) > 50\")",
        r"value: \[\(3000000,\)\]",
    ),
    "time zone": ("value = bool(sql(\"SELECT now()::VARCHAR\"))", r"value: True"),
    "threads": (
        "seen = []\nworkers = [threading.Thread(target=seen.append, args=(n,)) for n in range(9)]\n"
        "[w.start() for w in workers]\n[w.join() for w in workers]\nvalue = sorted(seen)",
        r"value: \[0, 1, 2, 3, 4, 5, 6, 7, 8\]",
    ),
    "files": (
        "os.mkdir('<write>/d')\nPath('<write>/d/a').write_text('abc')\n"
        "os.truncate('<write>/d/a', 2)\n"
        "os.rename('<write>/d/a', '<write>/b')\nos.link('<write>/b', '<write>/d/c')\n"
        "value = Path('<write>/d/c').read_text()\nos.remove('<write>/b')\n"
        "os.remove('<write>/d/c')\nos.rmdir('<write>/d')",
        r"value: 'ab'",
    ),
    "signal to oneself": (
        "got = []\nsignal.signal(signal.SIGUSR1, lambda *_: got.append(1))\n"
        "os.kill(os.getpid(), signal.SIGUSR1)\n"
        "signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)\nvalue = len(got)",
        r"value: [12]",
    ),
    "arrow and polars": (
        "import polars, pyarrow\nvalue = polars.from_arrow(pyarrow.table({'a': [2, 1]})).lazy()"
        ".sort('a').collect().to_dict(as_series=False)",
        r"value: \{'a': \[1, 2\]\}",
    ),
    "event loop": (
        "import asyncio\nvalue = asyncio.run(asyncio.sleep(0, 'done'))",
        r"value: 'done'",
    ),
    "a module of the project": ("import core.settings, connectors", r"value: None"),
    "its own figures": ("value = Path('/proc/self/cgroup').read_text() != ''", r"value: True"),
}  # fmt: skip


@pytest.mark.parametrize(("code", "expected"), LEGITIMATE.values(), ids=LEGITIMATE)
def test_work_goes_on_inside_the_wall(ground, code, expected):
    outcome = ground.run(code)
    assert re.match(expected, outcome, re.DOTALL), outcome


def test_an_extension_loads_from_its_wheel(ground):
    text = (
        "COPY (SELECT 7 AS n) TO '<write>/a.xlsx' (FORMAT xlsx); FROM read_xlsx('<write>/a.xlsx')"
    )
    outcome = ground.run(f"value = sql({text!r})", extensions=(extension("excel"),))
    assert outcome == "value: [(7.0,)]"


def test_paths_that_do_not_exist_are_no_grant_and_no_error(ground):
    missing = (*ground.wall.read, str(ground.outside / "nothing" / "here"))
    assert ground.run("value = isolation.complete", read=missing) == "value: True"


def test_one_file_can_be_granted_without_its_folder(ground):
    granted = (*ground.wall.read, str(ground.outside / "secret.csv"))
    assert SECRET in ground.run("value = sql(\"FROM '<outside>/secret.csv'\")", read=granted)
    assert re.match(DENIED, ground.run("os.listdir('<outside>')", read=granted))


def test_a_process_with_threads_is_refused(ground):
    code = (
        "import threading\nfrom core.workers.wall import Wall, enter\n"
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "try: enter(Wall())\nexcept Exception as error: print(type(error).__name__, error)\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, cwd=APP_FOLDER, check=True
    ).stdout
    assert output.startswith(b"ConfigError A worker must have one thread")


def test_without_landlock_the_rest_of_the_wall_stands_and_says_so():
    code = (
        "import os\nfrom core.workers import landlock, wall\nlandlock.version = lambda: 0\n"
        "found = wall.enter(wall.Wall())\nprint(found.to_json(), found.complete)\n"
        "for attack in (os.fork, lambda: os.truncate('/dev/null', 0)):\n"
        "    try: attack()\n    except PermissionError as error: print(error.errno)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=APP_FOLDER, check=True
    )
    assert ended.stdout.splitlines() == [
        "{'landlock': 0, 'seccomp': True, 'limits': True, 'hosts': False} False",
        "1",
        "1",
    ]


@pytest.mark.parametrize(
    ("isolation", "complete", "words"),
    [
        (Isolation(7, True, True, True), True, "(Landlock 7, seccomp)."),
        (Isolation(2, True, True, True), True, "(Landlock 2, seccomp)."),
        (Isolation(7, True, True, False), True, "the port of a source is open at every host"),
        # before version 4 Landlock knows no ports
        (Isolation(2, True, True, False), True, "every host and port is open"),
        (Isolation(0, True, True, True), False, "this system has no Landlock to"),
        (Isolation(7, False, True, False), False, "this system has no seccomp to"),
        (Isolation(0, False, True, False), False, "no Landlock and seccomp"),
        (Isolation(0, False, False, False), False, "For trusted users only: "),
    ],
)
def test_the_sentence_says_what_is_missing(isolation, complete, words):
    assert isolation.complete is complete
    assert words in isolation.sentence()
    assert Isolation.from_json(json.loads(json.dumps(isolation.to_json()))) == isolation


def test_a_wall_survives_its_description():
    wall = Wall(read=("/a",), write=("/b",), hosts=("a:1", "[::1]:2"), memory=3, file_size=4)
    assert Wall.from_json(json.loads(json.dumps(wall.to_json()))) == wall


def test_a_relative_path_cannot_be_granted():
    with pytest.raises(ConfigError, match="absolute"):
        Wall(read=("data",))


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("db.example.com:5432", ("db.example.com", 5432)),
        ("10.0.0.1:1", ("10.0.0.1", 1)),
        ("[::1]:65535", ("::1", 65535)),
    ],
)
def test_a_host_is_a_name_and_a_port(host, expected):
    assert host_and_port(host) == expected


@pytest.mark.parametrize(
    "host",
    ["", "db", "db:", ":80", "db:0", "db:65536", "db:x", "db:-1", "db:\u0661", "::1:80", "[]:80"],
)
def test_what_is_no_host_and_port_cannot_be_granted(host):
    with pytest.raises(ConfigError, match="no host with a port"):
        Wall(hosts=(host,))


def test_what_a_worker_reads_holds_no_data_folder():
    granted = [Path(path) for path in runtime_paths()]
    for kept in (APP_FOLDER, APP_FOLDER / ".millpond", Path("/etc/passwd"), Path.home()):
        assert not [path for path in granted if kept == path or path in kept.parents]


def test_available_enters_nothing():
    assert available() == available()
    assert Path("/etc/passwd").read_text()
    assert os.access("/", os.R_OK)
