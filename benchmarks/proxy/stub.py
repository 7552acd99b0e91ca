"""A Go API that costs next to nothing: every list is the same 3.4 kB, every session the same.

A uid whose first eight digits are a status of FAILURES is answered with it; others in SLOW and
CUT late or not to the end. A list of 1,000 is 340 kB, more than fits between two sockets.
"""

import asyncio
import json
import sys
from collections.abc import Iterable

import uvicorn
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope

ITEMS = 10
MANY_ITEMS = 1000
FAILURES = {"00000404": 404, "00000500": 500, "00000503": 503}
SLOW, CUT = "0000510e", "00000c07"
SLOW_SECONDS = 0.05
# Ten notes of this size make the 3.4 kB answer of the reference measurements.
CONTENT = "x" * 130


def _note(number: int) -> dict[str, object]:
    uid = f"00000000-0000-4000-8000-{number:012x}"
    stamp = "2026-01-01T00:00:00Z"
    payload = {
        "content": CONTENT,
        "sync": {"isDeleted": False, "version": 1},
        "uid": uid,
        "updatedTs": stamp,
    }
    return {"uid": uid, "version": 1, "updatedAt": stamp, "payload": payload}


def _page(items: int) -> bytes:
    notes = [_note(number) for number in range(items)]
    return json.dumps({"items": notes}, separators=(",", ":")).encode()


SESSION = json.dumps(
    {
        "id": "00000000-0000-4000-8000-0000000000ff",
        "userId": "00000000-0000-4000-8000-0000000000fe",
        "createdAt": "2026-01-01T00:00:00Z",
        "expiresAt": "2999-01-01T00:00:00Z",
        "epoch": 1,
    }
).encode()


def _answer(status: int, body: bytes) -> tuple[dict[str, object], dict[str, object]]:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    return (
        {"type": "http.response.start", "status": status, "headers": headers},
        {"type": "http.response.body", "body": body},
    )


_PAGE, _MANY, _SESSION = (
    _answer(200, _page(ITEMS)),
    _answer(200, _page(MANY_ITEMS)),
    _answer(201, SESSION),
)
_NOTE = _answer(200, json.dumps(_note(1)).encode())
_CREATED = _answer(201, json.dumps(_note(1)).encode())
_FAILED = {
    group: _answer(status, b'{"error":"planned","correlation_id":""}')
    for group, status in FAILURES.items()
}


async def app(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Answer by the path alone."""
    assert scope["type"] == "http"
    for message in await _chosen(scope["method"], scope["path"], scope["query_string"]):
        # Messages are plain dicts here; send expects one of its TypedDicts.
        await send(message)  # type: ignore[arg-type]


async def _chosen(method: str, path: str, query: bytes) -> Iterable[dict[str, object]]:
    _, _, collection, *rest = path.split("/")
    if method == "POST":
        return _SESSION if collection == "sync" else _CREATED
    if not rest:
        return _MANY if query.startswith(b"limit=1000") else _PAGE
    group = rest[0][:8]
    if group == SLOW:
        await asyncio.sleep(SLOW_SECONDS)
    head, body = _FAILED.get(group, _NOTE)
    # Ending before the promised length makes the server close the connection.
    return (head, {**body, "body": b"{", "more_body": True}) if group == CUT else (head, body)


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False, lifespan="off")
