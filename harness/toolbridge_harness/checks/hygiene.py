"""Secrets stay secret: in answers, in errors and in logs."""

import json

from toolbridge_harness import forge
from toolbridge_harness.model import Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import ControlFailed, Violation, require, require_equal
from toolbridge_harness.wire import Reply

_INTERNALS = ("Traceback", "httpx", "pydantic", "toolbridge_proxy", "/v1/notes", ".py")


def _log(target: Target) -> str:
    """Return everything that the proxy has written so far."""
    process = target.deployment.process
    return process.log if process is not None else ""


async def _provoke(target: Target, caller: Caller) -> list[tuple[str, Reply]]:
    """Return answers of every kind: success, refusals, bad arguments, upstream trouble."""
    bad = forge.signed(forge.altered(caller.token), "k" * 40)
    replies = [
        ("success", await caller.control()),
        ("no token", await caller.call("list_notes", token=None)),
        ("bad token", await caller.call("list_notes", token=bad)),
        ("bad argument", await caller.call("get_note", {"uid": "../x"})),
        (
            "not found",
            await caller.call("get_note", {"uid": "00000000-0000-4000-8000-000000000000"}),
        ),
        ("unknown tool", await caller.call("no_such_tool")),
    ]
    for status in (400, 401, 500, 302):
        body = json.dumps({"error": "it broke", "correlation_id": "c"}).encode()
        await caller.inject(kind="answer", path="/v1/notes", status=status, body=body)
        replies.append((f"upstream {status}", await caller.call("list_notes", {"limit": 1})))
    await caller.inject(kind="reset", path="/v1/notes", times=2)
    replies.append(("upstream reset", await caller.call("list_notes", {"limit": 1})))
    await target.mock.clear_faults(caller.sub)
    return replies


@check(
    "hygiene-no-secret-in-answers",
    "No answer holds a secret, a token, a signature or the upstream's address",
    severity=Severity.CRITICAL,
    catalogue=("ERR-03", "ERR-04", "SIG-15"),
    source="CWE-209, CWE-532; OWASP MCP01",
    remedy="Answer errors from a table of your own texts; never relay an exception's.",
    why="Answers go to a language model, and from there anywhere.",
    needs={Vantage.TOKENS, Vantage.UPSTREAM},
    explained_by=("control-token",),
    broken="answers to callers hold secrets or internals",
)
async def answers_hold_no_secret(target: Target, caller: Caller) -> None:
    """Provokes answers of every kind and searches bodies and headers for what must not be there."""
    provoked = await _provoke(target, caller)
    kept = [
        value[:_SHOWN] if name.lower() == "x-tb-signature" else value
        for request in await caller.upstream()
        for name, value in request.headers
        if name.lower() in _KEPT and len(value) > 8
    ]
    for what, reply in provoked:
        text = reply.text + str(list(reply.headers.items()))
        found = target.deployment.redactor.finds(text)
        require(not found, f"no secret in the answer to {what}", f"{', '.join(found)} in it")
        leaked = [value[:8] + "…" for value in kept if value in text]
        require(not leaked, f"no upstream header in the answer to {what}", leaked[:1])


_KEPT = ("x-tb-signature", "x-sync-session", "authorization")
# Digits of a signature that are too many to show: eight are tolerated in a log (SIG-15).
_SHOWN = 16


@check(
    "hygiene-no-internals",
    "No error tells how the proxy is built or where its upstream is",
    severity=Severity.MEDIUM,
    catalogue=("ERR-03", "ERR-15", "ERR-16"),
    source="CWE-209; OWASP API8:2023",
    remedy="Answer errors from a table of your own texts; details belong in the log.",
    why="Paths, library names and addresses are a map for whoever looks for a way in.",
    needs={Vantage.TOKENS, Vantage.UPSTREAM},
    explained_by=("control-token",),
    broken="errors tell callers about internals",
)
async def errors_tell_no_internals(target: Target, caller: Caller) -> None:
    """Provokes errors of every kind and searches them for paths, libraries and addresses."""
    await caller.control()
    address = target.deployment.mock_address
    for what, reply in await _provoke(target, caller):
        if reply.ok:
            continue
        for word in (*_INTERNALS, address):
            if word in reply.text:
                raise Violation(f"no {word!r} in the answer to {what}", reply.brief)


@check(
    "hygiene-no-secret-in-logs",
    "The log holds no secret, no token, no whole signature and no note's text",
    severity=Severity.CRITICAL,
    catalogue=("LOG-01", "LOG-09"),
    source="CWE-532; OWASP MCP01",
    remedy="Log names and outcomes, never values that came from a header or an argument.",
    why="Logs are read by more people, and kept longer, than any database.",
    needs={Vantage.TOKENS, Vantage.UPSTREAM, Vantage.LOGS},
    explained_by=("hygiene-query-not-logged", "control-token"),
    broken="the proxy logs secrets, tokens or users' text",
)
async def log_holds_no_secret(target: Target, caller: Caller) -> None:
    """Writes a note, provokes errors, and searches everything that the proxy has logged."""
    secret = f"private-{target.random.getrandbits(64):016x}"
    await caller.given("create_note", {"title": secret, "content": secret})
    await _provoke(target, caller)
    log = _log(target)
    found = target.deployment.redactor.finds(log)
    require(not found, "no secret in the log", f"{', '.join(found)} in it")
    require(secret not in log, "no text of a note in the log", "the title or content of one")
    for request in await caller.upstream():
        signature = "".join(v for k, v in request.headers if k.lower() == "x-tb-signature")
        shown = bool(signature) and signature[:_SHOWN] in log
        require(not shown, f"no {_SHOWN} digits of a signature in the log", "those of one")


