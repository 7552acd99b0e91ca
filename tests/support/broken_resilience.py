"""The reference proxy with one bug against a bad Go API: `python broken_resilience.py BUG`."""

import asyncio
import json
import secrets
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
from starlette.responses import Response

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.patching import patch
from toolbridge_proxy import __main__ as entry
from toolbridge_proxy import answers, calls, edge, errors, gate, sessions, tools, upstream


def shared_jar() -> None:
    """One cookie jar serves all callers."""
    jar = httpx.Cookies()

    def make_read(original: Any) -> Any:
        async def read(response: httpx.Response, request: Any) -> answers.Answer:
            response.request = httpx.Request("GET", "http://go-api.internal/")
            jar.extract_cookies(response)
            answer: answers.Answer = await original(response, request)
            return answer

        return read

    def make_headers(original: Any) -> Any:
        def headers(*given: Any) -> list[tuple[str, str]]:
            built: list[tuple[str, str]] = original(*given)
            pairs = "; ".join(f"{name}={value}" for name, value in jar.items())
            return [*built, ("Cookie", pairs)] if pairs else built

        return headers

    patch(upstream, "_read", make_read)
    patch(upstream.Upstream, "_headers", make_headers)


def _retried(methods: set[str], attempts: int) -> None:
    def make(original: Any) -> Any:
        async def attempt(self: Any, request: Any, call: Any, session: Any) -> Any:
            for _ in range(attempts if request.method in methods else 0):
                try:
                    return await original(self, request, call, session)
                except errors.ToolFailure as failure:
                    if failure.status is None or failure.session_lost:
                        raise
            return await original(self, request, call, session)

        return attempt

    patch(upstream.Upstream, "_attempt", make)


def retry_post() -> None:
    """A POST that is answered with an error is sent again."""
    _retried({"POST"}, 1)


def retry_reads() -> None:
    """Each read is tried three times, whatever the others do."""
    _retried({"GET"}, 2)


def retry_sessions() -> None:
    """Making a session is tried three times, whatever the others do."""

    def make(original: Any) -> Any:
        async def made(self: Any, principal: Any, call: Any) -> Any:
            for _ in range(2):
                try:
                    return await original(self, principal, call)
                except errors.ToolFailure:
                    continue
            return await original(self, principal, call)

        return made

    patch(sessions.Sessions, "_make", make)


def unpack() -> None:
    """Answers are read whole and unpacked."""

    async def read(response: httpx.Response, request: Any) -> answers.Answer:
        body = await response.aread()
        headers = response.headers
        kind, retry_after = headers.get("content-type", ""), headers.get("retry-after")
        return answers.Answer(response.status_code, body, kind, retry_after)

    patch(upstream, "_read", lambda _: read)


