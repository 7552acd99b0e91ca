"""Tokens and tenant headers, correct and not: PyJWT and the signer only make correct ones."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass

from toolbridge_contract.provider.case import GONE, Jwt, Now, Signed, Values
from toolbridge_contract.provider.template import fill
from toolbridge_contract.signing import (
    SIGNATURE_HEADER,
    TENANT_HEADER,
    TIMESTAMP_HEADER,
    signature,
)

_HASHES = {"HS384": hashlib.sha384, "HS512": hashlib.sha512}
# Long enough for any case, short enough that a leaked one is soon worthless.
_LIFETIME_SECONDS = 3600
_WRONG = "a-secret-that-the-api-does-not-have"


@dataclass(frozen=True)
class Secrets:
    """What the provider verifies with; never printed."""

    jwt: str
    tenant: str
    tenant_id: str

    def __repr__(self) -> str:
        return f"Secrets(tenant_id={self.tenant_id!r})"


def authorization(jwt: Jwt, subject: str, secrets: Secrets, now: float) -> str:
    """Return the Authorization value of a request at `now` (unix seconds)."""
    header = {"alg": jwt.alg, "typ": "JWT", **jwt.header}
    claims = {
        "sub": subject,
        "tenant_id": secrets.tenant_id,
        "iat": int(now),
        "exp": int(now) + _LIFETIME_SECONDS,
        **{name: _claim(value, subject, now) for name, value in jwt.claims.items()},
    }
    signed = ".".join(
        _part({name: value for name, value in part.items() if value is not GONE})
        for part in (header, claims)
    )
    key = _WRONG if jwt.wrong_key else secrets.jwt
    digest = hmac.digest(key.encode(), signed.encode(), _HASHES.get(jwt.alg, hashlib.sha256))
    mac = "" if jwt.alg == "none" else _encode(digest)
    return fill(jwt.form, {"jwt": f"{signed}.{mac}"})


def _claim(value: object, subject: str, now: float) -> object:
    if isinstance(value, Now):
        whole = isinstance(value.offset, int)
        date = int(now) + value.offset if whole else now + value.offset
        return str(date) if value.quoted else date
    return fill(value, {"sub": subject}) if isinstance(value, str) else value


def _part(value: object) -> str:
    return _encode(json.dumps(value, separators=(",", ":")).encode())


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def tenant_headers(
    signed: Signed, values: Values, secrets: Secrets, now: float
) -> list[tuple[str, str]]:
    """Return the three tenant headers of a request at `now` (unix seconds)."""
    at = now + signed.shift
    clock = {"ms": str(int(at * 1000)), "s": str(int(at)), "us": str(int(at * 1_000_000))}
    tenant = fill(signed.tenant, values)
    stamp = fill(signed.stamp, clock)
    macs: dict[str, Callable[[], str]] = {
        "{mac}": lambda: signature(tenant, stamp, secrets.tenant),
        "{upper}": lambda: signature(tenant, stamp, secrets.tenant).upper(),
        "{forged}": lambda: signature(tenant, stamp, _WRONG),
        "{foreign}": lambda: signature(f"not-{tenant}", stamp, secrets.tenant),
    }
    mac = macs[signed.mac]() if signed.mac in macs else signed.mac
    sent = fill(signed.sent, clock) or stamp
    pairs = ((TENANT_HEADER, tenant), (TIMESTAMP_HEADER, sent), (SIGNATURE_HEADER, mac))
    return [(name, f"{signed.pad}{value}{signed.pad}") for name, value in pairs]
