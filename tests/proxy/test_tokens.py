"""Which tokens prove a caller."""

import base64
import hashlib
import hmac
import json
import random
import time
from typing import Any

import pytest

from support.proxy_app import JWT_SECRET, TENANT, make_settings, signed, token
from toolbridge_proxy.settings import Settings
from toolbridge_proxy.tokens import Caller, Denied, TokenVerifier

NOW = int(time.time())
DAY = 86_400  # more than the longest run of the tests, which begin long after this is read
HEADER = {"alg": "HS256", "typ": "JWT"}


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def claims(**changes: Any) -> dict[str, Any]:
    """Good claims, changed; a change to `...` removes the claim."""
    base = {"sub": "alice", "tenant_id": TENANT, "iat": NOW - 5, "exp": NOW + DAY} | changes
    return {name: value for name, value in base.items() if value is not ...}


def raw(header: bytes, payload: bytes, secret: str = JWT_SECRET) -> str:
    """Sign these exact bytes, with hmac and nothing of the proxy's."""
    return raw_segments(b64(header), b64(payload), secret)


def raw_segments(header: str, payload: str, secret: str = JWT_SECRET) -> str:
    """Sign two segments as they are."""
    signing_input = f"{header}.{payload}"
    mac = hmac.new(secret.encode(), signing_input.encode(), hashlib.sha256).digest()
    return f"{signing_input}.{b64(mac)}"


def made(header: Any = HEADER, **changes: Any) -> str:
    return raw(json.dumps(header).encode(), json.dumps(claims(**changes)).encode())


async def verdict(value: str | None, settings: Settings | None = None) -> str:
    """Return ok, or the code of the denial, of a whole Authorization value."""
    try:
        await TokenVerifier(settings or make_settings(), None).caller(value)
    except Denied as denied:
        return denied.code
    return "ok"


async def bearer(value: str, settings: Settings | None = None) -> str:
    return await verdict(f"Bearer {value}", settings)


async def test_a_good_token_gives_the_caller() -> None:
    """The caller has the subject, the issuer and the very token that was sent."""
    good = token("alice", iss="https://issuer.example")
    caller = await TokenVerifier(make_settings(), None).caller(f"bEaReR {good}")
    assert Caller("https://issuer.example", "alice", good) == caller


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "unauthenticated"),
        ("", "invalid_token"),
        ("Bearer", "invalid_token"),
        ("Bearer ", "invalid_token"),
        ("Bearer null", "invalid_token"),
        (f"Basic {token()}", "invalid_token"),
        (token(), "invalid_token"),
        (f"Bearer  {token()}", "invalid_token"),
        (f"Bearer\t{token()}", "invalid_token"),
        (f"Bearer {token()}, Bearer {token()}", "invalid_token"),
        (f"Bearer {token()}\n", "invalid_token"),
    ],
)
async def test_only_one_bearer_token_counts(value: str | None, code: str) -> None:
    """Anything that is not one bearer token is a denial, and nothing at all is its own."""
    assert code == await verdict(value)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"exp": NOW + DAY + 0.5},
        {"iat": ...},
        {"nbf": NOW - 5},
        {"iat": NOW - 10 * 365 * 86400},
        {"aud": ["anything"]},
        {"sub": "üser with blanks"},
    ],
)
async def test_conforming_claims_are_accepted(changes: dict[str, Any]) -> None:
    """What RFC 7519 allows and the contract does not forbid passes."""
    assert await bearer(made(**changes)) == "ok"


BAD_CLAIMS: dict[str, list[Any]] = {
    "exp": [
        ..., None, "", "9999999999", "\uff19" * 10, [NOW + 60], {}, True, -1, 0, NOW - 1,
        (NOW + 600) * 1000, 2**63, 2**70,
    ],
    "nbf": [NOW + DAY, "abc", None, True],
    "iat": [NOW + DAY, NOW + 2 * DAY, "abc", None],
    "sub": [
        ..., None, "", "   ", 5, True, ["alice"], {}, "a\r\nX: 1", "a\x00", "a\x1b[0m",
    ],
    "iss": [["x"]],
    "aud": [["x", 5], {}],
}  # fmt: skip


@pytest.mark.parametrize(
    "changes", [{name: bad} for name, values in BAD_CLAIMS.items() for bad in values]
)
async def test_other_claims_are_refused(changes: dict[str, Any]) -> None:
    """Each claim is required or typed as the contract says, with no leeway."""
    assert await bearer(made(**changes)) == "invalid_token"


