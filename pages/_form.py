"""A form out of a connector's options: the pydantic model says what to ask."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.connector import Connector

HIDDEN = ("path", "columns", "pinned")


def options_form(kind: Connector[Any], key: str) -> dict[str, Any]:
    """Draw the options besides the path, folded away, and return what was filled in."""
    fields: dict[str, Any] = kind.Options.model_json_schema().get("properties", {})
    shown = {name: each for name, each in fields.items() if _is_shown(name, each)}
    values: dict[str, Any] = {}
    if not shown:
        return values
    with st.expander("Options"):
        columns = st.columns(3)
        for at, (name, each) in enumerate(shown.items()):
            with columns[at % 3]:
                value = _widget(name, each, f"{key}-{name}")
            if value != each.get("default"):
                values[name] = value
    return values


def _is_shown(name: str, field: dict[str, Any]) -> bool:
    return name not in HIDDEN and not field.get("hidden")


def _widget(name: str, field: dict[str, Any], key: str) -> Any:
    label, about = field.get("title", name), field.get("description")
    default = field.get("default")
    if "enum" in field:
        choices = field["enum"]
        at = choices.index(default) if default in choices else 0
        return st.selectbox(label, choices, index=at, help=about, key=key)
    if field.get("type") == "boolean":
        return st.checkbox(label, value=bool(default), help=about, key=key)
    if field.get("type") == "integer":
        return st.number_input(label, value=default or 0, step=1, help=about, key=key)
    text = st.text_input(label, value="" if default is None else str(default), help=about, key=key)
    return text if text or default is not None else default
