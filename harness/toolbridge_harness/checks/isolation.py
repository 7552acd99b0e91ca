"""Isolation: nothing of one user, and nothing that a caller writes into headers, crosses over."""

import asyncio
from typing import Any

from toolbridge_contract.tools import ENTITIES, Entity
from toolbridge_harness.model import Severity, Vantage
from toolbridge_harness.objects import create_arguments, replacement
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.users import SHARE
from toolbridge_harness.verdicts import Violation, require, require_equal

_INTERNAL = ("X-TB-Tenant-ID", "X-TB-Timestamp", "X-TB-Signature", "X-Sync-Session", "X-Sync-Epoch")


async def _make(owner: Caller, entity: Entity) -> dict[str, Any]:
    arguments = await create_arguments(owner, entity)
    item: dict[str, Any] = await owner.given(entity.tool("create"), arguments)
    return item | {"arguments": arguments}


def _attempts(entity: Entity, item: dict[str, Any], intruder: Caller) -> dict[str, dict[str, Any]]:
    uid = {"uid": item["uid"]}
    replaced = replacement(intruder, entity, item["arguments"])
    action = next(iter(entity.actions))
    return {
        entity.tool("get"): uid,
        entity.tool("update"): {**uid, **replaced},
        entity.tool("patch"): {**uid, "updates": {"stolen": True}},
        entity.tool("archive"): uid,
        entity.tool("process"): {**uid, "action": action},
        entity.tool("delete"): uid,
    }


@check(
    "isolation-foreign-uid",
    "Another user's objects cannot be found, changed or deleted",
    severity=Severity.CRITICAL,
    catalogue=("TEN-18", "ERR-11"),
    source="OWASP API1:2023, API5:2023",
    remedy="Call the Go API with the caller's own token and session, for every operation.",
    why="Object ids travel in links and logs; knowing one must not be enough.",
    needs=Vantage.TOKENS,
    explained_by=("control-token", "control-one-request", "sessions-own", "tools-inventory"),
    broken="one user can reach another user's objects",
)
async def foreign_objects_are_not_found(target: Target, caller: Caller) -> None:
    """Tries six operations on five kinds of another user's objects, then reads as the owner."""
    intruder = target.caller(unlike=caller)
    await intruder.control()
    for entity in ENTITIES:
        item = await _make(caller, entity)
        for tool, arguments in _attempts(entity, item, intruder).items():
            reply = await intruder.call(tool, arguments)
            require_equal("not_found", reply.code, f"{tool} of another user's {entity.label}:")
        kept = await caller.given(entity.tool("get"), {"uid": item["uid"]})
        require_equal(
            item["version"], kept["version"], f"version of the {entity.label} afterwards:"
        )


@check(
    "isolation-client-headers",
    "Tenant and session headers of the caller never reach the Go API",
    severity=Severity.CRITICAL,
    catalogue=("TEN-11", "TEN-13", "SES-19", "DEP-10"),
    source="CWE-639, CWE-384; RFC 9421 §7.2",
    remedy="Build upstream headers from nothing; copy none of the caller's.",
    why="The Go API silently takes the first of two headers: the caller's might come first.",
    needs={Vantage.TOKENS, Vantage.UPSTREAM},
    explained_by=("control-token",),
    broken="headers that the caller sends reach the Go API",
)
async def client_headers_stop_at_the_proxy(target: Target, caller: Caller) -> None:
    """Sends X-TB-*, X-Sync-*, forwarding and made-up headers in several spellings."""
    await caller.control()
    canary = f"canary-{target.random.getrandbits(48):012x}"
    names = [*_INTERNAL, *(name.lower() for name in _INTERNAL), "X_TB_Tenant_ID", "X-Evil"]
    names += ["X-Forwarded-For", "X-Real-IP", "Forwarded", "X-HTTP-Method-Override", "Cookie"]
    headers = tuple((name, canary) for name in names)
    seen = await caller.mark()
    reply = await caller.call("list_notes", {"limit": 1}, headers=headers)
    require(reply.ok, "the call to succeed as the caller's own", reply.brief)
    for request in await caller.upstream(seen):
        leaked = [name for name, value in request.headers if canary in value]
        require_equal([], leaked, "headers of the caller upstream:")
        for name in _INTERNAL[:3]:
            count = sum(key.lower() == name.lower() for key, _ in request.headers)
            require_equal(1, count, f"{name} upstream, occurrences:")


@check(
    "isolation-interleaved",
    "Users who call at once each see their own data and nobody else's",
    severity=Severity.CRITICAL,
    catalogue=("TEN-19", "SES-03", "SES-30"),
    source="OWASP API1:2023, MCP10; CWE-362",
    remedy="Keep identity in the request: no globals, no shared client with a default token.",
    why="Mix-ups under load are seen by users first, and by nobody in a test with one user.",
    needs=Vantage.MINT,
    explained_by=("control-token", "control-one-request", "sessions-own"),
    broken="users see each other's data when they call at the same time",
    seconds=60,
)
async def interleaved_users_stay_apart(target: Target, caller: Caller) -> None:
    """Lets a hundred users (six live) create and list notes, interleaved on shared connections."""
    # Six are fifteen pairs that could be mixed up, and a share of the pool of users.
    number = target.sample(100, live=SHARE)
    users = [caller, *(target.caller() for _ in range(number - 1))]
    markers = {user.marker for user in users}

    async def create(user: Caller) -> None:
        await user.given("create_note", {"title": user.text(), "content": user.marker})

    await asyncio.gather(*(create(user) for user in users))
    target.random.shuffle(users)
    pages = await asyncio.gather(*(user.given("list_notes", {"limit": 1000}) for user in users))
    for user, page in zip(users, pages, strict=True):
        contents = [item["payload"].get("content") for item in page["items"]]
        if target.pooled:
            contents = [content for content in contents if content in markers]
        if contents != [user.marker]:
            foreign = sum(content != user.marker for content in contents)
            raise Violation("one note, the user's own", f"{len(contents)}, {foreign} foreign")


@check(
    "isolation-connection",
    "Identity follows each request, not the connection",
    severity=Severity.CRITICAL,
    catalogue="SES-30",
    source="MCP 2026-07-28 basic, statelessness",
    remedy="Read the token of every request; keep nothing per connection.",
    why="Load balancers send different users over one connection.",
    needs=Vantage.TOKENS,
    explained_by=("auth-no-token", "control-token", "control-one-request", "sessions-own"),
    broken="identity sticks to the connection",
    seconds=60,
)
async def identity_follows_the_request(target: Target, caller: Caller) -> None:
    """Alternates two users, and nobody, fifty times (five live) one after another."""
    other = target.caller(unlike=caller)
    for user in (caller, other):
        await user.given("create_note", {"title": user.text(), "content": user.marker})
    for _ in range(target.sample(50, live=5)):
        for user, stranger in ((caller, other), (other, caller)):
            page = await user.given("list_notes", {"limit": 1000})
            contents = {item["payload"].get("content") for item in page["items"]}
            require(user.marker in contents, "the user's own note in the list", "it is missing")
            require(stranger.marker not in contents, "nobody else's note in it", "one is there")
        anonymous = await caller.call("list_notes", {"limit": 1}, token=None)
        require(anonymous.status == 401, "HTTP 401 without a token", anonymous.brief)