@pytest.mark.parametrize(
    "tenant",
    [
        ..., None, "", " ", 0, False, 5, True, [TENANT], {"id": TENANT}, "other", "Tenant-A",
        f"{TENANT} ", f" {TENANT}", f"{TENANT}\n", f"{TENANT}\u200b", f"{TENANT}\x00",
        "tenant", f"{TENANT}-evil", f"evil-{TENANT}", "*", "tenant-\u0430", "\uff54enant-a",
    ],
    ids=repr,
)  # fmt: skip
async def test_any_other_tenant_is_forbidden(tenant: Any) -> None:
    """The tenant claim must be the configured text, code point by code point."""
    assert await bearer(made(tenant_id=tenant)) == "forbidden_tenant"


@pytest.mark.parametrize("name", ["tenant", "tid", "org_id", "Tenant_Id", "tenant-id"])
async def test_the_tenant_under_another_name_does_not_count(name: str) -> None:
    """Only tenant_id names the tenant."""
    assert await bearer(made(tenant_id=..., **{name: TENANT})) == "forbidden_tenant"


UNSIGNED = [
    f"{b64(json.dumps({'alg': alg}).encode())}.{b64(json.dumps(claims()).encode())}."
    for alg in ("none", "None", "NONE", "nOnE", "none ", "none\x00", "\u0274one")
]


@pytest.mark.parametrize("value", UNSIGNED)
async def test_an_unsigned_token_is_refused(value: str) -> None:
    """No spelling of alg none works without a signature."""
    assert await bearer(value) == "invalid_token"


@pytest.mark.parametrize(
    "alg",
    [
        "none", "None", "nOnE", "none ", "hs256", "HS256 ", "HS1", "HS384", "HS512", "RS256",
        "PS256", "ES256", None, ["HS256"], {}, "",
    ],
    ids=repr,
)  # fmt: skip
async def test_another_algorithm_is_refused(alg: Any) -> None:
    """The algorithm must be HS256 even when the HS256 signature is right."""
    assert await bearer(made({"alg": alg})) == "invalid_token"


@pytest.mark.parametrize(
    "extra",
    [
        {"crit": ["http://x/y"]}, {"crit": []}, {"crit": "b64"}, {"crit": ["exp"]}, {"crit": [1]},
        {"b64": False}, {"b64": False, "crit": ["b64"]}, {"b64": None},
        {"typ": "logout+jwt"}, {"typ": "dpop+jwt"}, {"typ": None}, {"typ": ["JWT"]},
        {"kid": 1}, {"kid": None}, {"kid": []},
    ],
    ids=repr,
)  # fmt: skip
async def test_a_header_that_changes_the_meaning_is_refused(extra: dict[str, Any]) -> None:
    """Critical extensions, unencoded payloads and other token types are not access tokens."""
    assert await bearer(made(HEADER | extra)) == "invalid_token"


@pytest.mark.parametrize(
    "extra",
    [{"typ": "at+jwt"}, {"typ": "JWT"}, {"typ": "jwt"}, {"jku": "http://127.0.0.1:1/"},
     {"kid": "../../dev/null"}, {"x5u": "http://127.0.0.1:1/"}],
    ids=repr,
)  # fmt: skip
async def test_a_header_that_only_hints_is_ignored(extra: dict[str, Any]) -> None:
    """Where to find a key is configuration; what the token says about it has no effect."""
    assert await bearer(made(HEADER | extra)) == "ok"


def swapped_signature() -> str:
    return ".".join([*made().split(".")[:2], made(sub="bob").split(".")[2]])


GOOD = json.dumps(claims())
HEAD = json.dumps(HEADER).encode()
MALFORMED = {
    "wrong key": signed(claims(), "x" * 32),
    "other signature": swapped_signature(),
    "empty signature": made().rpartition(".")[0] + ".",
    "short signature": made()[:-2],
    "zero signature": made().rpartition(".")[0] + "." + b64(bytes(32)),
    "unused bits set": raw_segments("eyJhbGciOiJIUzI1NiIgfR", b64(GOOD.encode())),
    "one segment": "abc",
    "two segments": made().rpartition(".")[0],
    "four segments": made() + ".x",
    "five segments": "a.b.c.d.e",
    "padding": made() + "=",
    "standard alphabet": made().replace("-", "+").replace("_", "/") + "+",
    "detached payload": raw(HEAD, b""),
    "repeated claim": raw(HEAD, f'{GOOD[:-1]}, "sub": "bob"}}'.encode()),
    "repeated header": raw(b'{"alg":"none","alg":"HS256"}', GOOD.encode()),
    "UTF-16 claims": raw(HEAD, GOOD.encode("utf-16-le")),
    "byte order mark": raw(HEAD, b"\xef\xbb\xbf" + GOOD.encode()),
    "UTF-16 header": raw(HEAD.decode().encode("utf-16"), GOOD.encode()),
    "surrogate": raw(HEAD, f'{GOOD[:-1]}, "x": "\\ud800"}}'.encode()),
    "raw surrogate": raw(HEAD, GOOD[:-1].encode() + b', "x": "\xed\xa0\x80"}'),
    "deep header": raw(b'{"alg":"HS256","x":' + b"[" * 4000 + b"]" * 4000 + b"}", GOOD.encode()),
    "deep claims": raw(HEAD, b'{"x":' + b"[" * 4000 + b"]" * 4000 + b"}"),
    "deeper than claims are": raw(HEAD, b'{"x":' + b"[" * 30 + b"]" * 30 + b"}"),
    "NaN": raw(HEAD, f'{GOOD[:-1]}, "x": NaN}}'.encode()),
    "infinite exp": raw(HEAD, f'{{"sub":"alice","tenant_id":"{TENANT}","exp":1e400}}'.encode()),
    "5,000 digits": raw(HEAD, f'{GOOD[:-1]}, "x": {"9" * 5000}}}'.encode()),
    "array claims": raw(HEAD, b"[]"),
    "text claims": raw(HEAD, b'"alice"'),
    "null claims": raw(HEAD, b"null"),
    "array header": raw(b"[]", GOOD.encode()),
    "too long": made(padding="x" * 20_000),
    "raw payload": f"{b64(HEAD)}.{GOOD}.x",
}


