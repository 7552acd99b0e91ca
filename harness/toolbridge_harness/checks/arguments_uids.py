"""Uids and cursors: each is one value in its one place of the URL, or is refused."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlsplit

from toolbridge_harness.model import Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.spelled import is_invalid, is_refusal, require_at_once
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import ControlFailed, require, require_equal

NEEDS = {Vantage.TOKENS, Vantage.UPSTREAM}
_CONTROL = ("control-token", "tools-note-life-cycle")
# More than any uid or cursor has, and little enough for every body limit.
LONG = "x" * 10_000


@asynccontextmanager
async def _listener(host: str) -> AsyncIterator[tuple[int, list[str]]]:
    """Yield (port, connections) of a server that no correct proxy ever connects to."""
    connections: list[str] = []

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append("one")
        writer.close()

    server = await asyncio.start_server(accept, host, 0)
    async with server:
        yield server.sockets[0].getsockname()[1], connections


@check(
    "tools-uid-origin",
    "A uid that looks like a URL never makes the proxy connect elsewhere",
    severity=Severity.HIGH,
    catalogue="INP-05",
    source="OWASP API7:2023; CWE-918; RFC 3986 §5.2",
    remedy="Accept a canonical UUID and nothing else; build URLs from the configured origin alone.",
    why="What follows a caller's URL brings the caller's token and a fresh signature along.",
    needs=NEEDS,
    explained_by=(*_CONTROL, "tools-uid-closed"),
    broken="a uid can make the proxy send its requests to another host",
)
async def uids_are_no_addresses(target: Target, caller: Caller) -> None:
    """Writes the address of a listener into uids in ten forms, and waits for nobody to come."""
    note = await caller.control_write()
    host = target.deployment.mock_address.rpartition(":")[0] or "127.0.0.1"
    async with _listener(host.strip("[]")) as (port, connections):
        place, seen = f"{host}:{port}", await caller.mark()
        uids = [f"http://{place}/x", f"//{place}/x", f"@{place}/", f":80@{place}/", "/etc/passwd"]
        uids += [f"\\\\{place}\\x", f"http:{place}", f"http://{place}/v1/notes/{note['uid']}"]
        uids += ["file:///etc/passwd", f"http://{place}#{note['uid']}"]
        for uid in uids:
            for tool in ("get_note", "archive_note"):
                reply = await caller.call(tool, {"uid": uid})
                require_equal([], connections[:1], f"connections elsewhere for {tool} of {uid!r}:")
                named = reply.ok or is_refusal(reply)
                require(named and "root:" not in reply.text, f"{uid!r} refused", reply.brief)
    for request in await caller.entity_requests(seen):
        path = urlsplit(request.target).path
        inside = path.startswith("/v1/notes/") and path.count("/") <= 4
        require(inside, "requests for one note and nothing else", request.target[:80])
    await caller.control()


@check(
    "tools-uid-characters",
    "Uids of odd characters and of any length are refused at once",
    severity=Severity.MEDIUM,
    catalogue="INP-06",
    source="CWE-93; check catalogue INP-06",
    remedy="Match uids against the UUID pattern before anything is built or logged.",
    why="An argument that ends in a library's exception tells its text to the caller.",
    needs=Vantage.TOKENS,
    explained_by=(*_CONTROL, "tools-uid-closed"),
    broken="uids of odd characters crash the call, or take long",
)
async def odd_uids_are_refused(target: Target, caller: Caller) -> None:
    """Sends line breaks, NUL, tabs, accents, emoji, RLO, 10 KB and 1 MB as a uid."""
    note = await caller.control_write()
    own, seen = note["uid"], await caller.mark()
    uids = [own + end for end in ("\r\nX-Evil: 1", "\n", "\0", "\u2028")]
    uids += [f"\t{own}", f"{own[:-1]}é", f"{own[:-1]}\u0661", f"{own[:-1]}\ud83e\udd89"]
    uids += ["🦉", f"\u202e{own}", LONG, "0" * 10**6]
    for uid in uids:
        for tool in ("get_note", "delete_note"):
            reply = await caller.call(tool, {"uid": uid})
            what = f"{tool} of {uid[:40].encode('unicode_escape').decode()}"
            refused = is_invalid(reply) or reply.status in (400, 413)
            require(refused, f"{what} to be refused", reply.brief)
            await require_at_once(caller, reply, what)
    if target.has_upstream:
        require_equal(0, len(await caller.upstream(seen)), "requests for what is no uid:")
    kept = await caller.given("get_note", {"uid": own})
    require_equal(note["version"], kept["version"], "version of the note afterwards:")


def _spellings(uid: str) -> dict[str, str]:
    """Return other ways to write a UUID: the Go API takes all of them."""
    return {
        "upper case": uid.upper(),
        "no dashes": uid.replace("-", ""),
        "braces": f"{{{uid}}}",
        "a URN": f"urn:uuid:{uid}",
    }


@check(
    "tools-uid-spellings",
    "Every tool takes or refuses the same spellings of a uid, and sends one",
    severity=Severity.LOW,
    catalogue="INP-07",
    source="RFC 9562 §4; Go API: uuid.Parse",
    remedy="Read uids in one place; put the canonical spelling, in lower case, into the path.",
    why="What is one object to one tool and none to another cannot be worked with.",
    needs=NEEDS,
    explained_by=(*_CONTROL, "tools-uid-closed"),
    broken="tools disagree about spellings of uids, or pass them on as they come",
)
async def spellings_are_one(target: Target, caller: Caller) -> None:
    """Writes a note's uid in four ways, and two uids of other kinds, for four tools."""
    note = await caller.control_write()
    own = note["uid"]
    others = {
        "nil": "00000000-0000-0000-0000-000000000000",
        "version 7": "0190163d-8694-739b-aea5-966c26f8ad91",
    }
    for what, uid in (*_spellings(own).items(), *others.items()):
        seen, verdicts = await caller.mark(), {}
        for tool, more in (
            ("get_note", {}),
            ("patch_note", {"updates": {"a": 1}}),
            ("process_note", {"action": "pin"}),
            ("archive_note", {}),
        ):
            reply = await caller.call(tool, {"uid": uid, **more})
            require(reply.ok or is_refusal(reply), f"{tool}: {what} served or refused", reply.brief)
            verdicts[tool] = "served" if reply.ok else reply.code or "refused"
        require(len(set(verdicts.values())) == 1, f"one verdict on {what}", verdicts)
        wanted = own if what not in others else uid
        sent = [request.target for request in await caller.entity_requests(seen)]
        odd = [target for target in sent if wanted not in target]
        require_equal([], odd[:1], f"requests with {what} not in the canonical spelling:")


