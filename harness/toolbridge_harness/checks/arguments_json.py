"""The JSON of a call: what parsers read differently is refused, and numbers arrive as written."""

import json
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

from toolbridge_contract.control import RecordedRequest
from toolbridge_harness.model import Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.spelled import eras, hole, is_refusal, require_at_once, send_body, spelled
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import Violation, require, require_equal
from toolbridge_harness.wire import Call

NEEDS = {Vantage.TOKENS, Vantage.UPSTREAM}
_CONTROL = ("control-token", "tools-note-life-cycle")
# Parsers of both eras and of string arguments give up at different depths: some at 200, Python's
# at about 1,000; 100,000 are deeper than any stack.
DEPTHS = (100, 250, 1_000, 100_000)
# Odd, and numbers all the same.
FINITE = (b"-0", b"1e-400")
_NOT_FINITE = re.compile(rb"(?i)nan|inf|e\+?400")


def _create(caller: Caller, **fields: Any) -> Call:
    return caller.request("create_note", {"title": caller.text(), "content": "x"} | fields)


@check(
    "tools-nesting",
    "JSON nested to any depth is served or refused, at once and in both eras",
    severity=Severity.HIGH,
    catalogue="INP-16",
    source="RFC 8259 §9; CWE-674",
    remedy="Bound the depth where the body, and any JSON inside a string, is parsed: answer 400.",
    why="One request of brackets that ends a worker is a cheap way to stop everybody.",
    needs=Vantage.TOKENS,
    explained_by=_CONTROL,
    broken="deeply nested JSON crashes the proxy or keeps it busy",
)
async def nesting_is_bounded(target: Target, caller: Caller) -> None:
    """Nests 100 to 100,000 lists in an argument, and in a string that may be read as JSON."""
    await caller.control_write()
    for era in eras(caller):
        plain = replace(_create(caller, additional_fields={"deep": hole("deep")}), era=era)
        text = replace(_create(caller, additional_fields=hole("deep")), era=era)
        for depth in DEPTHS:
            nested = b"[" * depth + b"]" * depth
            quoted = json.dumps('{"deep":' + nested.decode() + "}").encode()
            for where, call, value in (("", plain, nested), (" in a string", text, quoted)):
                what = f"{depth} levels{where}, {era.value}"
                seen = await caller.mark()
                reply = await send_body(caller, call, spelled(call, deep=value))
                # An answer of 1,000 levels and more is too deep for this reader.
                taken = reply.ok or (reply.status == 200 and reply.message is None)
                require(taken or is_refusal(reply), f"{what} to be served or refused", reply.brief)
                await require_at_once(caller, reply, what)
                if target.has_upstream:
                    sent = await caller.entity_requests(seen)
                    stored = [r.body.count(b"[") for r in sent if r.status < 300]
                    wanted = [depth] if taken else []
                    require_equal(wanted, stored, f"levels that the Go API stored of {what}:")
    await caller.control()


def _literals(request: RecordedRequest, name: str) -> Any:
    """Return (spelled as an integer, exact value) of a number in a body."""

    def integer(text: str) -> tuple[bool, Decimal]:
        return True, Decimal(text)

    def fraction(text: str) -> tuple[bool, Decimal]:
        return False, Decimal(text)

    try:
        body = json.loads(request.body, parse_int=integer, parse_float=fraction)
    except ValueError:
        raise Violation("a JSON body upstream", repr(request.body[:80])) from None
    return body.get(name) if isinstance(body, dict) else body


@check(
    "tools-exact-numbers",
    "Numbers reach the Go API as the caller wrote them, or are refused",
    severity=Severity.MEDIUM,
    catalogue="INP-21",
    source="RFC 8259 §6; DESIGN: fidelity is judged at the recorder",
    remedy="Parse integers as integers of any size and do not convert them; refuse the others.",
    why="An id or an amount above 2^53 that goes through a float is another id or amount.",
    needs=NEEDS,
    explained_by=(*_CONTROL, "tools-patch-exact"),
    broken="large numbers are rounded on their way to the Go API",
)
async def numbers_arrive_exactly(target: Target, caller: Caller) -> None:
    """Patches integers around 2^53 and 2^63, of 401 and 5,000 digits, and fractions."""
    note = await caller.control_write()
    call = caller.request("patch_note", {"uid": note["uid"], "updates": {"n": hole("number")}})
    numbers = ["7", str(2**53 + 1), str(2**63), str(-(2**63) - 1), "0.30000000000000004", "1.0"]
    for text in (*numbers, "1" + "0" * 400, "9" * 5_000):
        seen = await caller.mark()
        reply = await send_body(caller, call, spelled(call, number=text.encode()))
        sent = await caller.entity_requests(seen)
        short = text if len(text) < 40 else f"{text[:3]}… of {len(text)} digits"
        for request in sent:
            wanted = ("." not in text, Decimal(text))
            arrived = _literals(request, "n")
            if arrived != wanted:
                raise Violation(f"{short} at the Go API", repr(arrived)[:120])
        require(sent or is_refusal(reply), f"{short} to arrive or be refused", reply.brief)
        require(reply.ok or text != "7", "a small number to be stored", reply.brief)


