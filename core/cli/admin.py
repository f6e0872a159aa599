"""Look after an installation: its master keys, and what is sealed by them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from core.cli.room import read_settings
from core.secrets.models import KeyUse, Rotation, SealedSecret
from core.secrets.service import Secrets
from core.store.store import Store


def rotate_key() -> None:
    """Seal everything by a new master key, and say what is to be done after it."""
    with _opened() as secrets:
        done = secrets.rotate()
        click.echo("\n".join(_rotation(done, secrets)))


def show_secrets() -> None:
    """Print the master keys and what is sealed, by which of them, and what is lost."""
    with _opened() as secrets:
        lost = secrets.lost()
        lines = [*_keys(secrets.master_keys()), "", *_sealed(secrets.list(), lost)]
    click.echo("\n".join(lines))


@contextmanager
def _opened() -> Iterator[Secrets]:
    """Open the store alone: no engine is needed, and the app may go on beside it."""
    settings = read_settings()
    store = Store.open(settings)
    try:
        yield Secrets.open(store, settings)
    finally:
        store.close()


def _rotation(done: Rotation, secrets: Secrets) -> Iterator[str]:
    sealed = "1 secret was" if done.rewrapped == 1 else f"{done.rewrapped:,} secrets were"
    yield f"Key {done.newest} seals now; {sealed} sealed anew."
    for key in done.retired:
        yield f"Key {key} is retired: nothing needs it."
    for key in done.kept:
        yield f"Key {key} stays for now: some secrets still need it."
    for each in done.unopened:
        yield f"The {each.label} ({each.owner}) could not be opened: it stays as it is."
    for key in done.droppable:
        yield (
            f"Key {key} may leave MILLPOND_MASTER_KEY: take it out there, start Millpond again, "
            "and run this once more."
        )
    if done.next_key is not None:
        yield "To replace the key in MILLPOND_MASTER_KEY, put this new one in front of it:"
        yield f"    MILLPOND_MASTER_KEY={done.next_key.get_secret_value()},..."
        yield "Start Millpond again with it, and run this once more. Nobody else has seen it."
    elif not secrets.from_environment:
        yield f"Keep a copy of {secrets.key_file} apart from the store's."


def _keys(keys: Sequence[KeyUse]) -> Iterator[str]:
    for key in keys:
        missing = "" if key.found or key.state == "retired" else ", not found here"
        opens = "1 secret" if key.secrets == 1 else f"{key.secrets:,} secrets"
        yield f"Key {key.id}: {key.state}{missing}, since {key.created_at:%Y-%m-%d}, for {opens}"


def _sealed(secrets: Sequence[SealedSecret], lost: Sequence[SealedSecret]) -> Iterator[str]:
    if not secrets:
        yield "Nothing is sealed yet."
    gone = {each.id for each in lost}
    for each in secrets:
        keys = ("LOST, needs " if each.id in gone else "by ") + " and ".join(each.keys)
        yield f"{each.label} ({each.owner}), {keys}, of {each.updated_at:%Y-%m-%d %H:%M} UTC"
    if lost:
        yield "What is lost opens again when its key is put back; without it, enter it anew."
