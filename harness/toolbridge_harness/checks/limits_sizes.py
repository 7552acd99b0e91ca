"""Long words, long lists, long headers: the cost of one call stays in proportion."""

import json

from toolbridge_harness.model import Ask, Profile, Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import Advisory, NoAnswer, require, require_equal
from toolbridge_harness.wire import Reply

_CONTROL = ("control-token", "limits-body-size")
_LONG = "a" * 100_000
# 50 ms of CPU in the catalogue; what is seen from outside is time, on a machine that may be busy.
# Patterns that backtrack need minutes for so long a word.
_SECONDS = 3.0
_ITEMS, _ITEM_BYTES = 1000, 10_000
_REFUSED = (400, 414, 431)


@check(
    "limits-long-words",
    "An argument of 100,000 characters is judged as fast as a short one",
    severity=Severity.MEDIUM,
    catalogue="LIM-07",
    source="CWE-1333; check catalogue LIM-07",
    remedy="Bound the length before a pattern looks at it; use no nested or unanchored repeats.",
    why="One call with a long word can keep a server busy for minutes.",
    needs=Vantage.TOKENS,
    # A target that is kept busy answers nobody else: their checks must not suffer for it.
    alone=True,
    asks=Ask.HEAVY,
    explained_by=_CONTROL,
    broken="a long argument takes more time than its length explains",
)
async def long_words_are_cheap(target: Target, caller: Caller) -> None:
    """Sends 100,000 times the letter a as uid, cursor, action, tag and version, and times it."""
    uid = (await caller.control_write())["uid"]
    control = await caller.call("create_note", {"title": caller.text(), "content": _LONG})
    allowed = max(_SECONDS, 3 * control.seconds)
    for tool, arguments in (
        ("get_note", {"uid": _LONG}),
        ("list_notes", {"limit": 1, "cursor": _LONG}),
        ("process_note", {"uid": uid, "action": _LONG}),
        ("create_note", {"title": caller.text(), "content": "x", "tags": [_LONG]}),
        ("update_note", {"uid": uid, "title": "x", "content": "x", "if_match": _LONG}),
    ):
        reply = await caller.call(tool, arguments)
        what = f"{tool} with a long argument"
        require(reply.status < 500, f"no server error for {what}", reply.brief)
        took = f"{reply.seconds:.1f} s"
        require(reply.seconds < allowed, f"{what} within {allowed:.1f} s", took)


@check(
    "limits-long-list",
    "A list of 10 MB comes whole, or as an error that says so",
    severity=Severity.MEDIUM,
    catalogue="LIM-06",
    source="check catalogue LIM-06; DESIGN: error contract, response_too_large",
    remedy="Relay the whole page, or answer response_too_large; never cut it.",
    why="Items that are missing without a word are items that an agent believes gone.",
    needs={Vantage.TOKENS, Vantage.UPSTREAM},
    profile=Profile.FULL,
    explained_by=_CONTROL,
    broken="long lists are cut without a word",
)
async def long_lists_are_whole(target: Target, caller: Caller) -> None:
    """Lets the Go API answer with a thousand items of 10 kB, and counts what arrives."""
    note = await caller.control_write()
    item = note | {"payload": {"title": "x", "content": "y" * _ITEM_BYTES}}
    body = json.dumps({"items": [item] * _ITEMS}).encode()
    headers = (("Content-Type", "application/json"),)
    await caller.inject(path="/v1/notes", status=200, headers=headers, body=body)
    reply = await caller.call("list_notes", {"limit": 1000})
    if reply.code != "response_too_large":
        require(reply.ok, "the list, or the code response_too_large", reply.brief)
        sizes = [len(item["payload"]["content"]) for item in reply.data["items"]]
        whole = sum(size == _ITEM_BYTES for size in sizes)
        require_equal(_ITEMS, whole, "whole items:")


@check(
    "limits-headers",
    "A head of any size is refused or served, and never an error of the server",
    severity=Severity.LOW,
    catalogue="LIM-10",
    source="RFC 6585 §5; check catalogue LIM-10",
    remedy="Bound the head at some 64 KiB and answer 431, or 414 for the URL.",
    why="Without a bound each connection may hold as much memory as it likes.",
    needs=Vantage.TOKENS,
    asks=Ask.HEAVY,
    explained_by=_CONTROL,
    broken="a long head makes the server fail",
)
async def long_heads_are_no_error(target: Target, caller: Caller) -> None:
    """Sends a thousand headers, headers and URLs of four sizes, each beside a valid call."""
    await caller.control()
    many = [(f"X-Filler-{number}", "x") for number in range(1000)]
    sized = {size: [("X-Filler", "x" * size)] for size in (65_536, 1_048_576)}
    unbounded = []
    for what, extra, query in (
        ("1,000 headers", many, ""),
        ("a header of 64 KiB", sized[65_536], ""),
        ("a header of 1 MiB", sized[1_048_576], ""),
        ("a URL of 8 KiB", [], "?x=" + "y" * 8192),
        ("a URL of 60 kB", [], "?x=" + "y" * 60_000),
    ):
        reply = await _with_head(caller, extra, query)
        status = 431 if reply is None else reply.status
        require(status == 200 or status in _REFUSED, f"{_REFUSED} or 200 for {what}", status)
        unbounded += [what] if status == 200 and "1 MiB" in what else []
        await caller.control()
    if unbounded:
        raise Advisory("a bound on the head", f"served with {unbounded[0]}")


async def _with_head(caller: Caller, extra: list[tuple[str, str]], query: str) -> Reply | None:
    """Return the answer to a valid call with a longer head; None when the connection was cut."""
    call = await caller.prepared(caller.request("list_notes", {"limit": 1}))
    url = caller.target.mcp_url + query
    try:
        return await caller.target.http("POST", url, [*call.header_list(), *extra], call.body())
    except NoAnswer:
        return None
