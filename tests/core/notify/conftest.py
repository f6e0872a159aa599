"""An authority for certificates, a post office with a clock to set, and channels to servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.access import Actor
from core.job import Task
from core.jobs.scheduler import Scheduler
from core.network import Network
from core.notify.delivery import Served
from core.notify.models import Draft, SavedChannel
from core.notify.office import PostOffice
from core.notify.service import Notify
from core.secrets.service import Secrets
from core.store.store import Store
from tests.core.jobs.kinds import QUICK, Clock
from tests.core.notify.servers import Authority, Listener, Receiver, SmtpServer

OWNER = Actor("ann", "owner")


@pytest.fixture
def authority(tmp_path, monkeypatch) -> Authority:
    """Make an authority that this process trusts while the test runs."""
    authority = Authority.make(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority


@pytest.fixture
def network() -> Network:
    return Network("127.0.0.1, localhost")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(store_settings) -> Iterator[Store]:
    opened = Store.open(store_settings)
    yield opened
    opened.close()


@pytest.fixture
def scheduler(store, clock) -> Iterator[Scheduler]:
    made = Scheduler(store, pace=QUICK, clock=clock)
    yield made
    made.stop(5)


@pytest.fixture
def office(store, store_settings, scheduler, clock) -> PostOffice:
    here = {"private_hosts": "127.0.0.1", "public_url": "https://data.example.org/"}
    settings = store_settings.model_copy(update=here)
    return PostOffice(store, Secrets.open(store, settings), settings, scheduler, clock=clock)


@pytest.fixture
def notify(office) -> Notify:
    return Notify(office.open("w"), OWNER)


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


AddChannel = Callable[..., SavedChannel]


@pytest.fixture
def add_mail(notify) -> AddChannel:
    """Add an e-mail channel to a server of the test's, or to a port."""

    def add(server: Listener | int, name: str = "Mail", to: str = "ann@example.org", **more):
        options = {
            "host": "127.0.0.1",
            "port": server if isinstance(server, int) else server.port,
            "security": "none",
            "sender": "millpond@example.org",
            "recipients": to,
        }
        return notify.add("email", Draft(name=name, options=options, **more))

    return add


@pytest.fixture
def add_hook(notify) -> AddChannel:
    """Add a webhook to a receiver of the test's."""

    def add(server: Listener, name: str = "Hook", **more):
        options = {"url": f"http://127.0.0.1:{server.port}/", "key": "a key of the webhook's"}
        return notify.add("webhook", Draft(name=name, options=options, **more))

    return add


Deliver = Callable[[SavedChannel], dict[str, Any]]


@pytest.fixture
def deliver(office, scheduler) -> Deliver:
    """Do what the job does for a channel, at once and in this thread."""

    def run(channel: SavedChannel) -> dict[str, Any]:
        return scheduler.kinds["deliver"].run(
            Task(Served(channel=channel.id), workspace="w", run="r")
        )

    return run
