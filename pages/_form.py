"""A form out of options: the pydantic model says what to ask, and what is secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.connector import Connector, Options

HIDDEN = ("path", "columns", "pinned")
UNCHANGED = "stays as it is"


def options_form(kind: Connector[Any], key: str) -> dict[str, Any]:
    """Draw the options of a file besides its path, folded away; return what differs from theirs."""
    fields = _fields(kind.Options)
    if not fields:
        return {}
    with st.expander("Options"):
        given = _grid(fields, {}, key, columns=3)
    return {name: value for name, value in given.items() if value != fields[name].get("default")}


def all_options(
    options: type[Options], given: Mapping[str, Any], key: str, *, saved: bool
) -> dict[str, Any]:
    """Draw all options, with what was given; return what they are now.

    What is secret is never shown: of one that is `saved`, an empty one says that it stays.
    """
    fields = _fields(options)
    rest = {name: each for name, each in fields.items() if each.get("more")}
    first = {name: each for name, each in fields.items() if name not in rest}
    values = _grid(first, given, key, columns=2, saved=saved)
    if rest:
        with st.expander("More options"):
            values |= _grid(rest, given, key, columns=2, saved=saved)
    return values


def _fields(options: type[Options]) -> dict[str, Any]:
    fields: dict[str, Any] = options.model_json_schema().get("properties", {})
    return {
        name: each for name, each in fields.items() if name not in HIDDEN and not each.get("hidden")
    }


def _grid(
    fields: Mapping[str, Any],
    given: Mapping[str, Any],
    key: str,
    *,
    columns: int,
    saved: bool = False,
) -> dict[str, Any]:
    values = {}
    places = st.columns(columns)
    for at, (name, each) in enumerate(fields.items()):
        with places[at % columns]:
            value = given.get(name, each.get("default"))
            values[name] = _widget(name, each, value, f"{key}-{name}", saved)
    return values


def _widget(name: str, field: dict[str, Any], value: Any, key: str, saved: bool) -> Any:
    label, about = field.get("title", name), field.get("description")
    if field.get("format") == "password":
        hint = UNCHANGED if saved else ""
        return st.text_input(label, type="password", placeholder=hint, help=about, key=key)
    if "enum" in field:
        choices = field["enum"]
        at = choices.index(value) if value in choices else 0
        return st.selectbox(label, choices, index=at, help=about, key=key)
    if field.get("type") == "boolean":
        return st.checkbox(label, value=bool(value), help=about, key=key)
    if field.get("type") == "integer":
        bounds = {"min_value": field.get("minimum"), "max_value": field.get("maximum")}
        return st.number_input(label, value=value or 0, step=1, help=about, key=key, **bounds)
    text = st.text_input(label, value="" if value is None else str(value), help=about, key=key)
    return text if text or value is not None else value
