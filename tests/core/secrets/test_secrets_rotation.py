"""A new master key takes over while all goes on; the old leaves when nothing needs it."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from core.errors import SecretError
from core.secret import Secret
from core.secrets import rotation
from core.secrets.keys import MasterKey, read_file
from core.secrets.records import SealedRow, SealedRows
from core.secrets.service import Secrets
from core.settings import Settings
from core.store.store import Store

# Seals and opens until it is told to stop; prints each id with its value.
BUSY = """
import sys, threading
from core.secret import Secret
from core.secrets.service import Secrets
from core.settings import Settings
from core.store.store import Store

settings, name = Settings(), sys.argv[1]
store = Store.open(settings)
secrets = Secrets.open(store, settings)
stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.readline(), stop.set()), daemon=True).start()
put = {}
print("ready", flush=True)
while not stop.is_set():
    value = f"{name} {len(put)}"
    put[secrets.put(Secret(value), workspace="w", owner="o", label=value)] = value
    for id, told in secrets.get_many(list(put)[-20:]).items():
        assert told.get_secret_value() == put[id], id
for id, value in put.items():
    print(id, value)
store.close()
"""

# Rotates, and kills itself hard when the step of that number begins or has just ended.
KILLED = """
import os, signal, sys
from core.secrets import rotation
from core.secrets.service import Secrets
from core.settings import Settings
from core.store.store import Store

wanted, passed = int(sys.argv[1]), 0

def watched(function):
    def call(*arguments):
        global passed
        for act in (None, function):
            passed += 1
            if passed == wanted:
                os.kill(os.getpid(), signal.SIGKILL)
            result = act(*arguments) if act else None
        return result
    return call

rotation._BATCH = 2
names = ("write_file", "_begin", "_rewrap_batch", "_retire", "_leave")
for name in names:
    setattr(rotation, name, watched(getattr(rotation, name)))
