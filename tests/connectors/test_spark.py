"""What is Spark's alone: what counts as reading, how its errors read, encryption and its types."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from pydantic import ValidationError

from connectors._spark_text import check_reads, statements
from connectors.spark import Spark, SparkOptions
from core.errors import ConnectError, Forbidden, QueryError
from core.secret import Secret
from tests.connectors.sail import TOKEN, SailServer, guarded_server, sail_server, tls_front
from tests.connectors.web import self_signed

READS = [
    "SELECT 1",
    "  -- why\n select * from t",
    "/* why */ WITH a AS (SELECT 1) SELECT * FROM a",
    "(SELECT 1) UNION ALL (SELECT 2)",
    "FROM t SELECT a",
    "VALUES (1, 2)",
    "TABLE t",
    "SHOW TABLES",
    "SHOW CREATE TABLE t",
    "DESCRIBE TABLE EXTENDED t",
    "EXPLAIN DELETE FROM t",
    "SELECT 'insert into t' AS said, `update` FROM t",
    "SELECT * FROM t |> WHERE a = 1",
]

MAY_WRITE = [
    "",
    "INSERT INTO t VALUES (1)",
    "insert overwrite t select 1",
    "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a",
    "FROM a INSERT INTO t SELECT * INSERT INTO u SELECT *",
    "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE",
    "WITH a AS (SELECT 1) DELETE FROM t",
    "CREATE TABLE t (a INT)",
    "CREATE TEMPORARY VIEW v AS SELECT 1",
    "DROP TABLE t",
    "SET spark.sql.ansi.enabled = false",
    "USE other",
    "CACHE TABLE t",
    "ADD JAR '/x.jar'",
    "REFRESH TABLE t",
    "EXECUTE IMMEDIATE 'DROP TABLE t'",
    "CALL system.rollback()",
    "COMMENT ON TABLE t IS 'x'",
    "BEGIN DROP TABLE t; END",
    "SELECT reflect('java.lang.System', 'exit', 1)",
    "SELECT java_method ('java.lang.System', 'getenv')",
    "SELECT `reflect`('java.lang.System', 'exit', 1)",
    # Where a literal or comment ends is told in another way than it seems.
    "WITH a AS (SELECT r'\\') INSERT INTO t SELECT 1 --' x) SELECT 1",
    "WITH a AS (SELECT 1) /* /* */ */ INSERT INTO t SELECT 1",
    "SELECT 'it\\'s an insert'",
    "SELECT 1; INSERT INTO t VALUES (1)",
]


@pytest.mark.parametrize("sql", READS)
def test_what_reads_is_passed_on(sql):
    check_reads(sql)


@pytest.mark.parametrize("sql", MAY_WRITE)
def test_what_may_do_more_is_refused(sql):
    with pytest.raises(Forbidden, match="read-only"):
        check_reads(sql)


def test_a_long_text_is_told_as_fast_as_a_short_one():
    check_reads("/* why */ " * 100_000 + "SELECT 1")
    with pytest.raises(Forbidden):
        check_reads("(" * 1_000_000)


def test_the_first_statements_are_split_where_they_end():
    assert statements("SET a = 'x;y';\n-- so; it is\nUSE `b;c` ; ;") == [
        "SET a = 'x;y'",
        "-- so; it is\nUSE `b;c`",
    ]
    with pytest.raises(QueryError, match="not closed"):
        statements("SET a = 'x")


@pytest.mark.parametrize("host", ["spark.example", "10.0.0.1"])
def test_a_token_is_not_sent_for_all_to_hear(host):
    with pytest.raises(ValidationError, match="encrypted"):
        SparkOptions(host=host, token=Secret("t0k"))
    assert SparkOptions(host=host, token=Secret("t0k"), tls="require").host == host
    for here in ("localhost", "127.0.0.1", "::1"):
        assert SparkOptions(host=here, token=Secret("t0k")).tls == "disable"


def test_of_an_authority_only_its_certificate_is_kept_and_its_lines_are_mended(tmp_path):
    pem = self_signed(tmp_path).read_text()  # with the key
    kept = SparkOptions(tls_authority=pem.replace("\n", " ")).tls_authority
    assert kept == pem[pem.index("-----BEGIN CERTIFICATE") :]
    with pytest.raises(ValidationError, match="holds no certificate"):
        SparkOptions(tls_authority="mine")


@pytest.fixture(scope="module")
def sail() -> Iterator[SailServer]:
    with sail_server() as running:
        running.execute("CREATE TEMPORARY VIEW items AS SELECT * FROM range(3000000)")
        yield running


def options(server: SailServer, **more: object) -> SparkOptions:
    return SparkOptions(**server.options | {"token": Secret(TOKEN)} | more)


@pytest.mark.spark
def test_an_encrypted_connection_makes_sure_of_who_answers(sail, tmp_path):
    file = self_signed(tmp_path)
    with tls_front(sail.port, file) as port:
        known = options(sail, port=port, tls="require", tls_authority=file.read_text())
        assert ("Encryption", "TLS") in Spark().test(None, known).facts
        unknown = options(sail, port=port, tls="require", connect_timeout=2)
        with pytest.raises(ConnectError, match="No encrypted connection"):
            Spark().test(None, unknown)
        with pytest.raises(ConnectError, match="does not answer as Spark Connect does"):
            Spark().test(None, options(sail, port=port, connect_timeout=2))


@pytest.mark.spark
@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("another", "keeper was refused: the token is wrong"),
        (TOKEN, "does not speak Spark Connect"),
    ],
)
def test_the_token_is_sent_and_its_refusal_told(token, said):
    with guarded_server() as port, pytest.raises(ConnectError, match=said):
        Spark().test(None, SparkOptions(host="127.0.0.1", port=port, user="keeper", token=token))


@pytest.mark.spark
def test_rows_come_as_they_arrive_under_names_of_their_own(sail):
    with (
        duckdb.connect() as con,
        Spark().fetch(con, options(sail), "SELECT id, id FROM items;", lambda stop: None) as reader,
    ):
        assert reader.schema.names == ["id", "id_1"]
        assert sum(batch.num_rows for batch in reader) == 3_000_000


@pytest.mark.spark
@pytest.mark.filterwarnings("ignore:.RETRIES_EXCEEDED")  # Spark's client says it twice
def test_a_server_that_dies_while_it_gives_rows_is_told(sail):
    slow = "SELECT a.id FROM items AS a CROSS JOIN items AS b"
    try:
        with (  # noqa: PT012
            pytest.raises(ConnectError, match=r"broke the connection off|refuses connections"),
            duckdb.connect() as con,
            Spark().fetch(con, options(sail), slow, lambda stop: None) as reader,
        ):
            reader.read_next_batch()
            sail.stop()
            for _ in reader:
                pass
    finally:
        sail.start()
