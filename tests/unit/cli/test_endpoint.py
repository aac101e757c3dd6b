"""An address of the network: how it is written, and whether somebody listens there."""

import socket
from collections.abc import Iterator

import pytest

from vfiod.cli.endpoint import Endpoint


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("192.168.122.50:3389", "192.168.122.50", 3389),
        ("win10.local:22", "win10.local", 22),
        ("[fe80::1%virbr0]:22", "fe80::1%virbr0", 22),
    ],
)
def test_how_it_is_written(text: str, host: str, port: int) -> None:
    assert Endpoint.parse(text) == Endpoint(host, port)
    assert str(Endpoint.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "host", "host:", ":22", "host:0", "host:65536", "::1:22", "a b:1"]
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not HOST:PORT, like 192\.168\.122\.50:3389"):
        Endpoint.parse(text)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_somebody_listens(listener: socket.socket) -> None:
    assert Endpoint(*listener.getsockname()).answers()


def test_nobody_listens(listener: socket.socket) -> None:
    endpoint = Endpoint(*listener.getsockname())
    listener.close()
    assert not endpoint.answers()
