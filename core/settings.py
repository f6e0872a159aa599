"""The one place for settings: environment variables named `MILLPOND_...`, read once at start.

There are no layered config files. Sizes are bytes and may be written as `512MB` or `4GiB`;
times are seconds. docs/settings.md lists each of them, and a test keeps it so.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

import psutil
from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.secret import Secret

APP_FOLDER = Path(__file__).resolve().parent.parent

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS |= {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}


def parse_size(value: object) -> object:
    """Turn `512MB` or `4 GiB` into bytes; anything that is not such a text passes through."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", value)
    if not match or match[2].upper() not in _UNITS:
        raise ValueError(f"{value!r} is not a size; write a number of bytes, or 512MB, or 4GiB")
    return int(float(match[1]) * _UNITS[match[2].upper()])


def _default_home() -> Path:
    # An installed package lies where workers may read, and the home holds the key.
    checkout = (APP_FOLDER / "pyproject.toml").exists()
    return (APP_FOLDER if checkout else Path.cwd()) / ".millpond"


Size = Annotated[int, BeforeValidator(parse_size), Field(gt=0)]


class Settings(BaseSettings):
    """What can be set from outside. Each field's description is its documentation."""

    # An error would quote the values of others, among them the keys.
    model_config = SettingsConfigDict(
        env_prefix="MILLPOND_", frozen=True, hide_input_in_errors=True
    )

    home: Path = Field(
        default_factory=_default_home,
        description="Data folder: store, spools, uploads; default .millpond beside app.py.",
    )
    start_folder: Path = Field(
        default_factory=Path.cwd, description="Folder whose files SQL may read in local mode."
    )
    store_url: str = Field("", description="SQLAlchemy URL of the store; empty: SQLite in home.")
    master_key: Secret | None = Field(
        None, description="Keys that secrets are sealed with, base64, newest first; empty: a file."
    )
    connectors: Path | None = Field(None, description="Folder with connectors of your own.")
    sample_data: bool = Field(True, description="Attach the sample data on the first start.")

    memory_limit: Size = Field(
        default_factory=lambda: int(psutil.virtual_memory().total * 0.4),
        description="Memory one engine may use for queries; default 40 % of the machine's.",
    )
    temp_limit: Size = Field(20 * 10**9, description="Disk one engine may use to spill queries.")
    spool_limit: Size = Field(10 * 10**9, description="Disk one result may take.")
    spool_total: Size = Field(
        30 * 10**9, description="Disk all results of a workspace may take; the oldest go first."
    )
    threads: int = Field(
        default_factory=lambda: os.cpu_count() or 1, ge=1, description="Threads of one engine."
    )
    job_threads: int = Field(4, ge=1, description="Jobs that one process runs at once.")
    query_timeout: float = Field(3600, gt=0, description="Seconds a query may run.")
    cancel_grace: float = Field(
        2, gt=0, description="Seconds a cancelled query has to stop before its engine is killed."
    )
    idle_stop: float = Field(900, gt=0, description="Seconds an unused engine stays alive.")
    sessions: int = Field(64, ge=1, description="Engine sessions a workspace may have open.")
    sql_limit: Size = Field(2 * 10**6, description="Size of one SQL text.")
    statement_limit: int = Field(500, ge=1, description="Statements one run may hold.")
    api_row_limit: int = Field(
        1_000_000, ge=1, description="Rows one API answer may hold unless it asks for fewer."
    )
    upload_limit: Size = Field(5 * 10**9, description="Size of one uploaded file.")
    public_url: str = Field(
        "", description="Address under which people elsewhere reach Millpond; none: only here."
    )
    private_hosts: str = Field(
        "", description="Hosts inside that notifications may go to: mail.lan, 10.0.0.0/8, [::1]:25."
    )
    trust_without_sandbox: bool = Field(
        True, description="Start where the system has no sandbox; only for trusted users."
    )
