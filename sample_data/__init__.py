"""Small real data that a first start attaches: every flight out of New York City in 2013.

Three kinds of file, so that the first query can already join sources. README.md says where the
data comes from and what is not in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Sample:
    """One source to attach: under which name, by which connector, from which file in FOLDER."""

    alias: str
    connector: str
    file: str
    description: str


@dataclass(frozen=True)
class Example:
    """A query worth running first. It needs nothing but the samples."""

    title: str
    sql: str


SAMPLES: tuple[Sample, ...] = (
    Sample(
        "flights",
        "parquet",
        "flights.parquet",
        "336,776 departures from EWR, JFK and LGA in 2013, with delays in minutes.",
    ),
    Sample(
        "weather",
        "csv",
        "weather.csv",
        "Weather at the three airports, hour by hour: temperature, wind, rain, visibility.",
    ),
    Sample(
        "aviation",
        "sqlite",
        "aviation.sqlite",
        "Airlines, airports and planes, with the routes and fleets that link them.",
    ),
)

EXAMPLES: tuple[Example, ...] = (
    Example(
        "Which airlines were late most often?",
        """\
SELECT airlines.name AS airline,
       count(*) AS flights,
       round(avg(arr_delay), 1) AS mean_delay,
       round(100 * avg((arr_delay > 15)::INT), 1) AS percent_late
FROM flights
JOIN aviation.airlines USING (carrier)
WHERE arr_delay IS NOT NULL
GROUP BY ALL
ORDER BY percent_late DESC""",
    ),
    Example(
        "Does wind delay departures?",
        """\
SELECT airlines.name AS airline,
       round(avg(dep_delay) FILTER (wind_speed < 10), 1) AS calm,
       round(avg(dep_delay) FILTER (wind_speed >= 20), 1) AS windy,
       count(*) AS flights
FROM flights
JOIN weather USING (origin, time_hour)
JOIN aviation.airlines USING (carrier)
GROUP BY ALL
HAVING count(*) > 1000
ORDER BY windy - calm DESC""",
    ),
    Example(
        "When in the day is it worst?",
        """\
SELECT hour,
       count(*) AS flights,
       round(avg(dep_delay), 1) AS mean_delay,
       quantile_cont(dep_delay, 0.9) AS worst_tenth
FROM flights
WHERE dep_delay IS NOT NULL
GROUP BY hour
ORDER BY hour""",
    ),
    Example(
        "On which days were most flights cancelled, and did it rain?",
        """\
WITH rain AS (
    SELECT make_date(year, month, day) AS date, round(sum(precip) / 3, 2) AS inches
    FROM weather GROUP BY date
)
SELECT date,
       count(*) AS flights,
       count(*) FILTER (dep_time IS NULL) AS cancelled,
       any_value(inches) AS inches_of_rain
FROM (SELECT *, make_date(year, month, day) AS date FROM flights)
JOIN rain USING (date)
GROUP BY date
ORDER BY cancelled DESC
LIMIT 20""",
    ),
    Example(
        "The busiest routes, with names and distance",
        """\
SELECT start.name AS from_airport,
       goal.name AS to_airport,
       sum(routes.flights)::BIGINT AS flights,
       count(*) AS airlines,
       min(routes.distance) AS miles
FROM aviation.routes
JOIN aviation.airports AS start ON start.faa = routes.origin
JOIN aviation.airports AS goal ON goal.faa = routes.dest
GROUP BY ALL
ORDER BY flights DESC
LIMIT 15""",
    ),
    Example(
        "Who flies the oldest planes, and are they late?",
        """\
SELECT airlines.name AS airline,
       count(DISTINCT tailnum) AS planes,
       round(avg(2013 - planes.year), 1) AS mean_age,
       round(avg(arr_delay), 1) AS mean_delay
FROM flights
JOIN aviation.planes USING (tailnum)
JOIN aviation.airlines USING (carrier)
GROUP BY ALL
ORDER BY mean_age DESC""",
    ),
)
