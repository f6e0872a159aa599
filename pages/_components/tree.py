"""The tree of sources: native disclosure elements, searched in the browser, no library.

Python hears only which table a person wants to open.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

_HTML = """
<input type="search" placeholder="Search tables and columns" aria-label="Search tables and columns">
<div class="tree" role="group" aria-label="Sources"></div>
"""

_HERE = Path(__file__).parent

_TREE = st.components.v2.component(
    "millpond_tree",
    html=_HTML,
    css=(_HERE / "tree.css").read_text(encoding="utf-8"),
    js=(_HERE / "tree.js").read_text(encoding="utf-8"),
)


def source_tree(
    key: str,
    branches: Sequence[dict[str, Any]],
    *,
    broken: Sequence[dict[str, str]],
    on_open: Callable[[str], None],
) -> None:
    """Draw the tree.

    Each of `branches` is `{"name", "tables"}`, each table `{"name", "reference", "rows",
    "columns"}` with `[name, type]` pairs. `on_open` gets the reference of the table to query.
    """

    def opened() -> None:
        chosen = st.session_state[key].open
        if chosen:
            on_open(chosen["reference"])

    # Tuples: Streamlit imports pandas, 0.7 s, to learn whether a list is a table.
    data = {"branches": tuple(branches), "broken": tuple(broken)}
    _TREE(key=key, data=data, on_open_change=opened)
