"""Frames over a socket pair: what is sent arrives, and nothing that arrives can do harm."""

from __future__ import annotations

import json
import os
import socket
import struct
import threading

import pytest

from core.errors import Forbidden, LimitExceeded, MillpondError, NotFound, QueryError
from core.workers.protocol import (
    BODY_LIMIT,
    HEAD_LIMIT,
    Channel,
    Closed,
    Frame,
    error_from_json,
    error_to_json,
)


@pytest.fixture
def pair():
    """Two channels that lead to each other."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ends = [Channel(os.dup(end.fileno()), os.dup(end.fileno())) for end in (ours, theirs)]
    yield ends
    for end in ends:
        end.release()


def raw(pair: list[Channel], data: bytes) -> Channel:
    """Put bytes on the wire that no Channel would send; return the side that gets them."""
    os.write(pair[0]._write_fd, data)
    return pair[1]


@pytest.mark.parametrize("body", [b"", b"x", b"\0" * 3_000_000])
def test_a_frame_arrives_as_it_was_sent(pair: list[Channel], body: bytes) -> None:
    head = {"id": 1, "op": "run", "args": {"sql": "select '\U0001f986 \ud800'", "n": 2**70}}
    sender = threading.Thread(target=pair[0].send, args=(head, body))
    sender.start()
    assert pair[1].receive() == Frame(head, body)
    sender.join()


def test_frames_from_many_threads_do_not_mix(pair: list[Channel]) -> None:
    def send(number: int) -> None:
        for _ in range(50):
            pair[0].send({"n": number}, bytes([number]) * 10_000)

    senders = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for each in senders:
        each.start()
    frames = [pair[1].receive() for _ in range(400)]
    for each in senders:
        each.join()
    assert all(set(frame.body) == {frame.head["n"]} for frame in frames)


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("!IQ", HEAD_LIMIT + 1, 0),
        struct.pack("!IQ", 2, BODY_LIMIT + 1) + b"{}",
        struct.pack("!IQ", 2, 2**63) + b"{}",
        struct.pack("!IQ", 3, 0) + b"{{{",
        struct.pack("!IQ", 2, 0) + b"\xff\xfe",
        struct.pack("!IQ", 2, 0) + b"[]",
        struct.pack("!IQ", 200_000, 0) + b"[" * 200_000,
    ],
)
def test_what_no_channel_sends_closes_it(pair: list[Channel], data: bytes) -> None:
    sender = threading.Thread(target=raw, args=(pair, data))
    sender.start()
    with pytest.raises(Closed):
        pair[1].receive()
    sender.join()


@pytest.mark.parametrize("sent", [b"", b"\0\0", struct.pack("!IQ", 10, 0) + b"{}"])
def test_the_end_of_the_stream_is_closed_wherever_it_comes(
    pair: list[Channel], sent: bytes
) -> None:
    if sent:
        raw(pair, sent)
    pair[0].close()
    with pytest.raises(Closed):
        pair[1].receive()


def test_what_is_too_large_is_refused_before_it_is_sent(pair: list[Channel]) -> None:
    with pytest.raises(LimitExceeded, match="too large"):
        pair[0].send({"text": "x" * HEAD_LIMIT})
    with pytest.raises(LimitExceeded):
        pair[0].send({}, memoryview(bytearray(1)).cast("B") and bytes(BODY_LIMIT + 1))
    pair[0].send({"still": "open"})
    assert pair[1].receive().head == {"still": "open"}


def test_sending_to_one_that_does_not_read_can_be_ended(pair: list[Channel]) -> None:
    ends: list[Exception] = []

    def send() -> None:
        try:
            pair[0].send({}, bytes(10_000_000))
        except Closed as error:
            ends.append(error)

    sender = threading.Thread(target=send)
    sender.start()
    sender.join(0.2)
    assert sender.is_alive()
    assert pair[0].send_soon({"op": "cancel"}) is False  # and it did not wait either
    pair[0].close()
    sender.join(10)
    assert len(ends) == 1
    with pytest.raises(Closed):
        pair[0].send({})


def test_a_small_frame_is_sent_soon(pair: list[Channel]) -> None:
    assert pair[0].send_soon({"op": "cancel"})
    assert pair[1].receive().head == {"op": "cancel"}


@pytest.mark.parametrize(
    "error",
    [
        QueryError("No.", hint="Try.", line=3, column=4),
        Forbidden("No.", path="/etc"),
        LimitExceeded("No.", setting="MILLPOND_X"),
        NotFound("No."),
    ],
)
def test_an_error_crosses_with_all_that_it_knows(error: MillpondError) -> None:
    crossed = error_from_json(json.loads(json.dumps(error_to_json(error))))
    assert type(crossed) is type(error)
    assert (crossed.message, crossed.hint) == (error.message, error.hint)
    assert crossed.details() == error.details()


@pytest.mark.parametrize(
    "described",
    [
        {"kind": "os", "message": "x"},
        {"kind": "__builtins__", "message": "x"},
        {"kind": "QueryError", "message": "x", "details": {"unknown": 1}},
        {"message": "x"},
    ],
)
def test_an_error_of_unknown_kind_is_still_one_of_ours(described: dict) -> None:
    assert type(error_from_json(described)) is MillpondError
