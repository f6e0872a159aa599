"""Webhook and Slack against a receiver that takes posts, refuses them, and misbehaves."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from pydantic import ValidationError

from core.channel import Delivery, Message, NotDelivered
from core.errors import ConnectError, Forbidden, InvalidInput
from core.network import Network
from core.notify.channels.slack import Slack, escaped
from core.notify.channels.webhook import Webhook
from core.secret import Secret
from tests.core.notify.servers import Answer, Receiver, nobody

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MESSAGE = Message(
    "Disk is full",
    "Only 1 % is left.",
    "critical",
    "https://data.example.org/metrics",
    (("host", "db1"), ("free", "1 %")),
    when=WHEN,
)
KEY = "a key of enough characters"


def webhook(url: str, key: str = KEY):
    return Webhook.Options(url=Secret(url), key=Secret(key))


def post(
    receiver: Receiver, network: Network, *, path: str = "/hook?a=b", seconds=5, scheme="http"
):
    options = webhook(f"{scheme}://127.0.0.1:{receiver.port}{path}")
    Webhook().send(MESSAGE, options, Delivery("d1", network, seconds=seconds, incident="disk"))


def test_a_webhook_posts_the_message_with_a_signature_that_checks(network):
    with Receiver() as receiver:
        post(receiver, network)
    (got,) = receiver.posts
    assert got.path == "/hook?a=b"
    assert json.loads(got.body) == {
        "id": "d1",
        "title": "Disk is full",
        "text": "Only 1 % is left.",
        "severity": "critical",
        "incident": "disk",
        "link": "https://data.example.org/metrics",
        "when": "2026-01-02T03:04:05+00:00",
        "facts": [{"name": "host", "value": "db1"}, {"name": "free", "value": "1 %"}],
    }
    signed = f"d1.{got.headers['webhook-timestamp']}.".encode() + got.body
    digest = hmac.new(KEY.encode(), signed, hashlib.sha256).digest()
    assert got.headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
    assert got.headers["idempotency-key"] == got.headers["webhook-id"] == "d1"
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"


def test_a_key_in_the_form_of_the_standard_is_decoded(network):
    raw = b"0123456789abcdef0123456789"
    with Receiver() as receiver:
        options = webhook(
            f"http://127.0.0.1:{receiver.port}/", "whsec_" + base64.b64encode(raw).decode()
        )
        Webhook().send(MESSAGE, options, Delivery("d1", network))
    (got,) = receiver.posts
    signed = f"d1.{got.headers['webhook-timestamp']}.".encode() + got.body
    digest = hmac.new(raw, signed, hashlib.sha256).digest()
    assert got.headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


def test_a_webhook_goes_through_tls(network, authority):
    with Receiver(authority.server("127.0.0.1")) as receiver:
        post(receiver, network, scheme="https")
    assert len(receiver.posts) == 1


@pytest.mark.parametrize(
    ("status", "final"),
    [
        ("400 Bad Request", True),
        ("404 Not Found", True),
        ("410 Gone", True),
        ("408 Request Timeout", False),
        ("425 Too Early", False),
        ("429 Too Many Requests", False),
        ("500 Internal Server Error", False),
        ("503 Service Unavailable", False),
    ],
)
def test_a_refusal_says_whether_to_ask_again(network, status, final):
    with Receiver() as receiver:
        receiver.answers = [Answer(status, body=b"no_service\n")]
        with pytest.raises(NotDelivered) as caught:
            post(receiver, network)
    assert caught.value.final is final
    assert f"answered {status[:3]}: no_service" in caught.value.message


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("120", 120, 120),
        pytest.param(
            format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True),
            6000,
            7200,
            id="in two hours",  # the same for all processes that collect tests
        ),
        ("Wed, 01 Jan 2020 00:00:00 GMT", 0, 0),  # over long ago
        ("99999999999999", 86_400, 86_400),  # nobody waits for so long
        ("soon", 0, 0),
        ("-5", 0, 0),
    ],
)
def test_a_time_to_wait_is_read(network, header, least, most):
    with Receiver() as receiver:
        receiver.answers = [Answer("429 Too Many Requests", {"Retry-After": header})]
        with pytest.raises(NotDelivered) as caught:
            post(receiver, network)
    assert least <= caught.value.wait <= most


def test_a_redirect_is_not_followed(network):
    with Receiver() as inside, Receiver() as receiver:
        place = f"http://127.0.0.1:{inside.port}/"
        receiver.answers = [Answer("302 Found", {"Location": place})]
        with pytest.raises(NotDelivered, match="sends elsewhere"):
            post(receiver, network)
    assert not inside.posts


@pytest.mark.parametrize("way", ["silent", "drip"])
def test_a_receiver_that_does_not_finish_is_left(network, way):
    with Receiver(way=way) as receiver, pytest.raises(ConnectError, match=r"within 0\.3 s"):
        post(receiver, network, seconds=0.3)


def test_a_receiver_that_does_not_stop_is_left(network):
    with Receiver(way="flood") as receiver, pytest.raises(ConnectError, match="256 kB"):
        post(receiver, network)


@pytest.mark.parametrize("way", ["cut", "noise"])
def test_a_receiver_that_does_not_speak_http_is_told_as_such(network, way):
    with Receiver(way=way) as receiver, pytest.raises(ConnectError):
        post(receiver, network)


def test_a_long_answer_to_a_post_that_was_taken_does_not_matter(network):
    with Receiver() as receiver:
        receiver.answers = [Answer(body=b"x" * 10_000_000)]
        post(receiver, network)


def test_a_page_of_a_proxy_is_not_repeated(network):
    with Receiver() as receiver:
        receiver.answers = [Answer("502 Bad Gateway", body=b"<html>nginx</html>")]
        with pytest.raises(NotDelivered, match="502 Bad Gateway") as caught:
            post(receiver, network)
    assert "html" not in caught.value.message


KEPT = "/services/T0AB12CD3/k3y-of-the-hook-that-nobody-may-read"


@pytest.mark.parametrize(
    "said",
    [
        f"Cannot POST {KEPT}?a=b",
        f'{{"path": "{KEPT}"}}',
        f"no hook named {KEPT.rpartition('/')[2]}",
        f"{'x' * 170} {KEPT}",  # where what people are told is cut
        f"{'x' * 4060} {KEPT}",  # where what is read is cut
        " ".join([KEPT] * 80),
    ],
)
def test_a_receiver_that_repeats_the_path_gives_no_secret_away(network, said):
    with Receiver() as receiver:
        receiver.answers = [Answer("404 Not Found", body=said.encode())]
        with pytest.raises(NotDelivered, match="answered 404") as caught:
            post(receiver, network, path=f"{KEPT}?a=b")
    assert not [part for part in ("AB12", "k3y", "nobody") if part in caught.value.message]


def test_nobody_there_is_told(network):
    with nobody() as port:
        options = webhook(f"http://127.0.0.1:{port}/")
        with pytest.raises(ConnectError, match="Nothing answers"):
            Webhook().send(MESSAGE, options, Delivery("d1", network))


def test_an_address_inside_is_refused():
    with Receiver() as receiver, pytest.raises(Forbidden, match="inside"):
        post(receiver, Network())
    assert not receiver.posts


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/",
        "example.org/hook",
        "https:///hook",
        "https://user:pass@example.org/",
        "https://example.org/a b",
        "https://example.org/\r\nX: y",
        "https://example.org:99999/",
        "",
    ],
)
def test_what_is_no_address_is_refused_and_not_repeated(url):
    with pytest.raises(ValidationError) as caught:
        webhook(url)
    assert not url or url not in str(caught.value)


@pytest.mark.parametrize("key", ["", "short", "whsec_AAAA", "whsec_%%%%%%%%%%%%%%%%%%%%%%%%"])
def test_a_key_that_signs_badly_is_refused(key):
    with pytest.raises(ValidationError):
        webhook("https://example.org/", key)


def test_slack_gets_text_and_blocks(network):
    with Receiver() as receiver:
        options = Slack.Options(url=Secret(f"http://127.0.0.1:{receiver.port}/services/T0/B0/x"))
        Slack().send(MESSAGE, options, Delivery("d1", network))
    body = json.loads(receiver.posts[0].body)
    assert body["text"] == (
        ":rotating_light: *Critical: Disk is full*\nOnly 1 % is left.\n"
        "*host:* db1\n*free:* 1 %\n<https://data.example.org/metrics|Open>"
    )
    assert [each["type"] for each in body["blocks"]] == ["section", "section", "context"]
    assert body["blocks"][1]["fields"][0] == {"type": "mrkdwn", "text": "*host*\ndb1"}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        (
            "<!channel> <https://evil.example|click>",
            "&lt;!channel&gt; &lt;https://evil.example|click&gt;",
        ),
        ("@channel @HERE ann@allies.example", "@\u2060channel @\u2060HERE ann@allies.example"),
    ],
)
def test_what_slack_would_read_as_a_call_or_a_link_is_escaped(text, written):
    assert escaped(text) == written


def test_slack_takes_long_messages_cut(network):
    facts = tuple((f"name {number}", "&" * 3000) for number in range(30))
    with Receiver() as receiver:
        options = Slack.Options(url=Secret(f"http://127.0.0.1:{receiver.port}/"))
        Slack().send(Message("long", "&" * 5000, facts=facts), options, Delivery("d1", network))
    blocks = json.loads(receiver.posts[0].body)["blocks"]
    assert len(blocks[0]["text"]["text"]) <= 3000
    assert len(blocks[1]["fields"]) == 10
    assert all(len(each["text"]) <= 2000 for each in blocks[1]["fields"])
    assert blocks[0]["text"]["text"].endswith("&amp;…")


@pytest.mark.parametrize("link", ["javascript:alert(1)", "file:///etc/passwd", "//example.org"])
def test_a_link_leads_to_a_page(link):
    with pytest.raises(InvalidInput, match="https://"):
        Message("title", link=link)


def test_a_time_has_a_zone():
    with pytest.raises(InvalidInput, match="time zone"):
        Message("title", when=datetime(2026, 1, 2))


def test_only_the_host_is_seen_of_where_it_leads():
    url = Secret("https://hooks.example/services/T0/B0/secret")
    assert Slack().place(Slack.Options(url=url)) == "hooks.example"
    assert (
        Webhook().place(webhook("https://[2606:4700::1]:8443/x?token=1")) == "[2606:4700::1]:8443"
    )
