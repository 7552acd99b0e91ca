"""The tools' content: text that survives, and lists that are complete."""

from typing import Any

from toolbridge_contract.tools import CHAT
from toolbridge_harness.model import Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import Untestable, Violation, require, require_equal

_CONTROL = ("control-token", "tools-note-life-cycle", "tools-chat-life-cycle")


@check(
    "tools-text-fidelity",
    "Text comes back code point by code point",
    severity=Severity.HIGH,
    catalogue=("INP-22", "INP-29", "INP-37"),
    source="check catalogue INP-22; CWE-134",
    remedy="Pass text through: no normalising, trimming, escaping, formatting or parsing.",
    why="Notes are the user's own words; templates in them must stay words.",
    needs=Vantage.TOKENS,
    explained_by=_CONTROL,
    broken="text is changed on its way to the Go API or back",
)
async def text_survives(target: Target, caller: Caller) -> None:
    """Writes and reads emoji, combining marks, markup, templates, JSON and 100 kB of text."""
    samples = [
        "👩‍👩‍👧 e\u0301 \u00e9 \u202eabc\u202c \ufeff",
        "<script>&amp; %41 + {settings.secret} {0} ${HOME} %(x)s {{7*7}}",
        '{"a": [1, 2]}',
        "  leading, trailing, tabs\t and\r\nlines \u2028 ",
        caller.text() + "x" * 100_000,
    ]
    for sample in samples:
        written = {"title": sample[:1000], "content": sample, "tags": [sample[:1000], "Tag"]}
        item = await caller.given("create_note", written)
        read = await caller.given("get_note", {"uid": item["uid"]})
        for name, text in written.items():
            if read["payload"].get(name) != text:
                shown = repr(read["payload"].get(name))[:120]
                raise Violation(f"the {name} {text[:60]!r}", shown)


@check(
    "tools-list-walk",
    "A walk over all pages finds every item once",
    severity=Severity.HIGH,
    catalogue="INP-35",
    source="check catalogue INP-35",
    remedy="Send limit and cursor as given, and relay nextCursor as it comes.",
    why="A page that is lost or read twice is data that an agent never sees or counts double.",
    needs=Vantage.MINT,
    explained_by=_CONTROL,
    broken="listing page by page loses or repeats items",
)
async def pages_are_complete(target: Target, caller: Caller) -> None:
    """Creates seven chats and walks them two at a time until an empty page."""
    made = [
        (await caller.given(CHAT.tool("create"), {"title": caller.text()}))["uid"] for _ in range(7)
    ]
    found: list[str] = []
    arguments: dict[str, Any] = {"limit": 2}
    # A user of the pool may have chats of other checks, and of runs that could not clean up.
    for _ in range(50 if target.pooled else len(made) + 2):
        page = await caller.ok("list_chats", arguments)
        items = page["items"]
        require(len(items) <= 2, "at most 2 items for limit 2", len(items))
        found += [item["uid"] for item in items]
        require_equal([], [uid for uid in made if found.count(uid) > 1], "uids found twice:")
        if not items or not page.get("nextCursor"):
            break
        arguments = {"limit": 2, "cursor": page["nextCursor"]}
    else:
        raise Untestable("the walk did not come to an end")
    if target.pooled:
        found = [uid for uid in found if uid in made]
    require_equal(sorted(made), sorted(found), "uids found by the walk:")
