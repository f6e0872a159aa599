"""The key file is out of reach of SQL, also where the data folder lies in what SQL may read."""

from __future__ import annotations

import pytest

from core.errors import ConfigError, Forbidden, QueryError
from core.secret import Secret
from core.settings import Settings
from core.workbench import Workbench
from core.workers.wall import available

pytestmark = pytest.mark.skipif(
    not available().complete, reason="needs Linux >= 5.13 with Landlock and seccomp switched on"
)


@pytest.fixture(scope="module")
def workbench(tmp_path_factory):
    folder = tmp_path_factory.mktemp("start")
    (folder / "data.csv").write_text("a\n1\n")
    home = folder / "home"  # not hidden by a dot, and within the start folder
    workbench = Workbench.open(Settings(home=home, start_folder=folder, sample_data=False))
    yield workbench
    workbench.close()


@pytest.mark.parametrize(
    "sql",
    [
        "FROM read_text('{home}/master.key')",
        "FROM read_blob('{home}/master.key')",
        "FROM read_csv('{home}/master.key', header = false)",
        "FROM read_text('home/master.key')",
        "FROM read_text('{home}/*')",
        "FROM read_text('**/*.key')",
        "COPY (SELECT 'x') TO '{home}/master.key'",
        "ATTACH '{home}/master.key' AS k",
        "CREATE TEMP TABLE t (a VARCHAR); COPY t FROM '{home}/master.key'",
    ],
)
def test_sql_cannot_read_or_write_the_key_file(workbench, sql):
    session = workbench.workspace().queries.session("walled")
    before = (workbench.settings.home / "master.key").read_bytes()
    key = before.split()[1].decode()
    try:
        run = session.run(sql.format(home=workbench.settings.home))
        assert run.result is not None
        rows = str(session.page(run, run.result).frame.rows())
    except (QueryError, Forbidden) as error:
        rows = f"{error.message} {error.hint}"
    assert key[:12] not in rows
    assert (workbench.settings.home / "master.key").read_bytes() == before


def test_the_start_folder_is_readable_all_the_same(workbench):
    session = workbench.workspace().queries.session("walled")
    run = session.run(f"FROM '{workbench.settings.start_folder}/data.csv'")
    assert session.page(run, run.result).frame.rows() == [(1,)]


def test_a_workbench_has_its_secrets(workbench, secret_value):
    value = secret_value()
    one = workbench.secrets.put(Secret(value), workspace="local", owner="o", label="l")
    assert workbench.secrets.get(one).get_secret_value() == value


def test_a_workbench_does_not_open_with_a_key_that_others_can_read(tmp_path):
    settings = Settings(home=tmp_path, sample_data=False)
    Workbench.open(settings).close()
    (tmp_path / "master.key").chmod(0o644)
    with pytest.raises(ConfigError, match="open to other users"):
        Workbench.open(settings)
