"""P21: one note, written, changed, found and deleted again through the proxy (with --canary)."""

import secrets
from typing import Any

from toolbridge_harness.doctor.answers import Answer, Asker
from toolbridge_harness.doctor.model import Probe

_SENT = "create, get, update with the right and an old version, list, delete"
_EXPECTED = "the old version refused, one note found, then gone"
# A page is enough for a test user; a caller with more notes is not searched for duplicates.
_PAGE = 100


def canary(asker: Asker, token: str) -> Probe:
    """Write one note and look at it from all sides; it is deleted whatever was seen."""
    title = f"doctor-{secrets.token_hex(8)}"
    made = asker.tool("create_note", token, title=title, content="canary")
    uid = made.reply.data.get("uid") if made.reply and isinstance(made.reply.data, dict) else None
    if not made.ok or not isinstance(uid, str):
        return _probe(f"create_note: {made.brief}", False, codes=[made.code])
    try:
        return _look(asker, token, uid, title)
    finally:
        asker.tool("delete_note", token, uid=uid)


def _look(asker: Asker, token: str, uid: str, title: str) -> Probe:
    def update(version: int) -> Answer:
        return asker.tool(
            "update_note", token, uid=uid, title=title, content="changed", if_match=version
        )

    read = asker.tool("get_note", token, uid=uid)
    if read.code == "not_found":
        return _probe(f"get_note: {read.brief}", False, found=0)
    right, stale = update(1), update(1)
    listed = asker.tool("list_notes", token, limit=_PAGE)
    found = max(1, _count(listed, title))
    seen = {
        "codes": [answer.code for answer in (read, right, listed) if not answer.ok],
        "stale_accepted": right.ok and stale.ok,
        "found": found,
    }
    got = f"update: {right.brief}; with the old version: {stale.brief}; {found} found"
    return _probe(got, right.ok and not stale.ok and found == 1, **seen)


def _probe(got: str, ok: bool, **seen: Any) -> Probe:
    return Probe("canary", "P21", _SENT, got, _EXPECTED, ok, seen)


def _count(listed: Answer, title: str) -> int:
    data = listed.reply.data if listed.reply else None
    items = data.get("items") if isinstance(data, dict) else None
    payloads = [item.get("payload") for item in items or [] if isinstance(item, dict)]
    return sum(isinstance(p, dict) and p.get("title") == title for p in payloads)
