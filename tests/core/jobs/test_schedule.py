"""A schedule's times, on the nights when clocks are changed above all; its words; its errors."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.errors import InvalidInput
from core.jobs.schedule import Schedule

PARIS, NEW_YORK, LORD_HOWE = "Europe/Paris", "America/New_York", "Australia/Lord_Howe"


def upcoming(cron: str, zone: str, after: str, count: int) -> list[str]:
    moment = datetime.fromisoformat(after).replace(tzinfo=ZoneInfo(zone))
    times = Schedule(cron, zone).upcoming(count, after=moment)
    return [time.strftime("%d %H:%M:%S %z") for time in times]


@pytest.mark.parametrize(
    ("cron", "zone", "after", "times"),
    [
        # Spring: 02:00 becomes 03:00, and what lies between runs then, once.
        ("30 2 * * *", PARIS, "2026-03-28T12:00", ["29 03:00:00 +0200", "30 02:30:00 +0200"]),
        ("0 2,3 * * *", PARIS, "2026-03-28T12:00", ["29 03:00:00 +0200", "30 02:00:00 +0200"]),
        ("30 2 * * *", NEW_YORK, "2026-03-07T12:00", ["08 03:00:00 -0400", "09 02:30:00 -0400"]),
        # Half an hour only is left out there, from 02:00 to 02:30.
        ("15 2 * * *", LORD_HOWE, "2026-10-03T12:00", ["04 02:30:00 +1100", "05 02:15:00 +1100"]),
        ("30 2 * * *", LORD_HOWE, "2026-10-03T12:00", ["04 02:30:00 +1100", "05 02:30:00 +1100"]),
        # Autumn: 03:00 becomes 02:00, and what lies between runs the first time.
        ("30 2 * * *", PARIS, "2026-10-24T12:00", ["25 02:30:00 +0200", "26 02:30:00 +0100"]),
        ("30 1 * * *", NEW_YORK, "2026-10-31T12:00", ["01 01:30:00 -0400", "02 01:30:00 -0500"]),
        ("45 1 * * *", LORD_HOWE, "2026-04-04T12:00", ["05 01:45:00 +1100", "06 01:45:00 +1030"]),
        # Seconds change nothing of that.
        ("7 30 2 * * *", PARIS, "2026-03-28T12:00", ["29 03:00:07 +0200", "30 02:30:07 +0200"]),
        ("7 30 2 * * *", PARIS, "2026-10-24T12:00", ["25 02:30:07 +0200", "26 02:30:07 +0100"]),
        # What begins with a star follows the time that passes.
        (
            "*/30 * * * *",
            PARIS,
            "2026-03-29T01:15",
            ["29 01:30:00 +0100", "29 03:00:00 +0200", "29 03:30:00 +0200"],
        ),
        (
            "*/30 * * * *",
            PARIS,
            "2026-10-25T02:15",
            ["25 02:30:00 +0200", "25 02:00:00 +0100", "25 02:30:00 +0100", "25 03:00:00 +0100"],
        ),
        # The usual.
        ("30 2 * * 1-5", PARIS, "2026-11-27T12:00", ["30 02:30:00 +0100", "01 02:30:00 +0100"]),
        ("0 18 L * *", "UTC", "2028-02-01T00:00", ["29 18:00:00 +0000", "31 18:00:00 +0000"]),
        ("0 8 * * MON#1", "UTC", "2026-11-25T00:00", ["07 08:00:00 +0000", "04 08:00:00 +0000"]),
        (
            "*/20 * * * * *",
            "UTC",
            "2026-11-25T00:00:10",
            ["25 00:00:20 +0000", "25 00:00:40 +0000"],
        ),
        ("0 0 29 2 *", "UTC", "2026-11-25T00:00", ["29 00:00:00 +0000"]),
    ],
)
def test_the_next_times(cron, zone, after, times):
    assert upcoming(cron, zone, after, len(times)) == times


@pytest.mark.parametrize("zone", [PARIS, NEW_YORK, LORD_HOWE])
@pytest.mark.parametrize("cron", ["30 2 * * *", "15 2 * * *", "45 1 * * *", "0 30 1 * * *"])
def test_each_day_of_two_years_has_one_time_and_it_is_later_than_any_before(cron, zone):
    moment, days = datetime(2026, 1, 1, tzinfo=UTC), []
    schedule = Schedule(cron, zone)
    while len(days) < 730:
        found = schedule.next_after(moment)
        assert found > moment
        moment = found
        days.append(found.astimezone(ZoneInfo(zone)).date())
    assert len(set(days)) == 730
    assert days[-1] - days[0] == timedelta(days=729)


def test_a_moment_in_the_hour_that_comes_twice_has_its_next_time_after_it():
    second = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 02:10 for the second time in Paris
    assert Schedule("30 2 * * *", PARIS).next_after(second) == datetime(
        2026, 10, 26, 1, 30, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("cron", "since", "now", "latest"),
    [
        ("* * * * *", "2026-01-01T00:00", "2026-11-25T10:00:30", "2026-11-25T10:00"),
        ("* * * * * *", "2026-01-01T00:00", "2026-11-25T10:00:30", "2026-11-25T10:00:30"),
        ("0 * * * *", "2026-11-25T09:00", "2026-11-25T09:59", "2026-11-25T09:00"),
        ("0 0 1 1 *", "2020-01-01T00:00", "2026-11-25T10:00", "2026-01-01T00:00"),
        ("0 0 29 2 *", "2024-02-29T00:00", "2026-11-25T10:00", "2024-02-29T00:00"),
        # Moved by the night when clocks go forward; 02:30 in Paris.
        ("30 2 * * *", "2026-03-28T01:30", "2026-03-29T20:00", "2026-03-29T01:00"),
        ("30 2 * * *", "2026-10-24T00:30", "2026-10-25T20:00", "2026-10-25T00:30"),
    ],
)
def test_the_latest_of_missed_times(cron, since, now, latest):
    moments = [datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (since, now)]
    found = Schedule(cron, PARIS if cron.startswith("30 2") else "UTC").latest(*moments)
    assert found == datetime.fromisoformat(latest).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("30 2 * * 1-5", "At 02:30 on Monday through Friday, Europe/Paris"),
        ("30 2 * * *", "At 02:30 every day, Europe/Paris"),
        ("*/15 * * * *", "Every 15th minute of every hour, Europe/Paris"),
        ("0 9 1 * *", "At 09:00 on the first day of every month, Europe/Paris"),
    ],
)
def test_a_schedule_in_words(cron, words):
    assert Schedule(cron, PARIS).words() == words


@pytest.mark.parametrize(
    ("cron", "zone", "message", "hint"),
    [
        ("30 24 * * *", "UTC", "hour .* 0 to 23", "minute, hour, day"),
        ("60 2 * * *", "UTC", "minute .* 0 to 59", "minute, hour, day"),
        ("0 2 32 * *", "UTC", "day-of-month .* 1 to 31", "minute, hour, day"),
        ("0 2 * 13 *", "UTC", "month .* 1 to 12", "minute, hour, day"),
        ("0 2 * * XYZ", "UTC", "day-of-week .* SUN to SAT", "minute, hour, day"),
        ("61 0 2 * * *", "UTC", "second .* 0 to 59", "minute, hour, day"),
        ("0 0 30 2 *", "UTC", "day-of-month", "minute, hour, day"),
        ("every day", "UTC", "2 fields; five are needed", "30 2 "),
        ("", "UTC", "0 fields", "30 2 "),
        ("0 2 * * *", "Europe/Pariss", "no time zone", "Europe/Paris"),
        ("0 2 * * *", "../../etc/passwd", "no time zone", "Europe/Paris"),
        ("0 2 * * *", "", "no time zone", "Europe/Paris"),
    ],
)
def test_what_is_wrong_is_told_with_what_is_allowed(cron, zone, message, hint):
    with pytest.raises(InvalidInput, match=message) as refused:
        Schedule(cron, zone)
    assert hint in refused.value.hint
