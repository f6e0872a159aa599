"""A worker has what it needs from its start, and nothing else."""

from __future__ import annotations

from pathlib import Path

import psutil

from core.engine.engine import Engine
from core.engine.reach import Reach
from core.engine.session import Session
from core.engine.views import Sort
from core.settings import Settings
from core.workbench import Workbench

LOADED = "SELECT extension_name FROM duckdb_extensions() WHERE loaded"
OWN = """
import numpy, pandas  # noqa
from core.connector import Checked, Connector, Options

class Tally(Connector):
    name, label, icon, help, Options = "tally", "Tally", "table", "", Options

    def test(self, con, options):
        return Checked(0.1, str(pandas.Series(numpy.arange(4)).sum()))
"""


def libraries(engine: Engine) -> set[str]:
    assert engine.pid is not None
    paths = [Path(each.path).parts for each in psutil.Process(engine.pid).memory_maps()]
    return {part for parts in paths for part in parts}


def test_a_bound_parameter_brings_in_no_numpy_and_no_pandas(engine: Engine, session: Session):
    run = session.run("SELECT $a AS a, $b AS b", {"a": "x", "b": [1, 2]})
    assert session.page(run, run.result, sorts=[Sort(0)]).frame.rows() == [("x", [1, 2])]
    assert "pyarrow" in libraries(engine)
    assert not {"numpy", "pandas"} & libraries(engine)


def test_connectors_of_somebodys_own_may_use_both(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "tally.py").write_text(OWN)
    settings = Settings(
        home=tmp_path / "home",
        start_folder=tmp_path,
        connectors=tmp_path / "own",
        sample_data=False,
    )
    workbench = Workbench.open(settings)
    try:
        assert workbench.workspace().connections.test("tally", {}).version == "6"
    finally:
        workbench.close()


def test_extensions_are_loaded_unchecked_before_the_first_query_and_never_after(
    supervisor, tmp_path
):
    reach = Reach(extensions=("httpfs", "not_installed"))
    engine = Engine(
        supervisor, Settings(home=tmp_path), tmp_path, reach=lambda: reach, attachments=list
    )
    session = Session(engine, "mine")
    run = session.run(LOADED)
    names = {row[0] for row in session.page(run, run.result).frame.rows()}
    run = session.run("SELECT current_setting('allow_unsigned_extensions')")
    unsigned = session.page(run, run.result).frame.item()
    engine.close()
    assert {"excel", "sqlite_scanner", "httpfs"} <= names
    assert not {"postgres_scanner", "mysql_scanner", "ducklake"} & names
    assert unsigned is False
