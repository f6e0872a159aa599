"""The benchmark of jobs runs to its end and keeps what it was asked for."""

from __future__ import annotations

from benchmarks import jobs


def test_it_measures_ticks_starts_and_idleness(store_settings, monkeypatch):
    monkeypatch.setattr(jobs, "SCHEDULES", 40)
    monkeypatch.setattr(jobs, "ROUNDS", 2)
    monkeypatch.setattr(jobs, "IDLE_SECONDS", 0.1)
    monkeypatch.setattr(jobs, "wait_for_quiet", lambda: None)
    figures = jobs.measure(store_settings)
    assert [figure.name.split(",")[0] for figure in figures] == [
        "A tick with 40 schedules",
        "From asking for a run to its start",
        "An idle scheduler",
        "40 due at once: all are runs after",
    ]
    assert all(figure.value > 0 for figure in figures)