@pytest.mark.parametrize("value", MALFORMED.values(), ids=MALFORMED.keys())
async def test_a_malformed_token_is_refused(value: str) -> None:
    """One token has one spelling and one meaning, and its signature is ours."""
    assert await bearer(value) == "invalid_token"


async def test_the_last_character_has_one_spelling() -> None:
    """Changing only the unused bits of the last character makes another, refused token."""
    good = made()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(good[-1])
    verifier, reasons = TokenVerifier(make_settings(), None), set()
    for bits in (1, 2, 3):
        with pytest.raises(Denied) as denied:
            await verifier.caller(f"Bearer {good[:-1]}{alphabet[last ^ bits]}")
        reasons.add(denied.value.reason)
    # Our own verdict: older versions of PyJWT take all four spellings.
    assert reasons == {"malformed_base64"}


async def test_no_single_change_of_a_good_token_is_accepted() -> None:
    """Two thousand tokens, each with one character replaced, dropped or added."""
    good, order = made(), random.Random(1)
    alphabet = "ABCXYZabcxyz0189-_.=+/ "
    changed: set[str] = set()
    while len(changed) < 2000:
        place, letter = order.randrange(len(good)), order.choice(alphabet)
        cut = order.choice([0, 1])
        changed.add(good[:place] + order.choice([letter, ""]) + good[place + cut :])
    verdicts = {await bearer(other) for other in changed - {good}}
    assert verdicts == {"invalid_token"}


async def test_the_tenant_secret_signs_no_tokens() -> None:
    """A token signed with the tenant-header secret is refused: one key, one use."""
    settings = make_settings()
    secret = settings.tenant_header_secret.get_secret_value()
    assert await bearer(signed(claims(), secret), settings) == "invalid_token"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"iss": "https://i.example", "aud": "toolbridge"}, "ok"),
        ({"iss": "https://i.example", "aud": ["other", "toolbridge"]}, "ok"),
        ({"iss": "https://i.example"}, "invalid_token"),
        ({"iss": "https://i.example", "aud": []}, "invalid_token"),
        ({"iss": "https://i.example", "aud": "toolbridge-evil"}, "invalid_token"),
        ({"iss": "https://i.example", "aud": ["xtoolbridge"]}, "invalid_token"),
        ({"iss": "https://i.example", "aud": ["toolbridge", 5]}, "invalid_token"),
        ({"aud": "toolbridge"}, "invalid_token"),
        ({"iss": "https://i.example/", "aud": "toolbridge"}, "invalid_token"),
        ({"iss": "https://I.example", "aud": "toolbridge"}, "invalid_token"),
        ({"iss": ["https://i.example"], "aud": "toolbridge"}, "invalid_token"),
    ],
    ids=repr,
)
async def test_issuer_and_audience_are_checked_when_set(
    changes: dict[str, Any], expected: str
) -> None:
    """For HS256 too: the issuer is equal, the audience is or contains ours."""
    settings = make_settings(jwt_issuer="https://i.example", jwt_audience="toolbridge")
    assert expected == await bearer(made(**changes), settings)


async def test_without_a_key_every_token_is_refused() -> None:
    """A proxy without a key lets nobody in, not even with an empty secret's signature."""
    settings = make_settings(jwt_secret=None)
    tokens = [made(), raw(HEAD, GOOD.encode(), ""), UNSIGNED[0]]
    assert ["invalid_token"] * 3 == [await bearer(value, settings) for value in tokens]
