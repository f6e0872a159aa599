"""The command line as a shell sees it: what it prints where, and with which exit code."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import polars as pl
import psutil
import pytest

from core.cli.commands import run
from core.cli.parameters import parse_value
from core.cli.table import cell
from core.settings import APP_FOLDER, Settings
from core.workbench import Workbench

MILLPOND = [sys.executable, "-m", "core.cli"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A data folder that the tests of this file share, because opening the first costs a second."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def query(home, monkeypatch, capsys):
    """Run `millpond query` here; return exit code, standard output and standard error."""

    def call(*arguments: object):
        monkeypatch.setenv("MILLPOND_HOME", str(home))
        code = run(["query", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "MILLPOND_HOME": str(home), "PYTHONPATH": str(APP_FOLDER)}


def start(home: Path, *arguments: str, **options) -> subprocess.Popen[str]:
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(
        [*MILLPOND, *arguments], env=environment(home), **{**streams, **options}
    )


def test_a_table_has_names_types_and_aligned_rows(query):
    code, out, err = query(
        "SELECT 'a' AS name, 7::BIGINT AS n UNION ALL SELECT 'long', NULL ORDER BY 1"
    )
    assert (code, err) == (0, "")
    assert out.splitlines()[:5] == [
        "name          n",
        "VARCHAR  BIGINT",
        "-------  ------",
        "a             7",
        "long       NULL",
    ]
    assert out.splitlines()[5].startswith("(2 rows in ")


def test_a_table_stops_at_the_rows_asked_for_and_says_how_many_there_are(query):
    _, out, _ = query("FROM range(1234)", "--rows", 3)
    assert "(1,234 rows in " in out
    assert "the first 3 shown" in out
    assert [line.strip() for line in out.splitlines()[3:6]] == ["0", "1", "2"]


def test_each_statement_has_its_table(query):
    _, out, _ = query("CREATE TEMP TABLE t AS SELECT 5 AS five; SELECT * FROM t; SELECT 6 AS six")
    assert "CREATE" in out
    assert "five" in out
    assert "six" in out


def test_the_sample_data_is_there_from_the_first_start(query):
    _, out, _ = query("SELECT count(*) AS n FROM flights JOIN aviation.airlines USING (carrier)")
    assert "336776" in out


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-20", -20),
        ("1.5", 1.5),
        ("-.5", -0.5),
        ("1e3", 1000.0),
        ("true", True),
        ("null", None),
        ("", ""),
        ("007", "007"),  # a code keeps its zeros
        ("00.5", "00.5"),
        ("2024-01-31", "2024-01-31"),  # a date is text that SQL casts
        ("1_000", "1_000"),
        ("nan", "nan"),
        ("True", "True"),
        ("a=b", "a=b"),
    ],
)
def test_a_parameter_is_a_number_a_word_or_text(text, value):
    assert parse_value(text) == value
    assert type(parse_value(text)) is type(value)


def test_parameters_are_bound_and_never_pasted(query):
    text = "'; DROP TABLE x; --"
    code, out, _ = query(
        "SELECT $a + 1 AS a, $b AS b, $d::DATE AS d",
        *("--param", "a=41", "--param", f"b={text}", "--param", "$d=2024-02-29"),
        *("--format", "json"),
    )
    assert code == 0
    assert json.loads(out) == {"a": 42, "b": text, "d": "2024-02-29"}


def test_csv_and_json_hold_every_row_of_the_last_result(query):
    sql = "SELECT 1; SELECT range AS n, 'é,\"' AS t FROM range(3000)"
    _, csv, _ = query(sql, "--format", "csv")
    assert pl.read_csv(csv.encode())["n"].to_list() == [*range(3000)]
    _, lines, _ = query(sql, "--format", "json")
    assert [json.loads(line) for line in lines.splitlines()][2999] == {"n": 2999, "t": 'é,"'}


@pytest.mark.parametrize(
    ("ending", "read"),
    [
        (".parquet", pl.read_parquet),
        (".arrow", pl.read_ipc_stream),
        (".csv", pl.read_csv),
        (".jsonl", pl.read_ndjson),
    ],
)
def test_a_file_gets_the_format_that_its_name_ends_in(query, tmp_path, ending, read):
    out = tmp_path / f"result{ending}"
    code, printed, err = query("SELECT range AS n FROM range(5)", "--out", out)
    assert (code, printed, err) == (0, "", "")
    assert read(out)["n"].to_list() == [0, 1, 2, 3, 4]
    assert os.listdir(tmp_path) == [out.name]  # and no unfinished file beside it


def test_parquet_can_be_piped(home):
    piped = subprocess.run(
        [*MILLPOND, "query", "SELECT 1 AS one", "--format", "parquet"],
        env=environment(home),
        capture_output=True,
    )
    assert (piped.returncode, piped.stderr) == (0, b"")
    assert pl.read_parquet(piped.stdout).to_dicts() == [{"one": 1}]


def test_a_terminal_gets_no_binary_data(query, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    code, out, err = query("SELECT 1", "--format", "parquet")
    assert (code, out) == (2, "")
    assert "--out" in err


def test_nothing_stays_behind_in_the_workspace(query, home):
    query("FROM range(100_000)", "--format", "csv")
    workspace = home / "workspaces" / "local"
    assert [*workspace.glob("spools/*"), *workspace.glob("exports/*")] == []


def test_tables_of_the_workspace_stay(query):
    query("CREATE OR REPLACE TABLE kept AS SELECT 12345 AS n")
    _, out, _ = query("FROM kept", "--format", "csv")
    assert out.split() == ["n", "12345"]


def test_an_error_shows_the_line_with_a_caret_and_the_hint(query):
    code, out, err = query("SELECT 1;\nSELECT *\n  FROM flghts")
    assert (code, out) == (1, "")
    lines = err.splitlines()
    assert lines[0] == "Error: Table with name flghts does not exist!"
    assert lines[2] == "  3 |   FROM flghts"
    assert lines[3].index("^") == lines[2].index("flghts")
    assert lines[-1] == 'Did you mean "flights"?'


def test_a_long_line_is_cut_around_the_error(query):
    padding = "1 + " * 200
    _, _, err = query(f"SELECT {padding}nonsense, {padding}1")
    shown, caret = err.splitlines()[2:4]
    assert len(shown) < 120
    assert shown[caret.index("^") :].startswith("nonsense")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["SELECT $a"], "$a"),  # the parameter is missing
        (["CREATE TEMP TABLE t (a INT)", "--format", "csv"], "No statement returned rows"),
        (["SELECT 1", "--out", "/no/such/folder/x.csv"], "/no/such/folder/x.csv cannot be written"),
        (["FROM '/etc/passwd'"], "/etc/passwd"),
        (["FROM range(10_000_000_000) SELECT max(hash(range))", "--timeout", "0.5"], "0.5 s"),
        (["SELEC 1"], "syntax error"),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_exit_code_1(query, arguments, words):
    code, out, err = query(*arguments)
    assert (code, out) == (1, "")
    assert words in err
    assert "Traceback" not in err


def test_a_source_that_could_not_be_attached_is_named_beside_the_error(
    tmp_path, monkeypatch, capsys
):
    file = tmp_path / "gone.csv"
    file.write_text("a\n1\n")
    settings = Settings(home=tmp_path / "home", start_folder=tmp_path, sample_data=False)
    workbench = Workbench.open(settings)
    workbench.workspace().connections.add("gone", "csv", {"path": str(file)})
    workbench.close()
    file.unlink()
    monkeypatch.setenv("MILLPOND_SAMPLE_DATA", "false")
    monkeypatch.setenv("MILLPOND_HOME", str(settings.home))
    assert run(["query", "FROM gone"]) == 1
    assert "The source gone could not be attached" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["query"],
        ["query", "SELECT 1", "--format", "xml"],
        ["query", "SELECT 1", "--param", "a"],
        ["query", "SELECT 1", "--param", "a=1", "--param", "a=2"],
        ["query", "SELECT 1", "--rows", "0"],
        ["nonsense"],
        ["serve", "--port", "0"],
    ],
)
def test_misuse_is_exit_code_2(arguments, capsys):
    assert run(arguments) == 2
    assert "Usage: millpond" in capsys.readouterr().err


def test_a_wrong_setting_is_named(query, monkeypatch):
    monkeypatch.setenv("MILLPOND_THREADS", "many")
    code, _, err = query("SELECT 1")
    assert code == 1
    assert "MILLPOND_THREADS" in err


def test_sql_comes_from_the_standard_input_with_or_without_a_mark(home):
    piped = subprocess.run(
        [*MILLPOND, "query", "-", "--format", "csv"],
        env=environment(home),
        input="\ufeffSELECT 'ü' AS u".encode(),
        capture_output=True,
    )
    assert piped.stderr == b""
    assert piped.stdout.decode().splitlines() == ["u", "ü"]


def test_a_reader_that_leaves_early_ends_it_quietly(home):
    command = start(home, "query", "FROM range(2_000_000)", "--format", "csv")
    assert command.stdout is not None
    assert command.stdout.readline() == "range\n"
    command.stdout.close()
    command.wait(30)
    assert command.stderr is not None
    assert command.stderr.read() == ""
    command.stderr.close()


def test_ctrl_c_cancels_the_query_and_exits_130(home):
    slow = "SELECT 'started' AS s; FROM range(10_000_000_000) SELECT max(hash(range))"
    command = start(home, "query", slow)
    # The engine runs by the time that it has made its database.
    wait_for(lambda: busy_children(command.pid))
    command.send_signal(signal.SIGINT)
    out, err = command.communicate(timeout=30)
    assert command.returncode == 130
    assert err.strip() == "Cancelled."
    assert "started" not in out


def test_while_another_process_has_the_workspace_its_sources_can_still_be_queried(home, tmp_path):
    holder = start(home, "query", "FROM range(10_000_000_000) SELECT max(hash(range))")
    try:
        wait_for(lambda: busy_children(holder.pid))
        beside = start(home, "query", "SELECT count(*) AS n FROM flights", "--format", "csv")
        out, err = beside.communicate(timeout=60)
        assert out.split() == ["n", "336776"]
        assert "not visible here" in err
        assert os.listdir(home / "scratch") == []
    finally:
        holder.send_signal(signal.SIGINT)
        holder.communicate(timeout=30)


def busy_children(pid: int) -> bool:
    """Tell whether a child of the process computes: an engine that starts needs less than 3 s."""
    return any(child.cpu_times().user > 3 for child in psutil.Process(pid).children())


def wait_for(come_true, seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not come_true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_cell_cannot_steer_the_terminal():
    assert cell("\x1b[31mred\a\n\u202e") == "\\x1b[31mred\\x07\\n\\u202e"
    assert cell("x" * 1000) == "x" * 59 + "…"
    assert cell(None) == "NULL"
    assert cell(True) == "true"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_an_address_that_others_reach_is_refused_in_one_sentence(host, capsys):
    assert run(["serve", "--host", host]) == 1
    assert f"does not listen on {host}" in capsys.readouterr().err


def test_a_port_that_is_taken_is_said_so(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(["serve", "--port", str(port)]) == 1
    assert f"Port {port} of 127.0.0.1 is in use" in capsys.readouterr().err


def test_serve_answers_from_any_folder_and_ends_on_ctrl_c(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    home = tmp_path / "home"
    command = start(
        tmp_path,
        *("serve", "--no-browser", "--port", port, "--home", str(home)),
        cwd=tmp_path,
    )
    try:
        wait_for(lambda: command.poll() is not None or answers(port, "/_stcore/health"))
        assert command.poll() is None, command.communicate()
        assert answers(port, "/api/v1/health")
        assert home.is_dir()
    finally:
        command.send_signal(signal.SIGINT)
        _, err = command.communicate(timeout=30)
    assert "Traceback" not in err
    assert command.returncode == 0


def answers(port: str, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
            return response.status == 200
    except OSError:
        return False


def test_doctor_says_what_works_and_what_is_missing(home, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))  # no program is found
    assert run(["doctor", "--json", "--home", str(home)]) == 0
    report = json.loads(capsys.readouterr().out)
    checks = {check["name"]: check for check in report["checks"]}
    assert report["usable"] is True
    assert checks["DuckDB"]["found"] == "v1.5.5"
    assert checks["extension sqlite_scanner"]["state"] == "ok"
    assert checks["connectors"]["found"].split(", ")[:2] == ["arrow", "csv"]
    assert checks["sandbox"]["found"]
    assert checks["chromium"]["state"] == "missing"
    assert "apt install chromium" in checks["chromium"]["advice"]


def test_doctor_names_a_connector_that_is_broken(home, monkeypatch, capsys, tmp_path):
    (tmp_path / "mine.py").write_text("import no_such_driver\n")
    monkeypatch.setenv("MILLPOND_CONNECTORS", str(tmp_path))
    assert run(["doctor", "--home", str(home)]) == 0
    assert "No module named 'no_such_driver'" in capsys.readouterr().out


def test_doctor_fails_where_the_data_folder_cannot_be_made(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    assert run(["doctor", "--home", str(tmp_path / "file" / "home")]) == 1
    assert "FAIL  data folder and store" in capsys.readouterr().out


@pytest.mark.parametrize("argument", ["--version", "--help", "query --help"])
def test_help_and_version_load_nothing_heavy(argument, tmp_path):
    heavy = ["streamlit", "duckdb", "polars", "pyarrow", "sqlalchemy", "pydantic", "fastapi"]
    script = (
        "import sys; from core.cli.commands import run; "
        f"code = run({argument.split()!r}); "
        f"print([name for name in {heavy!r} if name in sys.modules], code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(tmp_path), capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1] == "[] 0"


def test_the_version_is_the_packages(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == "millpond, version 0.1.0\n"
