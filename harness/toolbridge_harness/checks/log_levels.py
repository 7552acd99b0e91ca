"""Logs at other settings: everything at DEBUG, and what a start prints when it fails."""

import json
from dataclasses import replace

from toolbridge_harness import forge
from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.restarts import Settings
from toolbridge_harness.starts import (
    JWT_SECRET,
    SECONDS,
    TENANT_SECRET,
    comes_up,
    require_no_secret,
    shown,
    two_at_a_time,
)
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import Advisory, require

_NOTES = "/v1/notes.*"
_DEBUG = {"TOOLBRIDGE_LOG_LEVEL": "DEBUG"}
# DESIGN: eight hex digits of a signature tell two apart and cannot be replayed.
_TOLERATED_DIGITS = 8


async def _session(caller: Caller) -> list[str]:
    """Make calls of every kind, good and bad, and return the tokens that were sent."""
    note = await caller.control_write()
    await caller.given("patch_note", {"uid": note["uid"], "updates": {"title": "t"}})
    await caller.given("delete_note", {"uid": note["uid"]})
    claims = forge.altered(caller.token)
    bad = [forge.signed(claims, "k" * 40), forge.unsigned(claims, "none")]
    foreign = caller.target.deployment.tokens.foreign(caller.sub, "another-tenant") or ""
    for token in (None, *bad, foreign):
        await caller.call("list_notes", {"limit": 1}, token=token)
    body = json.dumps({"error": "it broke", "correlation_id": "c"}).encode()
    for status in (401, 500):
        await caller.inject(path=_NOTES, status=status, body=body)
        await caller.call("list_notes", {"limit": 1})
    await caller.inject(path=_NOTES, kind="reset", times=2)
    await caller.call("list_notes", {"limit": 1})
    await caller.target.mock.clear_faults(caller.sub)
    return [caller.token or "", *bad, foreign]


@check(
    "hygiene-debug-log",
    "At DEBUG the log holds no secret, no token and no whole signature either",
    severity=Severity.HIGH,
    catalogue="LOG-02",
    source="CWE-532; check catalogue LOG-02",
    remedy="Silence the libraries' own debug logs (httpx, httpcore, h11, hpack); log no headers.",
    why="Whoever looks for a problem in staging switches DEBUG on, and the logs are kept.",
    needs={Vantage.MINT, Vantage.UPSTREAM, Vantage.RESTART, Vantage.LOGS},
    profile=Profile.FULL,
    seconds=SECONDS,
    explained_by=("control-token", "hygiene-no-secret-in-logs"),
    broken="at DEBUG the proxy logs secrets, tokens or whole signatures",
)
async def debug_log_holds_no_secret(target: Target, caller: Caller) -> None:
    """Makes a short session of good and bad calls at DEBUG and searches everything logged."""
    await caller.control()
    async with target.attempted(_DEBUG) as attempt:
        require(await attempt.comes_up(), "a start at DEBUG", attempt.started.process.last_words)
        user = replace(target, deployment=attempt.deployment).caller()
        tokens = await _session(user)
        require_no_secret(target, attempt, "TOOLBRIDGE_LOG_LEVEL=DEBUG")
        for token in tokens:
            claims, mac = token.split(".")[1:]
            whole = [part for part in (claims, mac) if part and part in attempt.log]
            require(not whole, "no part of a token in the log at DEBUG", f"{len(whole)} parts")
        requests = await user.upstream()
        for request in requests:
            found = shown(request.header("X-TB-Signature") or "", attempt.log)
            require(found != "whole", "no whole signature in the log at DEBUG", found)
        graded = {_prefix(request.header("X-TB-Signature") or "") for request in requests}
        graded |= {request.header("X-Sync-Session") or "" for request in requests}
        kept = [value for value in graded - {""} if value in attempt.log]
        if kept:
            expected = f"no session id, and at most {_TOLERATED_DIGITS} digits of a signature"
            raise Advisory(f"{expected}, in the log at DEBUG", f"{len(kept)} values with more")


def _prefix(signature: str) -> str:
    return signature[: _TOLERATED_DIGITS + 1]


@check(
    "hygiene-start-log",
    "A start that is refused prints no secret, and no piece of one",
    severity=Severity.HIGH,
    catalogue="LOG-04",
    source="CWE-532; pydantic: hide_input_in_errors",
    remedy="Print the variable's name and the rule; in pydantic hide the input in errors.",
    why="A validation error that quotes its input puts all the secrets into the deploy log.",
    needs={Vantage.TOKENS, Vantage.RESTART, Vantage.LOGS},
    profile=Profile.FULL,
    seconds=SECONDS,
    explained_by=("hygiene-no-secret-in-logs",),
    broken="a start with wrong settings prints secrets",
)
async def refused_starts_print_no_secret(target: Target, caller: Caller) -> None:
    """Spoils one setting after the other, the secrets among them, and reads what is printed."""
    await caller.control()
    jwt, tenant, password = (f"{target.random.getrandbits(160):040x}" for _ in range(3))
    for secret in (jwt, tenant, password):
        target.deployment.redactor.add(secret)
    spoiled: dict[str, Settings] = {
        "a short JWT secret": {JWT_SECRET: jwt[:20]},
        "a blank after the tenant secret": {TENANT_SECRET: f"{tenant} "},
        "a JWKS address that is wrong": {
            "TOOLBRIDGE_JWT_JWKS_URL": f"https://user:{password}@go-api.invalid:port/{jwt}"
        },
    }
    pieces = (jwt[:20], tenant, password)
    await two_at_a_time(_silent, [(target, k, v, pieces) for k, v in spoiled.items()])


async def _silent(target: Target, what: str, settings: Settings, secrets: tuple[str, ...]) -> None:
    async with target.attempted(settings) as attempt:
        await comes_up(attempt, what)
        require_no_secret(target, attempt, what)
        told = [shown(secret, attempt.log) for secret in secrets]
        require(not any(told), f"a start with {what} that prints no secret", max(told))
