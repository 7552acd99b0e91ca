"""The mock Go API behind respx: a client's own httpx calls reach `GoApi.respond`, no server."""

import httpx
import respx

from toolbridge_contract.mock.api import GoApi
from toolbridge_contract.mock.messages import Request

_DEFAULT_PORTS = {"http": 80, "https": 443}


def mount(router: respx.MockRouter, api: GoApi, base_url: str = "http://go-api.test") -> None:
    """Answer every request to `base_url` as `api` does: target, headers and body as sent.

    Works for sync and async clients, with respx's httpcore and httpx mockers. Answers carry no
    Date and no Content-Length: those are a server's to add. Raises ValueError for a base URL that
    is not scheme, host and optional port: the API lives at the root.
    """
    url = httpx.URL(base_url)
    if url.scheme not in _DEFAULT_PORTS or not url.host or url.raw_path not in (b"", b"/"):
        raise ValueError(f"base_url {base_url!r}: give scheme, host and optional port, no path")

    def answer(request: httpx.Request) -> httpx.Response:
        return _answer(api, request)

    # respx compares with the effective port, so the default one is spelled out. Not
    # url__startswith: that would take go-api.test.example for go-api.test.
    port = url.port or _DEFAULT_PORTS[url.scheme]
    router.route(scheme=url.scheme, host=url.host, port=port).mock(side_effect=answer)


def as_received(request: httpx.Request) -> Request:
    """Return a request, such as those of `router.calls`, as the API would receive it."""
    # httpcore sends this extension, where a caller gives it, in place of the URL's own target.
    target: bytes = request.extensions.get("target", request.url.raw_path)
    return Request(
        request.method,
        target.decode("utf-8", "surrogateescape"),
        request.headers.raw,
        request.content,
    )


def _answer(api: GoApi, request: httpx.Request) -> httpx.Response:
    found = api.respond(as_received(request))
    # A stream rather than content=, for which httpx would add a Content-Length.
    return httpx.Response(found.status, headers=found.headers, stream=httpx.ByteStream(found.body))
