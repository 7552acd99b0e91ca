"""The exact edge of what a token may be, and the reason that the log gives for a denial."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest

from support.proxy_app import JWT_SECRET, TENANT, make_settings
from toolbridge_proxy.settings import Settings
from toolbridge_proxy.tokens import Caller, Denied, TokenVerifier, _decode

DAY = 86_400  # more than the longest run of the tests, which begin long after this is read
EXPIRY = int(time.time()) + DAY
GOOD = {"sub": "alice", "tenant_id": TENANT, "exp": EXPIRY}
HEADER = {"alg": "HS256"}
LONGEST = 16_384  # bytes


def forged(header: bytes, claims: bytes) -> str:
    """Return a token of exactly these two texts, signed with the proxy's secret."""
    segments = [base64.urlsafe_b64encode(part).rstrip(b"=") for part in (header, claims)]
    mac = hmac.new(JWT_SECRET.encode(), b".".join(segments), hashlib.sha256).digest()
    return b".".join([*segments, base64.urlsafe_b64encode(mac).rstrip(b"=")]).decode()


def made(header: Any = HEADER, **changes: Any) -> str:
    """Return a good token, changed; a change to `...` removes the claim."""
    claims = {name: value for name, value in (GOOD | changes).items() if value is not ...}
    return forged(json.dumps(header).encode(), json.dumps(claims).encode())


async def told(authorization: str | None, settings: Settings | None = None) -> tuple[str, str]:
    """Return the code and the reason of a denial, ok twice without one."""
    try:
        await TokenVerifier(settings or make_settings(), None).caller(authorization)
    except Denied as denied:
        return denied.code, denied.reason
    return "ok", "ok"


