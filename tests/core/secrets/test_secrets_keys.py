"""Master keys come from a private file, made once, or from the environment."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from base64 import b64encode, urlsafe_b64encode

import pytest

from core.errors import ConfigError
from core.redaction import redact
from core.secrets.keys import KeySource, MasterKey, read_file, write_file
from core.secrets.records import MasterKeyRow
from core.secrets.service import Secrets
from core.settings import Settings
from core.store.store import Store

OPEN = """
import sys
from core.secrets.service import Secrets
from core.settings import Settings
from core.store.store import Store

settings = Settings()
print("ready", flush=True)
sys.stdin.readline()
store = Store.open(settings)
print(*Secrets.open(store, settings).ring.ids)
store.close()
"""


def settings_with(*keys: MasterKey, home) -> Settings:
    return Settings(home=home, master_key=",".join(key.text() for key in keys))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_the_first_start_makes_a_key_file_that_is_private(store, store_settings):
    before = os.umask(0)
    try:
        secrets = Secrets.open(store, store_settings)
    finally:
        os.umask(before)
    file = store_settings.home / "master.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [key.id for key in read_file(file)] == [*secrets.ring.ids]
    assert [name for name in os.listdir(store_settings.home) if "part" in name] == []


def test_the_next_start_finds_it(store, store_settings, put):
    secret_id = put("correct horse")
    content = (store_settings.home / "master.key").read_text()
    again = Secrets.open(store, store_settings)
    assert again.get(secret_id).get_secret_value() == "correct horse"
    assert (store_settings.home / "master.key").read_text() == content


def test_processes_that_start_together_end_with_one_key(store_environment):
    command = [sys.executable, "-c", OPEN]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    started = [
        subprocess.Popen(command, text=True, env=store_environment, **pipes) for _ in range(4)
    ]
    for each in started:
        assert each.stdout.readline() == "ready\n"
    for each in started:
        each.stdin.write("go\n")
        each.stdin.flush()
    told = [each.communicate(timeout=60) for each in started]
    assert [errors for _, errors in told] == [""] * 4
    assert len({ids for ids, _ in told}) == 1


def test_nothing_of_the_key_is_in_the_store(store, secrets, store_settings):
    [key] = read_file(store_settings.home / "master.key")
    with store.read() as session:
        [row] = MasterKeyRow.all(session)
        assert (row.id, row.state) == (key.id, "active")
        assert row.id not in key.value.hex()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_a_file_that_others_can_open_is_refused_with_how_to_mend_it(tmp_path, mode):
    file = tmp_path / "master.key"
    write_file(file, [MasterKey.new()])
    file.chmod(mode)
    with pytest.raises(ConfigError, match="open to other users") as raised:
        read_file(file)
    assert f"chmod 600 {file}" in raised.value.hint
    file.chmod(0o600)
    assert len(read_file(file)) == 1


DAMAGED = {
    "another key under an id": lambda text: text.replace(text[:16], "0" * 16),
    "a shorter key": lambda text: text[:-6] + "\n",
    "no id": lambda text: text[17:],
    "not base64": lambda text: text[:17] + "?" * 44,
    "not text": lambda text: "é",
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_refused_and_not_quoted(tmp_path, damage):
    file = tmp_path / "master.key"
    key = MasterKey.new()
    write_file(file, [key])
    file.write_text(damage(file.read_text()))
    with pytest.raises(ConfigError, match=r"damaged|cannot be read") as raised:
        read_file(file)
    assert key.text()[:20] not in f"{raised.value}{raised.value.hint}"


def test_a_file_that_cannot_be_written_stays(tmp_path, monkeypatch):
    file = tmp_path / "master.key"
    key = MasterKey.new()
    write_file(file, [key])
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(ConfigError, match="No space left"):
        write_file(file, [MasterKey.new(), key])
    assert read_file(file) == [key]
    assert os.listdir(tmp_path) == ["master.key"]


def test_keys_of_the_environment_come_first_and_no_file_is_made(tmp_path):
    new, old = MasterKey.new(), MasterKey.new()
    settings = settings_with(new, old, home=tmp_path)
    assert [key.id for key in KeySource.of(settings).read()] == [new.id, old.id]
    store = Store.open(settings)
    assert Secrets.open(store, settings).ring.ids == (new.id, old.id)
    store.close()
    assert not (tmp_path / "master.key").exists()


def test_a_file_still_opens_what_it_sealed_when_keys_are_given(store, store_settings, put):
    secret_id = put("correct horse")
    given = MasterKey.new()
    settings = store_settings.model_copy(
        update={"master_key": settings_with(given, home=store_settings.home).master_key}
    )
    secrets = Secrets.open(store, settings)
    assert secrets.ring.ids[0] == given.id
    assert secrets.get(secret_id).get_secret_value() == "correct horse"


@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
def test_a_key_is_read_in_either_alphabet_with_blanks_around(tmp_path, encode):
    value = b"\xfb\xff" * 16
    settings = Settings(home=tmp_path, master_key=f" {encode(value).decode()} , ")
    assert KeySource.of(settings).given == (MasterKey.of(value),)


@pytest.mark.parametrize("text", ["short", "A" * 43, "A" * 88, "é" * 44])
def test_what_is_not_a_key_is_refused_and_not_quoted(tmp_path, text):
    good = MasterKey.new().text()
    with pytest.raises(ConfigError, match="Key 2 in MILLPOND_MASTER_KEY") as raised:
        KeySource.of(Settings(home=tmp_path, master_key=f"{good},{text}"))
    assert "openssl rand" in raised.value.hint
    assert text not in str(raised.value)


def test_a_key_is_not_shown():
    key = MasterKey.new()
    assert str(key.value) not in repr(key)
    assert redact(f"<{key.text()}>") == "<***>"


def test_the_setting_is_not_shown(tmp_path, monkeypatch):
    key = MasterKey.new()
    monkeypatch.setenv("MILLPOND_MASTER_KEY", key.text())
    settings = Settings(home=tmp_path)
    assert "master_key=***" in repr(settings)
    assert key.text() not in repr(settings) + settings.model_dump_json()
