"""A form out of a channel's options: the pydantic model says what to ask, and what is secret."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.channel import Channel
from core.errors import InvalidInput, MillpondError
from core.notify.models import Draft, SavedChannel
from core.workbench import Workspace
from pages._helpers import errors_shown, escaped, show_error

UNCHANGED = "stays as it is"


def channel_form(here: Workspace, kind: Channel[Any], saved: SavedChannel | None = None) -> bool:
    """Draw the form of a new channel, or of one that is there; True once it is saved."""
    key = f"channel-{saved.id if saved else kind.name}"
    with st.form(key, border=False):
        name = st.text_input("Channel name", saved.name if saved else kind.label, key=f"{key}-name")
        options = _options(kind, saved, key)
        title, text, rate, enabled = _rest(saved, key)
        row = st.container(horizontal=True)
        saving = row.form_submit_button("Save" if saved else "Add", type="primary")
        previewing = row.form_submit_button("Preview the template")
    with errors_shown():
        if previewing:
            _preview(here, title, text)
        if saving:
            return _save(here, kind, saved, _draft(name, options, title, text, rate, enabled))
    return False


def _save(here: Workspace, kind: Channel[Any], saved: SavedChannel | None, draft: Draft) -> bool:
    try:
        if saved is None:
            here.notify.add(kind.name, draft)
        else:
            here.notify.change(saved.id, draft)
    except MillpondError as error:
        show_error(error)
        return False
    return True


def _draft(
    name: str, options: dict[str, Any], title: str, text: str, rate: int, enabled: bool
) -> Draft:
    if not name.strip():
        raise InvalidInput("A channel needs a name.")
    return Draft(
        name=name[:100], options=options, title=title, text=text, rate=rate, enabled=enabled
    )


def _options(kind: Channel[Any], saved: SavedChannel | None, key: str) -> dict[str, Any]:
    schema = kind.Options.model_json_schema(mode="validation")
    columns = st.columns(2)
    values = {}
    for at, (name, field) in enumerate(schema["properties"].items()):
        given = saved.options.get(name) if saved else field.get("default")
        with columns[at % 2]:
            values[name] = _widget(field, given, f"{key}-{name}", saved is not None)
    return values


def _widget(field: dict[str, Any], given: Any, key: str, is_saved: bool) -> Any:
    label, about = field["title"], field.get("description")
    if field.get("format") == "password":
        hint = UNCHANGED if is_saved else ""
        return st.text_input(label, type="password", placeholder=hint, help=about, key=key)
    if "enum" in field:
        at = field["enum"].index(given)
        return st.selectbox(label, field["enum"], index=at, help=about, key=key)
    if field.get("type") == "integer":
        bounds = {"min_value": field.get("minimum"), "max_value": field.get("maximum")}
        return st.number_input(label, value=given, step=1, help=about, key=key, **bounds)
    text = ", ".join(given) if isinstance(given, list) else given or ""
    return st.text_input(label, text, help=about, key=key)


def _rest(saved: SavedChannel | None, key: str) -> tuple[str, str, int, bool]:
    """Ask for what all kinds of channels have."""
    with st.expander("Template and limit"):
        st.caption(
            "`$title`, `$text`, `$severity`, `$link`, `$when` and the names of facts stand for "
            "what a message says. Empty: the message as it is."
        )
        old = saved or Draft(name="new")
        title = st.text_input("Title", old.title, key=f"{key}-template-title", max_chars=500)
        text = st.text_area("Text", old.text, key=f"{key}-template-text", max_chars=10_000)
        rate = st.number_input(
            "Messages a minute, at most",
            min_value=1,
            max_value=1000,
            value=old.rate,
            key=f"{key}-rate",
            help="The others wait for their turn.",
        )
        enabled = st.checkbox(
            "On", old.enabled, key=f"{key}-enabled", help="Off: what is sent waits here."
        )
    return title, text, int(rate), enabled


def _preview(here: Workspace, title: str, text: str) -> None:
    message = here.notify.preview(title, text)
    with st.container(border=True):
        st.markdown(f"**{escaped(message.headline)}**")
        st.text(message.text)
