"""uvicorn's HTTP protocol, with what the recorder needs: names as sent, target, cycle.

llhttp is stricter than net/http in two places; see `repair`.
"""

from collections.abc import Mapping
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from toolbridge_contract.mock.asgi import MockApp
from toolbridge_contract.mock.messages import Headers, Request
from toolbridge_contract.mock.repair import Repaired, repair

_BAD_REQUEST = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: 15\r\nConnection: close\r\n\r\n400 Bad Request"
)


class RawProtocol(HttpToolsProtocol):
    """Adds `toolbridge.headers`, `.target` and `.cycle` to the ASGI scope."""

    raw_headers: Headers
    url: bytes

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._start = b""
        self._begun = 0
        self._idle = True
        self._headed = False
        self._repaired: Repaired | None = None
        self._lenient(self.parser)

    @staticmethod
    def _lenient(parser: httptools.HttpRequestParser) -> None:
        # net/http drops a Content-Length beside chunks.
        parser.set_dangerous_leniencies(lenient_data_after_close=True, lenient_chunked_length=True)

    def data_received(self, data: bytes) -> None:
        """Read, and read again what can be repaired, before it is refused."""
        self._unset_keepalive_if_required()
        if self._idle:
            self._start, self._begun, self._headed = data, 0, False
        elif not self._headed:
            self._start += data
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self.send_400_response("")

    def _feed(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return
        except httptools.HttpParserError:
            again = repair(self._start) if self._begun <= 1 and not self._headed else None
            if again is None:
                raise
            self._repaired = again
            self.parser = httptools.HttpRequestParser(self)
            self._lenient(self.parser)
            self.parser.feed_data(again.data)

    def on_message_begin(self) -> None:
        """Start a request."""
        super().on_message_begin()
        self._idle = False
        self._begun += 1
        self.raw_headers = []
        _extend(self.scope, {"toolbridge.headers": self.raw_headers})

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep the name's case, which uvicorn folds; its own list is not needed then."""
        self.raw_headers.append((name, value))
        if len(name) == len(b"expect") and name.lower() == b"expect":
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Keep the request target as sent; the task of the request starts after this."""
        self._headed = True
        self._start = b""
        super().on_headers_complete()
        _extend(self.scope, {"toolbridge.target": self.url, "toolbridge.cycle": self.cycle})
        if self._repaired is not None:
            self.raw_headers += self._repaired.headers
            _extend(self.scope, {"method": self._repaired.method})
            self._repaired = None

    def on_message_complete(self) -> None:
        """Be ready for the next request."""
        self._idle = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - net/http's own text is sent
        """Answer what is no HTTP as net/http does, and record it."""
        app = self.config.app
        if isinstance(app, MockApp):
            target = getattr(self, "url", b"").decode("utf-8", "surrogateescape")
            headers = getattr(self, "raw_headers", [])
            app.malformed(Request("", target, headers))
        # Not uvicorn's own, which folds header names.
        self.transport.write(_BAD_REQUEST)
        self.transport.close()


def _extend(scope: object, entries: Mapping[str, object]) -> None:
    """Add keys of ours; uvicorn types the scope as closed."""
    cast("dict[str, Any]", scope).update(entries)
