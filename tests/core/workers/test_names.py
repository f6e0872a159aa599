"""What granted hosts mean, and answers to a resolver, with a resolver of ours behind them."""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
from collections.abc import Iterator
from ipaddress import ip_address
from types import SimpleNamespace

import pytest

from core.workers import names as module
from core.workers.names import Names

TEN, ELEVEN, SIX = "10.0.0.10", "10.0.0.11", "2001:db8::6"


class System:
    """Stands in for the system's resolver: what names mean now, and how often it was asked."""

    def __init__(self) -> None:
        self.meanings: dict[str, list[str] | Exception] = {
            "db.test": [TEN, SIX, TEN],
            "xn--bcher-kva.test": [ELEVEN],
            "slow.test": [TEN],
            "zone.test": ["fe80::1%eth0"],
            "away.test": socket.gaierror(socket.EAI_AGAIN, "try again"),
            "odd.test": UnicodeError("label too long"),
        }
        self.asked: list[str] = []
        self.go_on = threading.Event()

    def getaddrinfo(self, name, port, *, type):
        self.asked.append(name)
        if name == "slow.test":
            self.go_on.wait(20)
        found = self.meanings.get(name) or socket.gaierror(socket.EAI_NONAME, "not known")
        if isinstance(found, Exception):
            raise found
        return [(0, type, 6, "", (each, 0)) for each in found]


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    system = System()
    monkeypatch.setattr(socket, "getaddrinfo", system.getaddrinfo)
    yield system
    system.go_on.set()


def names(*hosts: str) -> Names:
    return Names(hosts, refused=lambda name: None)


ALLOWED = [
    ("10.0.0.1:80", "10.0.0.1", 80, True),
    ("10.0.0.1:80", "10.0.0.1", 81, False),
    ("10.0.0.1:80", "10.0.0.2", 80, False),
    ("10.0.0.1:80", "::ffff:10.0.0.1", 80, True),  # the same host, by an IPv6 socket
    ("10.0.0.1:80", "64:ff9b::10.0.0.1", 80, False),  # the same by a gateway: another way
    ("[::ffff:10.0.0.1]:80", "10.0.0.1", 80, True),
    ("[::1]:80", "::1", 80, True),
    ("[::1]:80", "127.0.0.1", 80, False),
    ("[fe80::1%eth0]:80", "fe80::1", 80, True),  # the zone is the socket's to say
    ("169.254.169.254:80", "169.254.169.254", 80, True),  # somebody wrote it down
    ("db.test:80", TEN, 80, True),
    ("db.test:80", SIX, 80, True),
    ("db.test:80", TEN, 81, False),
    ("db.test:80", ELEVEN, 80, False),
    ("DB.Test.:80", TEN, 80, True),
    ("bücher.test:80", ELEVEN, 80, True),
    ("missing.test:80", TEN, 80, False),
    ("away.test:80", TEN, 80, False),
    ("odd.test:80", TEN, 80, False),
    ("zone.test:80", "fe80::1", 80, False),
]


@pytest.mark.parametrize(("host", "address", "port", "expected"), ALLOWED)
def test_an_address_is_allowed_if_it_was_granted_or_a_granted_name_means_it(
    system: System, host: str, address: str, port: int, expected: bool
) -> None:
    assert names(host).allow(ip_address(address), port) is expected


CREDENTIALS = [
    "169.254.169.254",
    "::ffff:169.254.169.254",
    "64:ff9b::169.254.169.254",  # NAT64
    "2002:a9fe:a9fe::1",  # 6to4
    "fe80::1",
    "fd00:ec2::254",
    "100.100.100.200",
]


@pytest.mark.parametrize("address", CREDENTIALS)
def test_no_name_leads_to_what_gives_out_credentials(system: System, address: str) -> None:
    system.meanings["db.test"] = [address]
    granted = names("db.test:80")
    ask(granted, "db.test", 28)
    asked = len(system.asked)
    assert not granted.allow(ip_address(address), 80)
    assert len(system.asked) == asked  # nobody had to be asked


def test_an_address_that_a_name_meant_is_good_for_a_while(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FRESH", 0.0)
    granted = names("db.test:80")
    assert granted.allow(ip_address(TEN), 80)
    system.meanings["db.test"] = [ELEVEN]
    assert granted.allow(ip_address(ELEVEN), 80)
    assert granted.allow(ip_address(TEN), 80)
    later = time.monotonic() + module.REMEMBERED
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: later))
    assert not granted.allow(ip_address(TEN), 80)


def test_a_name_is_looked_up_once_for_all_who_ask(system: System) -> None:
    granted = names("slow.test:80")
    told: list[bool] = []
    callers = [
        threading.Thread(target=lambda: told.append(granted.allow(ip_address(TEN), 80)))
        for _ in range(8)
    ]
    for each in callers:
        each.start()
    system.go_on.set()
    for each in callers:
        each.join()
    assert told == [True] * 8
    assert granted.allow(ip_address(TEN), 80)
    assert not granted.allow(ip_address(ELEVEN), 80)
    assert system.asked == ["slow.test"]