settings = Settings()
store = Store.open(settings)
Secrets.open(store, settings).rotate()
"""


def values(secrets: Secrets, ids: list[str]) -> list[str]:
    return [each.get_secret_value() for each in secrets.get_many(ids).values()]


def test_everything_is_sealed_by_the_new_key_and_the_old_is_gone(
    store, store_settings, secrets, put
):
    ids = [put(str(number)) for number in range(450)]  # more than two batches
    [old] = secrets.ring.ids
    done = secrets.rotate()

    assert (done.rewrapped, done.retired, done.kept, done.unopened) == (450, (old,), (), ())
    assert [key.id for key in read_file(store_settings.home / "master.key")] == [done.newest]
    assert {each.keys for each in secrets.list()} == {(done.newest,)}
    assert [(key.id, key.state, key.found) for key in secrets.master_keys()] == [
        (old, "retired", False),
        (done.newest, "active", True),
    ]
    assert values(secrets, ids) == values(Secrets.open(store, store_settings), ids)
    assert values(secrets, ids) == [str(number) for number in range(450)]


def test_the_sealed_value_itself_is_not_touched(store, secrets, put):
    secret_id = put("correct horse")

    def payload() -> bytes:
        with store.read() as session:
            return session.get(SealedRow, secret_id).sealed[-25:]

    before = payload()
    secrets.rotate()
    assert payload() == before


def test_another_process_with_the_old_ring_goes_on(store, store_settings, secrets, put):
    other = Secrets.open(store, store_settings)
    secret_id = put("correct horse")
    secrets.rotate()
    secrets.rotate()
    assert values(other, [secret_id]) == ["correct horse"]
    late = Secrets.open(store, store_settings)
    secrets.rotate()
    sealed = put("battery staple", by=late)
    assert values(other, [secret_id, sealed]) == ["correct horse", "battery staple"]
    assert {each.keys for each in secrets.list()} == {secrets.ring.ids}


def test_rotation_under_load_loses_nothing(store, store_settings, store_environment, secrets):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    busy = [
        subprocess.Popen(
            [sys.executable, "-c", BUSY, name], text=True, env=store_environment, **pipes
        )
        for name in ("anton", "berta")
    ]
    for each in busy:
        assert each.stdout.readline() == "ready\n"
    done = [secrets.rotate() for _ in range(4)]
    told = [each.communicate("stop\n", timeout=60) for each in busy]

    assert [errors for _, errors in told] == ["", ""]
    put = dict(line.split(" ", 1) for out, _ in told for line in out.splitlines())
    assert len(put) > 2
    assert values(secrets, [*put]) == [*put.values()]
    assert sum(each.rewrapped for each in done) > 0
    last = secrets.rotate()
    assert last.kept == ()
    assert values(Secrets.open(store, store_settings), [*put]) == [*put.values()]
    assert [key.id for key in read_file(store_settings.home / "master.key")] == [last.newest]


def test_rotations_at_the_same_time_agree(store, store_settings, secrets, put):
    ids = [put(str(number)) for number in range(30)]
    others = [Secrets.open(store, store_settings) for _ in range(3)]
    threads = [threading.Thread(target=each.rotate) for each in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    secrets.rotate()
    assert values(Secrets.open(store, store_settings), ids) == [str(number) for number in range(30)]
    [left] = read_file(store_settings.home / "master.key")
    assert {each.keys for each in secrets.list()} == {(left.id,)}
    assert [key.id for key in secrets.master_keys() if key.state == "active"] == [left.id]


@pytest.mark.parametrize("step", range(1, 17))
def test_a_rotation_that_is_killed_loses_nothing_and_the_next_finishes_it(tmp_path, step):
    settings = Settings(home=tmp_path)
    store = Store.open(settings)
    secrets = Secrets.open(store, settings)
    told = {"workspace": "w", "owner": "o", "label": "l"}
    ids = [secrets.put(Secret(str(number)), **told) for number in range(5)]

    command = [sys.executable, "-c", KILLED, str(step)]
    environment = {"MILLPOND_HOME": str(tmp_path), "PYTHONPATH": "."}
    assert subprocess.run(command, env=environment).returncode == -9

    late = Secrets.open(store, settings)
    assert values(late, ids) == values(secrets, ids) == ["0", "1", "2", "3", "4"]
    ids.append(late.put(Secret("5"), **told))
    done = late.rotate()
    assert done.kept == ()
    assert values(Secrets.open(store, settings), ids) == ["0", "1", "2", "3", "4", "5"]
    assert [key.id for key in read_file(tmp_path / "master.key")] == [done.newest]
    assert {each.keys for each in late.list()} == {(done.newest,)}
    store.close()


def test_a_row_that_does_not_open_keeps_its_key(store, store_settings, secrets, put):
    good, bad = put("1"), put("2", label="password of lake")
    [old] = secrets.ring.ids
    with store.begin() as session:
        row = session.get(SealedRow, bad)
        row.sealed = row.sealed[:-30] + bytes(30)
        row.sealed = row.sealed[:40] + b"!" + row.sealed[41:]
    done = secrets.rotate()
    assert ([each.label for each in done.unopened], done.kept) == (["password of lake"], (old,))
    assert [key.id for key in read_file(store_settings.home / "master.key")] == [done.newest, old]
    assert values(secrets, [good]) == ["1"]

    put("3", id=bad)
    done = secrets.rotate()
    assert (done.kept, old in done.retired) == ((), True)
    assert values(secrets, [good, bad]) == ["1", "3"]


def test_with_the_key_lost_a_rotation_begins_anew_and_what_is_lost_stays_told(
    store, store_settings, secrets, put
):
    put("1", label="password of lake")
    (store_settings.home / "master.key").unlink()
    late = Secrets.open(store, store_settings)
    done = late.rotate()
    assert [each.label for each in done.unopened] == ["password of lake"]
    assert [each.label for each in late.lost()] == ["password of lake"]
    assert values(late, [put("2", by=late)]) == ["2"]


def given(settings: Settings, *keys: MasterKey) -> Settings:
    text = ",".join(key.text() for key in keys)
    return settings.model_copy(update={"master_key": Secret(text)})


def test_keys_of_the_environment_rotate_by_turns(store, store_settings):
    a, b = MasterKey.new(), MasterKey.new()
    first = Secrets.open(store, given(store_settings, a))
    told = {"workspace": "w", "owner": "o", "label": "l"}
    secret_id = first.put(Secret("correct horse"), **told)
    done = first.rotate()
    assert MasterKey.parse(done.next_key.get_secret_value()).id not in (a.id, b.id)
    assert (done.rewrapped, done.retired, done.droppable) == (0, (), ())

    both = Secrets.open(store, given(store_settings, b, a))
    done = both.rotate()
    assert (done.newest, done.rewrapped, done.droppable) == (b.id, 1, (a.id,))
    assert done.next_key is None
    # A process that was not started again yet goes on, and so does one that has the new key only.
    for secrets in (first, both, Secrets.open(store, given(store_settings, b))):
        assert values(secrets, [secret_id]) == ["correct horse"]
    late = first.put(Secret("from the old one"), **told)
    with pytest.raises(SecretError, match="is not here"):
        Secrets.open(store, given(store_settings, b)).get(late)
    assert both.rotate().droppable == (a.id,)

    alone = Secrets.open(store, given(store_settings, b))
    assert alone.rotate().retired == (a.id,)
    assert values(alone, [secret_id, late]) == ["correct horse", "from the old one"]
    assert not (store_settings.home / "master.key").exists()


def test_keys_of_the_environment_take_over_from_the_file(store, store_settings, secrets, put):
    secret_id = put("correct horse")
    [old] = secrets.ring.ids
    new = MasterKey.new()
    done = Secrets.open(store, given(store_settings, new)).rotate()
    assert (done.newest, done.retired) == (new.id, (old,))
    assert not (store_settings.home / "master.key").exists()
    assert values(Secrets.open(store, given(store_settings, new)), [secret_id]) == ["correct horse"]


def test_an_old_key_stays_while_a_row_is_being_changed_elsewhere(store, secrets, put, monkeypatch):
    secret_id = put("correct horse")
    [old] = secrets.ring.ids
    monkeypatch.setattr(rotation, "_PASSES", 1)
    monkeypatch.setattr(SealedRows, "not_sealed_by", lambda *_: [])  # as if all were locked
    assert secrets.rotate().kept == (old,)
    assert values(secrets, [secret_id]) == ["correct horse"]
    monkeypatch.undo()
    assert secrets.rotate().kept == ()
