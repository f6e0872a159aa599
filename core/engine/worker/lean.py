"""Imported first, it keeps numpy and pandas out of a worker: nothing of ours in there needs them.

Arrow imports numpy with itself: 0.15 s and 10 MB. DuckDB imports pandas to look at the first
parameter that is bound, and Arrow at the first list that it makes an array of: 0.5 to 2 s and
60 MB, in the middle of somebody's first query. Connectors of your own may need either.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

KEPT_OUT = ("numpy", "pandas")


class _Without(MetaPathFinder):
    """Finds nothing, and says of some packages that they are not installed."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname in KEPT_OUT:
            raise ModuleNotFoundError(f"{fullname} is kept out of workers", name=fullname)
        return None


sys.meta_path.insert(0, _Without())
