"""The shapes that answers take, named once."""

import json
from collections.abc import Mapping
from typing import Any

from toolbridge_contract.provider.case import Want

REQUIRED = "X-Sync-Session header required. Please call POST /v1/sync/sessions to begin a session."
INVALID = (
    "Invalid or expired sync session. Please call POST /v1/sync/sessions to begin a new session."
)


def error(status: int, message: str, headers: str = "J RL", cid: str = "<cid>") -> Want:
    """The common error shape; `message` is as it stands in the JSON text."""
    shown = cid if cid != "<cid>" else "{cid}"
    return Want(status, headers, f'{{"error":"{message}","correlation_id":"{shown}"}}\n', cid)


def text(status: int, message: str) -> Want:
    """Plain text, as Go's http.Error writes it."""
    return Want(status, "Tn", f"{message}\n")


def closed(status: int, message: str) -> Want:
    """What net/http refuses itself: no correlation id, and the connection is closed."""
    return Want(status, "T close", message, cid=None)


def gone(label: str, what: str = "deleted") -> Want:
    """410, the one error without a correlation id in its body."""
    return Want(410, "J RL", f'{{"deletedAt":"<ts>","error":"{label} {what}"}}\n')


def body_of(
    version: int = 1,
    /,
    *,
    uid: str = "<uid>",
    spelling: str = "",
    deleted: bool = False,
    at: str = "<ts>",
    raw: Mapping[str, str] | None = None,
    **payload: Any,
) -> str:
    """The JSON text of an item without its newline.

    `raw` gives payload members in Go's own spelling where Python's differs; `at` names the time
    where two items have two.
    """
    sync: dict[str, object] = {"isDeleted": deleted, "version": version}
    if deleted:
        sync["deletedAt"] = at
    marks = {key: f"@raw-{number}" for number, key in enumerate(raw or {})}
    members = {
        **payload,
        **marks,
        "uid": spelling or uid,
        "updatedTs": at,
        "sync": sync,
    }
    shown = json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for key, mark in marks.items():
        shown = shown.replace(f'"{mark}"', (raw or {})[key])
    gone_at = f'"deletedAt":"{at}",' if deleted else ""
    head = f'"uid":"{uid}","version":{version},"updatedAt":"{at}",{gone_at}'
    return f'{{{head}"payload":{shown}}}'


def item(status: int, version: int = 1, headers: str = "J RL", /, **about: Any) -> Want:
    """An item; see `body_of`."""
    return Want(status, headers, body_of(version, **about) + "\n")


def items(*texts: str) -> Want:
    """A whole list answer of these items, `nextCursor` with it unless there is none."""
    more = ',"nextCursor":"<cur>"' if texts else ""
    return Want(200, "J RL", f'{{"items":[{",".join(texts)}]{more}}}\n')


def removed(version: int, uid: str) -> Want:
    """The answer of DELETE: no payload, one time twice."""
    body = f'{{"deletedAt":"<ts>","uid":"{uid}","updatedAt":"<ts>","version":{version}}}\n'
    return Want(200, "J RL", body)


def began(status: int = 201, epoch: str = "{session_epoch}", user: str = "{session_user}") -> Want:
    """A sync session: a new one for 201, the one that the case began with for 200."""
    session_id, made = ("<uid>", "<now>") if status == 201 else ("{session}", "<ns>")
    body = (
        f'{{"id":"{session_id}","userId":"{user}","createdAt":"{made}","expiresAt":"<ns2>",'
        f'"epoch":{epoch}}}\n'
    )
    return Want(status, f"J epoch={epoch}" if status == 201 else "J", body)


def stale(epoch: str = "{session_epoch}", cid: str = "") -> Want:
    """409: the correlation id is blanked unless the client sent one."""
    body = f'{{"correlation_id":"{cid}","epoch":{epoch},"error":"epoch_mismatch"}}\n'
    return Want(409, f"J RL epoch={epoch}", body, cid=cid)


def not_allowed(*methods: str) -> Want:
    """405: no body, one Allow line per method, none for a method that HTTP does not know."""
    allow = f" allow={','.join(methods)}" if methods else ""
    return Want(405, f"no-type{allow}")


def mismatch(expected: int, actual: int) -> Want:
    """412, whose text says it twice."""
    words = f"version mismatch: version mismatch: expected {expected}, actual {actual}"
    return error(412, words)


UNAUTHORIZED = text(401, "unauthorized")
BAD_TENANT = text(401, "Unauthorized: invalid tenant headers")
NO_PATH = text(404, "404 page not found")
NO_SESSION = text(404, "session not found or expired")
FORBIDDEN = text(403, "forbidden")
SERVER_ERROR = text(500, "server error")
SESSION_REQUIRED = error(428, REQUIRED, "J")
SESSION_INVALID = error(428, INVALID, "J")
SESSION_FOREIGN = error(403, "Session does not belong to authenticated user.", "J")
INVALID_JSON = error(400, "invalid JSON")
INVALID_UID = error(400, "invalid UID")
LIMITED = error(429, "Rate limit exceeded. Please retry after 1 seconds.", "J RL retry=1")
PANIC = Want(500, "no-type RL")
EMPTY_LIST = items()
NOTE_LIST = items(body_of(title="n"))
NOTE = item(200, uid="{note}", title="n")
