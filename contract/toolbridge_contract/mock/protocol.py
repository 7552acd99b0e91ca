"""uvicorn's HTTP protocol, with what the recorder needs: names as sent, target, cycle."""

from collections.abc import Mapping
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from toolbridge_contract.mock.asgi import MockApp
from toolbridge_contract.mock.messages import Headers, Request


class RawProtocol(HttpToolsProtocol):
    """Adds `toolbridge.headers`, `.target` and `.cycle` to the ASGI scope."""

    raw_headers: Headers
    url: bytes

    def on_message_begin(self) -> None:
        """Start a request."""
        super().on_message_begin()
        self.raw_headers = []
        _extend(self.scope, {"toolbridge.headers": self.raw_headers})

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep the name's case, which uvicorn folds; its own list is not needed then."""
        self.raw_headers.append((name, value))
        if len(name) == len(b"expect") and name.lower() == b"expect":
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Keep the request target as sent; the task of the request starts after this."""
        super().on_headers_complete()
        _extend(self.scope, {"toolbridge.target": self.url, "toolbridge.cycle": self.cycle})

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - net/http's own text is sent
        """Answer what is no HTTP as net/http does, and record it."""
        app = self.config.app
        if isinstance(app, MockApp):
            target = getattr(self, "url", b"").decode("utf-8", "surrogateescape")
            headers = getattr(self, "raw_headers", [])
            app.malformed(Request("", target, headers))
        super().send_400_response("400 Bad Request")


def _extend(scope: object, entries: Mapping[str, object]) -> None:
    """Add keys of ours; uvicorn types the scope as closed."""
    cast("dict[str, Any]", scope).update(entries)
