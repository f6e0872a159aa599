"""An incident is told once, counted while it goes on, and told once when it is over."""

from __future__ import annotations

import threading

from core.channel import Message

FULL = Message("Disk is full", severity="critical")
FINE = Message("Disk has room again")


def titles(notify) -> list[str]:
    return [each.message.headline for each in reversed(notify.sent())]


def test_an_open_incident_is_counted_and_not_told_again(notify, receiver, add_hook):
    channel = add_hook(receiver)
    for _ in range(5):
        notify.send(FULL, [channel.id], incident="disk")
    assert titles(notify) == ["Critical: Disk is full"]
    (incident,) = notify.incidents()
    assert (incident.key, incident.title, incident.count) == ("disk", "Disk is full", 5)


def test_when_it_is_over_those_who_know_are_told_once(notify, receiver, add_hook):
    known, other = add_hook(receiver), add_hook(receiver, "Other")
    notify.send(FULL, [known.id], incident="disk")
    assert len(notify.over("disk", FINE)) == 1
    assert notify.over("disk", FINE) == []
    assert titles(notify) == ["Critical: Disk is full", "Over: Disk has room again"]
    assert {each.channel for each in notify.sent()} == {known.id} != {other.id}
    assert notify.incidents() == []


def test_what_was_never_open_is_not_over(notify):
    assert notify.over("disk", FINE) == []


def test_it_can_begin_again(notify, receiver, add_hook):
    channel = add_hook(receiver)
    for _ in range(2):
        notify.send(FULL, [channel.id], incident="disk")
        notify.over("disk", FINE)
    assert len(titles(notify)) == 4


def test_a_channel_that_joins_later_is_told_too(notify, receiver, add_hook):
    first, second = add_hook(receiver), add_hook(receiver, "Second")
    notify.send(FULL, [first.id], incident="disk")
    notify.send(FULL, [first.id, second.id], incident="disk")
    assert [each.channel for each in notify.sent()] == [second.id, first.id]
    assert len(notify.over("disk", FINE)) == 2


def test_a_channel_that_is_gone_is_not_told_that_it_is_over(notify, receiver, add_hook):
    channel = add_hook(receiver)
    notify.send(FULL, [channel.id], incident="disk")
    notify.delete(channel.id)
    assert notify.over("disk", FINE) == []


def test_incidents_do_not_mix(notify, receiver, add_hook):
    channel = add_hook(receiver)
    notify.send(FULL, [channel.id], incident="disk 1")
    notify.send(FULL, [channel.id], incident="disk 2")
    notify.send(FULL, [channel.id])
    assert len(titles(notify)) == 3
    assert {each.key for each in notify.incidents()} == {"disk 1", "disk 2"}


def test_many_who_see_it_at_once_tell_it_once(notify, receiver, add_hook):
    channel = add_hook(receiver)
    together = threading.Barrier(8)

    def see():
        together.wait()
        notify.send(FULL, [channel.id], incident="disk")

    threads = [threading.Thread(target=see) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(titles(notify)) == 1
    assert notify.incidents()[0].count == 8


def test_who_tells_the_same_channels_in_another_order_does_not_wait_for_ever(
    notify, receiver, add_hook
):
    channels = [add_hook(receiver, f"Hook {number}").id for number in range(6)]
    failed = []

    def send(order) -> None:
        try:
            for _ in range(15):
                notify.send(FULL, order)
        except Exception as error:
            failed.append(error)

    threads = [
        threading.Thread(target=send, args=(order,))
        for order in (channels, channels[::-1], channels[3:] + channels[:3])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(notify.sent(limit=1000)) == 3 * 15 * 6


def test_who_sends_and_who_claims_do_not_wait_for_each_other(
    notify, scheduler, receiver, add_hook, monkeypatch
):
    first, second = sorted(add_hook(receiver, f"Hook {number}").id for number in range(2))
    for channel in (second, first):  # so that a claim takes them in this order
        notify.send(FULL, [channel])
    outbox = notify._book.outbox
    summon, failed = outbox._summon, []

    def claim() -> None:
        try:
            scheduler._leases.claim(scheduler.kinds, 2)
        except Exception as error:
            failed.append(error)

    claiming = threading.Thread(target=claim)

    def slowly(*given) -> None:
        summon(*given)
        if not claiming.ident:
            claiming.start()
            claiming.join(0.5)

    monkeypatch.setattr(outbox, "_summon", slowly)
    notify.send(FULL, [first, second])
    claiming.join(30)
    assert failed == []


def test_the_incident_is_in_the_body_for_programs(notify, receiver, add_hook, deliver):
    channel = add_hook(receiver)
    notify.send(FULL, [channel.id], incident="disk")
    deliver(channel)
    assert b'"incident": "disk"' in receiver.posts[0].body
