"""Seal and open with AES-256-GCM: each value has a random key, wrapped by every active master key.

A wrapped data key, which backups use too, is

    "MPK1"  count (1 byte)  count x [key id (8)  nonce (12)  data key, encrypted (32 + 16)]
    nonce (12)  tag (16)

and a sealed value is "MPS1", a wrapped data key, a nonce (12), and the encrypted value with its
tag. What it is bound to (the row's id) is associated data of all of them. The last tag is made
with the data key over all wraps, so that none of them can be changed, added or taken away, and
other master keys can wrap the data key anew without touching the value.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from core.errors import SecretError
from core.secrets.keys import SIZE, MasterKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEYS, _VALUE = b"MPK1", b"MPS1"
_ID, _NONCE, _TAG = 8, 12, 16  # bytes
_WRAP = _ID + _NONCE + SIZE + _TAG


class KeyRing:
    """The master keys that one process holds, by id. It never changes: a new one replaces it."""

    def __init__(self, keys: Iterable[MasterKey]) -> None:
        self._keys: Mapping[str, MasterKey] = {key.id: key for key in keys}

    def __contains__(self, id: str) -> bool:
        return id in self._keys

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all keys, the newest first."""
        return tuple(self._keys)

    @cached_property
    def _ciphers(self) -> dict[str, AESGCM]:
        return {key.id: _cipher(key.value) for key in self._keys.values()}

    def wrap(self, data_key: bytes, bound: bytes, by: Iterable[str]) -> bytes:
        """Wrap a data key of 32 bytes by the keys of these ids; `bound` is what it belongs to."""
        return self._wrap(data_key, _cipher(data_key), bound, by)

    def _wrap(self, data_key: bytes, cipher: AESGCM, bound: bytes, by: Iterable[str]) -> bytes:
        wraps = [self._wrapped(each, data_key, bound) for each in by]
        if not wraps:
            raise ValueError("a data key that no master key wraps could never be opened")
        head = b"".join([_KEYS, bytes([len(wraps)]), *wraps])
        nonce = os.urandom(_NONCE)
        return head + nonce + cipher.encrypt(nonce, b"", head + bound)

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        """Return the data key. Raises SecretError: `missing` names the keys where none is here."""
        wraps = _wraps(wrapped)
        if wrapped_size(wrapped) != len(wrapped):
            raise _changed()
        found = next((each for each in wraps if each in self._keys), None)
        if found is None:
            raise SecretError("None of its master keys is here.", missing=tuple(wraps))
        nonce, body = wraps[found][:_NONCE], wraps[found][_NONCE:]
        associated = _KEYS + bytes.fromhex(found) + bound
        data_key = _decrypted(self._ciphers[found], nonce, body, associated)
        end = len(wrapped) - _NONCE - _TAG
        nonce, tag = wrapped[end : end + _NONCE], wrapped[end + _NONCE :]
        _decrypted(_cipher(data_key), nonce, tag, wrapped[:end] + bound)
        return data_key

    def seal(self, value: bytes, bound: bytes, by: Iterable[str]) -> bytes:
        """Encrypt a value under a data key of its own, wrapped by the keys of these ids."""
        data_key, nonce = os.urandom(SIZE), os.urandom(_NONCE)
        cipher = _cipher(data_key)
        body = cipher.encrypt(nonce, value, _VALUE + bound)
        return _VALUE + self._wrap(data_key, cipher, bound, by) + nonce + body

    def open(self, sealed: bytes, bound: bytes) -> bytes:
        """Return the value. Raises SecretError where it was changed or no key of it is here."""
        wrapped, body = _parts(sealed)
        data_key = self.unwrap(wrapped, bound)
        return _decrypted(_cipher(data_key), body[:_NONCE], body[_NONCE:], _VALUE + bound)

    def rewrap(self, sealed: bytes, bound: bytes, by: Iterable[str]) -> bytes:
        """Wrap the data key anew by the keys of these ids; the encrypted value stays as it is.

        Raises SecretError as `open` does, except for a change in the value itself.
        """
        wrapped, body = _parts(sealed)
        return _VALUE + self.wrap(self.unwrap(wrapped, bound), bound, by) + body

    def _wrapped(self, id: str, data_key: bytes, bound: bytes) -> bytes:
        name, nonce = bytes.fromhex(id), os.urandom(_NONCE)
        return name + nonce + self._ciphers[id].encrypt(nonce, data_key, _KEYS + name + bound)


def wrapped_size(text: bytes) -> int:
    """Return how many bytes a wrapped data key takes that stands at the beginning. SecretError."""
    if text[: len(_KEYS)] != _KEYS or len(text) <= len(_KEYS):
        raise _changed()
    return len(_KEYS) + 1 + text[len(_KEYS)] * _WRAP + _NONCE + _TAG


def _wraps(wrapped: bytes) -> dict[str, bytes]:
    """Return nonce and encrypted data key by the id of the master key."""
    end = wrapped_size(wrapped) - _NONCE - _TAG
    parts = [wrapped[at : at + _WRAP] for at in range(len(_KEYS) + 1, end, _WRAP)]
    return {part[:_ID].hex(): part[_ID:] for part in parts}


def _parts(sealed: bytes) -> tuple[bytes, bytes]:
    if sealed[: len(_VALUE)] != _VALUE:
        raise _changed()
    rest = sealed[len(_VALUE) :]
    size = wrapped_size(rest)
    return rest[:size], rest[size:]


def _cipher(key: bytes) -> AESGCM:
    # Here, because it takes 30 ms and most processes start without opening a secret.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def _decrypted(cipher: AESGCM, nonce: bytes, body: bytes, associated: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag

    try:
        return cipher.decrypt(nonce, body, associated)
    except (InvalidTag, ValueError) as error:  # ValueError: it has been cut
        raise _changed() from error


def _changed() -> SecretError:
    return SecretError("It was changed since it was sealed.")
