"""Bodies that are judged by their figures, not by one text."""

import json
import re
from dataclasses import dataclass

# Enough to recognise an answer by.
_SHOWN = 300
# What an answer must not bring into a report, should it echo the request.
_SECRET = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*|\b[0-9a-fA-F]{64}\b")


@dataclass(frozen=True)
class Page:
    """A list answer by its figures; `title` is the first item's."""

    count: int
    title: str = ""
    cursor: bool = True
    deleted: int = 0

    def differs(self, body: bytes) -> tuple[str, str] | None:
        """Compare the figures of a page."""
        try:
            page = json.loads(body)
            rows = page["items"]
            first = rows[0]["payload"].get("title", "") if rows and self.title else ""
            gone = sum(row["payload"].get("sync", {}).get("isDeleted", False) for row in rows)
            found = Page(len(rows), first, "nextCursor" in page, gone)
        except (ValueError, KeyError, TypeError, AttributeError):
            return str(self), show(body)
        return None if found == self else (str(self), str(found))


@dataclass(frozen=True)
class Echo:
    """A large item: its size in bytes within a few, and the text that it begins with."""

    size: int
    begins: str = '{"uid":"'
    within: int = 16

    def differs(self, body: bytes) -> tuple[str, str] | None:
        """Compare size and beginning."""
        if abs(len(body) - self.size) <= self.within and body.startswith(self.begins.encode()):
            return None
        return f"about {self.size} bytes", f"{len(body)} bytes: {show(body[:80])}"


def show(body: bytes) -> str:
    """Return the beginning of a body on one line, without tokens and signatures."""
    text = body[:_SHOWN].decode("utf-8", "backslashreplace").replace("\n", "⏎")
    text = _SECRET.sub("<redacted>", text)
    return (text + ("…" if len(body) > _SHOWN else "")) or "(empty)"
