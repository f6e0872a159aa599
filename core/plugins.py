"""Find the one-file kinds of a folder: import each module, collect its one declaration.

Not a plug-in framework: no entry points, no order, no hooks. A module that fails to import is
reported as broken with its reason and breaks nothing else.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Roster(Generic[T]):
    """What `discover` found: declarations by name, and the reason for each broken module."""

    found: dict[str, T] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)


def discover(package: str | Path, kind: type[T]) -> Roster[T]:
    """Collect the subclass of `kind` that each module of a package or folder declares.

    The declaration's `name` is its key. Modules whose names begin with an underscore are skipped.
    """
    roster: Roster[T] = Roster()
    for name, load in _modules(package):
        try:
            declared = _declaration(load(), kind)
        except Exception as error:  # whatever a module raises, it breaks only itself
            roster.broken[name] = f"{type(error).__name__}: {error}"
        else:
            roster.found[declared.name] = declared()  # type: ignore[attr-defined]
    return roster


def _modules(package: str | Path) -> Iterator[tuple[str, _Loader]]:
    if isinstance(package, str):
        folders = list(importlib.import_module(package).__path__)
        for info in pkgutil.iter_modules(folders):
            if not info.name.startswith("_"):
                yield info.name, _Loader(f"{package}.{info.name}", None)
    else:
        for file in sorted(package.glob("*.py")):
            if not file.name.startswith("_"):
                yield file.stem, _Loader(f"millpond_connectors_{file.stem}", file)


@dataclass(frozen=True)
class _Loader:
    name: str
    file: Path | None

    def __call__(self) -> ModuleType:
        if self.file is None:
            return importlib.import_module(self.name)
        spec = importlib.util.spec_from_file_location(self.name, self.file)
        if spec is None or spec.loader is None:
            raise ImportError(f"{self.file} is not a Python module")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


def _declaration(module: ModuleType, kind: type[T]) -> type[T]:
    declared = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, kind)
        and value is not kind
        and value.__module__ == module.__name__
        and not value.__name__.startswith("_")
    ]
    if len(declared) != 1:
        raise TypeError(f"declares {len(declared)} kinds of {kind.__name__}, must be exactly one")
    return declared[0]
