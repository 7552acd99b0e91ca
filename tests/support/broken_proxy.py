"""The reference proxy with one bug: `python broken_proxy.py BUG`, configured as the real one."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import httpx
import jwt
from starlette.responses import Response

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.patching import patch
from toolbridge_proxy import __main__ as entry
from toolbridge_proxy import calls, edge, errors, gate, sessions, signing, tokens, tools, upstream


def signature() -> None:
    """The MAC is not the one that the Go API computes."""

    def make(original: Any) -> Any:
        def headers(self: signing.Signer) -> list[tuple[str, str]]:
            tenant, timestamp, (name, value) = original(self)
            return [tenant, timestamp, (name, value[::-1])]

        return headers

    patch(signing.Signer, "headers", make)


def seconds() -> None:
    """The timestamp is in seconds."""

    def make(original: Any) -> Any:
        def init(self: signing.Signer, tenant_id: str, secret: str) -> None:
            original(self, tenant_id, secret, clock=lambda: time.time_ns() // 1000)

        return init

    patch(signing.Signer, "__init__", make)


def shared_session() -> None:
    """All callers share one sync session."""
    patch(sessions, "_principal", lambda _: lambda call: (None, "everybody"))


def any_tenant() -> None:
    """The tenant claim is not compared."""

    def make(original: Any) -> Any:
        async def caller(self: tokens.TokenVerifier, authorization: str | None) -> tokens.Caller:
            try:
                verified: tokens.Caller = await original(self, authorization)
            except tokens.Denied as denied:
                if denied.code != "forbidden_tenant" or authorization is None:
                    raise
                token = authorization.split()[1]
                claims = jwt.decode(token, options={"verify_signature": False})
                return tokens.Caller(claims.get("iss"), claims["sub"], token)
            return verified

        return caller

    patch(tokens.TokenVerifier, "caller", make)


def any_token() -> None:
    """Tokens are decoded, not verified."""

    def make(original: Any) -> Any:
        async def caller(self: tokens.TokenVerifier, authorization: str | None) -> tokens.Caller:
            if authorization is None:
                raise tokens.Denied("unauthenticated", "no_token")
            token = authorization.partition(" ")[2]
            header, claims = tokens._parse(token)
            await self._key(header)
            if claims.tenant_id != os.environ["TOOLBRIDGE_TENANT_ID"]:
                raise tokens.Denied("forbidden_tenant", "tenant_mismatch")
            return tokens.Caller(claims.iss, claims.sub, token)

        return caller

    patch(tokens.TokenVerifier, "caller", make)


def cached_verdict() -> None:
    """A token that was accepted once is accepted for ever (M-A25)."""
    known: dict[str | None, tokens.Caller] = {}

    def make(original: Any) -> Any:
        async def caller(self: tokens.TokenVerifier, authorization: str | None) -> tokens.Caller:
            if authorization not in known:
                known[authorization] = await original(self, authorization)
            return known[authorization]

        return caller

    patch(tokens.TokenVerifier, "caller", make)


def debug_sub() -> None:
    """X-Debug-Sub chooses whose session is used (M-A26)."""

    claimed: ContextVar[bytes | None] = ContextVar("claimed")

    def make(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            claimed.set(dict(scope.get("headers", ())).get(b"x-debug-sub"))
            await original(self, scope, receive, send)

        return call

    def principal(call: upstream.Call) -> tuple[str | None, str]:
        return call.caller.issuer, (claimed.get() or call.caller.subject.encode()).decode()

    patch(edge.Edge, "__call__", make)
    patch(sessions, "_principal", lambda _: principal)


def first_token() -> None:
    """The shared client keeps the first caller's Authorization (M-E02)."""
    first: dict[str, str] = {}

    def make(original: Any) -> Any:
        def headers(self: Any, request: Any, call: Any) -> list[tuple[str, str]]:
            built = original(self, request, call)
            kept = first.setdefault("token", dict(built)["Authorization"])
            return [(n, kept if n == "Authorization" else v) for n, v in built]

        return headers

    patch(upstream.Upstream, "_headers", make)


def global_flight() -> None:
    """The session being made is shared between users (M-E07)."""

    def make(_: Any) -> Any:
        async def wait(self: Any, principal: Any, call: Any) -> sessions.Session:
            task = self._making.get("all")
            if task is None:
                task = asyncio.create_task(self._make(principal, call))
                self._making["all"] = task
                task.add_done_callback(lambda _: self._making.pop("all"))
            session: sessions.Session = await asyncio.shield(task)
            self._known[principal] = session
            return session

        return wait

    patch(sessions.Sessions, "_wait", make)


def sticky() -> None:
    """Identity sticks to the TCP connection (M-P12)."""
    known: dict[Any, Any] = {}

    def make(original: Any) -> Any:
        async def admit(self: Any, scope: Any, body: bytes) -> Any:
            peer = tuple(scope["client"])
            if peer in known:
                scope["toolbridge.caller"] = known[peer]
                headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
                return gate._parsed(headers, body)[0]
            message = await original(self, scope, body)
            if "toolbridge.caller" in scope:
                known[peer] = scope["toolbridge.caller"]
            return message

        return admit

    patch(gate.Gate, "_admit", make)


def _health(document: dict[str, str]) -> errors.Result:
    text = json.dumps(document)
    return errors.Result(text, text.encode())


def health_leak() -> None:
    """health_check tells the upstream's address (M-R04)."""

    async def health(arguments: Any, scope: Any) -> errors.Result:
        return _health({"status": "ok", "upstream": os.environ["TOOLBRIDGE_GO_API_BASE_URL"]})

    patch(tools, "_health", lambda _: health)


