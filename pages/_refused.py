"""The way out of a refusal: let the workspace use the folder that a query asked for."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.errors import Forbidden, MillpondError
from core.workbench import Workspace
from pages._helpers import errors_shown


def show_refusal(workspace: Workspace, error: MillpondError | None) -> None:
    """Offer to allow the folder of a path that lay outside the wall."""
    if not isinstance(error, Forbidden) or not error.path:
        return
    if workspace.engine.within_reach(error.path):
        st.info("That file is new, or was replaced. Try again.", icon=":material/refresh:")
        return
    folder = _folder(error.path)
    if folder is None:
        return
    st.button(
        f"Allow {folder}",
        icon=":material/folder_open:",
        on_click=_allow,
        args=(workspace, str(folder)),
        help="SQL in this workspace may then read every file in it, hidden ones too.",
    )


def _folder(path: str) -> Path | None:
    """Return the nearest folder that exists, not the whole disk."""
    candidate = Path(path.split("*")[0].split("?")[0].split("[")[0])
    while not candidate.is_dir():
        candidate = candidate.parent
    return None if candidate == candidate.parent else candidate


def _allow(workspace: Workspace, folder: str) -> None:
    with errors_shown():
        workspace.connections.allow(folder)
        # A callback of a fragment draws nothing itself.
        st.session_state["notice"] = f"{folder} may be read now. Try again."
