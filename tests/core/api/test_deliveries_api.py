"""What the API tells of runs that deliver: whether they did, and no secret."""

from __future__ import annotations

from core.channel import Message
from core.network import Network
from core.notify.models import Draft
from tests.core.notify.servers import Answer, Receiver


def test_a_run_that_meets_a_secret_tells_none(
    http, workbench, eventually, secret_value, monkeypatch
):
    key, path = secret_value(), "tell-nobody-path"
    notify = workbench.workspace().notify

    def told() -> str:
        runs = http.get("/api/v1/job-runs").json()["runs"]
        return "".join(http.get(f"/api/v1/job-runs/{each['id']}").json()["log"] for each in runs)

    here = Network("127.0.0.1")._listed
    monkeypatch.setattr(workbench.post._dispatch.network, "_listed", here)
    with Receiver() as receiver:
        receiver.answers = [Answer("403 Forbidden", body=f"wrong key {key}".encode())]
        options = {"url": f"http://127.0.0.1:{receiver.port}/{path}", "key": key}
        channel = notify.add("webhook", Draft(name="Hook", options=options))
        notify.send(Message("Disk is full", f"key {key}"), [channel.id])
        workbench.start_jobs()
        eventually(lambda: "answered 403: wrong key ***." in told())
    assert notify.sent("dead")
    notify.delete(channel.id)
