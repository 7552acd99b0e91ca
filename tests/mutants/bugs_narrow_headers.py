"""Proxies that read one header wrongly, or send one that is not the caller's."""

from contextvars import ContextVar
from typing import Any

from starlette.responses import Response

from mutants.table import mutant
from support.changed_calls import heard
from support.wrapping import in_place_of
from toolbridge_proxy import calls, edge, tokens, upstream

_COMPARED = (b"mcp-method", b"mcp-name")


@mutant(
    "first-compared-header-wins",
    "of two headers Mcp-Method or Mcp-Name the first is compared with the body",
    rows="MCP-16",
    cause="transport-header-missing",
)
def first_compared_wins() -> None:
    """The gateway in front may read the last; the version is known to be there once."""

    @in_place_of(edge.Edge, "__call__")
    async def call(original: Any, self: Any, scope: Any, receive: Any, send: Any) -> None:
        kept, seen = [], set()
        for name, value in scope.get("headers", ()):
            if name not in _COMPARED or name not in seen:
                kept.append((name, value))
            seen.add(name)
        await original(self, {**scope, "headers": kept}, receive, send)


@mutant(
    "null-is-no-token",
    "the words null and undefined in place of a token count as no token",
    rows="AUTH-02",
    cause="auth-garbage-token",
)
def null_is_no_token() -> None:
    """A broken client sends them, and is told to log in instead of that its token is bad."""

    @in_place_of(tokens.TokenVerifier, "caller")
    async def caller(original: Any, self: Any, authorization: str | None) -> tokens.Caller:
        word = (authorization or "").partition(" ")[2]
        absent = word in ("null", "undefined")
        found: tokens.Caller = await original(self, None if absent else authorization)
        return found


@mutant(
    "first-token-judged-last-sent",
    "of two tokens the first is verified, and the last is sent on",
    rows="AUTH-49",
    cause="auth-two-tokens",
)
def last_token_sent() -> None:
    """Two libraries, two ways to read a header that came twice."""
    last: ContextVar[str] = ContextVar("last", default="")

    @in_place_of(edge.Edge, "__call__")
    async def call(original: Any, self: Any, scope: Any, receive: Any, send: Any) -> None:
        pairs = scope.get("headers", ())
        sent = [value for name, value in pairs if name == b"authorization"]
        rest = [pair for pair in pairs if pair[0] != b"authorization"]
        first = [(b"authorization", value) for value in sent[:1]]
        last.set(sent[-1].decode("latin-1").partition(" ")[2] if sent[1:] else "")
        await original(self, {**scope, "headers": [*rest, *first]}, receive, send)

    @in_place_of(upstream.Upstream, "_headers")
    def headers(original: Any, self: Any, *given: Any) -> list[tuple[str, str]]:
        token = last.get()
        pairs: list[tuple[str, str]] = original(self, *given)
        own = "Authorization" if token else ""
        return [(name, f"Bearer {token}" if name == own else value) for name, value in pairs]


@mutant(
    "last-cookie-for-all",
    "the last cookie that the Go API set goes out with everybody's requests",
    rows="RES-19",
    cause="resilience-cookies",
)
def last_cookie_for_all() -> None:
    """Meant for a gateway that knows its machines by it."""
    cookie: list[str] = []

    @in_place_of(upstream, "_read")
    async def read(original: Any, response: Any, request: Any) -> Any:
        pair = response.headers.get("set-cookie", "").partition(";")[0]
        if pair.isascii() and pair.isprintable() and "=" in pair:
            cookie[:] = [pair]
        return await original(response, request)

    @in_place_of(upstream.Upstream, "_headers")
    def headers(original: Any, self: Any, *given: Any) -> list[tuple[str, str]]:
        return [*original(self, *given), *(("Cookie", pair) for pair in cookie)]


@mutant(
    "stream-lines-split",
    "where a client takes event streams, answers are cut wherever Unicode sees a line end",
    rows="MCP-28",
    cause="transport-framing",
)
def stream_lines_split() -> None:
    """str.splitlines knows eight more line ends than event streams do."""
    headers = heard()

    @in_place_of(calls, "_answer")
    def answer(original: Any, *given: Any) -> Response:
        plain: Response = original(*given)
        if "text/event-stream" not in headers.get().get("accept", ""):
            return plain
        lines = bytes(plain.body).decode().splitlines()
        data = "".join(f"data: {line}\n" for line in lines)
        return Response(f"{data}\n", media_type="text/event-stream")
