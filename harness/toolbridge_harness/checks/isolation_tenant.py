"""Other tenants and users, named where requests are routed and where objects have parents."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from toolbridge_harness.model import Severity, Vantage
from toolbridge_harness.refusals import nothing_reached_upstream
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.tokens import claims_of
from toolbridge_harness.verdicts import NotApplicable, require, require_equal
from toolbridge_harness.wire import Call


def _routed(target: Target, tenant: str) -> Iterator[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """Yield (where, URL, headers) of requests that name a tenant in places of routing."""
    origin, url = target.origin, target.mcp_url
    path = url.removeprefix(origin)
    for name, value in (
        ("Host", tenant),
        ("Host", f"{tenant}.example.com"),
        ("X-Forwarded-Host", f"{tenant}.example.com"),
        ("X-Forwarded-Host", tenant),
        ("Forwarded", f'host="{tenant}"'),
        ("X-Original-URL", f"/{tenant}{path}"),
        ("X-Rewrite-URL", f"{path}?tenant={tenant}"),
        ("X-Forwarded-Prefix", f"/{tenant}"),
    ):
        yield name, url, ((name, value),)
    yield "the path behind", f"{url}/{tenant}", ()
    yield "the path before", f"{origin}/{tenant}{path}", ()
    for name in ("tenant", "tenant_id", "tenantId"):
        yield f"?{name}=", f"{url}?{name}={tenant}", ()


async def _sent(target: Target, call: Call, url: str, headers: tuple[tuple[str, str], ...]) -> Any:
    call = replace(call, headers=headers)
    return await target.http("POST", url, call.header_list(), call.body())


@check(
    "tenant-in-routing",
    "A tenant named by host, path or query is not served and steers nothing",
    severity=Severity.HIGH,
    catalogue="TEN-15",
    source="OWASP API1:2023; CWE-639",
    remedy="Take the tenant from the configuration; read it from no part of the request.",
    why="Whoever may name the tenant in a URL needs no token of that tenant.",
    needs=Vantage.TOKENS,
    explained_by=("tenant-wrong", "tenant-header-powerless"),
    broken="the caller can choose the tenant by host, path or query",
)
async def routing_names_no_tenant(target: Target, caller: Caller) -> None:
    """Names a foreign tenant in thirteen places, with its own token and with the caller's."""
    await caller.control()
    token = target.deployment.tokens.foreign(caller.sub, f"t{target.random.getrandbits(40):010x}")
    if token is None:
        raise NotApplicable("no token of a foreign tenant was given")
    tenant = str(claims_of(token).get("tenant_id", "t2"))
    foreign = await caller.prepared(
        replace(caller.request("list_notes", {"limit": 1}), token=token)
    )
    own = replace(foreign, token=caller.token)
    for where, url, headers in _routed(target, tenant):
        seen = await caller.mark()
        reply = await _sent(target, foreign, url, headers)
        refused = 400 <= reply.status < 500
        require(refused, f"HTTP 403, 401 or 404 for a foreign tenant in {where}", reply.brief)
        await nothing_reached_upstream(caller, seen)
        reply = await _sent(target, own, url, headers)
        ignored = reply.ok or 400 <= reply.status < 500
        require(ignored, f"{where} to be ignored or refused", reply.brief)
        for request in await caller.upstream(seen) if target.has_upstream else ():
            tenants = [v for k, v in request.headers if k.lower() == "x-tb-tenant-id"]
            require_equal([caller.tenant], tenants, f"X-TB-Tenant-ID, another named in {where}:")
            require(tenant not in request.target, f"no tenant of {where} in the URL", "it is there")
    await caller.control()


async def _own_alone(intruder: Caller, owner: Caller, marks: tuple[int, int], what: str) -> None:
    """Require that a call went out as the intruder's, in the intruder's sessions, or not at all."""
    borrowed = await owner.upstream(marks[0])
    require_equal([], [r.target for r in borrowed], f"requests as the owner for {what}:")
    sessions = {request.header("x-sync-session") for request in await owner.upstream()} - {None}
    for request in await intruder.upstream(marks[1]):
        session = request.header("x-sync-session")
        require(session not in sessions, f"the intruder's own session for {what}", "the owner's")


async def _parents(user: Caller) -> tuple[str, str]:
    """Make a note and a chat; return their uids."""
    chat = await user.given("create_chat", {"title": user.text()})
    return (await user.control_write())["uid"], chat["uid"]


def _children(content: str, note: str, chat: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the calls that make a comment on the note, and a message in the chat."""
    comment = {"content": content, "parent_type": "note", "parent_uid": note}
    return [
        ("create_comment", comment),
        ("create_chat_message", {"content": content, "chat_uid": chat}),
    ]


@check(
    "isolation-foreign-parent",
    "Comments and messages under another user's objects are left to the Go API to judge",
    severity=Severity.HIGH,
    catalogue="TEN-22",
    source="OWASP API1:2023; CWE-441",
    remedy="Send every request with the caller's own token and session, look-ups included.",
    why="A look-up under a stronger identity lets a caller write where only others may.",
    needs=Vantage.TOKENS,
    explained_by=("control-token", "control-one-request", "sessions-own", "isolation-foreign-uid"),
    broken="a caller can write below another user's objects",
)
async def foreign_parents_stay_foreign(target: Target, caller: Caller) -> None:
    """Lets one user name another's note and chat as parents, beside parents of their own."""
    intruder = target.caller(unlike=caller)
    (foreign, chat), own = [await _parents(user) for user in (caller, intruder)]
    # Without a marker: the check itself has to see as whom it is sent.
    content = f"{target.random.getrandbits(64):016x}"
    (_, comment), (_, message) = good = _children(content, *own)
    for tool, arguments in good:
        await intruder.given(tool, arguments)
    tried = (
        *_children(content, foreign, chat),
        ("create_comment", comment | {"additional_fields": {"parentUid": foreign}}),
        ("create_chat_message", message | {"additional_fields": {"chatUid": chat}}),
    )
    for tool, arguments in tried:
        where = "additional_fields" if "additional_fields" in arguments else "the argument"
        what = f"{tool} with another user's parent in {where}"
        marks = await caller.mark(), await intruder.mark()
        reply = await intruder.call(tool, arguments)
        if target.has_upstream:
            await _own_alone(intruder, caller, marks, what)
        if reply.ok:  # the named argument may win over the additional field
            parent = {reply.data["payload"].get(name) for name in ("parentUid", "chatUid")}
            require(not parent & {foreign, chat}, f"{what} not to succeed", reply.brief)
    page = await caller.given("list_comments", {"limit": 1000})
    texts = [item["payload"].get("content") for item in page["items"]]
    require(content not in texts, "no comment of another user's in the owner's list", "one")
