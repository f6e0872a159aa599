"""E-mail against an SMTP server that takes mails, refuses some, and misbehaves."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from core.channel import Delivery, Message, NotDelivered
from core.errors import ConnectError, Forbidden
from core.network import Network
from core.notify.channels.email import Email
from core.secret import Secret
from tests.core.notify.servers import SmtpServer, nobody

PNG = bytes.fromhex("89504e470d0a1a0a")
MESSAGE = Message(
    "Disk is full",
    "Only 1 % is left.\n<script>alert(1)</script>",
    "critical",
    "https://data.example.org/metrics?a=1&b=2",
    (("host", "db1"),),
    {"Free space": PNG},
    datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
)
PASSWORD = "correct horse battery"


def options(**chosen):
    facts = {
        "host": "127.0.0.1",
        "security": "none",
        "sender": "millpond@example.org",
        "recipients": "ann@example.org, bob@example.org",
    }
    return Email.Options(**(facts | chosen))


def send(port: int, network: Network, *, seconds: float = 5, message=MESSAGE, **chosen):
    """Send to all recipients that are to get it, and return what was told of each."""
    told: dict[str, str] = {}
    recipients = chosen.pop("to", ("ann@example.org", "bob@example.org"))
    unsubscribe = chosen.pop("unsubscribe", lambda recipient: "")
    delivery = Delivery(
        "d1",
        network,
        recipients,
        seconds=seconds,
        tell=told.__setitem__,
        unsubscribe=unsubscribe,
    )
    Email().send(message, options(port=port, **chosen), delivery)
    return told


def test_each_recipient_gets_a_mail_of_their_own(network):
    with SmtpServer() as server:
        told = send(server.port, network)
    assert told == {"ann@example.org": "", "bob@example.org": ""}
    assert [mail.recipient for mail in server.mails] == ["ann@example.org", "bob@example.org"]
    assert [mail.parsed["To"] for mail in server.mails] == ["ann@example.org", "bob@example.org"]


def test_a_mail_has_plain_text_a_page_and_its_images_inside(network):
    with SmtpServer() as server:
        send(server.port, network)
    mail = server.mails[0].parsed
    assert mail["Subject"] == "Critical: Disk is full"
    assert mail["From"] == "Millpond <millpond@example.org>"
    assert mail["Date"] == "Fri, 02 Jan 2026 03:04:05 +0000"
    assert mail["Auto-Submitted"] == "auto-generated"
    plain = mail.get_body(("plain",)).get_content()
    assert "Only 1 % is left." in plain
    assert "host: db1" in plain
    page = mail.get_body(("html",)).get_content()
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert 'href="https://data.example.org/metrics?a=1&amp;b=2"' in page
    (image,) = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert image.get_content() == PNG
    assert f'src="cid:{image["Content-ID"].strip("<>")}"' in page
    assert 'alt="Free space"' in page


def test_a_mail_that_is_sent_again_is_the_same_mail(network):
    with SmtpServer() as server:
        send(server.port, network)
        send(server.port, network)
    ids = [mail.parsed["Message-ID"] for mail in server.mails]
    assert ids[:2] == ids[2:]
    assert ids[0] != ids[1]


def test_a_mail_says_how_to_get_no_more(network):
    link = "https://data.example.org/api/v1/unsubscribe?token=" + "x" * 200
    with SmtpServer() as server:
        send(server.port, network, unsubscribe=lambda recipient: f"{link}{recipient[:3]}")
    ann, bob = (mail.parsed for mail in server.mails)
    assert ann["List-Unsubscribe"] == f"<{link}ann>"
    assert bob["List-Unsubscribe"] == f"<{link}bob>"
    assert ann["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"{link}ann" in ann.get_body(("plain",)).get_content().replace("=\n", "")
    # In one piece, for programs that do not unfold.
    assert f"List-Unsubscribe: <{link}ann>\r\n".encode() in server.mails[0].content


@pytest.mark.parametrize(
    "nasty",
    [
        "a\r\nBcc: eve@example.org",
        "a\nBcc: eve@example.org",
        "a\rBcc: eve@example.org",
        "a\x00\x0b\x0c\x85\u2028Bcc: eve@example.org",
        "a\r\n\r\n<b>body</b>\r\n.\r\nMAIL FROM:<eve@example.org>",
    ],
)
def test_no_header_can_be_smuggled_in(network, nasty):
    message = Message(nasty, nasty, facts=((nasty, nasty),), images={nasty: PNG})
    with SmtpServer() as server:
        send(server.port, network, message=message, sender_name=nasty)
    assert [mail.recipient for mail in server.mails] == ["ann@example.org", "bob@example.org"]
    for mail in server.mails:
        assert mail.parsed["Bcc"] is None
        assert "eve" in mail.parsed["Subject"]
        assert not [each for part in mail.parsed.walk() for each in part.defects]


@pytest.mark.parametrize("text", ["\udcff half", "Grüße, 世界 🎉", "x" * 5000, ".\n..\n."])
def test_any_text_arrives(network, text):
    with SmtpServer() as server:
        send(server.port, network, message=Message(text, text))
    whole = text.encode("utf-8", "replace").decode()
    page = server.mails[0].parsed.get_body(("plain",)).get_content()
    assert whole in page.replace("\r\n", "\n")


def test_starttls_encrypts_and_logs_in(network, authority):
    with SmtpServer(authority.server("127.0.0.1")) as server:
        server.password = PASSWORD
        send(server.port, network, security="starttls", user="millpond", password=Secret(PASSWORD))
    assert {(mail.encrypted, mail.user) for mail in server.mails} == {(True, "millpond")}


@pytest.mark.parametrize("login", ["PLAIN", "LOGIN", "CRAM-MD5 LOGIN"])
def test_any_password_logs_in(network, login):
    with SmtpServer() as server:
        server.login, server.password = login, "Grüße, 世界"
        send(server.port, network, user="änn", password=Secret("Grüße, 世界"))
    assert server.mails[0].user == "änn"


def test_a_server_that_wants_another_login_is_told(network):
    with SmtpServer() as server:
        server.login, server.password = "XOAUTH2", "x"
        with pytest.raises(NotDelivered, match="PLAIN or LOGIN"):
            send(server.port, network, user="ann", password=Secret("a login of another kind"))


def test_tls_from_the_first_byte(network, authority):
    with SmtpServer(authority.server("127.0.0.1")) as server:
        server.greeting_tls = True
        send(server.port, network, security="tls")
    assert server.mails[0].encrypted


def test_a_server_that_offers_no_encryption_gets_nothing(network):
    with SmtpServer() as server, pytest.raises(NotDelivered, match="does not offer"):
        send(server.port, network, security="starttls")
    assert not server.mails


def test_a_certificate_for_another_name_gets_nothing(network, authority):
    with (
        SmtpServer(authority.server("mail.example.org")) as server,
        pytest.raises(ConnectError, match="did not prove"),
    ):
        send(server.port, network, security="starttls")
    assert not server.mails


def test_a_wrong_password_is_said_and_not_repeated(network):
    login = {"user": "millpond", "password": Secret(PASSWORD)}
    with SmtpServer() as server:
        server.password = "another"
        with pytest.raises(NotDelivered, match="refused user") as caught:
            send(server.port, network, **login)
    assert PASSWORD not in f"{caught.value}{caught.value.hint}"
    assert not caught.value.final


def test_one_refused_recipient_does_not_stop_the_others(network):
    with SmtpServer() as server:
        server.refusals = {"ann@example.org": "550 no such user"}
        told = send(server.port, network)
    assert told == {
        "ann@example.org": "127.0.0.1 answered 550: no such user.",
        "bob@example.org": "",
    }


def test_a_mail_refused_for_its_content_does_not_stop_the_others(network):
    with SmtpServer() as server:
        server.data_refusals = {"ann@example.org": "554 looks like spam"}
        told = send(server.port, network)
    assert told["ann@example.org"] == "127.0.0.1 answered 554: looks like spam."
    assert [mail.recipient for mail in server.mails] == ["bob@example.org"]


def test_a_recipient_to_ask_again_for_is_named(network):
    with SmtpServer() as server:
        server.refusals = {"ann@example.org": "451 greylisted"}
        with pytest.raises(NotDelivered, match=r"to ann@example\.org yet") as caught:
            send(server.port, network)
    assert not caught.value.final
    assert [mail.recipient for mail in server.mails] == ["bob@example.org"]


@pytest.mark.parametrize("way", ["silent", "drip"])
def test_a_server_that_does_not_answer_is_left(network, way, monkeypatch):
    monkeypatch.setattr("core.notify.channels.email._EACH", 0)
    with SmtpServer(way=way) as server, pytest.raises(ConnectError, match=r"within 0\.3 s"):
        send(server.port, network, seconds=0.3)


def test_a_server_that_does_not_stop_is_left(network):
    with SmtpServer(way="flood") as server, pytest.raises(ConnectError, match="256 kB"):
        send(server.port, network)


def test_a_server_that_cuts_off_is_told(network):
    with SmtpServer(way="cut") as server, pytest.raises(ConnectError, match="broke off"):
        send(server.port, network)


def test_a_server_that_is_away_or_not_there_is_told(network):
    with SmtpServer(way="away") as server, pytest.raises(NotDelivered, match="421: come back"):
        send(server.port, network)
    with nobody() as port, pytest.raises(ConnectError, match="Nothing answers"):
        send(port, network)


def test_a_server_inside_is_refused():
    with SmtpServer() as server, pytest.raises(Forbidden, match="inside"):
        send(server.port, Network(), security="starttls")
    assert not server.connections


@pytest.mark.parametrize(
    "wrong",
    [
        {"recipients": ""},
        {"recipients": "ann"},
        {"recipients": "ann@"},
        {"recipients": "ann@exa mple.org>\r\nRCPT TO:<eve@example.org"},
        {"recipients": "ünn@example.org"},
        {"recipients": ",".join(f"a{number}@example.org" for number in range(101))},
        {"sender": "ann@example.org\r\nBcc: eve@example.org"},
        {"sender": "ann@example.org, bob@example.org"},
        {"host": "mail example"},
        {"host": ""},
        {"port": 0},
        {"port": 65536},
        {"security": "ssl"},
    ],
)
def test_options_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValidationError):
        options(**wrong)


def test_addresses_are_split_cleaned_and_not_repeated():
    chosen = options(recipients="ann@example.org; bob@bücher.example\nann@example.org,")
    assert chosen.recipients == ("ann@example.org", "bob@xn--bcher-kva.example")
