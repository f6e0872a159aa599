"""The notifications page: channels are added, tested and deleted, and no secret is on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.channel import Message
from core.notify.models import Draft
from core.workbench import Workspace, shared
from tests.core.jobs.kinds import until
from tests.core.notify.servers import Answer, Receiver, SmtpServer, nobody
from tests.pages.drawing import checked, draw, words


@pytest.fixture
def here(settle) -> Workspace:
    return settle(sample_data="false", private_hosts="127.0.0.1")


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


def labelled(elements, label: str):
    return next(each for each in elements if each.label == label)


def add_mail(here: Workspace, port: int, name: str = "Team", **more):
    options = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "sender": "millpond@example.org",
        "recipients": "ann@example.org, bob@example.org",
        **more,
    }
    return here.notify.add("email", Draft(name=name, options=options))


def test_an_empty_page_says_what_to_do(here):
    app = draw("notifications")
    assert "Add a channel" in words(app)
    assert "What is sent appears here." in words(app)
    assert labelled(app.selectbox, "Kind").options == ["E-mail", "Slack, Mattermost", "Webhook"]


def test_a_channel_is_added_by_its_form_and_tested(here, smtp):
    app = draw("notifications")
    for label, value in (
        ("Channel name", "Team"),
        ("Server", "127.0.0.1"),
        ("From", "millpond@example.org"),
        ("To", "ann@example.org, bob@example.org"),
    ):
        labelled(app.text_input, label).input(value)
    labelled(app.number_input, "Port").set_value(smtp.port)
    labelled(app.selectbox, "Encryption").set_value("none")
    checked(labelled(app.button, "Add").click().run())
    assert "**Team**" in words(app)
    checked(labelled(app.button, "Test").click().run())
    assert "The example was sent." in words(app)
    assert [each.value for each in app.text] == [
        "ann@example.org, bob@example.org through 127.0.0.1"
    ]
    assert len(smtp.mails) == 2


def test_what_is_wrong_in_the_form_is_said(here):
    app = draw("notifications")
    labelled(app.text_input, "Server").input("mail.example.org")
    labelled(app.text_input, "From").input("nobody")
    checked(labelled(app.button, "Add").click().run())
    assert r"From\: 'nobody' is no e-mail address" in app.error[0].value
    assert not here.notify.channels()


def test_each_kind_has_a_form_and_a_preview(here):
    app = draw("notifications")
    for kind in ("slack", "webhook"):
        checked(labelled(app.selectbox, "Kind").set_value(kind).run())
        labelled(app.text_input, "Title").input("[$severity] $title")
        checked(labelled(app.button, "Preview the template").click().run())
        assert r"Warning\: \[warning\] Too few orders" in words(app)


def test_a_channel_is_changed_without_showing_or_losing_its_password(here, smtp, secret_value):
    smtp.password = secret_value()
    add_mail(here, smtp.port, user="millpond", password=smtp.password)
    app = draw("notifications")
    checked(labelled(app.button, "Edit").click().run())
    passwords = [each for each in app.text_input if each.label == "Password"]
    assert [each.value for each in passwords] == ["", ""]
    name = next(each for each in app.text_input if each.value == "Team")
    name.input("Everybody")
    checked(labelled(app.button, "Save").click().run())
    assert "**Everybody**" in words(app)
    assert "Save" not in [each.label for each in app.button]
    checked(labelled(app.button, "Test").click().run())
    assert {mail.user for mail in smtp.mails} == {"millpond"}


def test_a_test_that_fails_says_why_and_no_secret(here, secret_value):
    with SmtpServer() as server:
        server.password = "another"
        add_mail(here, server.port, user="millpond", password=secret_value())
        app = draw("notifications")
        checked(labelled(app.button, "Test").click().run())
    assert "refused user" in app.error[0].value


def test_a_channel_is_deleted(here, smtp):
    add_mail(here, smtp.port)
    app = draw("notifications")
    checked(labelled(app.button, "Delete the channel").click().run())
    assert not here.notify.channels()
    assert "Nobody is told yet" in words(app)


def test_a_broken_channel_says_why_what_waits_and_tries_now(here):
    with nobody() as port:
        channel = add_mail(here, port)
        here.notify.send(Message("Disk is full"), [channel.id])
        shared().start_jobs()
        until(lambda: here.notify.channels()[0].problem)
        app = draw("notifications")
    assert "Nothing answers" in app.error[0].value
    assert "1 message waiting, tried again" in words(app)
    with SmtpServer(port=port) as server:
        checked(labelled(app.button, "Try now").click().run())
        until(lambda: len(server.mails) == 2)
        until(lambda: here.notify.sent()[0].state == "sent")
    checked(app.run())
    assert "waiting" not in words(app)


def test_what_was_given_up_is_sent_again_or_discarded(here):
    with Receiver() as receiver:
        receiver.answers = [*[Answer("410 Gone", body=b"no such hook")] * 2, Answer()]
        options = {"url": f"http://127.0.0.1:{receiver.port}/", "key": "a key of the webhook's"}
        channel = here.notify.add("webhook", Draft(name="Hook", options=options))
        for title in ("First", "Second"):
            here.notify.send(Message(title), [channel.id])
        shared().start_jobs()
        until(lambda: len(here.notify.sent("dead")) == 2)
        app = draw("notifications")
        assert "no such hook" in app.error[0].value
        checked(labelled(app.button, "Send again").click().run())
        until(lambda: here.notify.sent("sent"))
        checked(app.run())
        checked(labelled(app.button, "Discard").click().run())
    assert {each.state for each in here.notify.sent()} == {"sent", "discarded"}
    assert "Not delivered" not in [each.value for each in app.subheader]


def test_what_goes_on_and_what_was_sent_is_listed(here, smtp):
    channel = add_mail(here, smtp.port)
    for _ in range(3):
        here.notify.send(Message("Disk is full"), [channel.id], incident="disk")
    app = draw("notifications")
    assert "seen 3 times, told once" in words(app)
    (table,) = app.dataframe
    assert table.value[["State", "Channel", "Message"]].values.tolist() == [
        ["waiting", "Team", "Disk is full"]
    ]


def test_who_unsubscribed_is_shown_and_put_back(here, smtp):
    channel = add_mail(here, smtp.port)
    shared().post.channels("local").leave(channel.id, "ann@example.org")
    app = draw("notifications")
    assert "ann@example.org has unsubscribed." in [each.value for each in app.text]
    checked(labelled(app.button, "Put back").click().run())
    assert here.notify.channels()[0].channel.left == ()
