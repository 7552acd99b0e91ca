"""What callers write into arguments stays data: it arrives exactly, and steers nothing."""

import json
from dataclasses import replace
from typing import Any

from toolbridge_harness.model import Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import Violation, require, require_equal
from toolbridge_harness.wire import Call, Reply, initialize

NEEDS = {Vantage.TOKENS, Vantage.UPSTREAM}


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        raise Violation("a JSON body upstream", repr(body[:80])) from None


@check(
    "tools-patch-exact",
    "A patch goes upstream as one PATCH with exactly the updates given",
    severity=Severity.HIGH,
    catalogue="INP-33",
    source="RFC 5789 §2; OWASP API3:2023",
    remedy="Send `updates` as the body of a PATCH: add no nulls, drop no empty values.",
    why="A PUT, an added null or a lost zero changes fields that the caller did not name.",
    needs=NEEDS,
    explained_by=("control-token",),
    broken="patches do not reach the Go API as they were given",
)
async def patch_arrives_exactly(target: Target, caller: Caller) -> None:
    """Patches a note with values of every JSON type, and reads the body at the Go API."""
    note = await caller.given("create_note", {"title": caller.text(), "content": "x"})
    tables: tuple[dict[str, Any], ...] = (
        {"title": caller.text("new")},
        {"zero": 0, "no": False, "empty": "", "none": None, "list": [], "object": {}},
        {"deep": {"a": [1, None, {"b": ""}]}, "half": 0.5, "big": 2**53 - 1, "é\u2028": "ü"},
    )
    for updates in tables:
        seen = await caller.mark()
        await caller.ok("patch_note", {"uid": note["uid"], "updates": updates})
        sent = await caller.entity_requests(seen)
        require_equal(["PATCH"], [r.method for r in sent], "methods of the requests sent:")
        # As text, because 0 and false are equal in Python.
        wanted = json.dumps(updates, sort_keys=True)
        require_equal(wanted, json.dumps(_read(sent[0].body), sort_keys=True), "the body:")


def _naming(caller: Caller, uid: str, tenant: str) -> tuple[tuple[str, Call], ...]:
    """Return (where, call) of calls that name a tenant in a place that callers can write."""
    named = {"tenant_id": tenant, "X-TB-Tenant-ID": tenant, "owner_id": tenant}
    note = {"title": caller.text(), "content": "x"}
    listed = caller.request("list_notes", {"limit": 1})
    hello = replace(initialize(), token=caller.token)
    client = {**hello.params, "clientInfo": {"name": tenant, "version": "1", **named}}
    return (
        ("_meta", replace(listed, params={**listed.params, "_meta": named})),
        ("arguments", caller.request("list_notes", {"limit": 1, **named})),
        ("clientInfo", replace(hello, params=client)),
        ("updates", caller.request("patch_note", {"uid": uid, "updates": named})),
        ("additional_fields", caller.request("create_note", note | {"additional_fields": named})),
    )


@check(
    "tenant-in-arguments",
    "A tenant named in arguments, _meta or clientInfo is data and steers nothing",
    severity=Severity.HIGH,
    catalogue="TEN-14",
    source="OWASP API3:2023; CWE-639",
    remedy="Take the tenant from the configuration alone; no argument becomes a header or a query.",
    why="Arguments are written by the caller, often by a model that was told what to write.",
    needs=NEEDS,
    explained_by=("control-token",),
    broken="a tenant that the caller names in arguments reaches the upstream headers",
)
async def named_tenant_is_data(target: Target, caller: Caller) -> None:
    """Names another tenant in five places, and reads the upstream headers and targets."""
    note = await caller.control_write()
    tenant = f"other-{target.random.getrandbits(48):012x}"
    for where, call in _naming(caller, note["uid"], tenant):
        seen = await caller.mark()
        reply = await caller.target.send(call)
        require(reply.status < 500, f"an answer to a tenant in {where}", reply.brief)
        for request in await caller.upstream(seen):
            headers = [name for name, value in request.headers if tenant in value]
            require_equal([], headers, f"headers with the tenant named in {where}:")
            require(tenant not in request.target, f"no tenant of {where} in the URL", "it is there")
            own = [v for k, v in request.headers if k.lower() == "x-tb-tenant-id"]
            require_equal([caller.tenant], own, f"X-TB-Tenant-ID with a tenant in {where}:")
    await caller.control()


@check(
    "tools-header-arguments",
    "No argument can add a header to the upstream request, or end it with a crash",
    severity=Severity.HIGH,
    catalogue="INP-30",
    source="RFC 9110 §5.5; CWE-113",
    remedy="Validate uid, cursor, action and if_match by pattern before anything is built of them.",
    why="A line break in a header value is another header: a tenant, a session, a whole request.",
    needs=NEEDS,
    explained_by=("control-token", "tools-uid-closed"),
    broken="arguments with line breaks reach the upstream request's head, or crash the call",
)
async def line_breaks_stay_out_of_headers(target: Target, caller: Caller) -> None:
    """Puts line breaks in five spellings into uid, if_match, cursor and action."""
    note = await caller.control_write()
    uid, seen = note["uid"], await caller.mark()
    ends = [f"{br}X-Evil: 1" for br in ("\r\n", "\n", "\r", "%0d%0a", "\u560d\u560a")]
    replies: list[tuple[str, Reply]] = []
    for text in (f"1{end}" for end in ends):
        for tool, arguments in (
            ("get_note", {"uid": text}),
            ("patch_note", {"uid": uid, "updates": {"a": 1}, "if_match": text}),
            ("list_notes", {"cursor": text}),
            ("process_note", {"uid": uid, "action": text}),
        ):
            replies.append((f"{tool} with {text!r}", await caller.call(tool, arguments)))
    for request in await caller.upstream(seen):
        names = [name.lower() for name, _ in request.headers]
        require("x-evil" not in names, "no header out of an argument", "X-Evil upstream")
        require(request.target.startswith("/v1/"), "a path of the Go API", request.target)
    for what, reply in replies:
        # A cursor is opaque: passed on as a query value, it may do no more than not be found.
        named = reply.code not in ("", "internal") or bool(reply.rpc_error)
        named |= reply.ok and what.startswith("list_notes")
        require(reply.status < 500 and named, f"a named error of {what}", reply.brief)
    await caller.control()
