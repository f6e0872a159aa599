"""What is sealed opens with each of its keys, and not at all once anything of it was changed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from core.errors import SecretError
from core.secrets.keys import MasterKey
from core.secrets.ring import KeyRing, wrapped_size

ROW = b"row 1"
A, B, C = (MasterKey.of(bytes([n]) * 32) for n in range(3))
RING = KeyRing([A, B])


@pytest.mark.parametrize("value", [b"", b"x", b"correct horse", bytes(100_000)])
def test_what_is_sealed_opens_again(value):
    sealed = RING.seal(value, ROW, RING.ids)
    assert RING.open(sealed, ROW) == value
    assert len(value) < 5 or value not in sealed  # a short one may be there by chance


def test_each_of_its_keys_opens_it():
    sealed = RING.seal(b"value", ROW, [A.id, B.id])
    assert [KeyRing([key]).open(sealed, ROW) for key in (A, B)] == [b"value", b"value"]


def test_another_key_does_not_and_the_error_names_those_it_needs():
    sealed = RING.seal(b"value", ROW, [A.id, B.id])
    with pytest.raises(SecretError) as raised:
        KeyRing([C]).open(sealed, ROW)
    assert raised.value.missing == (A.id, B.id)


def test_the_same_value_is_never_sealed_the_same():
    first, second = (RING.seal(b"value" * 9, ROW, [A.id]) for _ in range(2))
    same = [at for at in range(len(first) - 7) if first[at : at + 8] == second[at : at + 8]]
    assert same == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]  # magic, count and key id, and nothing else


def test_no_byte_of_it_can_be_changed():
    sealed = RING.seal(b"value", ROW, [A.id, B.id])
    for at in range(len(sealed)):
        for flip in (1, 0x80):
            changed = bytearray(sealed)
            changed[at] ^= flip
            with pytest.raises(SecretError):
                RING.open(bytes(changed), ROW)


def test_it_cannot_be_cut_or_grow():
    sealed = RING.seal(b"value", ROW, [A.id, B.id])
    for text in (*(sealed[:end] for end in range(len(sealed))), sealed + b"\0", sealed[1:]):
        with pytest.raises(SecretError):
            RING.open(text, ROW)


def test_it_belongs_to_one_row():
    with pytest.raises(SecretError, match="changed"):
        RING.open(RING.seal(b"value", ROW, [A.id]), b"row 2")


def test_no_part_of_another_fits_into_it():
    one, two = (RING.seal(value, ROW, [A.id]) for value in (b"first", b"other"))
    end = 4 + wrapped_size(one[4:])
    for mixed in (one[:end] + two[end:], two[:end] + one[end:], one[:20] + two[20:]):
        with pytest.raises(SecretError, match="changed"):
            RING.open(mixed, ROW)


def test_a_key_cannot_be_taken_from_its_header():
    sealed = RING.seal(b"value", ROW, [A.id, B.id])
    wrap = 8 + 12 + 32 + 16
    without_b = sealed[:8] + b"\x01" + sealed[9 : 9 + wrap] + sealed[9 + 2 * wrap :]
    with pytest.raises(SecretError, match="changed"):
        RING.open(without_b, ROW)


def test_other_keys_wrap_it_anew_and_the_value_stays_untouched():
    sealed = RING.seal(b"value", ROW, [A.id])
    anew = RING.rewrap(sealed, ROW, [B.id])
    assert KeyRing([B]).open(anew, ROW) == b"value"
    with pytest.raises(SecretError):
        KeyRing([A]).open(anew, ROW)
    body = 4 + wrapped_size(sealed[4:])
    assert anew[body:] == sealed[body:]


def test_a_data_key_of_others_is_wrapped_by_the_same_ring():
    wrapped = RING.wrap(bytes(32), b"backup 7", RING.ids)
    assert wrapped_size(wrapped + b"and what follows") == len(wrapped)
    assert KeyRing([B]).unwrap(wrapped, b"backup 7") == bytes(32)
    with pytest.raises(SecretError):
        RING.unwrap(wrapped, b"backup 8")


def test_nothing_is_sealed_by_no_key():
    with pytest.raises(ValueError, match="never be opened"):
        RING.seal(b"value", ROW, [])


def test_a_start_does_not_import_cryptography(tmp_path):
    script = (
        "import sys; from pathlib import Path; from core.settings import Settings;"
        "from core.store.store import Store; from core.secrets.service import Secrets;"
        "settings = Settings(home=Path(sys.argv[1])); store = Store.open(settings);"
        "Secrets.open(store, settings); store.close(); sys.exit('cryptography' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script, str(tmp_path)]).returncode == 0
