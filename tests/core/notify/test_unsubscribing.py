"""A recipient's signed link takes them, and nobody else, out of a channel."""

from __future__ import annotations

import re
import threading

import pytest

from core.channel import Message
from core.errors import InvalidInput

BOTH = "ann@example.org, bob@example.org"


def token_for(smtp, recipient: str) -> str:
    (mail,) = [each for each in smtp.mails if each.recipient == recipient]
    link = re.fullmatch(
        r"<https://data\.example\.org/api/v1/unsubscribe\?token=(.+)>",
        mail.parsed["List-Unsubscribe"],
    )
    assert link
    return link[1]


@pytest.fixture
def channel(notify, smtp, add_mail, deliver):
    """Add a channel to two people who both have had a mail."""
    channel = add_mail(smtp, to=BOTH)
    notify.send(Message("first"), [channel.id])
    deliver(channel)
    return channel


def test_who_unsubscribes_gets_no_more_and_the_others_do(notify, office, smtp, channel, deliver):
    token = token_for(smtp, "ann@example.org")
    assert office.unsubscribing.accept(token) == ("Mail", "ann@example.org")
    assert office.unsubscribing.accept(token) == ("Mail", "ann@example.org")
    notify.send(Message("second"), [channel.id])
    deliver(channel)
    told = [(mail.recipient[:3], mail.parsed["Subject"]) for mail in smtp.mails]
    assert told == [("ann", "first"), ("bob", "first"), ("bob", "second")]
    assert notify.channels()[0].channel.left == ("ann@example.org",)


def test_many_clicks_at_once_are_one(notify, office, smtp, channel):
    token = token_for(smtp, "ann@example.org")
    together = threading.Barrier(6)
    failed = []

    def click() -> None:
        together.wait()
        try:
            office.unsubscribing.accept(token)
        except Exception as error:
            failed.append(error)

    for _ in range(5):
        threads = [threading.Thread(target=click) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        assert notify.channels()[0].channel.left == ("ann@example.org",)
        notify.resubscribe(channel.id, "ann@example.org")


def test_who_left_can_be_put_back(notify, office, smtp, channel, deliver):
    office.unsubscribing.accept(token_for(smtp, "ann@example.org"))
    notify.resubscribe(channel.id, "ann@example.org")
    notify.send(Message("second"), [channel.id])
    deliver(channel)
    assert len(smtp.mails) == 4


def test_a_channel_that_all_have_left_sends_nothing_and_keeps_nothing(
    notify, office, smtp, channel, deliver
):
    for recipient in BOTH.split(", "):
        office.unsubscribing.accept(token_for(smtp, recipient))
    notify.send(Message("second"), [channel.id])
    deliver(channel)
    assert notify.sent()[0].state == "sent"
    assert len(smtp.mails) == 2


def test_a_link_is_good_for_its_recipient_and_channel_only(notify, office, smtp, channel, add_mail):
    other = add_mail(smtp, "Other", BOTH)
    place, recipient, signature = token_for(smtp, "ann@example.org").split(".")
    bob = token_for(smtp, "bob@example.org").split(".")[1]
    for wrong in (
        f"{place}.{bob}.{signature}",
        f"{other.id}.{recipient}.{signature}",
        f"{place}.{recipient}.{signature[:-2]}AA",
        f"{place}.{recipient}.",
        f"{place}.{recipient}.é",
        f"{place}.%%%.{signature}",
        f"nothing.{recipient}.{signature}",
        f"{place}.{recipient}",
        "",
    ):
        with pytest.raises(InvalidInput, match="not whole"):
            office.unsubscribing.accept(wrong)
    assert not [each for status in notify.channels() for each in status.channel.left]


def test_without_a_public_address_there_is_no_link(
    store, store_settings, scheduler, office, smtp, add_mail, notify, deliver
):
    object.__setattr__(office.unsubscribing, "public_url", "")
    channel = add_mail(smtp)
    notify.send(Message("first"), [channel.id])
    deliver(channel)
    assert smtp.mails[0].parsed["List-Unsubscribe"] is None
