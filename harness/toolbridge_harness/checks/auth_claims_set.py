"""Issuer and audience, once they are set: tokens for somebody else do not count here."""

from collections.abc import Callable
from typing import Any

from toolbridge_harness import forge
from toolbridge_harness.issuer import AUDIENCE, ISSUER, key_set
from toolbridge_harness.model import Capability, Profile, Severity, Vantage
from toolbridge_harness.refusals import refused_tokens
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import require

# `...` leaves the claim out.
_ISSUERS: tuple[Any, ...] = (
    ...,
    None,
    "",
    "https://other.verify.invalid",
    [ISSUER],
    ISSUER[:-1],
    f"{ISSUER}.evil.invalid",
    f"https://evil.invalid/{ISSUER}",
    f"{ISSUER}/",
    ISSUER.replace("issuer", "Issuer"),
)
_AUDIENCES: tuple[Any, ...] = (
    ...,
    None,
    "",
    [],
    {},
    {AUDIENCE: True},
    "other",
    ["other"],
    ["other", 5],
    f"{AUDIENCE}-evil",
    [f"{AUDIENCE}-evil"],
    f"x{AUDIENCE}",
    AUDIENCE[:-1],
    f"other {AUDIENCE}",
    AUDIENCE.upper(),
)


async def _only_ours(caller: Caller, sign: Callable[[Any], str]) -> None:
    """Require that one claim changed makes a token useless, and that an audience may be a list."""
    listed = sign(forge.altered(caller.token, aud=["other", AUDIENCE]))
    reply = await caller.call("list_notes", {"limit": 1}, token=listed)
    require(reply.ok, "a token for this audience and another one to work", reply.brief)
    values = {"iss": _ISSUERS, "aud": _AUDIENCES}
    tokens = [
        (
            f"a token without {name}" if value is ... else f"a token with {name} {value!r}",
            sign(forge.altered(caller.token, **{name: value})),
        )
        for name, wrong in values.items()
        for value in wrong
    ]
    await refused_tokens(caller, tokens)


_DECLARED: dict[str, Any] = {
    "severity": Severity.HIGH,
    "catalogue": ("AUTH-33", "AUTH-34"),
    "source": "RFC 8725 §3.8, §3.9; RFC 9068 §4; MCP 2025-11-25 authorization, token audience",
    "remedy": "Compare iss as a whole; require aud to be the audience, or a list that holds it.",
    "profile": Profile.FULL,
}


@check(
    "auth-issuer-audience",
    "With issuer and audience set, an HS256 token for another issuer or audience is refused",
    **_DECLARED,
    why="The secret is shared: tokens that were made for another service would open this one.",
    needs={Vantage.MINT, Vantage.UPSTREAM, Vantage.RESTART},
    explained_by=("control-token",),
    broken="tokens of another issuer, or for another audience, are accepted",
)
async def only_for_this_service(target: Target, caller: Caller) -> None:
    """Changes iss and aud of HS256 tokens: absent, other, similar, and of another type."""
    settings = {"TOOLBRIDGE_JWT_ISSUER": ISSUER, "TOOLBRIDGE_JWT_AUDIENCE": AUDIENCE}
    async with target.restarted(settings) as proxy:
        secret = proxy.deployment.tokens.secrets[0]
        await _only_ours(proxy.caller(), lambda payload: forge.signed(payload, secret))


@check(
    "auth-keys-issuer-audience",
    "A token by the issuer's key for another issuer or audience is refused",
    **_DECLARED,
    capability=Capability.KEY_SETS,
    why="One issuer signs for many services: its tokens for any of them would open this one.",
    needs={Vantage.UPSTREAM, Vantage.RESTART},
    explained_by=("auth-keys-accepted", "control-token", "auth-issuer-audience"),
    broken="RS256 tokens of another issuer, or for another audience, are accepted",
)
async def only_by_this_issuer(target: Target, caller: Caller) -> None:
    """Changes iss and aud of RS256 tokens: absent, other, similar, and of another type."""
    async with key_set(target) as issuer, issuer.proxy() as proxy:
        await _only_ours(proxy.caller(), issuer.key.token)
