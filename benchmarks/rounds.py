"""Alternating rounds: ours and the floor take turns, so that a busy machine slows both.

A ratio is the median of the rounds' ratios, not a ratio of medians, nor of the best.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median, quantiles

import psutil

PATIENCE = float(os.environ.get("BENCHMARK_PATIENCE", "10.0"))
"""Seconds to wait for others on this machine before a round."""


@dataclass
class Pair:
    """Seconds of each round, ours and the floor's."""

    ours: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Median over the rounds of ours divided by the floor's."""
        return median(mine / other for mine, other in zip(self.ours, self.floor, strict=True))

    @property
    def how(self) -> str:
        """Say what the ratio was taken from."""
        return (
            f"{spoken(median(self.ours))} against {spoken(median(self.floor))}, "
            f"median of {len(self.ours)} alternating rounds"
        )


def alternate(
    ours: Callable[[], object], floor: Callable[[], object], rounds: int, *, warm: int = 1
) -> Pair:
    """Time both in each round, taking turns in who is first; `warm` rounds are thrown away."""
    return alternate_timed(lambda: seconds(ours), lambda: seconds(floor), rounds, warm=warm)


def alternate_timed(
    ours: Callable[[], float], floor: Callable[[], float], rounds: int, *, warm: int = 1
) -> Pair:
    """Do the same with two that time themselves, for what comes before and after the clock."""
    pair = Pair()
    for at in range(warm + rounds):
        wait_for_quiet()
        if at % 2:
            other, mine = floor(), ours()
        else:
            mine, other = ours(), floor()
        if at >= warm:
            pair.ours.append(mine)
            pair.floor.append(other)
    return pair


def wait_for_quiet() -> None:
    """Wait until the cores idle, but not for ever."""
    until = time.monotonic() + PATIENCE
    while PATIENCE and psutil.cpu_percent(interval=0.2) > 15 and time.monotonic() < until:
        pass


def seconds(act: Callable[[], object]) -> float:
    """Time one call without the collector: run before it, it would cool the caches."""
    gc.disable()
    try:
        started = time.perf_counter()
        kept = act()
        elapsed = time.perf_counter() - started
    finally:
        gc.enable()
    del kept  # freeing 400 MB is nobody's figure
    return elapsed


def percentile(values: list[float], percent: int) -> float:
    """Return a percentile, between the values where it falls there."""
    return (
        quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else values[0]
    )


def spoken(value: float) -> str:
    """Write seconds as people read them."""
    if value >= 1:
        return f"{value:.2f} s"
    return f"{value * 1e3:.0f} ms" if value >= 0.1 else f"{value * 1e3:.2f} ms"