def _session_header(choose: Callable[[bytes | None], bytes | None]) -> None:
    """Put what `choose` makes of the caller's MCP session id on every answer."""

    def make(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            given = dict(scope.get("headers", ())).get(b"mcp-session-id")
            session = choose(given)

            async def more(message: Any) -> None:
                if message["type"] == "http.response.start" and session:
                    kept = [*message["headers"], (b"mcp-session-id", session)]
                    message = {**message, "headers": kept}
                await send(message)

            await original(self, scope, receive, more)

        return call

    patch(edge.Edge, "__call__", make)


def mcp_identity() -> None:
    """Whoever sends an MCP session id acts as the user who opened the session."""
    _session_header(lambda given: None if given else secrets.token_hex(16).encode())
    owners: dict[bytes, Any] = {}

    def make(original: Any) -> Any:
        async def admit(self: Any, scope: Any, body: bytes) -> Any:
            message = await original(self, scope, body)
            session = dict(scope["headers"]).get(b"mcp-session-id")
            if session is not None and "toolbridge.caller" in scope:
                owner = owners.setdefault(session, scope["toolbridge.caller"])
                scope["toolbridge.caller"] = owner
            return message

        return admit

    patch(gate.Gate, "_admit", make)


def mcp_delete() -> None:
    """Anybody who knows an MCP session id can end the session."""
    _session_header(lambda given: None if given else secrets.token_hex(16).encode())
    ended: set[bytes] = set()

    def make(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            session = dict(scope.get("headers", ())).get(b"mcp-session-id")
            if session and scope["method"] == "DELETE":
                ended.add(session)
                await Response(status_code=200)(scope, receive, send)
            elif session in ended:
                await Response(status_code=404)(scope, receive, send)
            else:
                await original(self, scope, receive, send)

        return call

    patch(edge.Edge, "__call__", make)


def mcp_adopt() -> None:
    """An MCP session id that the client sends is taken over."""
    _session_header(lambda given: given)


def unshielded() -> None:
    """A caller who hangs up cancels the session that others wait for."""

    def make_call(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                await original(self, scope, receive, send)
                return
            body = await gate._body(receive)
            again = calls._replay(body, asyncio.Event().wait)  # type: ignore[arg-type]
            work = asyncio.create_task(original(self, scope, again, send))
            gone = asyncio.create_task(receive())
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            (gone if work.done() else work).cancel()
            await asyncio.gather(work, gone, return_exceptions=True)

        return call

    async def wait(self: Any, principal: Any, call: Any) -> sessions.Session:
        task = self._making.get(principal)
        if task is None:
            task = asyncio.create_task(self._make(principal, call))
            self._making[principal] = task
            task.add_done_callback(lambda _: self._making.pop(principal))
        try:
            session: sessions.Session = await task
        except asyncio.CancelledError:
            raise errors.ToolFailure("internal") from None
        return session

    patch(edge.Edge, "__call__", make_call)
    patch(sessions.Sessions, "_wait", lambda _: wait)


def keep_forbidden() -> None:
    """The 403 about a session is passed on, and the session kept."""

    def make(original: Any) -> Any:
        return lambda status, detail: status != 403 and original(status, detail)

    patch(answers, "_is_session_loss", make)


def unchecked_session() -> None:
    """Whatever the session answer holds goes into the headers."""

    class Loose:
        def __init__(self, data: Any) -> None:
            self.id, self.epoch = data["id"], data["epoch"]
            self.expiresAt = data.get("expiresAt")

    class Validated:
        model_validate = Loose

    patch(sessions, "Made", lambda _: Validated)


def _built(change: Callable[[str, Any, upstream.ApiRequest], upstream.ApiRequest]) -> None:
    """Let `change` have the operation's name, its arguments and the request made of them."""

    def make(original: Any) -> Any:
        def build(entity: Any, name: str, given: Any) -> upstream.ApiRequest:
            return change(name, given, original(entity, name, given))

        return build

    patch(tools, "build", make)


def patch_truthy() -> None:
    """A patch loses what is empty, zero or false."""

    def change(name: str, given: Any, request: upstream.ApiRequest) -> upstream.ApiRequest:
        if name != "patch":
            return request
        kept = {key: value for key, value in given["updates"].items() if value}
        return replace(request, body=json.dumps(kept).encode())

    _built(change)


def named_tenant() -> None:
    """A tenant named in additional_fields goes into a header."""

    def change(name: str, given: Any, request: upstream.ApiRequest) -> upstream.ApiRequest:
        tenant = given.get("additional_fields", {}).get("tenant_id")
        named = (("X-Tenant", tenant),) if tenant else ()
        return replace(request, headers=(*request.headers, *named))

    _built(change)


def split_header() -> None:
    """Lines of a cursor become headers."""

    def make(original: Any) -> Any:
        def validated(model: Any, arguments: dict[str, Any]) -> Any:
            kept = dict(arguments)
            cursor = kept.pop("cursor", None)
            if not isinstance(cursor, str) or "\r\n" not in cursor:
                return original(model, arguments)
            return {**original(model, kept), "cursor": cursor}

        return validated

    def change(name: str, given: Any, request: upstream.ApiRequest) -> upstream.ApiRequest:
        lines = given.get("cursor", "").splitlines()[1:]
        pairs = tuple((key, value) for key, _, value in (line.partition(": ") for line in lines))
        return replace(request, headers=(*request.headers, *pairs))

    patch(tools, "_validated", make)
    _built(change)


BUGS: dict[str, Callable[[], None]] = {
    "shared-jar": shared_jar,
    "retry-post": retry_post,
    "retry-reads": retry_reads,
    "retry-sessions": retry_sessions,
    "unpack": unpack,
    "mcp-identity": mcp_identity,
    "mcp-delete": mcp_delete,
    "mcp-adopt": mcp_adopt,
    "unshielded": unshielded,
    "keep-forbidden": keep_forbidden,
    "unchecked-session": unchecked_session,
    "patch-truthy": patch_truthy,
    "named-tenant": named_tenant,
    "split-header": split_header,
}

if __name__ == "__main__":
    BUGS[sys.argv.pop()]()
    sys.exit(entry.main())
