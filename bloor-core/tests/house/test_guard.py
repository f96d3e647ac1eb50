"""The guard of the test suite refuses what it should and nothing else."""

from __future__ import annotations

import asyncio
import socket

import pytest


def test_a_socket_is_refused_outside_end_to_end_tests():
    """A unit test that reaches for a socket tests more than it says."""
    with pytest.raises(RuntimeError, match="tests/e2e"):
        socket.socket()


def test_event_loops_need_no_exception():
    """asyncio talks to itself through a pair of local sockets."""
    asyncio.run(asyncio.sleep(0))


@pytest.mark.e2e
def test_loopback_is_open_to_end_to_end_tests():
    """Real sockets, but only here."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        client.sendall(b"x")
        peer, _ = server.accept()
        with peer:
            assert peer.recv(1) == b"x"


@pytest.mark.e2e
@pytest.mark.parametrize("address", [("192.0.2.1", 443), ("10.0.0.1", 80)])
def test_nothing_leaves_the_machine(address):
    """Not even an end-to-end test talks to a real venue."""
    with socket.socket() as client, pytest.raises(RuntimeError, match="this machine only"):
        client.connect(address)


@pytest.mark.e2e
def test_no_name_is_looked_up():
    """A look-up would leave the machine as well."""
    with pytest.raises(RuntimeError, match="look up no names"):
        socket.getaddrinfo("venue.example", 443)
