"""An SQL editor on a page: CodeMirror with DuckDB's words, in a fragment of its own.

The text belongs to the browser. Python sets it by raising `revision`; it hears of it when something
is to run, and shortly after each change. It never parses the SQL.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from pages._components.assets import loader

_EDITOR = st.components.v2.component(
    "millpond_editor", html='<div class="mp-host"></div>', js=loader("editor")
)

# The schema is an element of its own: Streamlit sends an unchanged element of 10 kB or more as a
# hash, so a rerun costs nothing, while the editor's own small message changes often.
_SCHEMA = st.components.v2.component(
    "millpond_schema",
    js="""
export default function ({data, parentElement}) {
  const {name, ...schema} = JSON.parse(new TextDecoder().decode(data));
  (globalThis.millpondSchemas ??= new Map()).set(name, schema);
  globalThis.dispatchEvent(new CustomEvent("millpond-schema", {detail: name}));
  const box = (parentElement.host ?? parentElement).closest("[data-testid=stElementContainer]");
  if (box) box.style.position = "absolute";
}
""",
)

_ENCODED: OrderedDict[tuple[str, str], bytes] = OrderedDict()
_ENCODED_MOST = 16

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Diagnostic:
    """A stretch of the text that was run, in code points, and what is wrong with it.

    `severity` is `error`, `warning` or `info`; `end` may equal `start`.
    """

    start: int
    end: int
    message: str
    severity: str = "error"
    hint: str = ""


@dataclass(frozen=True)
class EditorEvent:
    """What is to run: `sql`, which begins at code point `offset` of `whole`, the editor's text.

    `all` says that everything was asked for, `selection` that `sql` is a selection; if neither,
    it is the statement under the cursor, without its semicolon.
    """

    sql: str
    offset: int
    whole: str
    all: bool = False
    selection: bool = False
    revision: int = 0


def sql_editor(
    key: str,
    value: str,
    *,
    revision: int,
    on_run: Callable[[EditorEvent], None],
    on_change: Callable[[str], None] | None = None,
    parameters: Sequence[str] = (),
    diagnostics: Sequence[Diagnostic] = (),
    height: int = 220,
    placeholder: str = "",
    label: str = "SQL editor",
    read_only: bool = False,
) -> None:
    """Draw the editor. `value` is shown at first, and again whenever `revision` differs.

    `parameters` are names without `$`, offered beside those in the text. `diagnostics` refer to
    the text that was last run. `height` is in pixels. The names that it completes come after it,
    from `editor_schema`.

    `on_run` is called before the rerun, and the whole page runs after it, unless it calls
    `st.rerun([keys])` itself. `on_change` gets the text 400 ms after a change and when the editor
    loses focus; then only this fragment runs again.
    """
    data = {
        "key": key,
        "value": value,
        "revision": revision,
        "schema": key,
        "parameters": tuple(parameters),  # not lists: see tree.py
        "diagnostics": tuple(asdict(one) for one in diagnostics),
        "height": height,
        "placeholder": placeholder,
        "label": label,
        "read_only": read_only,
    }

    def ran() -> None:
        sent = st.session_state[key].run
        if sent is None:
            return
        event = EditorEvent(**{name: sent[name] for name in EditorEvent.__dataclass_fields__})
        st.session_state[_text_key(key)] = (event.revision, event.whole, sent["n"])
        on_run(event)
        st.rerun()

    def changed() -> None:
        sent = st.session_state[key].text
        st.session_state[_text_key(key)] = (sent["revision"], sent["text"], sent["n"])
        if on_change is not None:
            on_change(sent["text"])

    @st.fragment
    def draw() -> None:
        _EDITOR(key=key, data=data, on_run_change=ran, on_text_change=changed)

    draw()


def editor_schema(
    key: str,
    schema: Callable[[], Schema],
    *,
    revision: str,
    functions: Callable[[], Sequence[str]] = tuple,
) -> None:
    """Tell editor `key` the names that it completes.

    `schema` is a tree of names: a mapping is a catalog or a schema, a list is a table and holds
    `[column, type]` pairs, as `{"db": {"main": {"t": [["id", "INTEGER"]]}}, "v": [["x", "DATE"]]}`.
    `functions` are those the engine lacks by itself, as `name(parameters) -> type`. Both are read
    only when `revision`, a text unique to them in this process, is new.
    """
    found = _ENCODED.get((key, revision))
    if found is None:
        whole = {"name": key, "tree": schema(), "functions": list(functions())}
        found = _ENCODED[key, revision] = json.dumps(whole, separators=(",", ":")).encode()
        if len(_ENCODED) > _ENCODED_MOST:
            _ENCODED.popitem(last=False)
    _SCHEMA(key=f"{key}-schema", data=found)


def editor_text(key: str, value: str, *, revision: int) -> str:
    """Return the text now in editor `key`, or `value` if it has not changed in this `revision`.

    A button's click takes the focus from the editor first, so its callback sees the last letter.
    """
    known = st.session_state.get(_text_key(key), (-1, "", 0))
    # A click may arrive with the text, and its callback be called before the editor's own.
    arrived = getattr(st.session_state.get(key), "text", None)
    if arrived and arrived["n"] > known[2]:
        known = (arrived["revision"], arrived["text"], arrived["n"])
    return known[1] if known[0] == revision else value


def _text_key(key: str) -> str:
    return f"{key}-text"
