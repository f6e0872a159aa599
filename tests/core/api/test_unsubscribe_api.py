"""The address in a mail takes its recipient out of the channel, and asks for no account."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from core.notify.models import Draft
from core.notify.unsubscribe import KEY

ANN = "ann+news@example.org"


@pytest.fixture
def token(workbench) -> str:
    """Make the token that a mail to Ann would have."""
    notify = workbench.workspace().notify
    options = {"host": "mail.example.org", "sender": "m@example.org", "recipients": ANN}
    channel = notify.add("email", Draft(name="News & more", options=options))
    key = workbench.post.channels("local").opened(channel)[KEY]
    unsubscribing = workbench.post.unsubscribing
    object.__setattr__(unsubscribing, "public_url", "https://data.example.org")
    yield unsubscribing.link(channel, key, ANN).partition("token=")[2]
    notify.delete(channel.id)


def left(workbench) -> tuple[str, ...]:
    (status,) = workbench.workspace().notify.channels()
    return status.channel.left


def test_a_mail_program_unsubscribes_with_one_click(http, workbench, token):
    # As RFC 8058 has it: a form, without Origin, cookie or anything else.
    body = {"List-Unsubscribe": "One-Click"}
    answer = http.post(f"/api/v1/unsubscribe?token={token}", data=body)
    assert answer.status_code == 200
    assert f"{ANN} gets no more mails of News &amp; more." in answer.text
    assert left(workbench) == (ANN,)


def test_a_mail_providers_server_does_it_through_a_proxy(http, workbench, token):
    headers = {
        "Host": "data.example.org",
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "https",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    place = f"/api/v1/unsubscribe?token={token}"
    answer = http.post(place, headers=headers, content="List-Unsubscribe=One-Click")
    assert answer.status_code == 200
    assert left(workbench) == (ANN,)
    assert http.get("/api/v1/jobs", headers=headers).status_code == 403


def test_a_person_comes_from_webmail_and_presses_the_button(http, workbench, token):
    elsewhere = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    page = http.get("/api/v1/unsubscribe", params={"token": token}, headers=elsewhere)
    assert page.status_code == 200
    # With "no-referrer" a browser would say Origin: null of the page's own form.
    assert page.headers["referrer-policy"] == "same-origin"
    assert "form-action 'self'" in page.headers["content-security-policy"]
    place = f"/api/v1/unsubscribe?token={token}"
    answer = http.post(place, headers={"Origin": "null", "Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200
    assert left(workbench) == (ANN,)


def test_who_asks_twice_at_once_is_out(http, workbench, token):
    place = f"/api/v1/unsubscribe?token={token}"
    with ThreadPoolExecutor(8) as many:
        answers = [*many.map(lambda _: http.post(place).status_code, range(16))]
    assert answers == [200] * 16
    assert left(workbench) == (ANN,)


def test_looking_at_the_address_only_asks(http, workbench, token):
    answer = http.get("/api/v1/unsubscribe", params={"token": token})
    assert "<button>Unsubscribe</button>" in answer.text
    assert token in answer.text
    assert left(workbench) == ()


def test_a_token_cannot_write_on_the_page(http):
    answer = http.get("/api/v1/unsubscribe", params={"token": '"><script>alert(1)</script>'})
    assert "<script>" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("wrong", ["", "nonsense", "a.b.c", "a.YQ.c", "é"])
def test_a_wrong_address_is_refused(http, wrong):
    answer = http.post("/api/v1/unsubscribe", params={"token": wrong})
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:millpond:invalid_input"
