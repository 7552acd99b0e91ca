"""The MCP endpoint: one POST, one JSON-RPC message, one JSON answer."""

import asyncio
import re
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from plain_proxy import calls, eras, journal, mcp, rpc, strict_json
from plain_proxy.bearer import Caller, Refusal, identify
from plain_proxy.go_api import Errand
from plain_proxy.rpc import Problem
from plain_proxy.settings import Settings

MAX_BODY_BYTES = 2_500_000  # a note of 1 MB, with some of it escaped
MAX_DEPTH = 128  # of the whole message; arguments are some levels less
BODY_SECONDS = 15  # 2.5 MB at 170 kB/s; who is slower holds a connection for nothing

_JSON = re.compile(r'application/json\s*(;\s*charset="?utf-8"?\s*)?', re.IGNORECASE)


class Endpoint:
    """Answers for /mcp and for POST /."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def post(self, request: Request) -> Response:
        """Answer one message."""
        message: Any = None
        fault: Problem | None = None
        try:
            body = await _body(request)
            try:
                message = _parsed(request, body)
            except Problem as problem:
                fault = problem
            caller = self._caller(request, public=fault is None and mcp.is_public(message))
            if fault is not None:
                raise fault
            rpc.check(message)
            return await self._served(request, message, caller)
        except Problem as problem:
            return problem.answer(rpc.id_of(message))
        except ClientDisconnect:
            return Response(status_code=400)  # which nobody reads

    async def other(self, request: Request) -> Response:
        """Answer another method: there is no stream and no session to end."""
        try:
            self._caller(request, public=False)
        except Problem as problem:
            return problem.answer()
        return Response(status_code=405, headers={"Allow": "POST"})

    def _caller(self, request: Request, public: bool) -> Caller | None:
        authorization = request.headers.get("authorization")
        if authorization is None and public:
            return None
        try:
            return identify(authorization, self._settings)
        except Refusal as refusal:
            raise _denial(refusal, request.state.correlation_id) from None

    async def _served(self, request: Request, message: Any, caller: Caller | None) -> Response:
        modern = eras.is_modern(request.headers, message)
        if not _takes_json(request.headers.getlist("accept")):
            raise Problem(406, rpc.INVALID_REQUEST, "Answers are application/json")
        if "id" not in message:
            return Response(status_code=202)
        if message["method"] == "tools/call":
            result = await self._call(request, message, modern, caller)
        else:
            result = mcp.answer(message, modern)
        if modern:
            result = eras.complete(result, mcp.SERVER)
        return JSONResponse({"jsonrpc": "2.0", "id": message["id"], "result": result})

    async def _call(
        self, request: Request, message: Any, modern: bool, caller: Caller | None
    ) -> dict[str, Any]:
        tool, given = mcp.tool_of(message, modern)
        state = request.state
        if tool.verb is None or caller is None:
            return calls.health(given, state.correlation_id)
        deadline = asyncio.get_running_loop().time() + self._settings.timeout_seconds
        errand = Errand(caller, deadline, state.correlation_id, state.seconds)
        working = asyncio.create_task(calls.call(tool, given, errand, state.api))
        leaving = asyncio.create_task(_gone(request))
        try:
            await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise ClientDisconnect
            return working.result()
        finally:
            for task in (working, leaving):
                task.cancel()
            await asyncio.gather(working, leaving, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _body(request: Request) -> bytes:
    body = bytearray()
    large = Problem(413, rpc.INVALID_REQUEST, "The body is too large")
    if int(request.headers.get("content-length", "0")) > MAX_BODY_BYTES:
        raise large
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise large
    except TimeoutError:
        raise Problem(408, rpc.INVALID_REQUEST, "The body came too slowly") from None
    return bytes(body)


def _parsed(request: Request, body: bytes) -> Any:
    kind, coding = request.headers.get("content-type", ""), request.headers.get("content-encoding")
    if not _JSON.fullmatch(kind) or (coding or "identity").lower() != "identity":
        text = "Content-Type must be application/json, without Content-Encoding"
        raise Problem(400, rpc.INVALID_REQUEST, text)
    try:
        return strict_json.parse(body, MAX_DEPTH)
    except ValueError as rule:
        raise Problem(400, rpc.PARSE_ERROR, f"The body cannot be read: {rule}") from None


def _takes_json(accept: list[str]) -> bool:
    """Whether JSON is acceptable (RFC 9110 section 12.5.1); no header means anything."""
    ranges = [part.partition(";") for part in ",".join(accept).lower().split(",")]
    return not accept or any(
        name.strip() in ("*/*", "application/*", "application/json")
        and not re.search(r"q=0(\.0*)?\s*$", parameters)
        for name, _, parameters in ranges
    )


def _denial(refusal: Refusal, correlation_id: str) -> Problem:
    reason, code = refusal.reason, refusal.code
    journal.warning("denied", code=code, reason=reason, correlation_id=correlation_id)
    if code == "forbidden_tenant":
        return Problem(403, rpc.FORBIDDEN, "The token belongs to another tenant", {"code": code})
    denial = Problem(401, rpc.UNAUTHENTICATED, "Authentication is required", {"code": code})
    challenge = 'Bearer realm="toolbridge"'
    if code == "invalid_token":
        challenge += ', error="invalid_token", error_description="The token was not accepted"'
    denial.headers["WWW-Authenticate"] = challenge
    return denial
