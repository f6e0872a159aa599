"""Notifications in the whole program: its scheduler delivers, also what an earlier one left."""

from __future__ import annotations

from core.channel import Message
from core.notify.models import Draft
from core.settings import Settings
from core.workbench import Workbench
from tests.core.jobs.kinds import until


def open_here(home) -> Workbench:
    return Workbench.open(Settings(home=home, sample_data=False, private_hosts="127.0.0.1"))


def test_what_one_process_keeps_the_next_one_delivers(tmp_path, receiver):
    first = open_here(tmp_path)
    notify = first.workspace().notify
    options = {"url": f"http://127.0.0.1:{receiver.port}/", "key": "a key of the webhook's"}
    channel = notify.add("webhook", Draft(name="Hook", options=options))
    notify.send(Message("kept"), [channel.id])
    for run in first.workspace().jobs.runs():
        first.workspace().jobs.cancel(run.id)  # as people may: the next start sees to it
    first.close()
    assert not receiver.posts
    second = open_here(tmp_path)
    second.start_jobs()
    until(lambda: receiver.posts)
    until(lambda: second.workspace().notify.sent()[0].state == "sent")
    second.close()
