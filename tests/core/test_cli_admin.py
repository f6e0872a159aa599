"""`millpond admin` and `millpond doctor` say what is sealed, by which key, and what is lost."""

from __future__ import annotations

import json
import re

import pytest

from core.cli.commands import run
from core.secret import Secret
from core.secrets.keys import MasterKey, read_file
from core.secrets.service import Secrets
from core.settings import Settings
from core.store.store import Store


@pytest.fixture
def secrets(tmp_path, secret_value):
    """Two secrets in a data folder of this test's own."""
    settings = Settings(home=tmp_path)
    store = Store.open(settings)
    secrets = Secrets.open(store, settings)
    for label in ("password of lake", "token of pond"):
        secrets.put(Secret(secret_value()), workspace="local", owner="connection:1", label=label)
    yield secrets
    store.close()


@pytest.fixture
def millpond(tmp_path, capsys):
    """Run a command on that folder; return exit code and standard output."""

    def call(*arguments: str):
        code = run([*arguments, "--home", str(tmp_path)])
        return code, capsys.readouterr().out

    return call


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    monkeypatch.setenv("MILLPOND_HOME", "")  # what --home sets goes back
    monkeypatch.delenv("MILLPOND_MASTER_KEY", raising=False)


def test_what_is_sealed_is_told_with_its_key(secrets, millpond):
    code, out = millpond("admin", "secrets")
    [key] = secrets.ring.ids
    assert code == 0
    assert f"Key {key}: active, since " in out
    assert ", for 2 secrets" in out
    assert f"password of lake (connection:1), by {key}, of " in out
    assert "LOST" not in out


def test_nothing_sealed_is_told_too(millpond):
    assert "Nothing is sealed yet." in millpond("admin", "secrets")[1]


def test_a_rotation_tells_the_new_key_and_the_old(secrets, millpond, tmp_path):
    [old] = secrets.ring.ids
    code, out = millpond("admin", "rotate-key")
    [new] = [key.id for key in read_file(tmp_path / "master.key")]
    assert code == 0
    assert f"Key {new} seals now; 2 secrets were sealed anew." in out
    assert f"Key {old} is retired" in out
    assert f"Keep a copy of {tmp_path / 'master.key'}" in out


def test_with_keys_in_the_environment_it_tells_what_to_set_next(secrets, millpond, monkeypatch):
    first = MasterKey.new()
    monkeypatch.setenv("MILLPOND_MASTER_KEY", first.text())
    _, out = millpond("admin", "rotate-key")
    [suggested] = re.findall(r"MILLPOND_MASTER_KEY=(\S+),\.\.\.", out)

    monkeypatch.setenv("MILLPOND_MASTER_KEY", f"{suggested},{first.text()}")
    _, out = millpond("admin", "rotate-key")
    assert f"Key {first.id} may leave MILLPOND_MASTER_KEY" in out

    monkeypatch.setenv("MILLPOND_MASTER_KEY", suggested)
    _, out = millpond("admin", "rotate-key")
    assert f"Key {first.id} is retired" in out
    assert "LOST" not in millpond("admin", "secrets")[1]


def test_what_is_lost_is_told_by_name(secrets, millpond, tmp_path):
    [old] = secrets.ring.ids
    (tmp_path / "master.key").unlink()
    _, out = millpond("admin", "rotate-key")
    assert "The password of lake (connection:1) could not be opened" in out
    assert f"Key {old} stays for now" in out
    _, out = millpond("admin", "secrets")
    assert f"token of pond (connection:1), LOST, needs {old}" in out
    assert f"Key {old}: retiring, not found here" in out


def found_by_doctor(millpond) -> dict:
    code, out = millpond("doctor", "--json")
    assert code == 0
    return next(each for each in json.loads(out)["checks"] if each["name"] == "secrets")


def test_doctor_tells_where_the_key_is_and_what_is_lost(secrets, millpond, tmp_path):
    file = tmp_path / "master.key"
    check = found_by_doctor(millpond)
    assert (check["state"], check["found"]) == ("ok", f"2 sealed, master key in {file}")

    file.unlink()
    check = found_by_doctor(millpond)
    assert (check["state"], check["found"]) == ("missing", f"no master key in {file}")

    millpond("admin", "rotate-key")
    check = found_by_doctor(millpond)
    assert check["state"] == "missing"
    assert check["found"] == "2 of 2 are lost: password of lake, token of pond"
