"""The benchmark of jobs runs to its end and says what it was asked for."""

from __future__ import annotations

from benchmarks import jobs


def test_it_measures_ticks_starts_and_idleness(store_settings, monkeypatch):
    monkeypatch.setattr(jobs, "SCHEDULES", 40)
    monkeypatch.setattr(jobs, "ROUNDS", 2)
    monkeypatch.setattr(jobs, "IDLE_SECONDS", 0.1)
    said: list[str] = []
    jobs.main(store_settings.store_url, said.append)
    assert [line.split(":")[0].split(",")[0] for line in said] == [
        "a tick",
        "from asking to start",
        "an idle scheduler",
        "40 due at once",
    ]
