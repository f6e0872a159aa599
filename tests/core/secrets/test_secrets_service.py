"""A secret is sealed with its row, opened by id, and one that cannot be says which and why."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text, update

from core.connections.records import WorkspaceFacts
from core.errors import NotFound, SecretError
from core.secret import Secret
from core.secrets.keys import MasterKey, write_file
from core.secrets.records import SealedRow
from core.secrets.service import Secrets


def opened(secrets, secret_id):
    return secrets.get(secret_id).get_secret_value()


@pytest.mark.parametrize("value", ["correct horse", "", "é🦆\n", "a\x00b", "\ud800", "x" * 100_000])
def test_a_secret_is_opened_as_it_was_put(secrets, put, value):
    assert opened(secrets, put(value)) == value


def test_the_value_is_nowhere_in_the_store(store, secrets, put, store_settings):
    put("correct-horse-battery")
    with store.read() as session:
        rows = str(session.execute(text("SELECT * FROM sealed_secret")).all())
    assert "correct" not in rows
    for file in store_settings.home.glob("store.sqlite*"):
        assert b"correct-horse" not in file.read_bytes()


def test_what_is_sealed_is_told_without_its_value(secrets, put):
    put("correct horse")
    put("b", owner="connection:0", label="a key", workspace="other")
    [told] = secrets.list("w")
    assert (told.owner, told.label) == ("connection:ab12", "password of warehouse")
    assert told.keys == secrets.ring.ids
    assert [each.label for each in secrets.list()] == ["a key", "password of warehouse"]


def test_a_secret_is_replaced_under_its_id(secrets, put):
    secret_id = put("old")
    assert put("now-another", id=secret_id, label="password of lake") == secret_id
    assert opened(secrets, secret_id) == "now-another"
    assert [each.label for each in secrets.list()] == ["password of lake"]


def test_several_are_sealed_at_once_each_under_an_id_of_its_own(secrets, store):
    told = {"workspace": "w", "owner": "connection:ab12", "label": "password of warehouse"}
    values = ["correct horse", "", "\ud800", "correct horse"]
    ids = secrets.put_many([Secret(each) for each in values], **told)
    assert len(set(ids)) == 4
    assert [opened(secrets, each) for each in ids] == values
    assert {each.label for each in secrets.list("w")} == {"password of warehouse"}
    with store.begin() as session:
        secrets.put_many([Secret("never-kept-value")], **told, session=session)
        session.rollback()
    assert secrets.put_many([], **told) == []
    assert len(secrets.list("w")) == 4


def test_what_is_deleted_is_gone(secrets, put):
    first, second, third = put("1"), put("2"), put("3", owner="connection:other")
    secrets.delete(first)
    secrets.delete(first)
    assert [each.id for each in secrets.list()] == [second, third]
    secrets.delete_owned("other", "connection:ab12")
    secrets.delete_owned("w", "connection:ab12")
    assert [each.id for each in secrets.list()] == [third]
    with pytest.raises(NotFound):
        secrets.get(first)
    with pytest.raises(NotFound):
        put("new", id=first)


def test_a_slice_writes_its_row_and_its_secret_together_or_not_at_all(store, secrets):
    def save(fail: bool) -> str:
        with store.begin() as session:
            secret_id = secrets.put(
                Secret("correct horse"), workspace="w", owner="o", label="l", session=session
            )
            session.execute(text("INSERT INTO workspace_fact VALUES ('w', 'k', '1')"))
            assert secrets.get(secret_id, session=session).get_secret_value() == "correct horse"
            if fail:
                raise KeyError
        return secret_id

    with pytest.raises(KeyError):
        save(fail=True)
    assert secrets.list() == []
    assert WorkspaceFacts(store, "w").get("k") is None
    secret_id = save(fail=False)
    assert WorkspaceFacts(store, "w").get("k") == 1
    with store.begin() as session:
        secrets.delete(secret_id, session=session)
        secrets.delete_owned("w", "o", session=session)
    assert secrets.list() == []


def test_several_are_opened_at_once(secrets, put):
    ids = [put(str(number)) for number in range(5)]
    values = {name: each.get_secret_value() for name, each in secrets.get_many(ids[1:]).items()}
    assert values == dict(zip(ids[1:], "1234", strict=True))
    assert secrets.get_many([]) == {}


def change(store, id, **values):
    with store.begin() as session:
        session.execute(update(SealedRow).where(SealedRow.id == id).values(**values))


def sealed(store, id):
    with store.read() as session:
        return session.get(SealedRow, id).sealed


def test_a_sealed_value_in_another_row_does_not_open(store, secrets, put):
    first, second = put("1"), put("2")
    change(store, second, sealed=sealed(store, first))
    with pytest.raises(SecretError, match=r"password of warehouse .* was changed"):
        secrets.get(second)
    assert opened(secrets, first) == "1"


def test_a_key_id_that_was_changed_is_told_as_a_change_and_not_as_a_missing_key(
    store, secrets, put
):
    secret_id = put("1")
    whole = bytearray(sealed(store, secret_id))
    whole[9] ^= 1
    change(store, secret_id, sealed=bytes(whole))
    with pytest.raises(SecretError, match="was changed") as raised:
        secrets.get(secret_id)
    assert raised.value.missing == ()


def test_a_lost_key_says_exactly_what_cannot_be_opened(store, store_settings, secrets, put):
    lost = [put("1", label="password of lake"), put("2", label="password of warehouse")]
    [old] = secrets.ring.ids
    write_file(store_settings.home / "master.key", [MasterKey.new()])

    late = Secrets.open(store, store_settings)
    kept = put("3", by=late, label="password of pond")
    assert [each.label for each in late.lost()] == ["password of lake", "password of warehouse"]
    assert {each.keys for each in late.lost()} == {(old,)}
    with pytest.raises(SecretError) as raised:
        late.get(lost[0])
    assert raised.value.message == (
        f"The password of lake cannot be opened: its master key {old} is not here."
    )
    assert "enter the password of lake again" in raised.value.hint
    assert raised.value.missing == (old,)
    assert opened(late, kept) == "3"

    put("battery staple", by=late, id=lost[0])
    assert opened(late, lost[0]) == "battery staple"
    assert [each.id for each in late.lost()] == [lost[1]]


def test_a_missing_key_is_not_replaced_by_a_new_one(store, store_settings, put):
    secret_id = put("correct horse")
    file = store_settings.home / "master.key"
    aside = file.rename(file.with_name("aside"))
    secrets = Secrets.open(store, store_settings)
    assert not file.exists()
    with pytest.raises(SecretError, match="nothing can be sealed"):
        put("new", by=secrets)
    with pytest.raises(SecretError, match="is not here"):
        secrets.get(secret_id)

    aside.rename(file)  # put back, it works again without a restart
    assert opened(secrets, secret_id) == "correct horse"
    assert opened(secrets, put("new", by=secrets)) == "new"
    assert secrets.lost() == []


def test_keys_are_told_with_what_they_open(secrets, put):
    put("1")
    put("2")
    [key] = secrets.master_keys()
    assert (key.id, key.state, key.found, key.secrets) == (secrets.ring.ids[0], "active", True, 2)


def test_threads_share_the_secrets(secrets, put):
    failed = []

    def work(name: str) -> None:
        for number in range(10):
            if opened(secrets, put(f"{name} {number}")) != f"{name} {number}":
                failed.append(name)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert len(secrets.list()) == 40
