"""A server in a thread that gives canned answers: what a wrong URL can lead to."""

import contextlib
import http.server
import json
import threading
import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple


class Canned(NamedTuple):
    status: int
    body: str
    headers: Mapping[str, str] = {}


def info(offset: float = 0.0) -> Canned:
    """The API's info, by a clock `offset` seconds beside this one."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + offset))
    return Canned(200, json.dumps({"serverTime": stamp}))


HEALTHY = Canned(200, "ok")


@contextlib.contextmanager
def canned_server(answers: Mapping[str, Canned]) -> Iterator[str]:
    """Serve on loopback and yield the URL; other paths are 404."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            found = answers.get(self.path, Canned(404, "404 page not found\n"))
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            # Not send_response: that adds a Server header, which the API never sends.
            self.send_response_only(found.status)
            for name, value in found.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(found.body.encode())))
            self.end_headers()
            self.wfile.write(found.body.encode())

        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
