"""What is sent arrives once, whatever the other side does; nothing is lost and nobody waits."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from core.channel import Message
from core.errors import Conflict
from core.notify import lane
from core.notify.digest import FLOOD
from core.notify.models import Draft, Sent
from tests.core.jobs.kinds import until
from tests.core.notify.servers import Answer, SmtpServer, nobody

HOUR = timedelta(hours=1)
MESSAGE = Message("Disk is full", "Only 1 % is left.", "warning")


def newest(notify) -> Sent:
    return notify.sent(limit=1)[0]


def reach(notify, state: str) -> Sent:
    until(lambda: newest(notify).state == state)
    return newest(notify)


def test_a_message_goes_to_each_channel(notify, scheduler, smtp, receiver, add_mail, add_hook):
    scheduler.start()
    ids = notify.send(MESSAGE, [add_mail(smtp).id, add_hook(receiver).id])
    until(lambda: {each.state for each in notify.sent()} == {"sent"})
    assert [mail.recipient for mail in smtp.mails] == ["ann@example.org"]
    assert json.loads(receiver.posts[0].body)["id"] == ids[1]
    assert {each.id for each in notify.sent()} == set(ids)


def test_sending_speaks_to_nobody(notify, add_mail):
    with SmtpServer(way="silent") as server:
        notify.send(MESSAGE, [add_mail(server).id])
        assert not server.connections
    assert newest(notify).state == "waiting"


def test_what_was_kept_is_delivered_by_the_next_process(notify, scheduler, smtp, add_mail):
    notify.send(MESSAGE, [add_mail(smtp).id])
    scheduler.start()
    reach(notify, "sent")


def test_the_images_arrive_and_are_not_kept_for_longer(notify, scheduler, store, smtp, add_mail):
    scheduler.start()
    notify.send(Message("Chart", images={"free": b"PNG"}), [add_mail(smtp).id])
    reach(notify, "sent")
    parts = [part.get_content_type() for part in smtp.mails[0].parsed.walk()]
    assert "image/png" in parts
    with store.read() as session:
        assert not session.connection().exec_driver_sql("SELECT * FROM notification_image").all()


def test_a_server_that_is_down_for_a_day_loses_nothing(notify, clock, add_mail, deliver):
    with nobody() as port:
        channel = add_mail(port)
        for number in range(5):
            notify.send(Message(f"Message {number}"), [channel.id])
        for _ in range(24):
            assert deliver(channel)["tried"] == 1
            clock.shift += HOUR
        assert {each.state for each in notify.sent()} == {"waiting"}
        assert "Nothing answers" in notify.channels()[0].problem.message
    with SmtpServer(port=port) as server:
        assert deliver(channel) == {"tried": 5}
    assert sorted(mail.parsed["Subject"] for mail in server.mails) == [
        f"Message {number}" for number in range(5)
    ]
    assert {each.state for each in notify.sent()} == {"sent"}
    assert notify.channels()[0].problem is None


def test_a_server_that_comes_back_is_found_by_the_scheduler(notify, scheduler, clock, add_mail):
    scheduler.start()
    with nobody() as port:
        notify.send(MESSAGE, [add_mail(port).id])
        until(lambda: newest(notify).error)

    def is_sent() -> bool:
        clock.shift += HOUR
        scheduler.wake()
        return newest(notify).state == "sent"

    with SmtpServer(port=port) as server:
        until(is_sent)
    assert len(server.mails) == 1


def test_a_server_that_is_away_is_asked_rarely_however_much_waits(notify, clock, add_mail, deliver):
    pauses = []
    with SmtpServer(way="away") as server:
        channel = add_mail(server)
        for number in range(10):
            notify.send(Message(f"Message {number}"), [channel.id])
        for _ in range(10):
            pauses.append(round(deliver(channel)["again_in"]))
            clock.shift += timedelta(seconds=pauses[-1] - 5)
            assert deliver(channel)["tried"] == 0
            clock.shift += timedelta(seconds=10)
        assert server.connections == 10
    assert pauses == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_a_message_that_a_receiver_does_not_like_holds_up_no_other(
    notify, clock, receiver, add_hook, deliver
):
    receiver.answers = [Answer("500 Internal Server Error"), Answer()]
    channel = add_hook(receiver)
    for number in range(3):
        notify.send(Message(f"Message {number}"), [channel.id])
    deliver(channel)
    clock.shift += timedelta(seconds=31)
    deliver(channel)
    told = [json.loads(post.body)["title"] for post in receiver.posts]
    assert told == ["Message 0", "Message 1", "Message 2", "Message 0"]
    ids = [post.headers["idempotency-key"] for post in receiver.posts]
    assert ids[0] == ids[3]


def test_a_time_to_wait_is_kept_to(notify, clock, receiver, add_hook, deliver):
    receiver.answers = [Answer("429 Too Many Requests", {"Retry-After": "7200"}), Answer()]
    channel = add_hook(receiver)
    notify.send(MESSAGE, [channel.id])
    assert round(deliver(channel)["again_in"]) == 7200
    clock.shift += HOUR
    assert deliver(channel)["tried"] == 0
    clock.shift += HOUR
    assert deliver(channel) == {"tried": 1}


def test_a_retry_goes_to_those_only_who_have_not_had_it(notify, clock, smtp, add_mail, deliver):
    smtp.refusals = {"bob@example.org": "451 greylisted"}
    channel = add_mail(smtp, to="ann@example.org, bob@example.org, cid@example.org")
    notify.send(MESSAGE, [channel.id])
    deliver(channel)
    assert newest(notify).state == "waiting"
    smtp.refusals = {}
    clock.shift += HOUR
    deliver(channel)
    assert newest(notify).state == "sent"
    assert [mail.recipient[:3] for mail in smtp.mails] == ["ann", "cid", "bob"]


def test_greylisting_one_recipient_does_not_pause_the_channel(notify, smtp, add_mail, deliver):
    smtp.refusals = {"bob@example.org": "451 greylisted"}
    channel = add_mail(smtp, to="ann@example.org, bob@example.org")
    for _ in range(3):
        notify.send(MESSAGE, [channel.id])
    assert deliver(channel)["tried"] == 3


def test_a_recipient_who_is_refused_is_told_beside_the_message(notify, smtp, add_mail, deliver):
    smtp.refusals = {"bob@example.org": "550 no such user"}
    channel = add_mail(smtp, to="ann@example.org, bob@example.org")
    notify.send(MESSAGE, [channel.id])
    deliver(channel)
    assert newest(notify).state == "sent"
    assert newest(notify).refused == {"bob@example.org": "127.0.0.1 answered 550: no such user."}


def test_what_nobody_takes_is_a_dead_letter_that_can_be_sent_again(notify, smtp, add_mail, deliver):
    smtp.refusals = {"ann@example.org": "550 no such user"}
    channel = add_mail(smtp)
    notify.send(MESSAGE, [channel.id])
    deliver(channel)
    (dead,) = notify.sent("dead")
    assert "550: no such user" in dead.error
    smtp.refusals = {}
    notify.again(dead.id)
    deliver(channel)
    assert newest(notify).state == "sent"
    assert len(smtp.mails) == 1


def test_what_is_refused_one_after_the_other_has_reached_nobody(
    notify, clock, smtp, add_mail, deliver
):
    smtp.refusals = {"ann@example.org": "550 no such user", "bob@example.org": "451 greylisted"}
    channel = add_mail(smtp, to="ann@example.org, bob@example.org")
    notify.send(MESSAGE, [channel.id])
    deliver(channel)
    smtp.refusals["bob@example.org"] = "550 no such user"
    clock.shift += HOUR
    deliver(channel)
    assert newest(notify).state == "dead"
    assert set(newest(notify).refused) == {"ann@example.org", "bob@example.org"}


def test_a_final_answer_is_not_asked_again(notify, clock, receiver, add_hook, deliver):
    receiver.answers = [Answer("410 Gone", body=b"no such hook")]
    channel = add_hook(receiver)
    notify.send(MESSAGE, [channel.id])
    deliver(channel)
    clock.shift += HOUR
    assert deliver(channel) == {"tried": 0}
    (dead,) = notify.sent("dead")
    assert dead.error == f"127.0.0.1:{receiver.port} answered 410: no such hook."
    notify.discard(dead.id)
    assert newest(notify).state == "discarded"
    with pytest.raises(Conflict, match="discarded"):
        notify.again(dead.id)


def test_after_three_days_of_trying_a_message_is_given_up(notify, clock, add_mail, deliver):
    with nobody() as port:
        channel = add_mail(port)
        notify.send(MESSAGE, [channel.id])
        hours = 0
        while newest(notify).state == "waiting":
            deliver(channel)
            clock.shift += HOUR
            hours += 1
    assert hours == lane.GIVEN_UP / HOUR + 1
    assert "Nothing answers" in notify.sent("dead")[0].error


def test_a_clock_that_is_set_back_stops_nothing(notify, clock, add_mail, deliver):
    clock.shift = timedelta(days=400)
    with nobody() as port:
        channel = add_mail(port)
        notify.send(MESSAGE, [channel.id])
        deliver(channel)
    clock.shift = timedelta(0)
    with SmtpServer(port=port):
        assert deliver(channel) == {"tried": 1}
    assert newest(notify).state == "sent"


def test_no_more_go_out_a_minute_than_the_channel_takes(notify, clock, receiver, add_hook, deliver):
    channel = add_hook(receiver, rate=3)
    for number in range(7):
        notify.send(Message(f"Message {number}"), [channel.id])
    waits = []
    for sent in (3, 6):
        waits.append(deliver(channel)["again_in"])
        assert len(receiver.posts) == sent
        clock.shift += timedelta(seconds=61)
    assert deliver(channel) == {"tried": 1}
    assert all(50 < wait <= 60 for wait in waits)
    assert len(receiver.posts) == 7


def test_a_flood_becomes_one_mail_that_lists_them(notify, smtp, add_mail, deliver):
    channel = add_mail(smtp)
    for number in range(FLOOD + 5):
        severity = "critical" if number == 7 else "info"
        notify.send(Message(f"Message {number}", severity=severity), [channel.id])
    deliver(channel)
    (mail,) = smtp.mails
    assert mail.parsed["Subject"] == f"Critical: {FLOOD + 5} messages"
    text = mail.parsed.get_body(("plain",)).get_content()
    assert all(f"Message {number}" in text for number in range(FLOOD + 5))
    assert [each.state for each in notify.sent()] == ["sent", *["combined"] * (FLOOD + 5)]


def test_programs_get_each_message_of_a_flood(notify, receiver, add_hook, deliver):
    channel = add_hook(receiver, rate=1000)
    for number in range(FLOOD + 5):
        notify.send(Message(f"Message {number}"), [channel.id])
    deliver(channel)
    assert len(receiver.posts) == FLOOD + 5


def test_a_channel_that_is_switched_off_keeps_what_comes(notify, smtp, add_mail, deliver):
    channel = add_mail(smtp, enabled=False)
    notify.send(MESSAGE, [channel.id])
    assert deliver(channel) == {"tried": 0}
    (status,) = notify.channels()
    assert status.waiting == 1
    draft = Draft(name="Mail", options=dict(channel.options))
    notify.change(channel.id, draft)
    assert deliver(channel) == {"tried": 1}


def test_a_bug_in_a_channel_is_told_by_a_number_and_holds_up_nothing_else(
    notify, monkeypatch, caplog, smtp, add_mail, deliver
):
    def breaks(*_):
        raise KeyError("detail")

    monkeypatch.setattr("core.notify.channels.email.Email.send", breaks)
    channel = add_mail(smtp)
    notify.send(MESSAGE, [channel.id])
    deliver(channel)
    assert newest(notify).error == "Something unexpected went wrong."
    assert newest(notify).hint.rsplit(" ", 1)[1].rstrip(".") in caplog.text


def test_what_is_old_is_let_go_and_what_was_given_up_stays(
    notify, office, receiver, add_hook, deliver
):
    receiver.answers = [Answer("410 Gone"), Answer()]
    channel = add_hook(receiver)
    for number in range(10):
        notify.send(Message(f"Message {number}"), [channel.id])
    deliver(channel)
    assert office.outbox("w").prune(4) == 5
    assert [each.message.title for each in notify.sent()] == [
        *(f"Message {number}" for number in (9, 8, 7, 6)),
        "Message 0",
    ]


def test_messages_are_paged(notify, receiver, add_hook):
    channel = add_hook(receiver)
    for number in range(5):
        notify.send(Message(f"Message {number}"), [channel.id])
    first = notify.sent(limit=2)
    second = notify.sent(limit=2, before=first[-1].id)
    assert [each.message.title[-1] for each in (*first, *second)] == ["4", "3", "2", "1"]
