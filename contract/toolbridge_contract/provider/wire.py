"""One request on a raw socket, byte for byte as a case spells it."""

import contextlib
import http.client
import socket
import ssl
from collections.abc import Iterator

import httpx

from toolbridge_contract.provider.exchange import Answer, Outgoing

_PORTS = {"http": 80, "https": 443}


class NotHttp(Exception):
    """What came back is no HTTP answer."""


def exchange(url: str, request: Outgoing, timeout: float) -> Answer:
    """Send a request on a connection of its own; raises OSError or NotHttp."""
    with _connected(url, timeout) as connection:
        # A server may refuse, and close, before it has read a huge head or body.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(_bytes(request))
        method = request.method if request.method in ("HEAD", "CONNECT") else "GET"
        answer = http.client.HTTPResponse(connection, method=method)
        try:
            answer.begin()
            body = answer.read()
        except http.client.HTTPException as error:
            raise NotHttp(str(error) or type(error).__name__) from None
        pairs = [(name, _text(value)) for name, value in answer.getheaders()]
        return Answer(answer.status, pairs, body)


@contextlib.contextmanager
def _connected(url: str, timeout: float) -> Iterator[socket.socket]:
    target = httpx.URL(url)
    port = target.port or _PORTS[target.scheme]
    with socket.create_connection((target.host, port), timeout) as plain:
        if target.scheme == "http":
            yield plain
            return
        with ssl.create_default_context().wrap_socket(plain, server_hostname=target.host) as safe:
            yield safe


def _bytes(request: Outgoing) -> bytes:
    lines = [f"{request.method} {request.target} HTTP/{request.http}"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + request.body


def _text(value: str) -> str:
    return value.encode("latin-1").decode("utf-8", "surrogateescape")
