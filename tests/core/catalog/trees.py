"""How a test makes catalogs."""

from __future__ import annotations

from core.catalog.models import Catalog, catalogs


def tree(**named: dict[str, tuple[str, ...]]) -> list[Catalog]:
    """Build catalogs of tables of columns, as the engine tells them."""
    return catalogs(
        {"catalog": catalog, "schema": "main", "table": table, "kind": "table", "rows": None}
        | {"column": column, "type": "VARCHAR"}
        for catalog, tables in named.items()
        for table, columns in tables.items()
        for column in columns
    )
