"""When a job is due: a cron text in a time zone. Pure: it asks no clock.

Local times follow Debian's cron on the nights when clocks are changed: what falls into the hour
that is left out runs when it is over, once; what would happen twice happens the first time. Texts
whose hour or minute begins with `*` follow the time that passes instead.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from core.errors import InvalidInput

_ALLOWED = {
    "second": "0 to 59",
    "minute": "0 to 59",
    "hour": "0 to 23",
    "day-of-month": "1 to 31, L for the last, LW for the last weekday",
    "month": "1 to 12, or JAN to DEC",
    "day-of-week": "0 to 7 (0 and 7 are Sunday), or SUN to SAT, MON#2 for the second, 5L for the "
    "last",
}
_FORMS = "each may be *, a value, a range 1-5, a list 1,3 or a step */10"

# How far back the latest missed time is looked for first: enough for most, few steps for all.
_WINDOWS = (timedelta(minutes=1), timedelta(hours=1), timedelta(days=1), timedelta(days=32))


@dataclass(frozen=True)
class Schedule:
    """Five fields of cron (minute, hour, day, month, weekday), or six with seconds in front.

    Raises InvalidInput that names the field and what is allowed there.
    """

    cron: str
    zone: str = "UTC"

    def __post_init__(self) -> None:
        _zone(self.zone)
        _parsed(self.cron)

    @classmethod
    def kept(cls, cron: str, zone: str) -> Schedule:
        """Return one that was right when it was kept: here `problem` says what is wrong with it.

        Another process may have known a time zone that this one does not.
        """
        schedule = object.__new__(cls)
        object.__setattr__(schedule, "cron", cron)
        object.__setattr__(schedule, "zone", zone)
        return schedule

    @property
    def problem(self) -> InvalidInput | None:
        """Return why it has no times, or None."""
        try:
            self.__post_init__()
        except InvalidInput as error:
            return error
        return None

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first time after the moment, in UTC; None if there never is one."""
        return next(self._after(moment), None)

    def upcoming(self, count: int, *, after: datetime) -> list[datetime]:
        """Return the next `count` times after a moment, in the schedule's zone."""
        times = zip(range(count), self._after(after), strict=False)
        return [time.astimezone(_zone(self.zone)) for _, time in times]

    def latest(self, since: datetime, now: datetime) -> datetime:
        """Return the last time that is not after `now`, from `since` on, which was one itself."""
        # Forward only: backward, the nights when clocks are changed would count otherwise.
        for window in _WINDOWS:
            if now - window <= since:
                break
            found = self._last(now - window, now)
            if found is not None:
                return found
        return self._last(since, now) or since

    def words(self) -> str:
        """Say it for people: "At 02:30 on Monday through Friday, Europe/Paris"."""
        from cronsim.explain import explain

        try:
            _parsed(self.cron)
        except InvalidInput:  # as it was kept, it is right no more
            return f"{self.cron}, {self.zone}"
        return f"{explain(self.cron)}, {self.zone}"

    def _last(self, after: datetime, now: datetime) -> datetime | None:
        found = None
        for time in self._after(after):
            if time > now:
                break
            found = time
        return found

    def _after(self, moment: datetime) -> Iterator[datetime]:
        """Yield all times after the moment, in UTC, each later than the one before."""
        from cronsim import CronSim

        minutes, seconds = _parsed(self.cron)
        # A minute back: the current one may hold a second that is still to come. CronSim counts
        # local time where an hour repeats, and could give one that is past already.
        start = (moment - timedelta(minutes=1)).astimezone(_zone(self.zone))
        for minute in CronSim(minutes, start):
            for second in seconds:
                time = minute.astimezone(UTC) + timedelta(seconds=second)
                if time > moment:
                    moment = time
                    yield time


@lru_cache(1000)
def _parsed(cron: str) -> tuple[str, tuple[int, ...]]:
    """Return the five fields, and the seconds of the minute."""
    from cronsim import CronSim, CronSimError

    fields = cron.split()
    if len(fields) not in (5, 6):
        raise InvalidInput(
            f"The schedule has {len(fields)} fields; five are needed: minute, hour, day of the "
            "month, month, weekday (or six, with the second in front).",
            hint=f"For example 30 2 * * 1-5; {_FORMS}.",
        )
    try:
        parsed = CronSim(cron, datetime(2000, 1, 1))
    except CronSimError as error:
        field = str(error).removeprefix("Bad ")
        raise InvalidInput(
            f"The {field} of the schedule is not right: allowed are {_ALLOWED[field]}.",
            hint=f"The fields are minute, hour, day, month, weekday; {_FORMS}.",
        ) from error
    # Without its seconds, so that a text of six fields keeps Debian's rules as well.
    seconds = tuple(sorted(parsed.seconds)) if len(fields) == 6 else (0,)
    return " ".join(fields[-5:]), seconds


@lru_cache(1000)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        near = difflib.get_close_matches(name, available_timezones(), n=3, cutoff=0.6)
        raise InvalidInput(
            f'There is no time zone "{name}".',
            hint=f"Did you mean {' or '.join(near)}?" if near else "For example Europe/Paris.",
        ) from error