@check(
    "hygiene-log-line",
    "Each upstream request is one log line with method, status and tenant",
    severity=Severity.MEDIUM,
    catalogue="LOG-07",
    source="DESIGN: logs; OWASP MCP08",
    remedy="Log one line per upstream request; keep the key `error` for lines that report one.",
    why="The deployment guide tells people to read the log for requests, tenants and errors.",
    needs={Vantage.TOKENS, Vantage.UPSTREAM, Vantage.LOGS},
    explained_by=("control-token",),
    broken="successful upstream requests cannot be seen in the log",
)
async def requests_are_logged(target: Target, caller: Caller) -> None:
    """Makes one call under a correlation id of its own and looks for that call's line."""
    mark = f"corr-{target.random.getrandbits(64):016x}"
    headers = (("X-Correlation-ID", mark),)
    reply = await caller.call("list_notes", {"limit": 1}, headers=headers)
    if not reply.ok:
        raise ControlFailed(f"a valid call with X-Correlation-ID failed: {reply.brief}")
    # A proxy may take the caller's id over, or put its own in its place.
    marks = (mark, reply.headers.get("x-correlation-id") or mark)
    lines = [line for line in _log(target).splitlines() if any(m in line for m in marks)]
    wanted = (target.deployment.tenant, "GET", "200")
    told = [line for line in lines if all(word in line for word in wanted)]
    require(told, "a line with the correlation id, tenant, GET and 200", f"{len(lines)} lines")


@check(
    "hygiene-log-injection",
    "What a caller writes cannot start a line of the log",
    severity=Severity.MEDIUM,
    catalogue="LOG-06",
    source="CWE-117",
    remedy="Log structured values, with control characters escaped.",
    why="A forged line hides an attack, or blames somebody else for it.",
    needs={Vantage.TOKENS, Vantage.UPSTREAM, Vantage.LOGS},
    explained_by=("control-token",),
    broken="callers can write lines of their own into the log",
)
async def callers_write_no_log_lines(target: Target, caller: Caller) -> None:
    """Puts line breaks, escapes and a made-up log line into arguments, a header and a name."""
    await caller.control()
    canary = f"forged-{target.random.getrandbits(64):016x}"
    text = f"x\r\n{canary} level=info user=admin\n\x1b[31m{canary}"
    for tool, arguments in (
        ("get_note", {"uid": text}),
        ("list_notes", {"limit": 1, "cursor": text}),
        ("process_note", {"uid": text, "action": text}),
        (text, {}),
    ):
        await caller.call(tool, arguments)
    await caller.call("list_notes", {"limit": 1}, headers=(("User-Agent", f"\x1b[31m{canary}"),))
    named = target.deployment.tokens.identity(f"{caller.sub}\r\n{canary}\x1b[31m{canary}")
    if named is not None:  # a name that is refused is logged too
        target.deployment.callers[named[0]] = caller.marker
        await caller.call("list_notes", {"limit": 1}, token=named[1])
    lines = _log(target).splitlines()
    forged = [line for line in lines if line.lstrip("\x1b[31m").startswith(canary)]
    require_equal([], forged[:1], "log lines that a caller began:")
    require(f"\x1b[31m{canary}" not in _log(target), "escaped control characters", "raw ones")


@check(
    "hygiene-upstream-headers",
    "Headers of the Go API's answers are not passed on",
    severity=Severity.HIGH,
    catalogue="RES-20",
    source="Fly.io dynamic request routing; OWASP API10:2023",
    remedy="Build answers from nothing; copy no upstream header.",
    why="A fly-replay header makes the edge send the request, token and all, to another app.",
    needs={Vantage.TOKENS, Vantage.UPSTREAM},
    explained_by=("control-token",),
    broken="headers of the Go API's answers reach the caller",
)
async def upstream_headers_are_dropped(target: Target, caller: Caller) -> None:
    """Makes the Go API answer with headers that steer clients and edges, on success and error."""
    await caller.control()
    canary = f"canary-{target.random.getrandbits(48):012x}"
    names = (
        "Set-Cookie",
        "fly-replay",
        "fly-replay-cache",
        "Access-Control-Allow-Origin",
        "X-Evil",
    )
    for status, body in ((200, b'{"items":[]}'), (500, b'{"error":"no"}')):
        headers = [("Content-Type", "application/json"), *((name, canary) for name in names)]
        await caller.inject(
            kind="answer", path="/v1/notes", status=status, headers=tuple(headers), body=body
        )
        reply = await caller.call("list_notes", {"limit": 1})
        passed = sorted(name for name, value in reply.headers.items() if canary in value)
        require_equal([], passed, f"upstream headers in the answer to a {status}:")
