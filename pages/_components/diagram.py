"""A diagram to look around in: dragged, zoomed, and its tables opened. The browser moves it alone.

Python hears only which table a person wants to open.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import streamlit as st

_HTML = """
<div class="frame">
<div class="view" tabindex="0" role="group"
 aria-label="Diagram: drag or arrow keys to move, Ctrl and wheel or plus and minus to zoom"></div>
<div class="bar">
<button type="button" title="Zoom in (+)" aria-label="Zoom in">+</button>
<button type="button" title="Zoom out (-)" aria-label="Zoom out">&minus;</button>
<button type="button" title="Show all of it (0)">Fit</button>
</div>
</div>
"""

_HERE = Path(__file__).parent

_DIAGRAM = st.components.v2.component(
    "millpond_diagram",
    html=_HTML,
    css=(_HERE / "diagram.css").read_text(encoding="utf-8"),
    js=(_HERE / "diagram.js").read_text(encoding="utf-8"),
)


def diagram_view(key: str, svg: str, *, on_open: Callable[[str], None]) -> None:
    """Draw an SVG; `on_open` gets the `data-table` of the group that was pressed."""

    def opened() -> None:
        chosen = st.session_state[key].open
        if chosen:
            on_open(chosen["table"])

    # The same picture keeps its place and zoom, another one is fitted in.
    name = hashlib.sha256(svg.encode()).hexdigest()[:16]
    _DIAGRAM(key=key, data={"svg": svg, "id": name}, on_open_change=opened)
