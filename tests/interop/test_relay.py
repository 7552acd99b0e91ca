"""The relay that lends the conformance suite a token."""

import contextlib
import socket
import threading

import pytest

from interop.relay import token_relay, with_token

pytestmark = pytest.mark.interop

HEAD = (
    b"POST /mcp HTTP/1.1\r\nHost: evil.example:80\r\nMcp-Name: x \r\nConnection: keep-alive\r\n\r\n"
)


def test_the_head_stays_as_it_was_sent() -> None:
    """Host and blanks around values are what scenarios test, so they go through untouched."""
    assert (
        b"POST /mcp HTTP/1.1\r\nHost: evil.example:80\r\nMcp-Name: x \r\n"
        b"Authorization: Bearer abc\r\nConnection: close\r\n\r\n"
    ) == with_token(HEAD, "abc")


@pytest.mark.parametrize("name", [b"Authorization", b"authorization"])
def test_a_token_of_the_client_is_kept(name: bytes) -> None:
    """A scenario that sends a token of its own is about that token."""
    head = HEAD.replace(b"Mcp-Name: x ", name + b": Bearer own")

    assert [b"Bearer own"] == [
        line.partition(b": ")[2]
        for line in with_token(head, "abc").split(b"\r\n")
        if line.lower().startswith(b"authorization")
    ]


def test_bodies_go_both_ways_unchanged() -> None:
    """What follows the head is relayed, and so is the answer to its end."""
    received: list[bytes] = []

    def serve_one(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            while not b"".join(received).endswith(b"body"):
                received.append(connection.recv(4096))
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nanswer")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=serve_one, args=(listening,))
        server.start()
        host, port = listening.getsockname()
        with token_relay(host, port, "abc") as url:
            own_port = int(url.rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", own_port), timeout=10) as client:
                client.sendall(HEAD + b"bo")
                client.sendall(b"dy")
                answer = b"".join(iter(lambda: client.recv(4096), b""))
        server.join(10)

    assert with_token(HEAD, "abc") + b"body" == b"".join(received)
    assert b"HTTP/1.1 200 OK\r\n\r\nanswer" == answer


def test_a_client_that_says_nothing_does_not_hold_the_relay() -> None:
    """Leaving cuts off a connection that is only open."""
    with token_relay("127.0.0.1", 9, "abc") as url:
        client = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=10)
    # A reset is an end as well: the relay may not have got as far as accepting it.
    with client, contextlib.suppress(ConnectionResetError):
        assert b"" == client.recv(1)
