"""Connections go where the operator allows, to what was checked, and end in time."""

from __future__ import annotations

import socket
import threading

import pytest

from core.errors import ConfigError, ConnectError, Forbidden, InvalidInput
from core.network import MOST_READ, Network
from tests.core.notify.servers import Authority, Listener, nobody


@pytest.fixture
def authority(tmp_path, monkeypatch) -> Authority:
    """Make an authority that this process trusts while the test runs."""
    authority = Authority.make(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority


INSIDE = [
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",  # carrier-grade NAT
    "192.0.0.8",  # protocol assignments
    "192.0.2.1",  # documentation
    "198.18.0.1",  # benchmarks
    "192.88.99.1",  # relays of 6to4
    "224.0.0.1",  # multicast
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",  # IPv4-compatible
    "::ffff:127.0.0.1",  # IPv4-mapped
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",  # NAT64 of 127.0.0.1
    "64:ff9b:1::a00:1",  # NAT64 of a local kind
    "2002:7f00:1::",  # 6to4 of 127.0.0.1
    "2002:a00:1::1",  # 6to4 of 10.0.0.1
    "2001:0:a00:1::f5ff:fffe",  # Teredo
    "fc00::1",
    "fd12:3456::1",
    "fec0::1",  # site-local
    "ff02::1",
    "ff0e::1",
    "2001:db8::1",
    "3fff::1",
    "5f00::1",
    "100::1",  # discard
]

METADATA = [
    "169.254.169.254",
    "169.254.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::",
    "fe80::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
]

OUTSIDE = ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]


def says(*addresses: str):
    """Make a resolver that gives these addresses for any name."""

    def resolve(host, port, **_):
        families = [socket.AF_INET6 if ":" in each else socket.AF_INET for each in addresses]
        return [
            (family, socket.SOCK_STREAM, 6, "", (each, port))
            for family, each in zip(families, addresses, strict=True)
        ]

    return resolve


def refusal(network: Network, host: str = "hook.example", port: int = 443, **chosen) -> str:
    options = {"seconds": 5, "security": "tls"} | chosen
    with pytest.raises(Forbidden) as caught, network.connect(host, port, **options):
        pass
    return f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_refused_and_the_setting_is_named(address):
    told = refusal(Network(resolve=says(address)))
    assert "MILLPOND_PRIVATE_HOSTS=hook.example:443" in told


@pytest.mark.parametrize("address", METADATA)
@pytest.mark.parametrize("listed", ["", "hook.example", "0.0.0.0/0, ::/0"])
def test_what_gives_out_credentials_is_refused_whatever_is_listed(address, listed):
    assert "credentials" in refusal(Network(listed, resolve=says(address)))


@pytest.mark.parametrize("address", OUTSIDE)
def test_an_address_outside_is_tried(address, monkeypatch):
    tried = []

    def connect(self, to):
        tried.append(to[0])
        raise ConnectionRefusedError

    monkeypatch.setattr("core.network._Plain.connect", connect)
    network = Network(resolve=says(address))
    with (
        pytest.raises(ConnectError, match="Nothing answers"),
        network.connect("hook.example", 443, seconds=5, security="tls"),
    ):
        pass
    assert tried == [address]


def test_one_address_inside_among_others_refuses_the_name():
    refusal(Network(resolve=says("8.8.8.8", "10.0.0.1")))


@pytest.mark.parametrize("spelling", ["2130706433", "0x7f.1", "127.1", "localhost", "127.0.0.1"])
def test_this_machine_is_found_however_it_is_written(spelling):
    refusal(Network(), spelling)


@pytest.mark.parametrize(
    ("listed", "host", "port", "allowed"),
    [
        ("mail.lan", "mail.lan", 25, True),
        ("mail.lan", "MAIL.lan.", 25, True),
        ("mail.lan:587", "mail.lan", 587, True),
        ("mail.lan:587", "mail.lan", 25, False),
        ("mail.lan", "other.lan", 25, False),
        ("10.0.0.0/8", "other.lan", 25, True),
        ("10.1.2.3:25", "other.lan", 25, True),
        ("10.1.2.3:25", "other.lan", 26, False),
        ("10.9.0.0/16 , mail.lan", "mail.lan", 25, True),
        ("10.9.0.0/16", "mail.lan", 25, False),
        ("[::1]:25", "mail.lan", 25, False),
    ],
)
def test_a_listed_host_or_network_is_allowed_at_its_port(listed, host, port, allowed, monkeypatch):
    def connect(self, to):
        raise ConnectionRefusedError

    monkeypatch.setattr("core.network._Plain.connect", connect)
    network = Network(listed, resolve=says("10.1.2.3"))
    kind = ConnectError if allowed else Forbidden
    with pytest.raises(kind), network.connect(host, port, seconds=5, security="none"):
        pass


@pytest.mark.parametrize("listed", ["10.0.0.0/99", "a b", "mail.lan:99999", "http://mail.lan"])
def test_a_list_that_cannot_be_read_is_refused(listed):
    with pytest.raises(ConfigError, match="MILLPOND_PRIVATE_HOSTS"):
        Network(listed)


