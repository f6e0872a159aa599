"""What is MySQL's own: its types by push-down, its answers, TLS, and whose statement is stopped."""

from __future__ import annotations

import datetime
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from connectors._my_session import MysqlOptions, Server, connected, kill_scans
from connectors.mariadb import Mariadb
from connectors.mysql import Mysql
from core.connector import Checked
from core.errors import ConnectError, Forbidden, QueryError
from core.secret import Secret
from core.settings import Settings
from core.workbench import Workbench, Workspace
from tests.connectors.servers import PASSWORD, MariadbServer, mariadb_server, silent_port

needs_mariadb = pytest.mark.mariadb


@pytest.fixture(scope="module")
def server() -> Iterator[MariadbServer]:
    with mariadb_server() as running:
        running.execute(
            "CREATE TABLE items (id integer AUTO_INCREMENT PRIMARY KEY, name varchar(20) "
            "DEFAULT 'it''s', age integer CHECK (age > 0), doubled integer AS (age * 2) STORED, "
            "UNIQUE KEY named (name(5), age))",
            "INSERT INTO items (name, age) VALUES ('a', 1), ('b', 2)",
            "CREATE VIEW slow AS SELECT id, sleep(30) AS slept FROM items",
        )
        yield running


@pytest.fixture
def here(tmp_path) -> Iterator[Workspace]:
    settings = Settings(home=tmp_path / "data", start_folder=tmp_path, sample_data=False)
    opened = Workbench.open(settings)
    yield opened.workspace()
    opened.close()


@pytest.fixture
def shop(here, server) -> Workspace:
    here.connections.add("sales", "mariadb", server.options)
    return here


def rows(here: Workspace, sql: str, **how) -> list[tuple]:
    session = here.queries.session("test")
    run = session.run(sql, **how)
    return session.page(run, run.result).frame.rows()


def options(server: MariadbServer, **more) -> MysqlOptions:
    return MysqlOptions(**server.options | {"password": Secret(PASSWORD)} | more)


