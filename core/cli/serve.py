"""Serve the app from its folder, wherever the command was typed."""

from __future__ import annotations

import errno
import importlib
import ipaddress
import socket
import sys
from contextlib import suppress

from core.cli.room import read_settings
from core.errors import ConfigError, Conflict, Forbidden
from core.settings import APP_FOLDER


def serve(host: str, port: int, *, browser: bool) -> None:
    """Run app.py until it is told to stop.

    Raises Forbidden for an address that others can reach, Conflict for a port that is taken.
    """
    _require_loopback(host)
    _require_free(host, port)
    read_settings()
    # Streamlit takes its configuration from beside the program that was started: that is app.py.
    sys.argv = [str(APP_FOLDER / "app.py")]
    sys.path.insert(0, str(APP_FOLDER))
    app = importlib.import_module("app").app
    with suppress(KeyboardInterrupt):  # Ctrl-C is how it is told to stop
        app.run(
            config={"server.address": host, "server.port": port, "server.headless": not browser}
        )


def _require_loopback(host: str) -> None:
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise Forbidden(
            f"Millpond asks nobody for a password, so it does not listen on {host}.",
            hint="Use 127.0.0.1, ::1 or localhost, and reach it from elsewhere through ssh -L.",
        )


def _require_free(host: str, port: int) -> None:
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(kind) as probe:
        if sys.platform != "win32":  # there it would share a port that is in use
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise Conflict(
                    f"Port {port} of {host} is in use already.",
                    hint="Choose another with --port, or end the program that has it.",
                ) from error
            raise ConfigError(
                f"Millpond cannot listen on {host}, port {port}: {error.strerror}."
            ) from error
