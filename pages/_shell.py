"""The Streamlit script: the frame around every page, and the navigation."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import streamlit as st

from core.errors import MillpondError
from pages._helpers import show_error, workbench

STATIC = Path(__file__).parent / "_static"

# Streamlit writes chosen tabs in the primary colour and white upon it: on a dark page no shade can
# be read both ways. It also fades the names of keys.
LEGIBLE = """<style>
[data-testid=stTab][aria-selected=true],
[data-variant=segmented_control][aria-checked=true] { color: inherit !important; }
button kbd { color: inherit !important; opacity: 1 !important; }
</style>"""

st.set_page_config(page_title="Millpond", layout="wide")
st.html(LEGIBLE)


def render(name: str) -> Callable[[], None]:
    """Return what draws a page; the others need not be imported for it."""
    return lambda: import_module(f"pages.{name}").render()


PAGES = [
    st.Page(render("home"), title="Home", icon=":material/home:", url_path="home", default=True),
    st.Page(render("query"), title="Query", icon=":material/terminal:", url_path="query"),
    st.Page(
        render("connections"),
        title="Connections",
        icon=":material/database:",
        url_path="connections",
    ),
    st.Page(render("schema"), title="Schema", icon=":material/schema:", url_path="schema"),
    st.Page(render("history"), title="History", icon=":material/history:", url_path="history"),
    st.Page(render("jobs"), title="Jobs", icon=":material/event_repeat:", url_path="jobs"),
    st.Page(
        render("notifications"),
        title="Notifications",
        icon=":material/notifications:",
        url_path="notifications",
    ),
]

st.session_state["pages"] = {each.url_path or "home": each for each in PAGES}
page = st.navigation(PAGES)
try:
    isolation = workbench().isolation
except MillpondError as error:
    st.title("Millpond could not start")
    show_error(error)
else:
    page.run()
    if not isolation.complete:
        st.sidebar.warning("Trusted users only", icon=":material/lock_open:")
        st.sidebar.caption(isolation.sentence())
finally:
    # Last: for a picture Streamlit imports numpy and PIL, 0.2 s that the first page need not wait.
    st.set_page_config(page_icon=STATIC / "mark.svg")
    st.logo(str(STATIC / "logo.svg"), icon_image=str(STATIC / "mark.svg"), size="large")