UTC = datetime.UTC
PUSHED = {
    # declaration: (value, type as DuckDB names it, value as Python's)
    "decimal(38, 0)": ("99999999999999999999999999999999999999", "DECIMAL(38,0)",
                       Decimal("9" * 38)),
    "decimal(65, 30)": ("1.5", "VARCHAR", "1." + "5" + "0" * 29),  # more than a DECIMAL holds
    "bigint unsigned": ("18446744073709551615", "UBIGINT", 2**64 - 1),
    "tinyint(1)": ("5", "TINYINT", 5),
    "int(6) zerofill": ("7", "UINTEGER", 7),
    "double": ("0.1", "DOUBLE", 0.1),
    "year": ("2026", "INTEGER", 2026),
    "date": ("'0000-00-00'", "DATE", None),
    "datetime(6)": ("'9999-12-31 23:59:59.999999'", "TIMESTAMP",
                    datetime.datetime(9999, 12, 31, 23, 59, 59, 999999)),
    "datetime": ("'2026-00-00 01:02:03'", "TIMESTAMP", None),
    "timestamp NULL": ("'2026-01-02 03:04:05'", "TIMESTAMP WITH TIME ZONE",
                       datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
    "time(3)": ("'-838:59:58.999'", "VARCHAR", "-838:59:58.999"),
    "bit(1)": ("b'0'", "BOOLEAN", False),
    "bit(9)": ("b'100000001'", "BLOB", b"\x01\x01"),
    "enum('ä', 'b')": ("'ä'", "VARCHAR", "ä"),
    "set('a', 'b')": ("'a,b'", "VARCHAR", "a,b"),
    "varbinary(3)": ("x'00ff'", "BLOB", b"\x00\xff"),
    "longtext": ("'\U0001f41f\\0'", "VARCHAR", "\U0001f41f\0"),
    "json": ("'[1]'", "VARCHAR", "[1]"),
    "geometrycollection": ("geometrycollection(point(1, 2))", "BLOB", None),
}  # fmt: skip


@needs_mariadb
def test_what_runs_there_arrives_with_types_that_carry_it_exactly(shop, server):
    server.execute("SET sql_mode = ''")
    columns = ", ".join(f"c{at} {declared}" for at, declared in enumerate(PUSHED))
    values = ", ".join(told[0] for told in PUSHED.values())
    server.execute(
        "DROP TABLE IF EXISTS all_types",
        f"CREATE TABLE all_types ({columns})",
        f"INSERT INTO all_types VALUES ({values})",
    )
    session = shop.queries.session("test")
    run = session.run("SELECT * FROM all_types", on="sales")
    types = [column.type for column in run.result.columns]
    assert dict(zip(PUSHED, types, strict=True)) == {
        declared: told[1] for declared, told in PUSHED.items()
    }
    (row,) = session.page(run, run.result).frame.rows()
    found = dict(zip(PUSHED, row, strict=True))
    assert len(found.pop("geometrycollection")) == 34  # SRID, then WKB
    assert found == {declared: told[2] for declared, told in PUSHED.items() if declared in found}


@needs_mariadb
def test_a_sum_is_a_number_and_one_that_does_not_fit_is_refused(shop):
    sums = "SELECT sum(n), count(*) FROM (SELECT 9223372036854775807 AS n UNION ALL SELECT 1) AS t"
    assert rows(shop, sums, on="sales") == [(Decimal(2**63), 2)]
    with pytest.raises(QueryError):
        rows(shop, f"SELECT {'9' * 39} + 0", on="sales")


@needs_mariadb
def test_many_rows_of_any_width_arrive_whole_and_in_order(shop):
    session = shop.queries.session("test")
    run = session.run("SELECT seq, repeat('ü', seq % 3000) FROM seq_1_to_20000", on="sales")
    run.wait()
    assert run.result.rows == 20_000
    last = session.page(run, run.result, offset=19_999, limit=1).frame.rows()
    assert last == [(20_000, "ü" * (20_000 % 3000))]


@needs_mariadb
def test_a_statement_without_rows_tells_what_the_server_says(shop, server):
    shop.connections.change("sales", server.options | {"allow_writing": True})
    ((told,),) = rows(shop, "UPDATE items SET age = age + 1", on="sales")
    assert told.startswith("2 rows affected")


@needs_mariadb
def test_only_one_statement_runs_and_a_mistake_has_its_place(shop):
    with pytest.raises(QueryError) as refusal:
        rows(shop, "SELECT 1;\n  DELETE FROM items", on="sales")
    assert (refusal.value.line, refusal.value.column) == (2, 3)


@needs_mariadb
def test_a_table_that_was_made_there_is_found_at_once(shop, server):
    shop.connections.change("sales", server.options | {"allow_writing": True})
    assert rows(shop, "SELECT count(*) FROM sales.shop.items") == [(2,)]
    rows(shop, "CREATE OR REPLACE TABLE fresh AS SELECT 1 AS one", on="sales")
    assert rows(shop, "SELECT one FROM sales.shop.fresh") == [(1,)]


# The collation of the column takes a for A, and any text for one with spaces at its end.
TEXTS = {
    "SELECT t FROM {0} WHERE t = 'a'": [("a",)],
    "SELECT t FROM {0} WHERE t IN ('a', 'b')": [("a",)],
    "SELECT count(*) FROM {0} WHERE t LIKE 'a%'": [(2,)],
    "SELECT count(*) FROM {0} WHERE t > 'Z'": [(2,)],
    "SELECT count(*) FROM {0} GROUP BY t": [(1,)] * 4,
    "SELECT min(t), max(t) FROM {0}": [("A", "a ")],
    "SELECT t FROM {0} ORDER BY t LIMIT 2": [("A",), ("B",)],
    "SELECT count(*) FROM {0} AS x JOIN {0} AS y USING (t)": [(4,)],
}


@needs_mariadb
@pytest.mark.parametrize("sql", TEXTS)
def test_text_is_compared_as_everywhere_else_here(shop, server, sql):
    server.execute(
        "CREATE OR REPLACE TABLE texts (t varchar(9))",
        "INSERT INTO texts VALUES ('a'), ('A'), ('a '), ('B')",
    )
    assert rows(shop, sql.format("sales.shop.texts")) == TEXTS[sql]


@needs_mariadb
def test_settings_that_change_what_values_mean_cannot_be_changed(shop):
    with pytest.raises(Forbidden, match="Settings of the engine"):
        rows(shop, "SET GLOBAL mysql_tinyint1_as_boolean = true")


@needs_mariadb
def test_its_structure_tells_defaults_checks_indexes_and_definitions(shop):
    found = {each.name: each for each in shop.catalog.structures("sales", "shop")}
    items = {each.name: each for each in found["items"].columns}
    assert items["id"].default == "AUTO_INCREMENT"
    assert items["name"].default in ("'it\\'s'", "'it''s'")  # as its version writes it
    assert items["name"].declared == "varchar(20)"
    assert items["doubled"].default == "GENERATED ALWAYS AS (`age` * 2) STORED"
    assert "CHECK (`age` > 0)" in [each.sql for each in found["items"].constraints]
    (named,) = found["items"].indexes
    assert (named.unique, named.columns) == (True, ("name", "age"))
    assert named.sql == "CREATE UNIQUE INDEX `named` ON `shop`.`items` (`name`(5), `age`)"
    assert found["items"].rows == 2
    assert found["items"].bytes > 0
    assert found["slow"].kind == "view"
    assert "sleep(30)" in found["slow"].sql
    alone = shop.catalog.describe(shop.catalog.find("sales.shop.items"))
    assert alone.sql.startswith("CREATE TABLE `items` (")
    assert "ENGINE=InnoDB" in alone.sql


@contextmanager
def statement_of_another(server: MariadbServer, sql: str) -> Iterator[None]:
    """Run a statement as the same user, by a program that is not ours."""
    given = options(server)
    command = [
        *("mariadb", "--no-defaults", f"--port={given.port}", "--host=127.0.0.1", "--user=keeper"),
        *("shop", "--execute", sql),
    ]
    environment = {"MYSQL_PWD": PASSWORD, "PATH": "/usr/bin:/bin"}
    other = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        yield
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def under_way(server: MariadbServer, text: str) -> int:
    counting = (
        "SELECT count(*) FROM information_schema.processlist "
        f"WHERE info LIKE '%{text}%' AND id <> connection_id()"
    )
    return server.execute(counting)[0][0]


def wait_until(so, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@needs_mariadb
def test_cancelling_a_read_stops_it_at_the_server_and_nobody_elses(shop, server):
    with statement_of_another(server, "SELECT sleep(60), 'theirs'"):
        wait_until(lambda: under_way(server, "theirs") == 1)
        run = shop.queries.session("test").start("SELECT * FROM sales.shop.slow")
        wait_until(lambda: under_way(server, "slept") == 1)
        engine = shop.engine.pid
        run.cancel()
        run.wait()
        assert run.state == "cancelled"
        wait_until(lambda: under_way(server, "slept") == 0)
        assert under_way(server, "theirs") == 1
        assert shop.engine.pid == engine
    assert rows(shop, "SELECT count(*) FROM sales.shop.items") == [(2,)]


@needs_mariadb
def test_our_own_questions_are_not_stopped_with_the_reads(server):
    with connected(options(server)) as session:
        asked = threading.Thread(target=session.query, args=["SELECT sleep(2), 'asked'"])
        asked.start()
        wait_until(lambda: under_way(server, "asked") == 1)
        kill_scans(options(server), 60)
        assert under_way(server, "asked") == 1
        asked.join()


@needs_mariadb
def test_what_takes_too_long_is_ended_by_the_server(here, server):
    here.connections.add("sales", "mariadb", server.options | {"statement_timeout": 1})
    with pytest.raises(QueryError, match="max_statement_time") as refusal:
        rows(here, "SELECT 1 FROM items WHERE sleep(30) = 0", on="sales")
    assert "how long one may take" in refusal.value.hint


@needs_mariadb
def test_a_test_warns_of_what_will_not_be_as_one_may_think(here, server):
    server.execute(
        "CREATE OR REPLACE TABLE wide (amount decimal(60, 2))",
        "CREATE USER boss IDENTIFIED BY 'b'",
        "GRANT ALL ON *.* TO boss",
    )
    boss = server.options | {"user": "boss", "password": "b"}
    notes = here.connections.test("mysql", boss).notes
    assert any("arrive as DOUBLE" in note and "shop.wide.amount" in note for note in notes)
    assert any("may do everything" in note for note in notes)
    assert any("asked as MariaDB is" in note for note in notes)
    server.execute("DROP TABLE wide", "DROP USER boss")


@needs_mariadb
def test_a_user_of_other_machines_is_told_so(here, server):
    server.execute("RENAME USER keeper TO keeper@10.9.9.9")
    try:
        with pytest.raises(ConnectError, match="this machine"):
            here.connections.test("mariadb", server.options)
    finally:
        server.execute("RENAME USER keeper@10.9.9.9 TO keeper@'%'")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> Path:
    """Make an authority, and a certificate of it for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1")
    for command in (
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=Authority",
        "req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=server",
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem "
        "-days 2 -extfile names",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    return folder


@needs_mariadb
def test_a_connection_is_as_encrypted_as_it_is_asked_to_be(here, certificates):
    files = [
        f"--ssl-{kind}={certificates / name}"
        for kind, name in (("cert", "server.pem"), ("key", "server.key"), ("ca", "ca.pem"))
    ]
    authority = (certificates / "ca.pem").read_text()
    with mariadb_server(*files) as server:
        server.execute("ALTER USER keeper REQUIRE SSL", "CREATE TABLE t (x integer)")

        def tested(tls: str, authority: str = "") -> Checked:
            given = server.options | {"tls": tls, "tls_authority": authority}
            return here.connections.test("mariadb", given)

        for tls in ("preferred", "required"):
            assert dict(tested(tls).facts)["Encryption"].startswith("TLS")
        with pytest.raises(ConnectError, match="password is wrong"):
            tested("disabled")
        with pytest.raises(ConnectError, match="cannot prove that it is 127"):
            tested("verify_identity")
        flat = authority.replace("\n", " ")  # as it leaves a form of one line
        assert dict(tested("verify_identity", flat).facts)["Encryption"].startswith("TLS")
        verified = {"tls": "verify_identity", "tls_authority": authority}
        for alias, how in (("a", {"tls": "required"}), ("b", verified)):
            here.connections.add(alias, "mariadb", server.options | how)
            assert rows(here, f"SELECT count(*) FROM {alias}.shop.t") == [(0,)]


# What a server may say before anything else, and how it is told.
GREETINGS = {
    b"SSH-2.0-OpenSSH_9.2\r\n": "speak as MySQL does|broke the connection off",
    b"HTTP/1.1 400 Bad Request\r\n\r\n": "speak as MySQL does|broke the connection off",
    b"\x17\x00\x00\x00\xff\x10\x04Too many connections": "no connection free",
    b"\x0a\x00\x00\x00\xff\x69\x04blocked": "blocked this machine",
}


@contextmanager
def speaking(*said: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """Run a server that says these things, each after it has heard something; gives its port."""
    heard: list[bytes] = []

    def serve(listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            with client:
                client.settimeout(5)
                try:
                    for each in said:
                        client.sendall(each)
                        heard.append(client.recv(4096))
                except OSError:
                    continue

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=[listening], daemon=True)
        thread.start()
        yield listening.getsockname()[1], heard
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def nobody(port: int) -> MysqlOptions:
    return MysqlOptions(
        host="127.0.0.1", port=port, user="u", password=Secret(PASSWORD), connect_timeout=2
    )


@pytest.mark.parametrize("said", GREETINGS)
def test_what_is_no_mysql_or_will_not_have_us_is_told(said):
    with (
        speaking(said) as (port, _),
        pytest.raises(ConnectError, match=GREETINGS[said]),
        connected(nobody(port)),
    ):
        pass


def test_a_password_is_not_given_in_the_clear_where_it_can_be_overheard():
    salt = b"12345678\0"
    greeting = (
        b"\x0a8.0.36\0" + b"\1\0\0\0" + salt + b"\x00\x82\x21\2\0\x08\0\x15" + b"\0" * 10
        + b"123456789012\0" + b"mysql_native_password\0"
    )  # fmt: skip
    asks = b"\xfemysql_clear_password\0"
    packets = [
        bytes([len(each), 0, 0, number]) + each for number, each in ((0, greeting), (2, asks))
    ]
    with (
        speaking(*packets) as (port, heard),
        pytest.raises(ConnectError, match="asks for the password in the clear"),
        connected(nobody(port)),
    ):
        pass
    assert len(heard) >= 1
    assert PASSWORD.encode() not in b"".join(heard)


def test_a_silent_server_is_given_up():
    with (
        silent_port() as port,
        pytest.raises(ConnectError, match=r"does not answer|broke the connection off"),
        connected(nobody(port)),
    ):
        pass


class Greeting:
    """Stands for a session: all that is asked of it is what the server called itself."""

    def __init__(self, version: str) -> None:
        self.get_server_info = lambda: version


@pytest.mark.parametrize(
    ("greeting", "found"),
    [
        ("8.0.36", "MySQL 8.0.36"),
        ("5.7.44-log", "MySQL 5.7.44"),
        ("9.1.0-commercial", "MySQL 9.1.0"),
        ("10.11.19-MariaDB-0+deb12u1", "MariaDB 10.11.19"),
        ("5.5.5-10.3.39-MariaDB", "MariaDB 10.3.39"),  # what old replicas were told
    ],
)
def test_a_server_is_known_by_its_greeting(greeting, found):
    assert Server.of(Greeting(greeting)).version == found


@pytest.mark.parametrize("greeting", ["5.6.51", "5.5.5-10.1.48-MariaDB"])
def test_a_server_that_is_too_old_is_refused(greeting):
    with pytest.raises(ConnectError, match="is the oldest that can be used"):
        Server.of(Greeting(greeting))


@pytest.mark.parametrize("kind", [Mysql, Mariadb])
def test_a_certificate_that_is_none_is_refused_before_anything_is_asked(kind):
    for text in ("nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"):
        with pytest.raises(ValueError, match="certificate"):
            kind.Options(tls_authority=text)
