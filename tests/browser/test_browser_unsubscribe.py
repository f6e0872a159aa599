"""The link in a mail, opened from webmail in a browser, takes its recipient out of the list."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from core.access import LOCAL_OWNER
from core.jobs.scheduler import Scheduler
from core.notify.models import Draft
from core.notify.office import PostOffice
from core.notify.service import Notify
from core.notify.unsubscribe import KEY
from core.secrets.service import Secrets
from core.settings import Settings
from core.store.store import Store

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

ANN = "ann@example.org"


@contextmanager
def webmail(link: str) -> Iterator[str]:
    """Serve a page with the link on another site: localhost is not 127.0.0.1."""

    class Mail(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f'<a href="{escape(link)}">No more of these</a>'.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Mail) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def mailed(app) -> Iterator[tuple[str, Callable[[], tuple[str, ...]]]]:
    """Give the link that a mail of the app's store would have, and who has left."""
    settings = Settings(home=app.home, public_url=app.url)
    store = Store.open(settings)
    office = PostOffice(store, Secrets.open(store, settings), settings, Scheduler(store))
    notify = Notify(office.open("local"), LOCAL_OWNER)
    options = {"host": "mail.example.org", "sender": "m@example.org", "recipients": ANN}
    channel = notify.add("email", Draft(name="News", options=options))
    book = office.channels("local")
    link = office.unsubscribing.link(channel, book.opened(channel)[KEY], ANN)
    yield link, lambda: book.get(channel.id).left
    notify.delete(channel.id)
    store.close()


def test_a_link_in_webmail_leads_out_of_the_list(screen, mailed):
    link, left = mailed
    with webmail(link) as place:
        screen.page.goto(place)
        screen.page.get_by_text("No more of these").click()
        button = screen.page.get_by_role("button", name="Unsubscribe")
        expect(button).to_be_visible()
        assert left() == ()
        button.click()
        expect(screen.page.get_by_text(f"{ANN} gets no more mails of News.")).to_be_visible()
    assert left() == (ANN,)
