"""What the environment must not open: switches for development, keys of yesterday."""

import re
from dataclasses import replace

from toolbridge_harness import forge
from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.refusals import require_forbidden, require_invalid_token
from toolbridge_harness.registry import check
from toolbridge_harness.restarts import Settings
from toolbridge_harness.starts import SECONDS, two_at_a_time
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import Advisory, Violation, require, require_equal

# What frameworks and hand-written servers call the switch that makes development easy.
_SWITCHES = {
    "DEBUG": "1",
    "FLASK_DEBUG": "1",
    "FASTMCP_DEBUG": "true",
    "DEV_MODE": "1",
    "DEVELOPMENT": "1",
    "TESTING": "1",
    "AUTH_DISABLED": "true",
    "DISABLE_AUTH": "true",
    "SKIP_AUTH": "1",
    "ALLOW_ANONYMOUS": "true",
    "TOOLBRIDGE_DEBUG": "1",
    "TOOLBRIDGE_DEV_MODE": "1",
    "TOOLBRIDGE_AUTH_DISABLED": "true",
    "TOOLBRIDGE_DISABLE_AUTH": "true",
    "TOOLBRIDGE_AUTH_ENABLED": "false",
    "TOOLBRIDGE_SKIP_TENANT_CHECK": "1",
    "TOOLBRIDGE_LOG_LEVEL": "DEBUG",
}
_ENVIRONMENTS = dict.fromkeys(
    ("ENV", "ENVIRONMENT", "APP_ENV", "NODE_ENV", "TOOLBRIDGE_ENV", "TOOLBRIDGE_ENVIRONMENT"), "dev"
)
# One line that calls itself a warning or worse, and is about this.
_LOUD = re.compile(
    r"(?i)^(?=.*\b(warn(ing)?|error|critical)\b)(?=.*(auth|debug|dev|insecure)).*$", re.MULTILINE
)


@check(
    "startup-switches",
    "No switch for development opens the proxy silently",
    severity=Severity.CRITICAL,
    catalogue="DEP-05",
    source="OWASP API8:2023; CWE-489, CWE-1188",
    remedy="Have no setting that turns a check of tokens or tenants off; at the very least refuse "
    "to start with it outside development.",
    why="A variable left over from a laptop opens everybody's notes to everybody.",
    needs={Vantage.MINT, Vantage.UPSTREAM, Vantage.RESTART, Vantage.LOGS},
    seconds=SECONDS,
    explained_by=(
        *("auth-no-token", "auth-wrong-secret", "auth-alg-none", "auth-expired"),
        *("auth-identity-headers", "tenant-wrong", "control-token"),
    ),
    broken="a switch for development turns off what protects the users",
)
async def switches_open_nothing(target: Target, caller: Caller) -> None:
    """Starts with every usual switch on, and with the name of a development environment."""
    await caller.control()
    opened = {
        "switches for development": _SWITCHES,
        "an environment named dev": _ENVIRONMENTS,
    }
    await two_at_a_time(_stays_closed, [(target, k, v) for k, v in opened.items()])


async def _stays_closed(target: Target, what: str, settings: Settings) -> None:
    async with target.attempted(settings) as attempt:
        if not await attempt.comes_up():
            return
        started = replace(target, deployment=attempt.deployment)
        user = started.caller()
        await user.control()
        said_at_start = attempt.log  # later lines may be about the probes
        try:
            await _let_nobody_in(started, user, what)
        except Violation as opened:
            if _LOUD.search(said_at_start):
                raise Advisory(opened.expected, f"{opened.actual}; the log says so") from None
            raise


async def _let_nobody_in(target: Target, user: Caller, what: str) -> None:
    victim = target.caller()
    named = (("X-Debug-Sub", victim.sub), ("X-Debug-User", victim.sub))
    for headers in ((), named):
        reply = await victim.call("list_notes", {"limit": 1}, token=None, headers=headers)
        require(reply.status == 401, f"HTTP 401 without a token despite {what}", reply.brief)
    good = forge.altered(victim.token)
    for kind, token in (
        ("unsigned", forge.unsigned(good, "none")),
        ("forged", forge.signed(good, "k" * 40)),
        ("expired", forge.signed({**good, "exp": good["iat"] - 600}, _key(target))),
    ):
        reply = await victim.call("list_notes", {"limit": 1}, token=token)
        require_invalid_token(reply, f"an {kind} token despite {what}")
    foreign = target.deployment.tokens.foreign(victim.sub, "another-tenant")
    reply = await victim.call("list_notes", {"limit": 1}, token=foreign)
    require_forbidden(reply, f"another tenant's token despite {what}")
    reply = await user.call("list_notes", {"limit": 1}, headers=named)
    require(reply.ok, "a call with a header for development to be the caller's own", reply.brief)
    require_equal([], await victim.upstream(), f"requests of somebody else despite {what}:")
    names = {name.lower() for request in await user.upstream() for name, _ in request.headers}
    require("x-debug-sub" not in names, f"no X-Debug-Sub upstream despite {what}", "it is sent")


def _key(target: Target) -> str:
    return target.deployment.tokens.secrets[0]


@check(
    "auth-rotated-secret",
    "After a change of the HS256 secret, tokens of the old one are refused",
    severity=Severity.HIGH,
    catalogue="AUTH-64",
    source="OWASP MCP01; NIST SP 800-57 part 1 §5.3.4",
    remedy="Take the key from the settings alone; keep none on disk and have no default.",
    why="Rotation is what one does after a leak: the leaked key must not go on working.",
    needs={Vantage.MINT, Vantage.UPSTREAM, Vantage.RESTART},
    profile=Profile.FULL,
    seconds=SECONDS,
    explained_by=("control-token", "auth-wrong-secret"),
    broken="tokens signed with a former secret are still accepted",
)
async def old_secret_is_forgotten(target: Target, caller: Caller) -> None:
    """Starts the proxy with a new secret and sends it tokens of the old and of the new one."""
    await caller.control()
    async with (
        target.another_mock() as mock,
        target.restarted({}, mock) as other,
    ):
        user = other.caller()
        old = forge.signed(forge.altered(user.token), _key(target))
        reply = await user.call("list_notes", {"limit": 1}, token=old)
        require_invalid_token(reply, "a token signed with the secret before the rotation")
        require_equal([], await user.upstream(), "requests under the old token:")
        await user.ok("list_notes", {"limit": 1})
