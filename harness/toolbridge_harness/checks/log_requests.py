"""What requests leave in the log: a line for the operator, and no more than that."""

import itertools
import re
from dataclasses import replace
from typing import Any

from toolbridge_harness import forge
from toolbridge_harness.checks.answers import SHAPES
from toolbridge_harness.model import Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.spelled import hole, send_body, spelled
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import Violation, require

NEEDS = {Vantage.TOKENS, Vantage.LOGS}
# Enough for a line per token to be told from a trace per token; the row's 1,000 take a minute
# on a small machine and show the same.
BAD_TOKENS = 200
# A denial, an access line, and what a careful server adds.
LINES_EACH, BYTES_EACH = 4, 2_000


def _log(target: Target) -> str:
    process = target.deployment.process
    return process.log if process is not None else ""


def _parts(token: str) -> list[str]:
    """Return what of a token must not be found; tokens of one run begin alike, so not that."""
    _, payload, signature = token.split(".")
    parts = payload[40:80], payload[-40:], signature[:20], signature[-20:]
    return [part for part in parts if len(part) >= 20]


@check(
    "hygiene-query-not-logged",
    "A token in the query of any request does not reach the log",
    severity=Severity.HIGH,
    catalogue="LOG-03",
    source="RFC 6750 §5.3; CWE-598",
    remedy="Log the path without the query, or no access lines; in uvicorn: access_log=False.",
    why="Clients make this mistake, and uvicorn's access log keeps the whole query for them.",
    needs=NEEDS,
    explained_by=("control-token",),
    broken="the log shows queries, with the tokens that clients put there",
)
async def queries_are_not_logged(target: Target, caller: Caller) -> None:
    """Puts a valid token into the queries of good, denied, unknown and malformed requests."""
    await caller.control()
    # Stands in queries and nowhere else, so that nothing but a query can bring it into the log.
    token = target.caller().token or ""
    good = await caller.prepared(caller.request("list_notes", {"limit": 1}))
    bare, query = replace(good, token=None), f"access_token={token}&token={token}"
    mcp, origin = target.mcp_url, target.origin
    for method, url, call, body in (
        ("POST", f"{mcp}?{query}", bare, bare.body()),
        ("POST", f"{mcp}?{query}", good, good.body()),
        ("POST", f"{mcp}?{query}", bare, b"{"),
        ("POST", f"{mcp}/?{query}", bare, bare.body()),
        ("GET", f"{mcp}?{query}", bare, b""),
        ("DELETE", f"{mcp}?{query}", bare, b""),
        ("GET", f"{origin}/?{query}", bare, b""),
        ("GET", f"{origin}/healthz?{query}", bare, b""),
        ("GET", f"{origin}/no-such-page?{query}", bare, b""),
        ("OPTIONS", f"{mcp}?{query}", bare, b""),
    ):
        await target.http(method, url, call.header_list(), body)
    await caller.control()
    log = _log(target)
    found = [part for part in _parts(token) if part in log]
    require(not found, "no part of a token from a query in the log", f"{len(found)} parts of one")


@check(
    "hygiene-log-bounded",
    "Bad tokens leave a bounded number of lines in the log, and no tracebacks",
    severity=Severity.MEDIUM,
    catalogue="LOG-08",
    source="OWASP API4:2023; CWE-779",
    remedy="Log a denial as one line with its reason; a bad token is no exception to be traced.",
    why="Anybody can send bad tokens: what each costs in disk and attention is theirs to choose.",
    needs={Vantage.MINT, Vantage.LOGS},
    alone=True,
    explained_by=("auth-deep-header", "auth-wrong-secret"),
    broken="each bad token floods the log",
)
async def denials_are_short(target: Target, caller: Caller) -> None:
    """Sends 200 bad tokens of five kinds, and counts lines, bytes and traces."""
    await caller.control()
    claims = forge.altered(caller.token)
    deep = forge.segment(b'{"alg":"HS256","x":' + b"[" * 5_000 + b"]" * 5_000 + b"}")
    before = len(_log(target))
    for number in range(BAD_TOKENS):
        kinds = (
            forge.signed(claims | {"n": number}, "k" * 40),
            forge.signed(claims | {"exp": number}, target.deployment.tokens.secrets[0]),
            f"not-a-token-{number}",
            forge.unsigned(claims | {"n": number}, "none"),
            f"{deep}.e30.e30",
        )
        token = kinds[number % len(kinds)]
        reply = await caller.call("list_notes", {"limit": 1}, token=token)
        require(reply.status == 401, "HTTP 401 for a bad token", reply.brief)
    new = _log(target)[before:]
    lines, traces = new.count("\n"), new.count("Traceback") + new.count('File "')
    most, size = LINES_EACH * BAD_TOKENS, BYTES_EACH * BAD_TOKENS
    require(lines <= most, f"at most {most} lines for {BAD_TOKENS} bad tokens", lines)
    require(len(new) <= size, f"at most {size} bytes for {BAD_TOKENS} bad tokens", len(new))
    require(not traces, "no trace for a bad token", f"{traces} places of code")
    await caller.control()


