"""Section 2: JWT."""

import random
import string

from toolbridge_contract.provider.case import GONE, Case, Jwt, Now
from toolbridge_contract.provider.wants import (
    BAD_TENANT,
    NOTE_LIST,
    SERVER_ERROR,
    UNAUTHORIZED,
    began,
)

_REFUSED: dict[str, Jwt | None] = {
    "missing": None,
    "nothing-after-bearer": Jwt("Bearer"),
    "garbage": Jwt("Bearer garbage"),
    "lower-case-scheme": Jwt("bearer {jwt}"),
    "two-spaces": Jwt("Bearer  {jwt}"),
    "basic-scheme": Jwt("Basic {jwt}"),
    "no-scheme": Jwt("{jwt}"),
    "wrong-secret": Jwt(wrong_key=True),
    "expired-60s": Jwt(claims={"exp": Now(-60)}),
    "expired-1s": Jwt(claims={"exp": Now(-1)}),
    "nbf-in-an-hour": Jwt(claims={"nbf": Now(3600)}),
    "no-sub": Jwt(claims={"sub": GONE}),
    "sub-empty": Jwt(claims={"sub": ""}),
    "sub-number": Jwt(claims={"sub": 5}),
    "alg-none": Jwt(alg="none"),
    "alg-rs256": Jwt(alg="RS256"),
}
_ACCEPTED = {
    "no-exp": Jwt(claims={"exp": GONE}),
    "iat-in-an-hour": Jwt(claims={"iat": Now(3600)}),
    "hs384": Jwt(alg="HS384"),
    "hs512": Jwt(alg="HS512"),
    "iss-and-aud-arbitrary": Jwt(claims={"iss": "https://any.test", "aud": "any"}),
}
# Random, so that compression does not bring it below the limit of an index entry.
_LONG = "".join(random.Random(5000).choices(string.printable[:94], k=5000))
_SESSIONS = "/v1/sync/sessions"

CASES = (
    *(
        Case(f"jwt-{name}", "GET", "/v1/notes?limit=1", UNAUTHORIZED, jwt=jwt)
        for name, jwt in _REFUSED.items()
    ),
    Case(
        "jwt-debug-sub-only",
        "GET",
        "/v1/notes?limit=1",
        UNAUTHORIZED,
        jwt=None,
        change={"X-Debug-Sub": "{sub}"},
    ),
    *(
        Case(f"jwt-{name}", "GET", "/v1/notes?limit=1", NOTE_LIST, given=("one note",), jwt=jwt)
        for name, jwt in _ACCEPTED.items()
    ),
    Case("jwt-before-tenant", "GET", "/v1/notes", UNAUTHORIZED, jwt=None, signed=None),
    Case(
        "jwt-sub-with-nul",
        "POST",
        _SESSIONS,
        SERVER_ERROR,
        jwt=Jwt(claims={"sub": "toolbridge-contract-\0"}),
    ),
    Case(
        "jwt-sub-of-5000-characters",
        "POST",
        _SESSIONS,
        SERVER_ERROR,
        jwt=Jwt(claims={"sub": _LONG}),
    ),
    Case(
        "jwt-first-sight-makes-a-user",
        "POST",
        _SESSIONS,
        began(epoch="<int>", user="<uid2>"),
        jwt=Jwt(claims={"sub": "{sub}-first"}),
        user="case",
        session=False,
    ),
    Case(
        "jwt-sub-unicode-and-spaces",
        "POST",
        _SESSIONS,
        began(epoch="<int>", user="<uid2>"),
        jwt=Jwt(claims={"sub": "{sub} é ü 😀"}),
        user="case",
        session=False,
    ),
    Case("jwt-good-with-bad-tenant", "GET", "/v1/notes", BAD_TENANT, signed=None),
)
