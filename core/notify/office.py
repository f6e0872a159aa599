"""The post office of a process: what notifications need of the program, put together."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from core.channel import Channel
from core.jobs.records import Clock, JobBook, database_now
from core.jobs.scheduler import Scheduler
from core.jobs.service import defaults
from core.network import Network
from core.notify.book import ChannelBook
from core.notify.delivery import Deliver, Dispatch
from core.notify.lane import Lane
from core.notify.outbox import Outbox, Session, Summon
from core.notify.service import NotifyBook
from core.notify.unsubscribe import Unsubscribing
from core.plugins import Roster, discover
from core.secrets.service import Secrets
from core.settings import Settings
from core.store.store import Store


class PostOffice:
    """Opens the notifications of workspaces, and lets the scheduler deliver them."""

    def __init__(
        self,
        store: Store,
        secrets: Secrets,
        settings: Settings,
        scheduler: Scheduler,
        *,
        clock: Clock = database_now,
    ) -> None:
        """Read what settings say of the way out. Raises ConfigError."""
        kinds: Roster[Channel[Any]] = discover("core.notify.channels", Channel)
        self.unsubscribing = Unsubscribing(store, settings.public_url, self.channels)
        self._dispatch = Dispatch(kinds, Network(settings.private_hosts), self.unsubscribing)
        self._deliver = Deliver(self._dispatch, self.channels, self._lane)
        self._store, self._secrets, self._scheduler = store, secrets, scheduler
        self._clock = clock
        scheduler.register(self._deliver)

    def open(self, workspace: str) -> NotifyBook:
        """Open the notifications of a workspace."""
        channels, outbox = self.channels(workspace), self.outbox(workspace)
        return NotifyBook(channels, outbox, self._dispatch, self._scheduler.wake)

    def outbox(self, workspace: str) -> Outbox:
        """Open what goes out of a workspace."""
        return Outbox(self._store, workspace, self._summon(workspace), clock=self._clock)

    def channels(self, workspace: str) -> ChannelBook:
        """Open the channels of a workspace."""
        return ChannelBook(self._store, self._secrets, workspace, clock=self._clock)

    def _lane(self, workspace: str, channel: str) -> Lane:
        return Lane(self._store, workspace, channel, self._summon(workspace), clock=self._clock)

    def _summon(self, workspace: str) -> Summon:
        jobs = JobBook(self._store, workspace, clock=self._clock)

        def summon(session: Session, channel: str, at: datetime) -> None:
            facts = defaults(self._deliver, {"channel": channel})
            jobs.submit_by(session, {**facts, "title": self._deliver.label}, at)

        return summon