@check(
    "hygiene-failures-logged",
    "Failures inside leave no values of variables in the log",
    severity=Severity.HIGH,
    catalogue="LOG-05",
    source="CWE-532; loguru `diagnose`, rich `show_locals`",
    remedy="Switch value dumps off: loguru diagnose=False, rich show_locals=False.",
    why="A trace with values shows the token, the secret and the note of whoever met the bug.",
    needs={Vantage.TOKENS, Vantage.UPSTREAM, Vantage.LOGS},
    explained_by=("control-token", "hygiene-no-secret-in-logs"),
    broken="traces in the log show the values of variables: tokens, secrets and users' text",
)
async def failures_show_no_values(target: Target, caller: Caller) -> None:
    """Answers in odd shapes, sends deep and broken arguments, and searches the log for values."""
    note = await caller.control_write()
    private = f"private-{target.random.getrandbits(64):016x}"
    headers = (("Content-Type", "application/json"),)
    updates: dict[str, Any] = {"uid": note["uid"], "updates": {"title": private}}
    calls = itertools.cycle((("patch_note", updates), ("list_notes", {"limit": 1})))
    for shape, (tool, arguments) in zip(SHAPES.values(), calls, strict=False):
        await caller.inject(path="/v1/notes.*", status=200, headers=headers, body=shape)
        await caller.call(tool, arguments)
    for shape in list(SHAPES.values())[:3]:
        newcomer = target.caller()
        await newcomer.inject(path="/v1/sync/sessions", status=201, headers=headers, body=shape)
        await newcomer.call("create_note", {"title": private, "content": private})
    call = caller.request("create_note", {"title": private, "content": hole("content")})
    values = (b"[" * 900 + b"]" * 900, b'"\\ud800"', b"NaN", b"9" * 5_000, b'"%b' % (b"x" * 999))
    for value in (*values, b"{}", b"null", b'"\\u0000"', b'{"a":1,"a":2}'):
        await send_body(caller, call, spelled(call, content=value))
    await target.mock.clear_faults(caller.sub)
    await caller.control()
    log = _log(target)
    require(private not in log, "no text of a note in the log", "the text of one")
    found = target.deployment.redactor.finds(log)
    require(not found, "no secret or token in the log", f"{', '.join(found)} in it")
    parts = [part for part in _parts(caller.token or "") if part in log]
    require(not parts, "no part of the caller's token in the log", f"{len(parts)} parts of it")


def _line(target: Target, mark: str) -> str:
    lines = [line for line in _log(target).splitlines() if mark in line]
    warned = [line for line in lines if re.search("(?i)warn", line)]
    if len(warned) != 1:
        raise Violation("one line at level warning for a denial", f"{len(warned)} of {len(lines)}")
    return warned[0]


@check(
    "hygiene-denials-logged",
    "Each denial is one warning in the log that tells the reason and not the token",
    severity=Severity.MEDIUM,
    catalogue="LOG-11",
    source="OWASP MCP08; CWE-778",
    remedy="Log a denial once, at level warning, with correlation id and a word for the reason.",
    why="Without it nobody sees an attack, and nobody can tell a caller what is wrong.",
    needs={Vantage.MINT, Vantage.LOGS},
    explained_by=("control-token", "tenant-wrong", "auth-wrong-secret"),
    broken="denials cannot be seen in the log, or not why",
)
async def denials_are_logged(target: Target, caller: Caller) -> None:
    """Sends a wrongly signed token and a foreign tenant's, each under a correlation id."""
    await caller.control()
    bad = forge.signed(forge.altered(caller.token), "k" * 40)
    key = target.deployment.tokens.secrets[0]
    foreign = forge.signed(forge.altered(caller.token, tenant_id="somebody-else"), key)
    told = []
    for token in (bad, foreign):
        mark = f"corr-{target.random.getrandbits(64):016x}"
        reply = await caller.call("list_notes", token=token, headers=(("X-Correlation-ID", mark),))
        require(reply.status in (401, 403), "HTTP 401 or 403", reply.brief)
        # A proxy may take the caller's id over, or put its own in its place.
        mark = reply.headers.get("x-correlation-id") or mark
        line = _line(target, mark)
        leaked = [part for part in _parts(token) if part in line]
        require(not leaked, "no part of the token in the line", f"{len(leaked)} parts")
        told.append(re.sub(r"\d+", "", line.replace(mark, "")))
    require(told[0] != told[1], "lines that tell a bad token from a foreign tenant", told[0][:80])
