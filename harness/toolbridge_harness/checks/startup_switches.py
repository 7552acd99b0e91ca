"""What the environment must not open: switches for development, keys of yesterday."""

import asyncio
import contextlib
import re
from dataclasses import replace

from toolbridge_harness import forge
from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.refusals import require_forbidden, require_invalid_token
from toolbridge_harness.registry import check
from toolbridge_harness.starts import SECONDS, comes_up, two_at_a_time
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import Violation, require, require_equal

# What frameworks and hand-written servers call the switch that makes development easy.
_SWITCHES = (
    *("DEBUG", "FLASK_DEBUG", "FASTMCP_DEBUG", "DEV", "DEV_MODE", "DEVELOPMENT", "TESTING"),
    *("AUTH_DISABLED", "DISABLE_AUTH", "NO_AUTH", "SKIP_AUTH", "ALLOW_ANONYMOUS", "INSECURE"),
    *("TOOLBRIDGE_DEBUG", "TOOLBRIDGE_DEV", "TOOLBRIDGE_DEV_MODE", "TOOLBRIDGE_TESTING"),
    *("TOOLBRIDGE_AUTH_DISABLED", "TOOLBRIDGE_DISABLE_AUTH", "TOOLBRIDGE_SKIP_AUTH"),
    *("TOOLBRIDGE_ALLOW_ANONYMOUS", "TOOLBRIDGE_INSECURE", "TOOLBRIDGE_SKIP_TENANT_CHECK"),
)
_PROTECTIONS = ("AUTH_ENABLED", "REQUIRE_AUTH", "TOOLBRIDGE_AUTH_ENABLED")
_ENVIRONMENTS = ("ENV", "ENVIRONMENT", "APP_ENV", "TOOLBRIDGE_ENV", "TOOLBRIDGE_ENVIRONMENT")
_LOG_LEVEL = {"TOOLBRIDGE_LOG_LEVEL": "DEBUG"}


def _all_set(on: str, off: str, environment: str) -> dict[str, str]:
    return {
        **dict.fromkeys(_SWITCHES, on),
        **dict.fromkeys(_PROTECTIONS, off),
        **dict.fromkeys((*_ENVIRONMENTS, "NODE_ENV", "FLASK_ENV"), environment),
        **_LOG_LEVEL,
    }


# A variable has one value per start, and a start is dear: the four usual names of environments
# for developers take three, because no framework of Node calls one local.
_STARTS = (
    _all_set("1", "0", "dev"),
    _all_set("true", "false", "development"),
    {**dict.fromkeys(_ENVIRONMENTS, "local"), **dict.fromkeys(("NODE_ENV", "FLASK_ENV"), "test")},
)
# Halving thirty switches takes six starts: what a busy machine needs for them.
_NAMING_SECONDS = 45.0


@check(
    "startup-switches",
    "No switch for development opens the proxy",
    severity=Severity.CRITICAL,
    catalogue="DEP-05",
    source="OWASP API8:2023; CWE-489, CWE-1188",
    remedy="Have no setting that turns a check of tokens or tenants off; a warning in the log "
    "keeps nobody out.",
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
    """Starts with all the usual switches on at once, in each environment for developers."""
    await caller.control()
    await _let_nobody_in(target, caller, "that no switch is set")
    found = await two_at_a_time(_opening, [(target, settings) for settings in _STARTS])
    for settings, opening in zip(_STARTS, found, strict=True):
        if opening:
            raise await _narrowed(target, settings, opening)


async def _opening(target: Target, settings: dict[str, str]) -> Violation | None:
    """Return how a start with `settings` lets somebody in; None when it does not, or is refused."""
    what = _listed(settings)
    async with target.attempted(settings) as attempt:
        if await comes_up(attempt, what):
            started = replace(target, deployment=attempt.deployment)
            user = started.caller()
            await user.control()
            try:
                await _let_nobody_in(started, user, what)
            except Violation as let_in:
                return let_in
            return None
        # One refused switch must not hide another that opens.
        rest = {name: value for name, value in settings.items() if not _named(name, attempt.log)}
    parts = [rest] if len(rest) < len(settings) else _halves(settings)
    for part in parts:
        if part and len(part) < len(settings) and (opening := await _opening(target, part)):
            return opening
    return None


async def _narrowed(target: Target, settings: dict[str, str], opening: Violation) -> Violation:
    """Return how as few of `settings` as possible let somebody in: one, unless it takes more."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_NAMING_SECONDS):
            let_in: Violation | None = opening
            while len(settings) > 1:
                first, second = _halves(settings)
                let_in = await _opening(target, first)
                settings, opening = (first, let_in) if let_in else (second, opening)
            # What is left over has not been tried alone.
            opening = let_in or await _opening(target, settings) or opening
    return opening


def _named(name: str, log: str) -> bool:
    """Whether a refusal names it; what is also a word, or a setting of its own, may be chance."""
    unmistakable = "_" in name and name not in _LOG_LEVEL
    return unmistakable and bool(re.search(rf"(?i)\b{name}\b", log))


def _halves(settings: dict[str, str]) -> list[dict[str, str]]:
    pairs = list(settings.items())
    middle = len(pairs) // 2
    return [dict(pairs[:middle]), dict(pairs[middle:])]


def _listed(settings: dict[str, str]) -> str:
    first, *others = (f"{name}={value}" for name, value in settings.items())
    return f"{first} and {len(others)} more switches" if others else first


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
