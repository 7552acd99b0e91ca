"""Every way into the proxy for a text: what a caller sends, what the Go API answers or does."""

import json
from collections.abc import Callable
from typing import Any

import httpx

from support.body_answers import answering
from support.body_leaks import Observed
from support.body_proxy import Chunks, GoApi, Outcome, well
from support.body_secrets import ENCODINGS
from support.body_spelling import spell
from support.proxy_app import signed
from support.proxy_upstream import ITEM, SESSIONS, UID, reply, session_body

Way = Callable[[Observed, str], Outcome]
_HEADERS = (
    "User-Agent", "Cookie", "Referer", "Origin", "Host", "Accept", "Content-Type", "X-Debug-Sub",
    "Mcp-Session-Id", "MCP-Protocol-Version", "Mcp-Method", "Mcp-Name", "X-Correlation-ID",
    "X-TB-Signature", "Last-Event-ID", "traceparent", "Content-Encoding",
)  # fmt: skip
_UNKNOWN: dict[str, Any] = {"jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": {}}


def _bearer(observed: Observed) -> tuple[bytes, bytes]:
    return b"Authorization", f"Bearer {observed.token}".encode()


def _header(name: str) -> Way:
    def send(observed: Observed, text: str) -> Outcome:
        lines = [(name.encode(), text.encode()), _bearer(observed)]
        return observed.proxy.say(spell(_call("get_note", uid=UID)), lines)

    return send


def _call(tool: str, **arguments: Any) -> dict[str, Any]:
    params = {"name": tool, "arguments": arguments}
    return {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}


def _authorization(make: Callable[[str], str]) -> Way:
    def send(observed: Observed, text: str) -> Outcome:
        lines = [(b"Authorization", make(text).encode())]
        return observed.proxy.say(spell(_call("get_note", uid=UID)), lines)

    return send


def _forged(text: str) -> str:
    claims = {"sub": text, "tenant_id": text, "exp": text, "jti": text}
    return f"Bearer {signed(claims, 'another-secret-of-32-bytes-or-more')}"


def _tool(make: Callable[[str], dict[str, Any]]) -> Way:
    def send(observed: Observed, text: str) -> Outcome:
        return observed.proxy.say(spell(make(text)), [_bearer(observed)])

    return send


def _path(make: Callable[[str], str]) -> Way:
    def send(observed: Observed, text: str) -> Outcome:
        path = make(ENCODINGS["url"](text))
        return observed.proxy.say(spell(_UNKNOWN), [_bearer(observed)], path=path)

    return send


def _upstream(make: Callable[[str], GoApi], tool: str = "get_note", **more: Any) -> Way:
    def send(observed: Observed, text: str) -> Outcome:
        body = spell(_call(tool, uid=UID, **more))
        return observed.proxy.say(body, [_bearer(observed)], go_api=make(text))

    return send


def _json_error(status: int, field: str) -> Callable[[str], GoApi]:
    kind = [(b"Content-Type", b"application/json")]
    return lambda text: answering(status, json.dumps({"error": "x", field: text}).encode(), kind)


def _text_error(status: int) -> Callable[[str], GoApi]:
    return lambda text: answering(
        status, text.encode(), [(b"Content-Type", b"text/html"), (b"Server", text.encode())]
    )


def _good(text: str) -> GoApi:
    item = ITEM | {"payload": {"title": text, "content": text}}
    return answering(200, json.dumps(item).encode(), [(b"Content-Type", b"application/json")])


def _session(**changes: str) -> Callable[[str], GoApi]:
    """Return a Go API whose session holds the text in the fields that `changes` names."""

    def make(text: str) -> GoApi:
        body = session_body(1, **dict.fromkeys(changes, text))

        def answer(request: httpx.Request) -> httpx.Response:
            # Lost at once, so that a new session is made by this very call.
            made = reply(201, body) if request.url.path == SESSIONS else reply(428, {})
            return made.response()

        return answer

    return make


def _fails(error: type[Exception], *, chained: bool = False) -> Callable[[str], GoApi]:
    def make(text: str) -> GoApi:
        def answer(request: httpx.Request) -> httpx.Response:
            if request.url.path == SESSIONS:
                return well(request)
            raise error(text) from (ValueError(text) if chained else None)

        return answer

    return make


