"""What is Supabase's own: addresses of a project, its poolers, and the schemas it keeps."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from connectors.supabase import Supabase, SupabaseOptions
from core.errors import ConnectError
from core.secret import Secret
from tests.connectors.servers import PASSWORD, PostgresServer, supabase_server

REFERENCE = "abcdefghijklmnopqrst"
POOLER = "aws-0-eu-central-1.pooler.supabase.com"

# Options -> where the server is, and who asks there.
PLACES = [
    ({"pooler": POOLER}, f"postgres.{REFERENCE}@{POOLER}:5432/postgres"),
    ({"pooler": "eu-central-1"}, f"postgres.{REFERENCE}@{POOLER}:5432/postgres"),
    ({"pooler": POOLER, "user": "reader"}, f"reader.{REFERENCE}@{POOLER}:5432/postgres"),
    ({"pooler": POOLER, "user": f"r.{REFERENCE}"}, f"r.{REFERENCE}@{POOLER}:5432/postgres"),
    ({"pooler": POOLER, "mode": "transaction"}, f"postgres.{REFERENCE}@{POOLER}:6543/postgres"),
    ({"mode": "direct"}, f"postgres@db.{REFERENCE}.supabase.co:5432/postgres"),
    ({"host": "base.example", "port": 5433}, "postgres@base.example:5433/postgres"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "place"), PLACES)
def test_the_server_follows_from_the_project_and_how_it_is_reached(given, place):
    options = SupabaseOptions(project=REFERENCE, **given)
    assert Supabase().place(options) == place
    assert Supabase().grants(options).hosts == (place.partition("@")[2].partition("/")[0],)


@pytest.mark.parametrize(
    "written",
    [
        REFERENCE,
        f" {REFERENCE} ",
        f"https://{REFERENCE}.supabase.co",
        f"https://{REFERENCE}.supabase.co/",
        f"db.{REFERENCE}.supabase.co",
    ],
)
def test_a_project_is_known_by_its_address_too(written):
    assert SupabaseOptions(project=written, mode="direct").project == REFERENCE


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "give the project's reference"),
        ({"project": "shop"}, "20 letters"),
        ({"project": REFERENCE}, "give the pooler's host"),
        ({"project": REFERENCE, "pooler": "a b"}, "give the host alone"),
        ({"project": REFERENCE, "mode": "direct", "tls": "disable"}, "encrypted only"),
    ],
)
def test_what_leads_nowhere_is_refused_with_what_is_missing(given, said):
    with pytest.raises(ValidationError, match=said):
        SupabaseOptions(**given)


@pytest.mark.parametrize(
    "given", [{"mode": "transaction", "pooler": POOLER}, {"host": POOLER, "port": 6543}]
)
def test_the_transaction_pooler_is_refused_for_dumps_and_all_else(given):
    options = SupabaseOptions(project=REFERENCE, **given)
    assert "session pooler, port 5432" in Supabase().dump_refused(options)
    for refused in (
        lambda: Supabase().test(None, options),
        lambda: Supabase().attach(None, options, "a"),
        lambda: Supabase().structures(options, None, None),
        lambda: Supabase().fetch(None, options, "SELECT 1", lambda stop: None),
    ):
        with pytest.raises(ConnectError, match="keeps no session") as refusal:
            refused()
        assert "session pooler" in refusal.value.hint


def test_the_session_pooler_is_right_for_dumps():
    assert Supabase().dump_refused(SupabaseOptions(project=REFERENCE, pooler=POOLER)) == ""


def test_an_address_of_ipv6_only_is_explained_where_there_is_none(monkeypatch):
    def unreachable(*_: object, **__: object) -> None:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(socket, "create_connection", unreachable)
    with pytest.raises(ConnectError, match="IPv6 only") as refusal:
        Supabase().test(None, SupabaseOptions(project=REFERENCE, mode="direct"))
    assert "session pooler" in refusal.value.hint


def test_a_project_without_an_address_is_explained(monkeypatch):
    def nowhere(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "create_connection", nowhere)
    with pytest.raises(ConnectError, match=f"no address of the project {REFERENCE}") as refusal:
        Supabase().test(None, SupabaseOptions(project=REFERENCE, mode="direct"))
    assert "paused" in refusal.value.hint


# What a pooler says -> what a person is told.
SAID = {
    "FATAL:  Tenant or user not found": "knows no project",
    "FATAL:  MaxClientsInSessionMode: max clients reached": "no connection free",
    'FATAL:  password authentication failed for user "postgres"': "the password is wrong",
}


@pytest.mark.parametrize("said", SAID)
def test_what_a_pooler_says_is_told(monkeypatch, said):
    import psycopg

    def refuse(*_: object, **__: object) -> None:
        raise psycopg.OperationalError(f'connection to server at "{POOLER}" failed: {said}')

    monkeypatch.setattr(psycopg, "connect", refuse)
    options = SupabaseOptions(project=REFERENCE, pooler=POOLER)
    with pytest.raises(ConnectError, match=SAID[said]) as refusal:
        Supabase().structures(options, None, None)
    assert refusal.value.hint


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with supabase_server() as running:
        running.execute("CREATE TABLE items (id integer)")
        yield running


def options(server: PostgresServer, **more: object) -> SupabaseOptions:
    return SupabaseOptions(**server.options | {"password": Secret(PASSWORD)} | more)


def test_what_supabase_keeps_for_itself_is_left_out_unless_it_is_asked_for(server):
    kind = Supabase()
    assert kind.inspect(None, options(server), "base").tables == ("base.public.items",)
    told = kind.test(None, options(server))
    assert "Kept by Supabase for itself, and left out: auth, storage." in told.notes
    assert ("Reached by", "a host of your own") in told.facts
    shown = {
        each.name: each.comment
        for each in kind.structures(options(server, show_managed=True), None, None)
    }
    assert shown == {
        "items": "",
        "users": "(managed by Supabase)",
        "objects": "(managed by Supabase)",
    }


def test_a_managed_schema_that_is_named_is_told(server):
    (users,) = Supabase().structures(options(server), "auth", None)
    assert users.name == "users"
