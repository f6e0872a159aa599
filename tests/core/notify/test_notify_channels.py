"""Channels are set up by owners, tested by a button, and never show what is secret of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.access import Actor
from core.channel import Message
from core.errors import (
    Conflict,
    ConnectError,
    Forbidden,
    InvalidInput,
    MillpondError,
    NotFound,
)
from core.notify.models import Draft
from core.notify.service import Notify
from core.notify.templates import EXAMPLE
from core.secret import Secret
from tests.core.notify.servers import Answer, SmtpServer, nobody


def mail(port: int, **chosen):
    return {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "sender": "millpond@example.org",
        "recipients": "ann@example.org",
        **chosen,
    }


def everything(store) -> str:
    """Return all that the database holds, as text."""
    with store.read() as session:
        connection = session.connection()
        names = connection.dialect.get_table_names(connection)
        return "".join(
            repr(connection.exec_driver_sql(f'SELECT * FROM "{name}"').all()) for name in names
        )


def test_secrets_are_sealed_and_in_no_row(notify, store, receiver, smtp, secret_value, deliver):
    password, key, path = secret_value(), secret_value(), "tell-nobody-path"
    smtp.password = password
    notify.add("email", Draft(name="Mail", options=mail(smtp.port, user="u", password=password)))
    url = f"http://127.0.0.1:{receiver.port}/{path}"
    notify.add("webhook", Draft(name="Hook", options={"url": url, "key": key}))
    for status in notify.channels():
        notify.send(EXAMPLE, [status.channel.id])
        deliver(status.channel)
    assert smtp.mails[0].user == "u"
    assert receiver.posts[0].path == f"/{path}"
    shown = f"{everything(store)}{notify.channels()}{notify.sent()}"
    assert not [each for each in (password, key, path) if each in shown]


def test_a_secret_that_the_other_side_repeats_is_not_told(
    notify, store, receiver, smtp, secret_value, deliver
):
    password, key = secret_value(), secret_value()
    smtp.password = "another"
    receiver.answers = [Answer("403 Forbidden", body=f"wrong key {key}".encode())]
    options = mail(smtp.port, user="u", password=password)
    first = notify.add("email", Draft(name="Mail", options=options))
    url = f"http://127.0.0.1:{receiver.port}/"
    second = notify.add("webhook", Draft(name="Hook", options={"url": url, "key": key}))
    for channel in (first, second):
        notify.send(EXAMPLE, [channel.id])
        deliver(channel)
        with pytest.raises(ConnectError):
            notify.test(channel.id)
    shown = f"{everything(store)}{notify.channels()}{notify.sent()}"
    assert "wrong password ***" in shown
    assert "wrong key ***" in shown
    assert password not in shown
    assert key not in shown


def test_a_known_secret_in_a_message_is_not_sent(notify, smtp, add_mail, secret_value, deliver):
    value = secret_value()
    Secret(value)
    channel = add_mail(smtp)
    notify.send(Message(f"title {value}", f"text {value}", facts=(("f", value),)), [channel.id])
    deliver(channel)
    assert value not in str(smtp.mails[0].parsed)
    assert smtp.mails[0].parsed["Subject"] == "title ***"


def test_a_secret_that_is_left_out_stays(notify, smtp, deliver):
    smtp.password = "correct horse"
    options = mail(smtp.port, user="u", password="correct horse")
    channel = notify.add("email", Draft(name="Mail", options=options))
    notify.change(channel.id, Draft(name="Mail 2", options=mail(smtp.port, user="u", password="")))
    assert notify.test(channel.id) == "ann@example.org through 127.0.0.1"
    changed = mail(smtp.port, user="u", password="wrong horse")
    notify.change(channel.id, Draft(name="Mail 2", options=changed))
    with pytest.raises(ConnectError, match="refused user and password"):
        notify.test(channel.id)


def test_a_test_says_to_whom_it_went_or_why_not(notify, smtp, add_mail):
    assert notify.test(add_mail(smtp).id) == "ann@example.org through 127.0.0.1"
    assert smtp.mails[0].parsed["Subject"] == "Warning: Too few orders"
    smtp.refusals = {"bob@example.org": "550 no such user"}
    both = add_mail(smtp, "Both", "ann@example.org, bob@example.org")
    with pytest.raises(ConnectError, match=r"bob@example\.org: 127\.0\.0\.1 answered 550"):
        notify.test(both.id)
    with nobody() as port, pytest.raises(ConnectError, match="Nothing answers"):
        notify.test(add_mail(port, "Nobody").id)
    assert notify.sent() == []


@pytest.mark.parametrize(
    ("kind", "draft", "reason"),
    [
        ("pigeon", Draft(name="a"), "email, slack, webhook"),
        ("email", Draft(name="a", options=mail(25, recipients="ann")), "To: 'ann' is no e-mail"),
        ("email", Draft(name="a", options=mail(25, wings=2)), "wings"),
        ("email", Draft(name=" ", options=mail(25)), "needs a name"),
        ("email", Draft(name="a", options=mail(25), title="$"), "template of the title"),
        ("webhook", Draft(name="a", options={"url": "https://a.example/"}), "Signing key"),
        ("slack", Draft(name="a", options={"url": "hooks"}), "Address: it must begin with https"),
    ],
)
def test_what_cannot_be_a_channel_is_refused(notify, kind, draft, reason):
    with pytest.raises(InvalidInput) as caught:
        notify.add(kind, draft)
    assert reason in f"{caught.value.message} {caught.value.hint}"


def test_a_name_is_taken_once(notify, smtp, add_mail):
    first = add_mail(smtp)
    with pytest.raises(Conflict, match='named "Mail"'):
        add_mail(smtp)
    other = add_mail(smtp, "Other")
    with pytest.raises(Conflict, match='named "Mail"'):
        notify.change(other.id, Draft(name="Mail", options=dict(first.options)))


def test_a_channel_that_is_deleted_takes_its_secrets_and_what_waits_with_it(
    notify, office, store, smtp, add_mail, deliver
):
    channel = add_mail(smtp)
    notify.send(replace(EXAMPLE, images={"free": b"the bytes of an image"}), [channel.id])
    notify.delete(channel.id)
    assert deliver(channel) == {"tried": 0}
    assert "channel:" not in everything(store)
    assert "the bytes of an image" not in everything(store)
    assert notify.sent() == []
    for call in (notify.delete, notify.test, notify.try_now):
        with pytest.raises(NotFound):
            call(channel.id)
    with pytest.raises(NotFound):
        notify.send(EXAMPLE, [channel.id])


def test_a_channel_whose_secret_is_lost_says_so_and_waits(
    notify, office, store, smtp, add_mail, deliver
):
    channel = add_mail(smtp)
    with store.begin() as session:
        session.connection().exec_driver_sql("DELETE FROM sealed_secret")
    notify.send(EXAMPLE, [channel.id])
    deliver(channel)
    (status,) = notify.channels()
    assert isinstance(status.problem, MillpondError)
    assert notify.sent()[0].state == "waiting"


def test_trying_now_ends_a_pause(notify, add_mail, deliver):
    with nobody() as port:
        channel = add_mail(port)
        notify.send(EXAMPLE, [channel.id])
        deliver(channel)
    with SmtpServer(port=port):
        assert deliver(channel)["tried"] == 0
        notify.try_now(channel.id)
        assert deliver(channel) == {"tried": 1}


def test_who_may_do_what(notify, office, smtp, add_mail):
    channel = add_mail(smtp)
    book = office.open("w")
    viewer, editor = (Notify(book, Actor("x", role)) for role in ("viewer", "editor"))
    draft = Draft(name="b", options=mail(25))
    assert viewer.channels()
    assert viewer.sent() == []
    for call in (
        lambda: viewer.send(EXAMPLE, [channel.id]),
        lambda: viewer.over("x", EXAMPLE),
        lambda: viewer.test(channel.id),
        lambda: viewer.again("x"),
        lambda: viewer.discard("x"),
        lambda: viewer.try_now(channel.id),
        lambda: editor.add("email", draft),
        lambda: editor.change(channel.id, draft),
        lambda: editor.delete(channel.id),
        lambda: editor.resubscribe(channel.id, "ann@example.org"),
    ):
        with pytest.raises(Forbidden):
            call()
    editor.test(channel.id)


def test_another_workspace_sees_nothing_of_it(notify, office, smtp, add_mail):
    channel = add_mail(smtp)
    notify.send(EXAMPLE, [channel.id], incident="disk")
    other = Notify(office.open("other"), Actor("x", "owner"))
    assert [*other.channels(), *other.sent(), *other.incidents()] == []
    for call in (other.test, other.delete, other.again):
        with pytest.raises(NotFound):
            call(channel.id)


@pytest.mark.parametrize(
    ("title", "text", "made"),
    [
        ("", "", (EXAMPLE.title, EXAMPLE.text)),
        ("[$severity] $title", "$text", ("[warning] Too few orders", EXAMPLE.text)),
        ("$orders since $since", "$when", ("12 since midnight", "2026-03-01 09:30 UTC")),
        ("${title}!", "$$5 $nothing", ("Too few orders!", "$5 $nothing")),
        ("{0.__class__}", "%s $text.title", ("{0.__class__}", f"%s {EXAMPLE.text}.title")),
    ],
)
def test_templates_put_values_in_and_run_nothing(notify, title, text, made):
    message = notify.preview(title, text)
    assert (message.title, message.text) == made


def test_a_template_is_what_arrives(notify, smtp, add_mail, deliver):
    channel = add_mail(smtp, title="$host: $title", text="See $link")
    message = Message("full", link="https://data.example.org/", facts=(("Host", "db1"),))
    notify.send(message, [channel.id])
    deliver(channel)
    assert smtp.mails[0].parsed["Subject"] == "db1: full"
    assert "See https://data.example.org/" in smtp.mails[0].content.decode()


@pytest.mark.parametrize(
    "message",
    [
        replace(EXAMPLE, text="x" * 100_001),
        replace(EXAMPLE, title="x" * 1001),
        replace(EXAMPLE, facts=(("a", "b"),) * 101),
        replace(EXAMPLE, images={"a": b"x" * 10_000_001}),
    ],
)
def test_a_message_that_is_too_large_is_refused(notify, smtp, add_mail, message):
    with pytest.raises(InvalidInput):
        notify.send(message, [add_mail(smtp).id])
