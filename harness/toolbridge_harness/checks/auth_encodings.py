"""Tokens in other encodings than UTF-8, and tokens that were not made for access."""

import hmac
import json
import time

from toolbridge_harness import forge
from toolbridge_harness.model import Severity, Vantage
from toolbridge_harness.refusals import refused_tokens, require_invalid_token
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import Advisory, require

_HEADER = {"alg": "HS256", "typ": "JWT"}


def _encodings(caller: Caller) -> list[tuple[str, bytes, bytes]]:
    """Return header and claims in encodings that are not JSON's (RFC 8259 §8.1), and what it is."""
    head, claims = json.dumps(_HEADER), json.dumps(forge.altered(caller.token))
    good, plain = claims.encode(), head.encode()
    named = claims.replace(caller.sub, caller.sub + "HOLE").encode()
    found = []
    for codec in ("utf-16-le", "utf-16-be", "utf-16", "utf-32-le", "utf-8-sig"):
        found.append((f"claims in {codec}", plain, claims.encode(codec)))
        found.append((f"a header in {codec}", head.encode(codec), good))
    odd = {
        "an overlong encoding": b"\xc0\xaf",
        "half a surrogate pair in UTF-8": b"\xed\xa0\x80",
        "half a surrogate pair, escaped": b"\\ud800",
        "a byte that is no UTF-8": b"\xff",
    }
    found += [
        (f"a subject with {what}", plain, named.replace(b"HOLE", raw)) for what, raw in odd.items()
    ]
    return found


@check(
    "auth-encodings",
    "A token in another encoding than UTF-8 is refused",
    severity=Severity.MEDIUM,
    catalogue="AUTH-39",
    source="RFC 8725 §2.6, §3.7; RFC 8259 §8.1",
    remedy="Decode header and claims as strict UTF-8, without guessing, before parsing them.",
    why="Python guesses encodings and Go does not: one token, read two ways.",
    needs=Vantage.MINT,
    explained_by=("auth-wrong-secret",),
    broken="tokens in other encodings than UTF-8 are accepted",
)
async def other_encodings_are_refused(target: Target, caller: Caller) -> None:
    """Signs header and claims in UTF-16, UTF-32 and with a BOM, and subjects that are no UTF-8."""
    secret = target.deployment.tokens.secrets[0]
    tokens = []
    for what, header, claims in _encodings(caller):
        body = f"{forge.segment(header)}.{forge.segment(claims)}"
        mac = hmac.digest(secret.encode(), body.encode(), "sha256")
        tokens.append((what, f"{body}.{forge.segment(mac)}"))
    await refused_tokens(caller, tokens)


@check(
    "auth-token-kinds",
    "A signed token of another kind is no access token",
    severity=Severity.MEDIUM,
    catalogue="AUTH-36",
    source="RFC 8725 §3.11, §3.12; RFC 9068 §2.1, §4",
    remedy="Accept the types JWT and at+jwt, in any case, and no others.",
    why="A logout token travels to many services, each of which could come back with it as a user.",
    needs=Vantage.MINT,
    explained_by=("control-token", "auth-wrong-secret"),
    broken="the type of a token is misread",
)
async def other_kinds_are_refused(target: Target, caller: Caller) -> None:
    """Signs the same claims as other types: logout, proof of possession, events, ID tokens."""
    secret = target.deployment.tokens.secrets[0]
    call = caller.request("list_notes", {"limit": 1})
    await caller.control()
    for header in (_HEADER, {"alg": "HS256", "typ": "jwt"}, {"alg": "HS256"}):
        token = forge.signed(forge.altered(caller.token), secret, header)
        reply = await caller.send(call, token=token)
        # What the tool says is another check's affair: it was asked, so the token was taken.
        taken = reply.status == 200 and reply.result
        require(taken, f"success with typ {header.get('typ', '(absent)')}", reply.brief)
    accepted = []
    for kind in ("logout+jwt", "dpop+jwt", "secevent+jwt", "id+jwt", "application/dpop+jwt", "x"):
        claims = forge.altered(caller.token, nonce="n", at_hash="h", auth_time=int(time.time()))
        token = forge.signed(claims, secret, {"alg": "HS256", "typ": kind})
        reply = await caller.send(call, token=token)
        if reply.status == 200 and reply.result:
            accepted.append(kind)
        else:
            require_invalid_token(reply, f"a token of the type {kind}")
    if accepted:
        raise Advisory("tokens of another kind to be refused", f"accepted: {', '.join(accepted)}")