def health_upstream() -> None:
    """health_check asks the Go API, without a bound (M-R06)."""
    client = httpx.AsyncClient(timeout=None, trust_env=False)

    async def health(arguments: Any, scope: Any) -> errors.Result:
        await client.get(os.environ["TOOLBRIDGE_GO_API_BASE_URL"] + "/healthz")
        return _health({"status": "ok"})

    patch(tools, "_health", lambda _: health)


def retry_timeout() -> None:
    """A POST that times out is sent again (M-Q01)."""

    def make(original: Any) -> Any:
        async def attempt(self: Any, request: Any, call: Any, session: Any) -> Any:
            if request.method != "POST" or "/sync/" in request.path:
                return await original(self, request, call, session)
            end = call.deadline
            call.deadline = min(end, time.monotonic() + self.timeout_seconds / 2.2)
            try:
                return await original(self, request, call, session)
            except errors.ToolFailure as failure:
                if failure.code != "outcome_unknown":
                    raise
            finally:
                call.deadline = end
            return await original(self, request, call, session)

        return attempt

    patch(upstream.Upstream, "_attempt", make)


def relay_headers() -> None:
    """Headers of the Go API's answers are passed on (M-Q06)."""
    framing = (b"content-length", b"content-type", b"transfer-encoding", b"connection")
    relayed: ContextVar[list[tuple[bytes, bytes]]] = ContextVar("relayed")

    def make_read(original: Any) -> Any:
        async def read(response: httpx.Response, request: Any) -> Any:
            seen = response.headers.raw
            relayed.get()[:] = [(n, v) for n, v in seen if n.lower() not in framing]
            return await original(response, request)

        return read

    def make_call(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            relayed.set([])

            async def more(message: Any) -> None:
                if message["type"] == "http.response.start":
                    message["headers"] = [*message["headers"], *relayed.get()]
                await send(message)

            await original(self, scope, receive, more)

        return call

    patch(upstream, "_read", make_read)
    patch(edge.Edge, "__call__", make_call)


def bool_of_text() -> None:
    """bool("false") is true (M-I10)."""

    def make(original: Any) -> Any:
        def validated(model: Any, arguments: dict[str, Any]) -> Any:
            given = dict(arguments)
            if isinstance(given.get("include_deleted"), str):
                given["include_deleted"] = bool(given["include_deleted"])
            return original(model, given)

        return validated

    patch(tools, "_validated", make)


def raw_log() -> None:
    """Callers' text is logged raw (M-L04)."""

    def make(original: Any) -> Any:
        async def operate(self: Any, arguments: dict[str, Any], scope: Any) -> errors.Result:
            sys.stdout.write(f"call {self.model.__name__} {arguments.get('uid')}\n")
            sys.stdout.flush()
            result: errors.Result = await original(self, arguments, scope)
            return result

        return operate

    patch(tools.Operate, "__call__", make)


def cors() -> None:
    """A preflight lets every page in (M-P03)."""

    def make(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http" or scope["method"] != "OPTIONS":
                await original(self, scope, receive, send)
                return
            origin = dict(scope["headers"]).get(b"origin", b"*").decode()
            headers = {
                "Access-Control-Allow-Origin": origin,
                "Access-Control-Allow-Credentials": "true",
                "Access-Control-Allow-Headers": "authorization, content-type",
            }
            await Response(status_code=204, headers=headers)(scope, receive, send)

        return call

    patch(edge.Edge, "__call__", make)


def late_notification() -> None:
    """A notification is executed a moment after it was answered."""
    tasks: set[asyncio.Task[None]] = set()

    def make(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            body = await gate._body(receive)
            try:
                message = json.loads(body)
            except ValueError:
                message = None
            named = isinstance(message, dict) and message.get("method") == "tools/call"
            if not named or "id" in message:
                await original(self, scope, calls._replay(body, receive), send)
                return
            task = asyncio.create_task(later(self, scope, message | {"id": 77}))
            tasks.add(task)
            await Response(status_code=202)(scope, receive, send)

        async def later(self: Any, scope: Any, message: dict[str, Any]) -> None:
            await asyncio.sleep(0.15)
            body = json.dumps(message).encode()
            length = b"%d" % len(body)
            headers = [(n, length if n == b"content-length" else v) for n, v in scope["headers"]]

            async def nothing(*_: Any) -> Any:
                await asyncio.sleep(0)

            inner = {**scope, "headers": headers}
            await original(self, inner, calls._replay(body, nothing), nothing)

        return call

    patch(gate.Gate, "__call__", make)


def create_note_fails() -> None:
    """create_note never succeeds."""

    def make(original: Any) -> Any:
        def validated(model: Any, arguments: dict[str, Any]) -> Any:
            if model.__name__ == "create_note":
                raise errors.ToolFailure("internal")
            return original(model, arguments)

        return validated

    patch(tools, "_validated", make)


BUGS: dict[str, Callable[[], None]] = {
    "signature": signature,
    "seconds": seconds,
    "shared-session": shared_session,
    "any-tenant": any_tenant,
    "any-token": any_token,
    "cached-verdict": cached_verdict,
    "debug-sub": debug_sub,
    "first-token": first_token,
    "global-flight": global_flight,
    "sticky": sticky,
    "health-leak": health_leak,
    "health-upstream": health_upstream,
    "retry-timeout": retry_timeout,
    "relay-headers": relay_headers,
    "bool-of-text": bool_of_text,
    "raw-log": raw_log,
    "cors": cors,
    "late-notification": late_notification,
    "create-note-fails": create_note_fails,
}

if __name__ == "__main__":
    BUGS[sys.argv.pop()]()
    sys.exit(entry.main())
