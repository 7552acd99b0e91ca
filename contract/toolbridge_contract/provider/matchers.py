"""Bodies that are judged by their figures, not by one text."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from toolbridge_contract.provider.template import matches

# Enough to recognise an answer by.
_SHOWN = 300
# What an answer must not bring into a report, should it echo the request.
_SECRET = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*|\b[0-9a-fA-F]{64}\b")
# Longer than the head of an item, with its uid and time, and the tail of a list.
_EDGE_BYTES = 200
_ITEM_HEAD = '{"uid":"<uid>","version":1,"updatedAt":"<ts>","payload":{'
_LIST_HEAD = '{"items":['
_LIST_TAIL = '],"nextCursor":"<cur>"}\n'


@dataclass(frozen=True)
class Page:
    """A list of seeded notes by its figures: `title` is the first, each next counts on.

    The last `deleted` of them are tombstones. Every row must have its members.
    """

    count: int
    title: str = ""
    cursor: bool = True
    deleted: int = 0

    def differs(self, body: bytes) -> tuple[str, str] | None:
        """Compare the figures of a page, then its rows in order, then its end."""
        try:
            page = json.loads(body)
            rows = page["items"]
            first = rows[0]["payload"].get("title", "") if rows and self.title else ""
            gone = sum(row["payload"].get("sync", {}).get("isDeleted", False) for row in rows)
            found = Page(len(rows), first, "nextCursor" in page, gone)
            if found != self:
                return str(self), str(found)
            return self._rows(rows) or _ends(body)
        except (ValueError, KeyError, TypeError, AttributeError):
            return str(self), show(body)

    def _rows(self, rows: list[Any]) -> tuple[str, str] | None:
        start = int(self.title[1:]) if self.title else 0
        for at, row in enumerate(rows):
            dead = at >= self.count - self.deleted
            payload = row["payload"]
            members = ["uid", "version", "updatedAt", *(["deletedAt"] if dead else []), "payload"]
            wanted = (members, row["uid"], row["updatedAt"], f"n{start + at:04d}")
            got = (list(row), payload["uid"], payload["updatedTs"], payload["title"])
            if wanted != got:
                return f"item {at}: {wanted}", f"{got}"
            if dead and payload["sync"]["deletedAt"] != row["deletedAt"]:
                return f"item {at}: deletedAt {row['deletedAt']}", payload["sync"]["deletedAt"]
        return None


@dataclass(frozen=True)
class Echo:
    """A large new item, byte by byte; `members` is its payload's text ahead of `sync`.

    With `listed` it is the one item of a list.
    """

    members: Callable[[], bytes]
    listed: bool = False

    def differs(self, body: bytes) -> tuple[str, str] | None:
        """Compare all bytes with those that follow from the item's own uid and time."""
        ahead = (_LIST_HEAD if self.listed else "") + _ITEM_HEAD
        end = body.find(b'"payload":{', 0, _EDGE_BYTES) + len(b'"payload":{')
        found = matches(ahead, body[:end].decode("latin-1"))
        if found is None:
            return f"a body that begins with {ahead}", show(body[:_EDGE_BYTES])
        sync = b',"sync":{"isDeleted":false,"version":1},'
        names = f'"uid":"{found["uid"]}","updatedTs":"{found["ts"]}"}}}}'
        wanted = body[:end] + self.members() + sync + names.encode()
        rest = body[len(wanted) :][:_EDGE_BYTES].decode("latin-1")
        tail = _LIST_TAIL if self.listed else "\n"
        if body.startswith(wanted) and matches(tail, rest) is not None:
            return None
        return f"{len(wanted)} bytes and {tail!r}", f"{len(body)} bytes: …{show(body[-60:])}"


def show(body: bytes) -> str:
    """Return the beginning of a body on one line, without tokens and signatures."""
    text = body[:_SHOWN].decode("utf-8", "backslashreplace").replace("\n", "⏎")
    text = _SECRET.sub("<redacted>", text)
    return (text + ("…" if len(body) > _SHOWN else "")) or "(empty)"


def _ends(body: bytes) -> tuple[str, str] | None:
    if body.endswith(b"}\n"):
        return None
    return "a newline behind the last brace", show(body[-40:])
