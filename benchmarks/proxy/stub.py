"""A Go API that costs next to nothing: every list is the same 3.4 kB, every session the same."""

import json
import sys

import uvicorn
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope

ITEMS = 10
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


PAGE = json.dumps({"items": [_note(n) for n in range(ITEMS)]}, separators=(",", ":")).encode()
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


_PAGE, _SESSION = _answer(200, PAGE), _answer(201, SESSION)


async def app(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Answer POST with the session and anything else with the page."""
    assert scope["type"] == "http"
    for message in _SESSION if scope["method"] == "POST" else _PAGE:
        await send(message)  # type: ignore[arg-type]


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False, lifespan="off")
