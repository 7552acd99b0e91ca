"""A relay that adds a bearer token, for clients that have no option for one."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator

_CHUNK = 64 * 1024
_END = b"\r\n\r\n"


def with_token(head: bytes, token: str) -> bytes:
    """Return a request head with the token; a head that names one already is left as it is.

    Every other byte stays, blanks around values too: what a client sent is what is judged. Only
    `Connection` becomes `close`, since one connection then carries one head to look for.
    """
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    names = {line.partition(b":")[0].strip().lower() for line in lines}
    kept = [ln for ln in lines if ln.partition(b":")[0].strip().lower() != b"connection"]
    if b"authorization" not in names:
        kept.append(b"Authorization: Bearer " + token.encode())
    return b"\r\n".join([first, *kept, b"Connection: close", b"", b""])


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Copy until `source` ends; then `sink` ends too, and whoever waits for it goes on."""
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data)
    _cut(sink)


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _Relay(socketserver.ThreadingTCPServer):
    """Relays each connection in a thread of its own; closing joins them all."""

    def __init__(self, target: tuple[str, int], token: str) -> None:
        self._target, self._token = target, token
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)

    def get_request(self) -> tuple[socket.socket, object]:
        """Accept, and remember the connection: a client that says nothing has to be cut off."""
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def finish_request(self, request: object, client_address: object) -> None:
        """Relay one connection."""
        assert isinstance(request, socket.socket)
        received = b""
        while _END not in received:
            if not (data := request.recv(_CHUNK)):
                return
            received += data
        head, _, rest = received.partition(_END)
        with socket.create_connection(self._target) as onward:
            onward.sendall(with_token(head + _END, self._token) + rest)
            sending = threading.Thread(target=_pump, args=(request, onward))
            sending.start()
            _pump(onward, request)
            sending.join()

    def shutdown_request(self, request: object) -> None:
        """Close one connection."""
        assert isinstance(request, socket.socket)
        self._open.discard(request)
        super().shutdown_request(request)

    def cut_off(self) -> None:
        """End every connection that is still open."""
        for connection in list(self._open):
            _cut(connection)


@contextlib.contextmanager
def token_relay(host: str, port: int, token: str) -> Iterator[str]:
    """Relay to `host`:`port` from a free loopback port, and yield the URL to use instead."""
    with _Relay((host, port), token) as relay:
        thread = threading.Thread(target=relay.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{relay.server_address[1]}"
        finally:
            relay.shutdown()
            thread.join()
            relay.cut_off()