def test_a_host_outside_that_is_not_listed_is_not_spoken_to_without_tls():
    assert "encrypted" in refusal(Network(resolve=says("8.8.8.8")), security="none")


def test_a_name_is_looked_up_once_and_what_was_checked_is_connected_to():
    # A name that changes its mind after the check would lead elsewhere.
    answers = iter([says("127.0.0.1"), says("127.9.9.9")])
    with Echo() as server:
        network = Network("127.0.0.1", resolve=lambda host, port, **_: next(answers)(host, port))
        with network.connect("hook.example", server.port, seconds=5, security="none") as link:
            assert link.getpeername()[0] == "127.0.0.1"
    assert len(list(answers)) == 1


def test_the_second_address_is_tried_where_the_first_does_not_answer():
    with Echo() as server:
        network = Network("127.0.0.0/8", resolve=says("127.0.0.9", "127.0.0.1"))
        with network.connect("two.example", server.port, seconds=5, security="none") as link:
            assert link.getpeername()[0] == "127.0.0.1"


class Echo(Listener):
    """Says what `say` is, or drips."""

    def __init__(self, tls=None, *, say: bytes = b"hello", dripping: bool = False) -> None:
        self.say, self.dripping = say, dripping
        super().__init__(tls)

    def serve(self, link):
        if self.tls:
            link = self.tls.wrap_socket(link, server_side=True)
        with link:
            link.sendall(self.say)
            if self.dripping:
                self.drip(link)


HERE = Network("127.0.0.1, localhost")


def read(port: int, *, host: str = "127.0.0.1", seconds: float = 5, security="none") -> bytes:
    with (
        HERE.connect(host, port, seconds=seconds, security=security) as link,
        link.makefile("rb") as file,
    ):
        return file.read()


def test_a_server_that_drips_is_cut_off_when_the_time_is_up():
    # Each byte comes well within any timeout of a single read.
    with Echo(dripping=True) as server, pytest.raises(ConnectError, match=r"within 0\.3 s"):
        read(server.port, seconds=0.3)


def test_a_server_that_drips_through_tls_is_cut_off_too(authority):
    with (
        Echo(authority.server("127.0.0.1"), dripping=True) as server,
        pytest.raises(ConnectError, match=r"within 0\.5 s"),
    ):
        read(server.port, seconds=0.5, security="tls")


def test_a_server_that_never_begins_tls_is_cut_off():
    with Echo(say=b"", dripping=False) as server:
        server.serve = lambda link: server.ending.wait()
        with pytest.raises(ConnectError, match=r"within 0\.3 s"):
            read(server.port, seconds=0.3, security="tls")


def test_a_resolver_that_never_answers_is_not_waited_for():
    over = threading.Event()
    network = Network(resolve=lambda *_, **__: over.wait(30))
    with (
        pytest.raises(ConnectError, match="Nobody said"),
        network.connect("hook.example", 443, seconds=0.2, security="tls"),
    ):
        pass
    over.set()


def test_no_more_is_read_than_anybody_needs():
    with Echo(say=b"x" * (MOST_READ + 70_000)) as server, pytest.raises(ConnectError, match="kB"):
        read(server.port)


def test_no_more_is_read_through_tls_either(authority):
    with (
        Echo(authority.server("localhost"), say=b"x" * (MOST_READ + 70_000)) as server,
        pytest.raises(ConnectError, match="256 kB"),
    ):
        read(server.port, host="localhost", security="tls")


def test_a_server_is_believed_by_its_certificate_and_its_name(authority):
    with Echo(authority.server("localhost")) as server:
        assert read(server.port, host="localhost", security="tls") == b"hello"
        with pytest.raises(ConnectError, match="did not prove"):
            read(server.port, host="127.0.0.1", security="tls")


def test_a_certificate_of_nobody_known_is_not_believed(tmp_path):
    stranger = Authority.make(tmp_path)
    with (
        Echo(stranger.server("localhost")) as server,
        pytest.raises(ConnectError, match="did not prove"),
    ):
        read(server.port, host="localhost", security="tls")


def test_a_server_that_does_not_speak_tls_is_told_as_such():
    with Echo(say=b"220 welcome\r\n") as server, pytest.raises(ConnectError, match="encrypted"):
        read(server.port, security="tls")


def test_nobody_there_and_no_such_name_are_told():
    with nobody() as port, pytest.raises(ConnectError, match="Nothing answers"):
        read(port)
    with pytest.raises(InvalidInput, match="not the name of a host"):
        read(1, host="a" * 70 + ".example")

    def fails(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with (
        pytest.raises(ConnectError, match="was not found"),
        Network(resolve=fails).connect("nowhere.example", 443, seconds=5, security="tls"),
    ):
        pass


def test_what_the_caller_raises_of_its_own_passes():
    with (
        Echo() as server,
        pytest.raises(ZeroDivisionError),
        HERE.connect("127.0.0.1", server.port, seconds=5, security="none"),
    ):
        raise ZeroDivisionError


def test_an_error_of_the_connection_that_the_caller_meets_is_told():
    with (
        Echo() as server,
        pytest.raises(ConnectError, match="broke off"),
        HERE.connect("127.0.0.1", server.port, seconds=5, security="none"),
    ):
        raise ConnectionResetError(104, "Connection reset by peer")
