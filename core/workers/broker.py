"""The broker of one worker's connections: it decides where to, and connects for it.

The worker's `connect` calls wait here (core/workers/notices.py). What an address says is read once
from the worker's memory, and the worker's own socket is connected to that copy, so a change after
the decision changes nothing. Port 53 leads to an answerer of ours (core/workers/names.py). What
goes through a connection, and how many there are, is not its business.
"""

from __future__ import annotations

import errno
import logging
import os
import select
import signal
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import IPv4Address

from core.workers import notices, places, sockets
from core.workers.grip import Grip
from core.workers.names import Names
from core.workers.notices import Notice
from core.workers.places import Place

log = logging.getLogger(__name__)

MOST_AT_ONCE = 64
"""Connects and conversations of one worker at a time; more are told to come again."""

_DNS = 53
_LOOPBACK = IPv4Address("127.0.0.1")


class Broker:
    """Answers the connects of one worker, in threads that end with it.

    `refused` holds the last times, by the monotonic clock, that no connection was made, and to
    where; or that a name was not looked up, and which.
    """

    def __init__(self, pid: int, listener: int, hosts: tuple[str, ...]) -> None:
        """Take the worker's descriptor `listener`, and allow `hosts` from now on.

        OSError where the worker is gone or cannot be held.
        """
        self.refused: deque[tuple[float, str]] = deque(maxlen=64)
        self._names = Names(hosts, refused=self._refuse)
        self._lock = threading.Lock()
        self._connecting: set[int] = set()
        self._threads: list[threading.Thread] = []
        self._grip = Grip(pid)
        try:
            with self._grip.descriptor(listener) as taken:
                self._listener = os.dup(taken)
        except OSError:
            self._grip.close()
            raise
        threading.Thread(target=self._listen, name=f"broker-{pid}", daemon=True).start()

    def _listen(self) -> None:
        # What interrupts the program must not interrupt a worker's connect.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        poll.register(self._grip.end, select.POLLIN)
        try:
            # Anything but a notice alone means that the worker has ended.
            while poll.poll() == [(self._listener, select.POLLIN)]:
                if (notice := notices.receive(self._listener)) is not None:
                    self._begin(notice)
        finally:
            self._let_go()

    def _begin(self, notice: Notice) -> None:
        """Serve a call in a thread: it may wait for a resolver or for the other side."""
        self._threads = [each for each in self._threads if each.is_alive()]
        thread = threading.Thread(target=self._serve, args=[notice], name="connect", daemon=True)
        try:
            if len(self._threads) >= MOST_AT_ONCE:
                raise RuntimeError("too many at once")
            thread.start()
        except RuntimeError:  # also where the system gives no more threads
            notices.answer(self._listener, notice, errno.EAGAIN)
        else:
            self._threads.append(thread)

    def _let_go(self) -> None:
        """Cut off what waits for the other side, and free all once nobody uses it."""
        while any(each.is_alive() for each in self._threads):
            with self._lock:
                for each in self._connecting:
                    with suppress(OSError):  # it does not wait yet, or not any more
                        sockets.cut_off(each)
            time.sleep(0.02)
        os.close(self._listener)
        self._grip.close()

    def _serve(self, notice: Notice) -> None:
        try:
            place = self._place(notice)
            if place.port == _DNS:
                self._answer_names(notice, place)
                return
            number = self._connect(notice, place)
        except OSError as error:
            number = error.errno or errno.EACCES
        except Exception:
            log.exception("a worker's connection could not be decided on")
            number = errno.EACCES
        notices.answer(self._listener, notice, number)

    def _place(self, notice: Notice) -> Place:
        _, pointer, length = notice.arguments
        length &= 0xFFFFFFFF
        if length > places.LONGEST:
            raise OSError(errno.EINVAL, "no address is as long")
        place = places.read_place(self._grip.read(pointer, length))
        if place is None:
            self._refuse("an address that is not of TCP")
            raise OSError(errno.EACCES, "not an address of TCP")
        return place

    def _connect(self, notice: Notice, place: Place) -> int:
        """Connect if that was granted; return the error number, which may be EINPROGRESS."""
        if not self._names.allow(place.address, place.port):
            self._refuse(str(place))
            return errno.EACCES
        with self._socket(notice) as ours:
            return sockets.connect(ours, place.raw)

    def _answer_names(self, notice: Notice, place: Place) -> None:
        """Lead the socket to a listener for it alone, and answer the questions that come."""
        with socket.create_server((str(_LOOPBACK), 0)) as server:
            server.settimeout(5)
            near = places.write_place(place.family, _LOOPBACK, server.getsockname()[1])
            with self._socket(notice) as ours:
                number = sockets.connect(ours, near)
                port = sockets.own_port(ours)
            notices.answer(self._listener, notice, number)
            if number not in (0, errno.EINPROGRESS):
                return
            connection = _accept(server, port)
        self._names.converse(connection)

    @contextmanager
    def _socket(self, notice: Notice) -> Iterator[int]:
        """Share the TCP socket of a call that still waits. OSError where it is not like that."""
        with self._grip.descriptor(notice.arguments[0]) as ours:
            if not sockets.is_tcp(ours):
                raise OSError(errno.EACCES, "not a socket of TCP")
            if not notices.waits(self._listener, notice):
                raise OSError(errno.EINTR, "the caller is gone")
            with self._lock:
                self._connecting.add(ours)
            try:
                yield ours
            finally:
                with self._lock:
                    self._connecting.discard(ours)

    def _refuse(self, what: str) -> None:
        self.refused.append((time.monotonic(), what))


def _accept(server: socket.socket, port: int) -> socket.socket:
    """Accept what comes from this port of ours; others of the machine may knock as well."""
    while True:
        connection, visitor = server.accept()
        if visitor == (str(_LOOPBACK), port):
            return connection
        connection.close()
