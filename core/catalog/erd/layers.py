"""The ranks of a diagram: in which order, and how high, the boxes of each stand."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Mapping, Sequence

DOWN = 28
"""Pixels between two boxes of one rank."""
_LINE = 7
"""Pixels that a line takes where it passes between boxes."""
_SWEEPS = 10


class Layers:
    """Ranks with a stand-in wherever an edge passes one; those are numbered after the boxes.

    `chains` are the stand-ins of each edge from left to right, `middle` is where each stands.
    """

    def __init__(
        self, ranks: list[list[int]], edges: Sequence[tuple[int, int]], heights: Sequence[float]
    ) -> None:
        self.ranks = ranks
        self.rank_of = {box: at for at, rank in enumerate(ranks) for box in rank}
        self.chains: dict[tuple[int, int], list[int]] = {}
        self.middle: dict[int, float] = {}
        self._heights: dict[int, float] = {box: heights[box] for box in self.rank_of}
        self._left: dict[int, list[int]] = defaultdict(list)
        self._right: dict[int, list[int]] = defaultdict(list)
        passing: list[list[int]] = [[] for _ in ranks]
        number = len(heights)
        for left, right in edges:
            chain = []
            for rank in range(self.rank_of[left] + 1, self.rank_of[right]):
                self.rank_of[number], self._heights[number] = rank, 0.0
                passing[rank].append(number)
                chain.append(number)
                number += 1
            self.chains[left, right] = chain
            for one, other in zip([left, *chain], [*chain, right], strict=True):
                self._right[one].append(other)
                self._left[other].append(one)
        self._part(passing)

    def _part(self, passing: Sequence[list[int]]) -> None:
        """Let lines pass in the middle of a rank: those that end soonest are the outermost.

        Of fifty tables that lead to one, those near it part for the lines to the others.
        """
        place: dict[int, int] = {}
        for rank, lines in zip(reversed(self.ranks), reversed(passing), strict=True):
            lines.sort(key=lambda line: place[self._right[line][0]])
            half = len(rank) // 2
            rank[half:half] = lines
            place = {each: number for number, each in enumerate(rank)}

    def order(self) -> None:
        """Sort each rank by the mean place of its neighbours, to and fro; keep the best order."""
        best, fewest = [[*rank] for rank in self.ranks], self._crossings()
        for sweep in range(_SWEEPS):
            forth = sweep % 2 == 0
            near = self._left if forth else self._right
            for at in range(1, len(self.ranks)) if forth else range(len(self.ranks) - 2, -1, -1):
                beside = self.ranks[at - 1 if forth else at + 1]
                place = {each: number for number, each in enumerate(beside)}
                mean = {
                    each: sum(place[other] for other in near[each]) / len(near[each])
                    if near[each]
                    else number * len(beside) / len(self.ranks[at])
                    for number, each in enumerate(self.ranks[at])
                }
                self.ranks[at].sort(key=lambda each: mean[each])
            crossings = self._crossings()
            if crossings < fewest:
                best, fewest = [[*rank] for rank in self.ranks], crossings
        self.ranks[:] = best

    def _crossings(self) -> int:
        count = 0
        for left, right in zip(self.ranks, self.ranks[1:], strict=False):
            place = {each: number for number, each in enumerate(right)}
            seen: list[int] = []
            for each in left:
                ends = sorted(place[other] for other in self._right[each])
                count += sum(len(seen) - bisect_right(seen, end) for end in ends)
                for end in ends:
                    insort(seen, end)
        return count

    def straighten(self) -> None:
        """Move boxes towards their neighbours, as near as those of their rank leave room."""
        for rank in self.ranks:
            self.middle.update(zip(rank, self._stacked(rank), strict=True))
        for sweep in range(_SWEEPS + 1):  # the last one is from the left: what was spread closes up
            forth = sweep % 2 == 0
            for rank in self.ranks if forth else reversed(self.ranks):
                self._settle(rank, self._left if forth else self._right)

    def _settle(self, rank: list[int], near: Mapping[int, list[int]]) -> None:
        """Least squares without overlap: pool those that would pass each other (isotonic)."""
        below = self._stacked(rank)
        pools: list[list[float]] = []  # sum of what is wanted, count
        for each, offset in zip(rank, below, strict=True):
            beside = near[each]
            wish = sum(self.middle[other] for other in beside) / len(beside) if beside else None
            pools.append([(self.middle[each] if wish is None else wish) - offset, 1])
            while len(pools) > 1 and pools[-2][0] / pools[-2][1] >= pools[-1][0] / pools[-1][1]:
                total, number = pools.pop()
                pools[-1][0] += total
                pools[-1][1] += number
        settled = [total / number for total, number in pools for _ in range(int(number))]
        for each, offset, base in zip(rank, below, settled, strict=True):
            self.middle[each] = base + offset

    def _stacked(self, rank: list[int]) -> list[float]:
        """Return the middles of a rank's boxes and lines as near to each other as they may be."""
        middles, y, last = [], 0.0, None
        for each in rank:
            if last is not None:
                boxes = (last > 0) + (self._heights[each] > 0)
                y += (last + self._heights[each]) / 2 + (_LINE, _LINE + DOWN / 4, DOWN)[boxes]
            middles.append(y)
            last = self._heights[each]
        return middles
