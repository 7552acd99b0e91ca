"""The positive control: without it, a proxy that refuses everything would look secure."""

import re

from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import ControlFailed, Violation, require_equal

NOTHING_ASKED = "none: answered without asking the Go API for this caller"
EXPLAINS_THE_CONTROL = (
    "signing-every-request",
    "signing-recomputed",
    "signing-unit",
    "signing-fresh",
    "sessions-headers",
    "sessions-own",
)


@check(
    "control-token",
    "A valid token makes a tool call succeed",
    severity=Severity.CRITICAL,
    catalogue=("AUTH-00", "TEN-00", "SIG-17"),
    source="RFC 6750 §2.1; MCP 2025-11-25 authorization",
    remedy="Make one call by hand with `toolbridge up` and follow it through the proxy's log.",
    why="Every refusal in this suite is only worth something beside a call that succeeds.",
    needs=Vantage.TOKENS,
    explained_by=EXPLAINS_THE_CONTROL,
    broken="a valid token does not get through: a correct call of list_notes fails",
)
async def valid_token_is_served(target: Target, caller: Caller) -> None:
    """Calls list_notes with a valid token of the target's tenant."""
    reply = await caller.call("list_notes", {"limit": 1})
    if not reply.ok:
        raise Violation("list_notes to succeed", reply.brief)


@check(
    "control-one-request",
    "One tool call is one request upstream, with the caller's own token",
    severity=Severity.HIGH,
    catalogue=("AUTH-00", "SES-02", "SES-20", "SES-24"),
    source="check catalogue AUTH-00, SES-20",
    remedy="Forward the Authorization of the call at hand, on entity and session requests alike.",
    why="A token kept from an earlier call acts for the wrong user, or after it expired.",
    needs={Vantage.TOKENS, Vantage.UPSTREAM},
    explained_by=("control-token", "sessions-own"),
    broken="upstream requests do not carry the token of the call that caused them",
)
async def one_call_is_one_request(target: Target, caller: Caller) -> None:
    """Calls list_notes with two tokens of one user, once without a session, and reads upstream."""
    await caller.control()
    if not await caller.upstream():
        raise Violation("an upstream request with the caller's token", NOTHING_ASKED)
    fresh = target.deployment.tokens.identity(caller.sub)
    token = fresh[1] if fresh else caller.token
    before = await caller.mark()
    reply = await caller.call("list_notes", {"limit": 1}, token=token)
    if not reply.ok:
        raise Violation("a second token of the same user to work", reply.brief)
    entity = await caller.entity_requests(before)
    require_equal(1, len(entity), "entity requests for one call under its user:")
    # A session that is lost is made again, with the new token too.
    await target.mock.drop_sessions(caller.sub)
    await caller.call("list_notes", {"limit": 1}, token=token)
    for request in await caller.upstream(before):
        sent = [value for name, value in request.headers if name.lower() == "authorization"]
        require_equal([f"Bearer {token}"], sent, f"Authorization of {request.target}:")


@check(
    "health-check-public",
    "health_check answers without a token and tells nothing about the deployment",
    severity=Severity.MEDIUM,
    catalogue=("ERR-13", "AUTH-56"),
    source="OWASP API8:2023; check catalogue ERR-13",
    remedy="Answer health_check with a status alone; keep tenant, URLs and versions in the log.",
    why="Probes need it without secrets, and anyone on the internet can read it.",
    profile=Profile.SMOKE,
    explained_by=("control-token",),
    broken="health_check does not answer without a token, or tells strangers too much",
)
async def health_check_is_public(target: Target, caller: Caller) -> None:
    """Calls health_check without a token and looks for the tenant, the upstream and secrets."""
    reply = await caller.call("health_check", token=None)
    if not reply.ok:
        raise Violation("health_check to succeed without a token", reply.brief)
    deployment = target.deployment
    secret = (deployment.tenant, deployment.tenant_secret, deployment.mock_address)
    for word in (*(word for word in secret if word), "TOOLBRIDGE_", "http://", "https://"):
        if word in reply.tool_text:
            raise Violation("an answer without configuration in it", reply.brief)
    # The catalogue allows a status, at most 256 bytes, and no version of anything (ERR-13).
    if len(reply.tool_text) > 256 or re.search(r"\d+\.\d+", reply.tool_text):
        raise Violation("a short status without versions", reply.brief)
    if caller.token is not None:
        known = await caller.call("health_check")
        if not known.ok:
            raise ControlFailed(f"health_check with a token did not succeed: {known.brief}")
        require_equal(reply.tool_text, known.tool_text, "the answer with a token:")