ISSUER = {"jwt_issuer": "https://i.example", "jwt_audience": "toolbridge"}
# What is sent, the settings, and the code and reason of the denial.
DENIALS: dict[str, tuple[str | None, dict[str, Any], str, str]] = {
    "nothing": (None, {}, "unauthenticated", "no_token"),
    "another scheme": ("Basic YTpi", {}, "invalid_token", "not_a_bearer_token"),
    "a critical extension": (
        made(HEADER | {"crit": ["exp"]}), {}, "invalid_token", "critical_extension",
    ),
    "an expired token": (made(exp=1), {}, "invalid_token", "expired_or_not_yet_valid"),
    "another tenant": (made(tenant_id="b"), {}, "forbidden_tenant", "tenant_mismatch"),
    "another algorithm": (made({"alg": "HS384"}), {}, "invalid_token", "algorithm_not_allowed"),
    "RS256 without a key set": (
        made({"alg": "RS256"}), {}, "invalid_token", "algorithm_not_allowed",
    ),
    "no key": (made(), {"jwt_secret": None}, "invalid_token", "no_key_configured"),
    "four segments": (f"{made()}.x", {}, "invalid_token", "too_long_or_not_three_segments"),
    "no subject": (made(sub=...), {}, "invalid_token", "malformed_sub"),
    "a number as key id": (made(HEADER | {"kid": 1}), {}, "invalid_token", "malformed_kid"),
    "a number for a truth": (made(HEADER | {"b64": 1}), {}, "invalid_token", "malformed_b64"),
    "a list of claims": (
        forged(b'{"alg":"HS256"}', b"[]"), {}, "invalid_token", "malformed_object",
    ),
    "no JSON": (forged(b'{"alg":"HS256"}', b"{"), {}, "invalid_token", "malformed_json"),
    "no base64": ("a.b.c", {}, "invalid_token", "malformed_base64"),
    "another signature": (
        made()[:-43] + "A" * 43, {}, "invalid_token", "InvalidSignatureError",
    ),
    "another issuer": (
        made(iss="https://j.example", aud="toolbridge"), ISSUER, "invalid_token",
        "InvalidIssuerError",
    ),
    "another audience": (
        made(iss="https://i.example", aud="x"), ISSUER, "invalid_token", "InvalidAudienceError",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DENIALS)
async def test_a_denial_has_its_code_and_its_reason(name: str) -> None:
    """The code is for the caller, the reason for who reads the log."""
    sent, settings, code, reason = DENIALS[name]
    value = sent if sent is None or " " in sent else f"Bearer {sent}"
    assert (code, reason) == await told(value, make_settings(**settings))


async def test_a_denial_prints_as_its_code() -> None:
    """The reason is not in the exception's text, which a handler may answer with."""
    assert "invalid_token" == str(Denied("invalid_token", "malformed_sub"))


def of_length(length: int) -> str:
    """Return a good token of exactly so many bytes: base64 has no segment of 4n+1."""
    for blanks in range(3):
        header = b'{"alg":"HS256"}' + b" " * blanks
        for filling in range(length * 3 // 4 - 300, length * 3 // 4):
            claims = json.dumps(GOOD | {"x": "x" * filling}).encode()
            found = -(-len(header) * 4 // 3) + 1 + -(-len(claims) * 4 // 3) + 1 + 43
            if found == length:
                return forged(header, claims)
    raise AssertionError(length)


async def test_a_token_has_at_most_16_kib() -> None:
    """The last length that is read, and the first that is not."""
    fits, beyond = of_length(LONGEST), of_length(LONGEST + 1)
    assert (LONGEST, LONGEST + 1) == (len(fits), len(beyond))
    refused = ("invalid_token", "too_long_or_not_three_segments")
    assert [("ok", "ok"), refused] == [await told(f"Bearer {t}") for t in (fits, beyond)]


@pytest.mark.parametrize("place", ["header", "claims"])
async def test_a_token_is_nested_at_most_16_deep(place: str) -> None:
    """The object and fifteen lists in it are read, and one list more is not."""
    verdicts = []
    for lists in (15, 16):
        nested = b'{"x":' + b"[" * lists + b"]" * lists + b","
        header, claims = json.dumps(HEADER).encode(), json.dumps(GOOD).encode()
        if place == "header":
            header = nested + header[1:]
        else:
            claims = nested + claims[1:]
        verdicts.append(await told(f"Bearer {forged(header, claims)}"))
    assert [("ok", "ok"), ("invalid_token", "malformed_json")] == verdicts


def test_a_segment_may_end_in_any_character() -> None:
    """An RSA signature of 384 bytes does: each of the 64 is read as base64url says."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert list(range(64)) == [_decode(f"AAA{character}")[2] for character in alphabet]


@pytest.mark.parametrize("typ", ["application/at+jwt", "APPLICATION/AT+JWT", "AT+JWT"])
async def test_an_access_token_may_say_its_type_in_any_case(typ: str) -> None:
    """RFC 9068 section 2.1 has two spellings; media types have no case."""
    assert ("ok", "ok") == await told(f"Bearer {made(HEADER | {'typ': typ})}")


async def test_the_last_date_is_the_end_of_the_year_9999() -> None:
    """A second later it would be in milliseconds."""
    dates = (253_402_300_799, 253_402_300_800)
    expected = [("ok", "ok"), ("invalid_token", "malformed_exp")]
    assert expected == [await told(f"Bearer {made(exp=date)}") for date in dates]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"exp": 1000.5}, "ok"),
        ({"exp": 1000.25}, "expired_or_not_yet_valid"),
        ({"exp": 1001, "nbf": 1000.25, "iat": 1000.25}, "ok"),
        ({"exp": 1001, "nbf": 1000.5}, "expired_or_not_yet_valid"),
        ({"exp": 1001, "iat": 1000.5}, "expired_or_not_yet_valid"),
        ({"exp": 1001}, "ok"),
    ],
    ids=repr,
)
async def test_dates_are_compared_with_the_proxys_clock_alone(
    changes: dict[str, Any], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Valid from nbf and iat on and before exp, to the quarter of a second."""
    monkeypatch.setattr("toolbridge_proxy.tokens.time.time", lambda: 1000.25)
    assert expected == (await told(f"Bearer {made(**changes)}"))[1]


@pytest.mark.parametrize("claim", ["nbf", "iat"])
async def test_a_token_from_the_future_of_another_clock_is_good(
    claim: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyJWT's own reading of the dates, by its own clock, does not count."""
    now = EXPIRY + DAY
    monkeypatch.setattr("toolbridge_proxy.tokens.time.time", lambda: float(now))
    assert ("ok", "ok") == await told(f"Bearer {made(exp=now + DAY, **{claim: now})}")


async def test_without_an_issuer_the_caller_has_none() -> None:
    """None, which no issuer can be called."""
    caller = await TokenVerifier(make_settings(), None).caller(f"Bearer {made()}")
    assert Caller(None, "alice", made()) == caller


def test_the_fingerprint_is_sixteen_digits_of_issuer_and_subject() -> None:
    """printf 'https://i.example\\nalice' | sha256sum | cut -c1-16"""
    expected = hashlib.sha256(b"https://i.example\nalice").hexdigest()[:16]
    assert expected == Caller("https://i.example", "alice", "t").fingerprint