def _cursors(cursor: str, foreign: str) -> Iterator[tuple[str, str]]:
    """Yield (what it is, cursor): each one step away from a good one."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        raise ControlFailed(f"nextCursor is not base64: {cursor[:40]!r}") from None
    flipped = base64.urlsafe_b64encode(raw[:-1] + bytes([raw[-1] ^ 1])).rstrip(b"=").decode()
    yield "parameters behind it", f"{cursor}&limit=1000&includeDeleted=true"
    yield "encoded parameters behind it", f"{cursor}%26limit%3d1000%26includeDeleted%3dtrue"
    yield "a second cursor behind it", f"{cursor}&cursor={foreign}"
    yield "a fragment behind it", f"{cursor}#x"
    yield "a semicolon behind it", f"{cursor};limit=1000"
    yield "a plus sign in it", f"+{cursor}"
    yield "a line break behind it", f"{cursor}\r\nX-Evil: 1"
    yield "10 KB", LONG
    yield "no base64", "not a cursor!"
    yield "another user's", foreign
    yield "one bit changed", flipped


@check(
    "tools-cursor",
    "A cursor is one query value as it was given, or is refused",
    severity=Severity.MEDIUM,
    catalogue="INP-08",
    source="CWE-235; RFC 3986 §3.4",
    remedy="Let the HTTP client encode the query; check the cursor's shape before.",
    why="The Go API begins again at a cursor it cannot read: the caller walks in a circle.",
    needs={Vantage.MINT, Vantage.UPSTREAM},
    explained_by=(*_CONTROL, "tools-list-walk"),
    broken="a cursor can add parameters to the request, or is changed on its way",
)
async def cursors_are_one_value(target: Target, caller: Caller) -> None:
    """Sends eleven cursors beside limit 1 and reads the query at the Go API."""
    other = target.caller(unlike=caller)
    pages = []
    for user in (caller, other):
        for _ in range(2):
            await user.control_write()
        pages.append(await user.given("list_notes", {"limit": 1}))
    cursor, foreign = (str(page.get("nextCursor", "")) for page in pages)
    if not (cursor and foreign):
        raise ControlFailed("the first page of two notes has no nextCursor")
    for what, text in (("a good one", cursor), *_cursors(cursor, foreign)):
        seen = await caller.mark()
        reply = await caller.call("list_notes", {"limit": 1, "cursor": text})
        require(reply.ok or is_refusal(reply), f"a page or a refusal for {what}", reply.brief)
        for request in await caller.entity_requests(seen):
            query = parse_qsl(urlsplit(request.target).query, keep_blank_values=True)
            sent = sorted(pair for pair in query if pair != ("includeDeleted", "false"))
            require_equal([("cursor", text), ("limit", "1")], sent, f"query for {what}:")
        if reply.ok:
            require(len(reply.data["items"]) <= 1, f"at most one item for {what}", reply.brief)
    await caller.control()
