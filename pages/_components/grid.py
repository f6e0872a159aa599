"""A result of any size on a page: SlickGrid, which fetches the rows on screen and no others.

The first page is painted without a request; sort, filter and deep pages are asked of `url`. It
keeps no rows in Python and reports nothing back: what a person does in it stays in the browser.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages._components.assets import loader

_GRID = st.components.v2.component(
    "millpond_grid", html='<div class="mp-host"></div>', js=loader("grid")
)


def result_grid(
    key: str,
    *,
    result: str,
    columns: Sequence[dict[str, str]],
    rows: list[list[Any]],
    total: int | None,
    complete: bool,
    url: str,
    export_url: str,
    formats: list[str],
    height: int = 420,
) -> None:
    """Draw the grid. `result` names what is shown: the same name keeps scroll, sort and filter.

    Each of `columns` is `{"name", "type", "align"}`: DuckDB's type, and `left` or `right`. `rows`
    is the first page, at most 200 rows of JSON values; a number no double can hold is a text.
    `total` is None while unknown, `complete` False while rows still arrive. `url` and `export_url`
    are relative to the application's root. `height` is in pixels, toolbar included.

    `GET {url}?offset=&limit=&sort=<column>:<asc|desc>[,...]&filter=<JSON>` answers
    `{"offset", "rows", "total", "matching", "arriving"}`; a filter is a list of
    `{"column", "op", "value"}`, all of which hold, where column None means any of them and op is
    one of contains, =, !=, <, <=, >, >=, is null, is not null. Errors are problem+json.
    `GET {export_url}?format=&sort=&filter=` answers a file.
    """
    _GRID(
        key=key,
        data={
            "result": result,
            # Tuples: Streamlit imports pandas, 0.7 s, to learn whether a list is a table.
            "columns": tuple(columns),
            "rows": tuple(rows),
            "total": total,
            "complete": complete,
            "url": url,
            "export_url": export_url,
            "formats": tuple(formats),
            "height": height,
        },
    )