def test_what_failed_is_asked_again_soon(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FAILED_FRESH", 0.0)
    granted = names("away.test:80")
    assert not granted.allow(ip_address(TEN), 80)
    system.meanings["away.test"] = [TEN]
    assert granted.allow(ip_address(TEN), 80)


def test_a_resolver_that_does_not_answer_is_not_waited_for(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    granted = names("slow.test:80")
    assert not granted.allow(ip_address(TEN), 80)
    assert ask(granted, "slow.test", 1) == (2, [])


def question(name: str, kind: int, *, group: int = 1, flags: int = 0x0100, more: bytes = b""):
    labels = b"".join(bytes([len(each)]) + each.encode() for each in name.split(".") if each)
    header = struct.pack("!6H", 7, flags, 1, 0, 0, 1 if more else 0)
    return header + labels + b"\0" + struct.pack("!HH", kind, group) + more


def ask(granted: Names, name: str, kind: int, **other) -> tuple[int, list[str]]:
    """Ask, and read the answer as a resolver would: its code and its addresses."""
    message = question(name, kind, **other)
    return read(granted.answer(message), message)


def read(answer: bytes, message: bytes) -> tuple[int, list[str]]:
    number, flags, *counts = struct.unpack_from("!6H", answer)
    end = message.index(b"\0", 12) + 5
    assert (number, flags & 0xFFF0) == (7, 0x8180)
    assert (counts[0], *counts[2:]) == (1, 0, 0)
    assert answer[12:end] == message[12:end]
    found, at = [], end
    for _ in range(counts[1]):
        name, _, group, seconds, size = struct.unpack_from("!HHHIH", answer, at)
        assert (name, group, seconds) == (0xC00C, 1, 30)
        found.append(str(ip_address(answer[at + 12 : at + 12 + size])))
        at += 12 + size
    assert at == len(answer)
    return flags & 0xF, found


EDNS = b"\0\0\x29\x04\xd0\0\0\0\0\0\0"

ANSWERS = [
    ("db.test", 1, {}, (0, [TEN])),
    ("db.test", 28, {}, (0, [SIX])),
    ("Db.TEST", 1, {}, (0, [TEN])),
    ("db.test", 1, {"more": EDNS}, (0, [TEN])),
    ("db.test", 16, {}, (0, [])),  # TXT: there is such a name, and no more is told
    ("db.test", 1, {"group": 3}, (5, [])),  # CHAOS
    ("db.test", 1, {"flags": 0x2900}, (5, [])),  # an update
    ("db.test", 1, {"flags": 0x8100}, (5, [])),  # an answer
    ("away.test", 1, {}, (2, [])),
    ("odd.test", 1, {}, (2, [])),
    ("missing.test", 1, {}, (3, [])),
    ("secret.db.test", 1, {}, (3, [])),
    ("other.test", 1, {}, (3, [])),
    ("", 1, {}, (3, [])),
]


@pytest.mark.parametrize(("name", "kind", "other", "expected"), ANSWERS)
def test_a_question_is_answered(system: System, name, kind, other, expected) -> None:
    hosts = [f"{each}.test:80" for each in ("db", "away", "odd", "missing")]
    assert ask(names(*hosts), name, kind, **other) == expected
    assert not {"secret.db.test", "other.test", ""} & {*system.asked}


def test_names_that_were_not_granted_are_told(system: System) -> None:
    told: list[str] = []
    granted = Names(["db.test:80"], refused=told.append)
    for name in ("db.test", "Other.test"):
        granted.answer(question(name, 1))
    assert told == ["other.test"]


NONE = [
    b"",
    bytes(11),
    bytes(12),  # no question
    struct.pack("!6H", 1, 0, 2, 0, 0, 0) + b"\1a\0\0\1\0\1" * 2,
    struct.pack("!6H", 1, 0, 1, 0, 0, 0),
    question("db.test", 1)[:-1],
    question("db.test", 1)[:16],
    struct.pack("!6H", 1, 0, 1, 0, 0, 0) + b"\xc0\x0c\0\1\0\1",  # a name that is its own
    struct.pack("!6H", 1, 0, 1, 0, 0, 0) + b"\x40" + bytes(80),
]


@pytest.mark.parametrize("message", NONE)
def test_what_is_no_question_is_an_error(system: System, message: bytes) -> None:
    with pytest.raises(ValueError, match=r"too short|one question|by reference|cut off"):
        names("db.test:80").answer(message)


def test_no_bytes_at_all_do_harm(system: System) -> None:
    random.seed(7)
    granted = names("db.test:80")
    whole = question("db.test", 1, more=EDNS)
    for _ in range(5000):
        message = bytearray(whole[: random.randrange(len(whole) + 1)])
        for _ in range(random.randrange(4) if message else 0):
            message[random.randrange(len(message))] = random.randrange(256)
        try:
            granted.answer(bytes(message))
        except ValueError:
            continue


@pytest.fixture
def talk(system: System) -> Iterator[socket.socket]:
    """A connection to the answerer."""
    ours, theirs = socket.socketpair()
    answerer = threading.Thread(target=names("db.test:80").converse, args=[theirs])
    answerer.start()
    with ours:
        ours.settimeout(10)
        yield ours
    answerer.join(10)
    assert not answerer.is_alive()


def test_questions_of_one_connection_are_answered_in_turn(talk: socket.socket) -> None:
    for kind, expected in ((1, [TEN]), (28, [SIX])):
        message = question("db.test", kind)
        talk.sendall(struct.pack("!H", len(message)) + message)
        with talk.makefile("rb") as answers:
            size = int.from_bytes(answers.read(2), "big")
            assert read(answers.read(size), message) == (0, expected)


@pytest.mark.parametrize("sent", [b"\xff\xff", b"\0\5abcde", b"\0\x20abc", b"\0", b"\0\0"])
def test_a_connection_that_says_what_no_resolver_says_is_closed(
    talk: socket.socket, sent: bytes
) -> None:
    talk.sendall(sent)
    talk.shutdown(socket.SHUT_WR)
    assert talk.recv(100) == b""
