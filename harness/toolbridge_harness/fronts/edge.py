"""An edge as Fly's: it ends TLS, answers plain HTTP with a redirect, and adds its headers."""

import asyncio
import re
import secrets
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import trustme

from toolbridge_harness.fronts.listener import Listener
from toolbridge_harness.fronts.relaying import (
    Address,
    closing_after,
    connected,
    relay_one,
    request_head,
)
from toolbridge_harness.fronts.tls import server_context

# RFC 6761: a name that nobody has. Clients of `named_client` find it all the same.
PUBLIC_NAME = "toolbridge.example"
PUBLIC_URL = f"https://{PUBLIC_NAME}"
REGION = "ord"
# The proxy must see a stranger in its edge, as on Fly; other systems than Linux have one
# loopback address, and the edge is then known by that.
_STRANGER = "127.0.0.2"
# Fly writes these itself (docs: networking/request-headers), and takes the last ones as orders.
_OWN = re.compile(
    rb"\r\n(?:fly-client-ip|fly-forwarded-port|fly-region|fly-request-id|x-forwarded-proto"
    rb"|x-forwarded-port|x-forwarded-ssl|fly-force-instance-id|fly-prefer-region):[^\r]*",
    re.IGNORECASE,
)
_FORWARDED_FOR = re.compile(rb"\r\nx-forwarded-for:[ \t]*([^\r]*)", re.IGNORECASE)
_HOST = re.compile(rb"\r\nhost:[ \t]*([^\r]*)", re.IGNORECASE)


def fly_headers(client: str, *, secure: bool = True) -> dict[str, str]:
    """Return the headers that Fly's edge adds to a request of the address `client`."""
    port, scheme = ("443", "https") if secure else ("80", "http")
    return {
        "Fly-Client-IP": client,
        "Fly-Forwarded-Port": port,
        "Fly-Region": REGION,
        "X-Forwarded-For": client,
        "X-Forwarded-Proto": scheme,
        "X-Forwarded-Port": port,
        "X-Forwarded-SSL": "on" if secure else "off",
        "Via": "2 fly.io",
    }


@dataclass
class EdgeFront:
    """The edge before the proxy at `backend`; `force_https` as in fly.toml."""

    backend: Address
    names: tuple[str, ...] = (PUBLIC_NAME, "localhost", "127.0.0.1")
    force_https: bool = True
    authority: trustme.CA = field(default_factory=trustme.CA)
    certificate: trustme.LeafCert | None = None
    source: str | None = None

    def __post_init__(self) -> None:
        leaf = self.certificate or self.authority.issue_cert(*self.names)
        self.listener = Listener(self._serve, context=server_context(leaf), either=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await request_head(reader)
        secure = writer.get_extra_info("ssl_object") is not None
        if self.force_https and not secure:
            writer.write(_redirect(head))
            return
        client = writer.get_extra_info("peername")[0]
        async with connected(self.backend, self.source) as server:
            sent = _with_own(head, client, secure=secure)
            await relay_one(sent, (reader, writer), server, _answered)


def _redirect(head: bytes) -> bytes:
    """Return what Fly answers to plain HTTP under force_https."""
    host = _HOST.search(head)
    target = head.split(b" ", 2)[1]
    location = b"https://" + (host[1] if host else PUBLIC_NAME.encode()) + target
    lines = [b"HTTP/1.1 301 Moved Permanently", b"location: " + location, b"content-length: 0"]
    return b"\r\n".join([*lines, b"connection: close", b"", b""])


def _with_own(head: bytes, client: str, *, secure: bool) -> bytes:
    """Return a request's head as the proxy gets it: what only the edge may say, it says itself."""
    before = b", ".join(_FORWARDED_FOR.findall(head))
    kept = _FORWARDED_FOR.sub(b"", _OWN.sub(b"", head)).removesuffix(b"\r\n")
    added = fly_headers(client, secure=secure) | {"Fly-Request-Id": _request_id()}
    if before:  # appended to, as everybody on the way does
        added["X-Forwarded-For"] = f"{before.decode('latin-1')}, {client}"
    lines = "".join(f"{name}: {value}\r\n" for name, value in added.items())
    return kept + lines.encode("latin-1") + b"\r\n"


def _answered(head: bytes) -> bytes:
    own = f"Via: 1.1 fly.io\r\nFly-Request-Id: {_request_id()}\r\n\r\n"
    return closing_after(head).removesuffix(b"\r\n") + own.encode()


def _request_id() -> str:
    return f"{secrets.token_hex(13).upper()}-{REGION}"


async def stranger() -> str | None:
    """Return a loopback address that is not 127.0.0.1, where this machine has one."""
    async with Listener(_hang_up) as probe:
        try:
            async with connected(probe.address, _STRANGER):
                return _STRANGER
        except OSError:
            return None


async def _hang_up(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    """Answer nothing."""


@asynccontextmanager
async def edge_front(backend: Address) -> AsyncIterator[EdgeFront]:
    """Listen on a free port, in front of the proxy at `backend`."""
    front = EdgeFront(backend, source=await stranger())
    async with front.listener:
        yield front


class _Named(httpx.AsyncHTTPTransport):
    """Connects to one address whatever the URL's host is, and says that host all the same."""

    def __init__(self, address: Address, context: ssl.SSLContext | None) -> None:
        super().__init__(verify=context or ssl.create_default_context(), trust_env=False)
        self._address = address

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request whose Host header was already made of its URL."""
        name, (host, port) = request.url.host, self._address
        request.extensions = {**request.extensions, "sni_hostname": name}
        request.url = request.url.copy_with(host=host, port=port)
        return await super().handle_async_request(request)


@asynccontextmanager
async def named_client(
    address: Address, authority: trustme.CA | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client for which every name is at `address`, and that trusts `authority`."""
    context = None
    if authority is not None:
        context = ssl.create_default_context()
        authority.configure_trust(context)
    transport = _Named(address, context)
    async with httpx.AsyncClient(transport=transport, trust_env=False, headers={}) as http:
        for name in ("user-agent", "accept", "accept-encoding"):
            http.headers.pop(name, None)
        yield http
