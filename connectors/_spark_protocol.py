"""Spark Connect's messages, without the client around them.

The package `pyspark-client` brings both. Its client imports pandas, which is kept out of workers,
and takes 1 to 3 s and 120 MB to import; its messages alone take 0.1 s.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from core.errors import ConfigError

_PACKAGES = ("pyspark", "pyspark.sql", "pyspark.sql.connect")


@cache
def protocol() -> tuple[Any, Any]:
    """Return the modules of the messages and of the service. Raises ConfigError without them."""
    try:
        if _PACKAGES[-1] not in sys.modules:
            _stand_in()
        messages = import_module("pyspark.sql.connect.proto.base_pb2")
        return messages, import_module("pyspark.sql.connect.proto.base_pb2_grpc")
    except ImportError as error:
        raise ConfigError(
            "Spark's client is not installed here.",
            hint="Install what speaks to it where Millpond runs: `uv sync --extra spark`.",
        ) from error


def _stand_in() -> None:
    """Put empty packages in the place of those whose own code imports the client."""
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("pyspark")
    root = Path(spec.origin).parents[1]
    for name in _PACKAGES:
        package = ModuleType(name)
        package.__path__ = [str(root.joinpath(*name.split(".")))]
        sys.modules[name] = package