def _breaks_off(text: str) -> GoApi:
    class Broken(Chunks):
        async def __aiter__(self) -> Any:
            yield text.encode()
            raise httpx.ReadError(text)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == SESSIONS:
            return well(request)
        return httpx.Response(200, headers={"Content-Type": "application/json"}, stream=Broken())

    return answer


FROM_THE_CALLER: dict[str, Way] = {
    **{f"header {name}": _header(name) for name in _HEADERS},
    "header X-Secret": _header("X-Secret"),
    "bearer": _authorization(lambda text: f"Bearer {text}"),
    "bearer in three parts": _authorization(lambda text: f"Bearer a.{text}.b"),
    "other scheme": _authorization(lambda text: f"Basic {text}"),
    "no scheme": _authorization(str),
    "forged token": _authorization(_forged),
    "query": _path(lambda text: f"/mcp?access_token={text}&{text}=1"),
    "path": _path(lambda text: f"/{text}"),
    "path below": _path(lambda text: f"/mcp/{text}"),
    "title": _tool(lambda text: _call("create_note", title=text, content=text, tags=[text])),
    "additional fields": _tool(
        lambda text: _call("create_note", title="T", content="C", additional_fields={text: text})
    ),
    "wrong type": _tool(lambda text: _call("create_note", title=[text], content=5)),
    "uid": _tool(lambda text: _call("get_note", uid=text)),
    "cursor": _tool(lambda text: _call("list_notes", cursor=text, limit=text)),
    "action": _tool(lambda text: _call("process_note", uid=UID, action=text)),
    "version": _tool(lambda text: _call("patch_note", uid=UID, updates={"a": 1}, if_match=text)),
    "unknown argument": _tool(lambda text: _call("get_note", **{"uid": UID, text: text})),
    "reserved key": _tool(lambda text: _call("patch_note", uid=UID, updates={"uid": text})),
    "unknown tool": _tool(_call),
    "method": _tool(lambda text: _UNKNOWN | {"method": text}),
    "notification": _tool(lambda text: {"jsonrpc": "2.0", "method": f"notifications/{text}"}),
    "params": _tool(lambda text: _UNKNOWN | {"method": "tools/call", "params": {"name": [text]}}),
    "client name": _tool(
        lambda text: _UNKNOWN | {"method": "initialize", "params": {"clientInfo": {"name": text}}}
    ),
    "protocol version": _tool(
        lambda text: _UNKNOWN | {"method": "initialize", "params": {"protocolVersion": text}}
    ),
    "id": _tool(lambda text: _UNKNOWN | {"id": text, "method": "nope"}),
    "batch": _tool(lambda text: {"batch": [_UNKNOWN, text]}),
    "version of JSON-RPC": _tool(lambda text: _UNKNOWN | {"jsonrpc": text}),
    "not JSON": lambda o, text: o.proxy.say(b'{"a": ' + text.encode(), [_bearer(o)]),
}  # fmt: skip
FROM_THE_GO_API: dict[str, Way] = {
    "success": _upstream(_good),
    "success of a write": _upstream(_good, "patch_note", updates={"a": 1}),
    "error text 400": _upstream(_json_error(400, "error")),
    "error text 500": _upstream(_json_error(500, "error")),
    "error field": _upstream(_json_error(500, "trace")),
    "error page": _upstream(_text_error(502)),
    "redirect": _upstream(
        lambda text: answering(302, b"", [(b"Location", b"http://x/?" + text.encode())])
    ),
    "success that is no JSON": _upstream(_text_error(200)),
    "session id": _upstream(_session(id="")),
    "session user": _upstream(_session(userId="")),
    "session expiry": _upstream(_session(expiresAt="", epoch="")),
    "connection error": _upstream(_fails(httpx.ConnectError, chained=True)),
    "read error": _upstream(_fails(httpx.ReadError), "patch_note", updates={"a": 1}),
    "protocol error": _upstream(_fails(httpx.LocalProtocolError)),
    "body that breaks off": _upstream(_breaks_off),
}  # fmt: skip
GO_API_IDS: dict[str, Way] = {
    "correlation id": _upstream(_json_error(404, "correlation_id")),
    "correlation id of a failure": _upstream(_json_error(500, "correlation_id")),
}
CRASHES: dict[str, Way] = {
    "crash": _upstream(_fails(RuntimeError, chained=True)),
    "crash of a write": _upstream(_fails(ValueError), "patch_note", updates={"a": 1}),
}
