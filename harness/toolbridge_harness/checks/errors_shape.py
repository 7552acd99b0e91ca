"""What an error says and holds: one shape, one correlation id, and the Go API's own words."""

import json
import re
from typing import Any

from toolbridge_contract.tools import ENTITIES, OPERATIONS, Entity
from toolbridge_harness.model import Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import Untestable, require, require_equal

NEEDS = {Vantage.TOKENS, Vantage.UPSTREAM}
_CONTROL = ("control-token", "sessions-own")
_UNKNOWN = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
# What is safe in a header, a log line and a shell; 128 characters hold every id in use.
_SAFE = re.compile(r"[A-Za-z0-9._:@+/=-]{1,128}")


def _wrong(entity: Entity, operation: str) -> dict[str, Any]:
    """Return arguments that each tool refuses."""
    return {"limit": 0} if operation == "list" else {"uid": "x"} if operation != "create" else {}


@check(
    "errors-one-shape",
    "Errors of all 40 tools have one shape",
    severity=Severity.LOW,
    catalogue="ERR-12",
    source="DESIGN: error contract",
    remedy="Make every tool's error in one place: code, message, status, correlation_id.",
    why="An agent learns one error; forty kinds it can only read aloud.",
    needs=Vantage.TOKENS,
    explained_by=("control-token", "tools-arguments"),
    broken="the tools report errors in different shapes",
)
async def errors_have_one_shape(target: Target, caller: Caller) -> None:
    """Calls each tool with wrong arguments and reads the error object."""
    await caller.control()
    for entity in ENTITIES:
        for operation in OPERATIONS:
            tool = entity.tool(operation)
            reply = await caller.call(tool, _wrong(entity, operation))
            if reply.rpc_error:  # refused as JSON-RPC, which has a shape of its own
                continue
            error = reply.tool_error
            for name in ("code", "message", "correlation_id"):
                text = isinstance(error.get(name), str) and error[name]
                require(text, f"{name} as a text in the error of {tool}", reply.brief)
            for name in ("status", "retry_after"):
                number = error.get(name) is None or isinstance(error[name], int | float)
                require(number, f"{name} as a number in the error of {tool}", error.get(name))


@check(
    "errors-correlation",
    "One correlation id stands in the error, in the upstream request and in the log",
    severity=Severity.LOW,
    catalogue="ERR-08",
    source="OWASP MCP08; CWE-117; DESIGN: logs",
    remedy="Take over a caller's id that is short and plain, else make one; use it everywhere.",
    why="With two ids nobody finds the line that belongs to a caller's error.",
    needs={*NEEDS, Vantage.LOGS},
    explained_by=(*_CONTROL, "hygiene-log-line"),
    broken="correlation ids differ between error, upstream request and log, or are not checked",
)
async def correlation_ids_agree(target: Target, caller: Caller) -> None:
    """Asks for an unknown note with ids that are good, long, blank, marked up and forged."""
    await caller.control()
    good = f"corr-{target.random.getrandbits(64):016x}"
    ids = ("a b", "x" * 10_000, '"><script>', '{"level":"info"}', f"{good}%0d%0aX: 1", "")
    for sent in (good, *ids):
        seen = await caller.mark()
        headers = (("X-Correlation-ID", sent),)
        reply = await caller.call("get_note", {"uid": _UNKNOWN}, headers=headers)
        require_equal("not_found", reply.code, f"code with the correlation id {sent[:20]!r}:")
        told = str(reply.tool_error.get("correlation_id"))
        safe = _SAFE.fullmatch(told)
        require(safe, f"a plain id for {sent[:20]!r}", repr(told[:80]))
        require(told not in ids, f"another id than {sent[:20]!r}", told[:80])
        up = {request.header("x-correlation-id") for request in await caller.upstream(seen)}
        require_equal({told}, up, "the id of the upstream request:")
        process = target.deployment.process
        logged = process is not None and told in process.log
        require(logged, "the error's correlation id in the log", "no line with it")


@check(
    "errors-own-words",
    "What the Go API says about a refusal reaches the caller",
    severity=Severity.LOW,
    catalogue="ERR-06",
    source="Go API: errorResponse; DESIGN: error contract",
    remedy="Quote `error` of the Go API's JSON, shortened and without control characters.",
    why="`invalid_argument` alone leaves an agent guessing which argument, and why.",
    needs=NEEDS,
    explained_by=(*_CONTROL, "errors-status-codes"),
    broken="the Go API's explanations are lost on their way to the caller",
)
async def explanations_are_quoted(target: Target, caller: Caller) -> None:
    """Lets the Go API refuse a patch in five ways, each with words of its own."""
    note = await caller.control_write()
    for status in (400, 404, 409, 412, 413):
        words = f"because of {target.random.getrandbits(48):012x}"
        body = json.dumps({"error": words, "correlation_id": "c-1"}).encode()
        headers = (("Content-Type", "application/json"),)
        await caller.inject(methods=("PATCH",), status=status, headers=headers, body=body)
        reply = await caller.call("patch_note", {"uid": note["uid"], "updates": {"a": 1}})
        if not reply.code:
            raise Untestable(f"a {status} of the Go API is no error with a code: {reply.brief}")
        message = str(reply.tool_error.get("message"))
        require(words in message, f"the words of a {status} in the message", message[:120])
