"""A channel is deleted while others send over it: nothing is left to wait for what is gone."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select

from core.channel import Message
from core.errors import NotFound
from core.jobs.records import JobBook
from core.notify.digest import FLOOD
from core.notify.records import DeliveryRow, LeftRow
from core.notify.unsubscribe import KEY
from tests.core.jobs.kinds import until

MESSAGE = Message("Disk is full")


def left(store) -> int:
    """Count what waits."""
    with store.read() as session:
        waiting = select(func.count()).where(DeliveryRow.state == "waiting")
        return session.scalar(waiting)


def test_a_message_sent_between_two_steps_of_deleting_does_not_stay(
    notify, office, store, receiver, add_hook, monkeypatch
):
    """Its sender is told that the channel is gone, or it is deleted with the others."""
    channel = add_hook(receiver)
    notify.send(MESSAGE, [channel.id])
    outbox = notify._book.outbox
    forget, said = outbox.forget, []

    def send() -> None:
        try:
            said.append(notify.send(MESSAGE, [channel.id]))
        except NotFound as error:
            said.append(error)

    sending = threading.Thread(target=send)

    def forgets(*given) -> None:
        forget(*given)
        sending.start()  # and waits, for the deletion is one transaction
        sending.join(0.5)

    monkeypatch.setattr(type(outbox), "forget", lambda self, *given: forgets(*given))
    notify.delete(channel.id)
    sending.join(30)
    assert isinstance(said[0], NotFound)
    assert left(store) == 0


def test_a_channel_is_not_deleted_under_who_sends_over_it(
    notify, office, store, receiver, add_hook, monkeypatch
):
    channel, summoned = add_hook(receiver), threading.Event()
    outbox = notify._book.outbox
    summon = outbox._summon
    deleting = threading.Thread(target=notify.delete, args=(channel.id,))

    def slowly(*given) -> None:
        if not summoned.is_set():
            summoned.set()
            deleting.start()
            deleting.join(0.5)
        summon(*given)

    monkeypatch.setattr(outbox, "_summon", slowly)
    notify.send(MESSAGE, [channel.id])
    deleting.join(30)
    assert notify.channels() == []
    assert left(store) == 0


@pytest.mark.parametrize(
    "step",
    [
        lambda lane, message: lane.ended(message, "sent"),
        lambda lane, message: lane.failed(message, "It broke.", "", works=False),
        lambda lane, message: lane.started(message),
        lambda lane, message: lane.turn(combines=True),
    ],
    ids=["ended", "failed", "started", "turn"],
)
@pytest.mark.parametrize("before", [True, False])
def test_deleting_and_delivering_do_not_wait_for_each_other(
    notify, office, store, receiver, add_hook, monkeypatch, step, before
):
    channel = add_hook(receiver)
    for _ in range(FLOOD + 1):
        (message,) = notify.send(MESSAGE, [channel.id])
    lane, failed = office._lane("w", channel.id), []
    forget = type(notify._book.outbox).forget

    def deliver() -> None:
        try:
            step(lane, message)
        except Exception as error:
            failed.append(error)

    delivering = threading.Thread(target=deliver)

    def forgets(*given) -> None:
        if not before:
            forget(*given)
        delivering.start()
        delivering.join(0.3)
        if before:
            forget(*given)

    monkeypatch.setattr(type(notify._book.outbox), "forget", forgets)
    notify.delete(channel.id)
    delivering.join(30)
    assert failed == []
    assert left(store) == 0


def test_many_send_and_deliver_while_channels_are_deleted(
    notify, scheduler, store, receiver, add_hook
):
    scheduler.start()
    channels = [add_hook(receiver, f"Hook {number}", rate=1000).id for number in range(6)]
    failed: list[Exception] = []

    def send(order: list[str]) -> None:
        for _ in range(15):
            try:
                notify.send(MESSAGE, order)
            except NotFound:
                order = order[1:]
            except Exception as error:
                failed.append(error)

    orders = [channels, channels[::-1]]
    threads = [threading.Thread(target=send, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for channel in channels[::2]:
        notify.try_now(channel)
        notify.delete(channel)
    for thread in threads:
        thread.join()
    assert failed == []
    until(lambda: left(store) == 0)
    assert [run for run in runs_of(scheduler) if run.state == "failed"] == []


def runs_of(scheduler):
    return JobBook(scheduler._leases._store, "w").runs(limit=1000)


def test_a_channel_that_is_deleted_while_it_is_sent_over_fails_no_run(
    notify, receiver, add_hook, deliver, monkeypatch
):
    channel = add_hook(receiver)
    notify.send(MESSAGE, [channel.id])
    answer = receiver._answer

    def deletes(link) -> None:
        notify.delete(channel.id)
        answer(link)

    monkeypatch.setattr(receiver, "_answer", deletes)
    assert deliver(channel) == {"tried": 1}
    assert notify.sent() == []


def test_who_leaves_a_channel_that_goes_at_that_moment_leaves_nothing_behind(
    notify, office, store, smtp, add_mail
):
    channel = add_mail(smtp)
    book = office.channels("w")
    assert KEY in book.opened(channel)
    notify.delete(channel.id)
    book.leave(channel.id, "ann@example.org")
    with store.read() as session:
        assert session.scalar(select(func.count()).select_from(LeftRow)) == 0


def test_what_waits_is_seen_to_though_its_run_was_cancelled(
    notify, office, scheduler, receiver, add_hook
):
    channel = add_hook(receiver)
    notify.send(MESSAGE, [channel.id])
    (run,) = runs_of(scheduler)
    JobBook(scheduler._leases._store, "w").cancel(run.id)
    scheduler.start()
    office.outbox("w").prune(1000)  # as housekeeping does every hour
    until(lambda: notify.sent()[0].state == "sent")


@pytest.mark.parametrize("gone", [0, 1])
def test_sending_over_a_channel_that_is_gone_keeps_nothing(notify, store, receiver, add_hook, gone):
    channels = [add_hook(receiver, f"Hook {number}").id for number in range(2)]
    notify.delete(channels[gone])
    with pytest.raises(NotFound):
        notify._book.outbox.keep(MESSAGE, channels, actor="ann")
    assert left(store) == 0
