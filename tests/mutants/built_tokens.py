"""Correct proxies that judge tokens, and refuse them, in another way that the RFCs allow."""

from types import SimpleNamespace
from typing import Any

from starlette.responses import PlainTextResponse

from mutants.table import variant
from support.patching import patch
from toolbridge_proxy import gate, strict_json, tokens

# RFC 7519 section 4.1.4: "usually no more than a few minutes".
LEEWAY_SECONDS = 30


def _claims(change: Any) -> None:
    """Let `change(claims)` change the claims of a token before they are judged."""

    def make(original: Any) -> Any:
        def parse(token: str) -> Any:
            header, claims = original(token)
            change(claims)
            return header, claims

        return parse

    patch(tokens, "_parse", make)


@variant("leeway", "tolerates clocks that differ by 30 seconds")
def leeway() -> None:
    """For exp, nbf and iat."""

    def change(claims: Any) -> None:
        claims.exp += LEEWAY_SECONDS
        claims.nbf -= LEEWAY_SECONDS
        claims.iat -= LEEWAY_SECONDS

    _claims(change)


@variant("whole-seconds", "takes fractional dates, and cuts the fraction off (C-09)")
def whole_seconds() -> None:
    """As PyJWT does."""

    def change(claims: Any) -> None:
        claims.exp, claims.nbf, claims.iat = (
            int(date) for date in (claims.exp, claims.nbf, claims.iat)
        )

    _claims(change)


def _last_wins(module: Any) -> None:
    strict = strict_json._unique

    def loads(raw: bytes, *, max_depth: int) -> Any:
        patch(strict_json, "_unique", lambda _: dict)
        try:
            return strict_json.loads(raw, max_depth=max_depth)
        finally:
            patch(strict_json, "_unique", lambda _: strict)

    lax = SimpleNamespace(loads=loads, StrictJSONError=strict_json.StrictJSONError)
    patch(module, "strict_json", lambda _: lax)


@variant("last-claim-wins", "of a repeated claim the last one counts, as in the Go API")
def last_claim_wins() -> None:
    """RFC 7519 section 4 leaves it so."""
    _last_wins(tokens)


@variant("last-name-wins", "of a repeated name in a message the last one counts")
def last_name_wins() -> None:
    """For every part of the proxy."""
    _last_wins(gate)


@variant("tenant-as-401", "a wrong tenant is a token that does not count here: 401")
def tenant_as_401() -> None:
    """The tenant is part of what makes a token valid."""

    def make(original: Any) -> Any:
        async def caller(self: Any, authorization: str | None) -> tokens.Caller:
            try:
                verified: tokens.Caller = await original(self, authorization)
            except tokens.Denied as denied:
                if denied.code == "forbidden_tenant":
                    raise tokens.Denied("invalid_token", denied.reason) from None
                raise
            return verified

        return caller

    patch(tokens.TokenVerifier, "caller", make)


def _denials(change: Any) -> None:
    """Let `change(response, code)` change what a denied caller is answered, or replace it."""

    def make(original: Any) -> Any:
        def denial(self: Any, denied: tokens.Denied, message: Any, scope: Any) -> Any:
            response = original(self, denied, message, scope)
            return change(response, denied.code) or response

        return denial

    patch(gate.Gate, "_denial", make)


def _challenges(change: Any) -> None:
    """Let `change(challenge)` return the text of a challenge; 403 has none."""

    def told(response: Any, _: str) -> None:
        if "www-authenticate" in response.headers:
            response.headers["WWW-Authenticate"] = change(response.headers["WWW-Authenticate"])

    _denials(told)


@variant("challenge-told", "challenges hold a realm, a description and what RFC 6750 allows")
def challenge_told() -> None:
    """With commas, equals signs and quotes in quoted strings."""

    def change(challenge: str) -> str:
        said = (
            ', error_description="Expired, or \\"error=none\\" there"'
            if "error" in challenge
            else ""
        )
        own = challenge.removeprefix("Bearer").strip()
        own = f", {own}" if own else ""
        return f'Bearer realm="notes, tasks", scope="read write"{own}{said}'

    _challenges(change)


@variant("challenge-spelled", "challenges are in lower case, with a token for a quoted string")
def challenge_spelled() -> None:
    """Schemes ignore case, and a value may be a token (RFC 9110 section 11.2)."""
    _challenges(lambda challenge: challenge.replace("Bearer", "bearer").replace('"', ""))


@variant("challenges-two", "offers another scheme before Bearer")
def challenges_two() -> None:
    """One field may hold several challenges (RFC 9110 section 11.6.1)."""
    _challenges(lambda challenge: f'DPoP algs="ES256 PS256", {challenge}')


@variant("denials-as-text", "denials have a body for people")
def denials_as_text() -> None:
    """As gateways answer: the status and the challenge say it to machines."""

    def plain(response: Any, _: str) -> Any:
        kept = {k: v for k, v in response.headers.items() if k == "www-authenticate"}
        return PlainTextResponse("Denied", response.status_code, kept)

    _denials(plain)


@variant("challenge-at-403", "403 carries a challenge too: insufficient_scope")
def challenge_at_403() -> None:
    """As RFC 6750 section 3.1 has it."""

    def told(response: Any, code: str) -> None:
        if code == "forbidden_tenant":
            response.headers["WWW-Authenticate"] = 'Bearer error="insufficient_scope"'

    _denials(told)
