"""Replace the master key while other processes seal and open.

Each step leaves everything openable, whenever it is cut off, and begins from what it finds:

1. the new key goes into the file, then becomes active in the store, and the old ones retiring:
   from this commit on nothing is sealed by them;
2. the data keys of all rows are wrapped anew, in small transactions; the values stay untouched;
3. old keys that no row needs are retired, and only when that is on the disk do they leave the file.

With keys from the environment the active ones are those given there, and step 3 only tells.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from core.errors import SecretError
from core.secret import Secret
from core.secrets.keys import KeySource, MasterKey, read_file, write_file
from core.secrets.models import Rotation, SealedSecret
from core.secrets.records import MasterKeyRow, SealedRows, joined, lock_keys
from core.secrets.ring import KeyRing
from core.store.store import Store

_BATCH = 200  # rows; SQLite's other writers wait some 10 ms for each
_PASSES = 100  # with 0.1 s between them: rows that somebody keeps locked are left for the next time


def rotate(store: Store, source: KeySource) -> Rotation:
    """Go through all steps, and return what was done. Raises ConfigError, MillpondError."""
    newest = _begin(store, source)
    rewrapped, unopened = _rewrap(store, source)
    retired, kept = _retire(store)
    _leave(store, source)
    next_key = Secret(MasterKey.new().text()) if len(source.given) == 1 else None
    return Rotation(
        newest=newest,
        rewrapped=rewrapped,
        retired=retired,
        kept=kept,
        unopened=tuple(unopened),
        next_key=next_key,
        droppable=_droppable(store, source),
    )


def _begin(store: Store, source: KeySource) -> str:
    """Step 1; returns the id of the newest key."""
    with store.begin() as session:
        lock_keys(session, alone=True)
        active = source.given or (MasterKey.new(),)
        if not source.given:
            write_file(source.file, [*active, *read_file(source.file)])
        ids = [key.id for key in active]
        MasterKeyRow.register(session, ids)
        MasterKeyRow.turn(session, ids, "active")
        old = set(MasterKeyRow.ids(session, "active")) - set(ids)
        MasterKeyRow.turn(session, old, "retiring")
    return ids[0]


def _rewrap(store: Store, source: KeySource) -> tuple[int, list[SealedSecret]]:
    """Step 2; returns how many were wrapped anew, and what could not be."""
    count = 0
    for at in range(_PASSES):
        if at:
            time.sleep(0.1)
        ring = KeyRing(source.read())  # again, because another rotation may have begun
        unopened: list[SealedSecret] = []
        after: str | None = ""
        while after is not None:
            after, wrapped = _rewrap_batch(store, ring, after, unopened)
            count += wrapped
        with store.read() as session:
            active = joined(MasterKeyRow.ids(session, "active"))
            left = SealedRows(session).count_not_sealed_by(active)
        if left <= len(unopened):
            break
    return count, unopened


def _rewrap_batch(
    store: Store, ring: KeyRing, after: str, unopened: list[SealedSecret]
) -> tuple[str | None, int]:
    """Wrap some rows anew that come after an id; returns the last id, None at the end."""
    with store.begin() as session:
        lock_keys(session, alone=False)
        active = [each for each in MasterKeyRow.ids(session, "active") if each in ring]
        rows = SealedRows(session).not_sealed_by(joined(active), after, _BATCH) if active else []
        for row in rows:
            try:
                row.sealed = ring.rewrap(row.sealed, row.bound, active)
                row.keys = joined(active)
            except SecretError:
                unopened.append(row.told())
    return (rows[-1].id, len(rows)) if rows else (None, 0)


def _retire(store: Store) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Retire the keys that no row needs; returns those, and those that are needed yet."""
    with store.begin() as session:
        lock_keys(session, alone=True)
        used = SealedRows(session).counts()
        retiring = MasterKeyRow.ids(session, "retiring")
        free = [each for each in retiring if each not in used]
        MasterKeyRow.turn(session, free, "retired")
    return tuple(free), tuple(each for each in retiring if each in used)


def _leave(store: Store, source: KeySource) -> None:
    """Take retired keys out of the file."""
    store.flush()
    with store.begin() as session:
        lock_keys(session, alone=True)
        retired = set(MasterKeyRow.ids(session, "retired"))
        keys = read_file(source.file)
        left = [key for key in keys if key.id not in retired]
        if not left:
            source.file.unlink(missing_ok=True)
        elif len(left) < len(keys):
            write_file(source.file, left)


def _droppable(store: Store, source: KeySource) -> tuple[str, ...]:
    """Return the given keys that no row needs, because the newest opens it too."""
    if not source.given:
        return ()
    newest, *others = (key.id for key in source.given)
    with store.read() as session:
        secrets = SealedRows(session).told()
    return tuple(each for each in others if _spared(each, newest, secrets))


def _spared(id: str, newest: str, secrets: Iterable[SealedSecret]) -> bool:
    return all(newest in each.keys for each in secrets if id in each.keys)
