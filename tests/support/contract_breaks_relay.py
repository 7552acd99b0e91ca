"""Something in between: a relay on loopback that adds header lines to every answer."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator

import httpx

_BLOCK = 65536


@contextlib.contextmanager
def relay(url: str, added: bytes, seen: Callable[[str], None] = lambda _: None) -> Iterator[str]:
    """Relay to `url` and yield the address; `seen` gets what is sent to it as text."""
    target = httpx.URL(url)

    def shown(data: bytes) -> bytes:
        seen(data.decode("latin-1"))
        return data

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection((target.host, target.port or 80)) as api:
                back = threading.Thread(target=_pump, args=(api, self.request, _adding(added)))
                back.start()
                _pump(self.request, api, shown)
                back.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def _adding(added: bytes) -> Callable[[bytes], bytes]:
    """Put lines before the end of a head, which a small answer has in its first block."""
    return lambda data: data.replace(b"\r\n\r\n", b"\r\n" + added + b"\r\n", 1)


def _pump(source: socket.socket, sink: socket.socket, change: Callable[[bytes], bytes]) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_BLOCK):
            sink.sendall(change(data))
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