@check(
    "tools-not-finite",
    "NaN, infinities and numbers beyond a float are refused, and never sent on",
    severity=Severity.MEDIUM,
    catalogue="INP-17",
    source="RFC 8259 §6",
    remedy="Parse strictly: no NaN, no Infinity, no number that overflows.",
    why="Python reads them, the Go API does not: what leaves the proxy is no JSON any more.",
    needs=NEEDS,
    explained_by=_CONTROL,
    broken="NaN or infinite numbers are accepted, or crash the call",
)
async def numbers_are_finite(target: Target, caller: Caller) -> None:
    """Sends NaN, infinities, 1e400, -0 and 1e-400 as a limit and as a field, in both eras."""
    await caller.control_write()
    for era in eras(caller):
        calls = (
            caller.request("list_notes", {"limit": hole("number")}),
            _create(caller, additional_fields={"n": hole("number")}),
        )
        for call in (replace(call, era=era) for call in calls):
            seen = await caller.mark()
            for text in (b"NaN", b"Infinity", b"-Infinity", b"1e400", *FINITE):
                what = f"{text.decode()} in {call.params['name']}, {era.value}"
                reply = await send_body(caller, call, spelled(call, number=text))
                served = text in FINITE and reply.ok
                require(served or is_refusal(reply), f"{what} to be refused", reply.brief)
            for request in await caller.entity_requests(seen):
                found = _NOT_FINITE.findall(request.target.encode() + request.body)
                require_equal([], found, "numbers that are not finite, upstream:")
    await caller.control()


@check(
    "tools-encodings",
    "A body that is not UTF-8 is refused in both eras",
    severity=Severity.MEDIUM,
    catalogue=("INP-18", "INP-19"),
    source="RFC 8259 §8.1, §8.2",
    remedy="Decode the body as strict UTF-8 before anything parses it, and refuse half surrogates.",
    why="What one parser reads as text and another as something else passes every filter between.",
    needs=NEEDS,
    explained_by=_CONTROL,
    broken="bodies that are not UTF-8 are read, or crash the call",
)
async def bodies_are_utf8(target: Target, caller: Caller) -> None:
    """Sends invalid UTF-8, UTF-16 and -32, and half surrogates in values and keys."""
    await caller.control_write()
    for era in eras(caller):
        call = replace(_create(caller, additional_fields={"a": hole("value")}), era=era)
        good = spelled(call, value=b'"x"')
        half = spelled(call, value=b'"\\ud800"'), spelled(call, value=b'{"\\udc00":1}')
        bodies = {
            "invalid UTF-8": spelled(call, value=b'"\xff"'),
            "an overlong form": spelled(call, value=b'"\xc0\xaf"'),
            "a surrogate in UTF-8": spelled(call, value=b'"\xed\xa0\x80"'),
            "half a surrogate pair as a value": half[0],
            "half a surrogate pair as a key": half[1],
            "UTF-16": good.decode().encode("utf-16-le"),
            "UTF-16 with a byte order mark": good.decode().encode("utf-16"),
            "UTF-32": good.decode().encode("utf-32-be"),
        }
        seen = await caller.mark()
        for what, body in bodies.items():
            reply = await send_body(caller, call, body)
            require(is_refusal(reply), f"{what} to be refused, {era.value}", reply.brief)
        sixteen = {"Content-Type": "application/json; charset=utf-16"}
        reply = await send_body(caller, call, good.decode().encode("utf-16"), sixteen)
        require(is_refusal(reply), f"UTF-16 under its name to be refused, {era.value}", reply.brief)
        sent = await caller.entity_requests(seen)
        require_equal(0, len(sent), f"requests for what is not UTF-8, {era.value}:")
    await caller.control()


async def _two_tools_without_a_token(caller: Caller) -> None:
    """Require that naming health_check beside list_notes opens nothing."""
    for pair in (("health_check", "list_notes"), ("list_notes", "health_check")):
        call = caller.request(hole("name"), {})
        twice = '","name":"'.join(pair)
        body = spelled(call, name=f'"{twice}"'.encode())
        reply = await send_body(caller, replace(call, token=None), body)
        data = reply.data if reply.ok else {}
        require("items" not in (data or {}), f"no list without a token, named {pair}", reply.brief)
        require(reply.ok or reply.status in (400, 401), "health or a refusal", reply.brief)


@check(
    "tools-repeated-names",
    "A name that stands twice in the body is never read in two ways",
    severity=Severity.MEDIUM,
    catalogue="INP-26",
    source="RFC 8259 §4; CWE-436",
    remedy="Refuse a body that repeats a name, before token and tool are looked at.",
    why="Where the guard reads the first tool and the server runs the last, the guard is open.",
    needs=NEEDS,
    explained_by=("control-token", "auth-no-token"),
    broken="one part of the proxy reads the first of two names, another the last",
)
async def repeated_names_are_one(target: Target, caller: Caller) -> None:
    """Names two tools, with and without a token, and two uids in one call."""
    notes = [await caller.control_write() for _ in range(2)]
    uids = [note["uid"] for note in notes]
    await _two_tools_without_a_token(caller)
    for tools in (("get_note", "delete_note"), ("delete_note", "get_note")):
        for era in eras(caller):
            call = replace(caller.request("get_note", {"uid": uids[0]}), era=era)
            one, two = (f'"name": "{tool}"'.encode() for tool in tools)
            body = call.body().replace(b'"name": "get_note"', one + b"," + two)
            seen = await caller.mark()
            reply = await send_body(caller, call, body)
            methods = {request.method for request in await caller.entity_requests(seen)}
            allowed = {"GET"} if era is era.MODERN else {"GET", "DELETE"}
            require(methods <= allowed, f"the tool of Mcp-Name or none for {tools}", methods)
            require(reply.ok or is_refusal(reply), f"one reading of {tools}", reply.brief)
    call = caller.request("get_note", {"uid": hole("uid")})
    body = spelled(call, uid=f'"{uids[0]}","uid":"{uids[1]}"'.encode())
    seen = await caller.mark()
    reply = await send_body(caller, call, body)
    sent = [request.target for request in await caller.entity_requests(seen)]
    agreed = not sent or (reply.ok and reply.data["uid"] in sent[0])
    require(agreed and len(sent) < 2, "one reading of two uids", f"{reply.brief}, {len(sent)} sent")
