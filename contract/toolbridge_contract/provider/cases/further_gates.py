"""Section 22, rows 1 to 3, 6, 7, 10, 14 and 15: the gates and the service routes."""

import json
from datetime import datetime

from toolbridge_contract.provider.case import (
    GONE,
    Case,
    Given,
    Jwt,
    Now,
    Signed,
    Step,
    Text,
    Want,
)
from toolbridge_contract.provider.cases.routing import HEALTH
from toolbridge_contract.provider.cases.tenant import INFO
from toolbridge_contract.provider.cases.wipe import BAD_BODY, NOT_CONFIRMED, wiped
from toolbridge_contract.provider.states import BEGIN
from toolbridge_contract.provider.wants import (
    NO_PATH,
    NO_SESSION,
    NOTE_LIST,
    PANIC,
    SERVER_ERROR,
    SESSION_FOREIGN,
    UNAUTHORIZED,
    error,
    item,
    not_allowed,
    stale,
)

_LIST = "/v1/notes?limit=1"
_GIVEN: tuple[Given, ...] = ("one note",)
_SESSIONS = "/v1/sync/sessions"
_MILLISECONDS = "2026-01-01T00:00:00.123Z"


class HalfAnHour:
    """A session whose two times lie 30 minutes apart and have digits beyond the ms of items."""

    def differs(self, body: bytes) -> tuple[str, str] | None:
        """Compare to the microsecond; the API reads its clock twice, some 50 ns apart."""
        try:
            session = json.loads(body)
            # Nine digits are more than Python reads.
            times = [session[name][:26].rstrip("Z") for name in ("createdAt", "expiresAt")]
            created, expires = map(datetime.fromisoformat, times)
            lasts = (expires - created).total_seconds()
        except (ValueError, KeyError, TypeError):
            return "a session with two times", body[:200].decode(errors="replace")
        if max(len(session["createdAt"]), len(session["expiresAt"])) <= len(_MILLISECONDS):
            return "times to the ns", session["createdAt"]
        return None if abs(lasts - 1800) < 0.001 else ("1800 s", f"{lasts} s")


_EPOCHS: dict[str, tuple[str, Want]] = {
    "2-63-is-ahead": ("9223372036854775808", NOTE_LIST),
    "23-digits-are-ahead": ("9" * 23, NOTE_LIST),
    "negative-overflow": ("-" + "9" * 23, stale()),
    "leading-zeros": ("000{session_epoch}", NOTE_LIST),
}
_TOKENS = {
    "exp-0": Jwt(claims={"exp": 0}),
    "exp-float": Jwt(claims={"exp": Now(60.5)}),
    "exp-1e17": Jwt(claims={"exp": 1e17}),
    "no-iat": Jwt(claims={"iat": GONE}),
    "no-typ": Jwt(header={"typ": GONE}),
    "kid": Jwt(header={"kid": "k1"}),
    "crit": Jwt(header={"crit": ["x"]}),
    "aud-number": Jwt(claims={"aud": 5}),
}
_REFUSED = {
    "exp-null": Jwt(claims={"exp": None}),
    "exp-text": Jwt(claims={"exp": Now(60, quoted=True)}),
    "nbf-text": Jwt(claims={"nbf": Now(-60, quoted=True)}),
    "alg-lower-case": Jwt(alg="hs256"),
    "padding": Jwt("Bearer {jwt}="),
    "fourth-part": Jwt("Bearer {jwt}.x"),
    "sub-null": Jwt(claims={"sub": None}),
    "sub-list": Jwt(claims={"sub": ["{sub}"]}),
}
_WIPES: dict[str, tuple[Text, Want]] = {
    "key-case": ('{"CONFIRM":"WIPE"}', wiped()),
    "unknown-key": ('{"confirm":"WIPE","more":1}', wiped()),
    "garbage-behind": ('{"confirm":"WIPE"} garbage', wiped()),
    "null": ("null", NOT_CONFIRMED),
    "confirm-null": ('{"confirm":null}', NOT_CONFIRMED),
    "list": ("[]", BAD_BODY),
    "string": ('"WIPE"', BAD_BODY),
    "confirm-number": ('{"confirm":5}', BAD_BODY),
}
_NUL = Jwt(claims={"sub": "toolbridge-contract-\0"})
_BAD_MAC = Signed(mac="0" * 64)
_CIDS = {"tab": "a\tb", "utf8": "né", "300-characters": "c" * 300}
_AGAIN = ("one note", Step("POST", "/v1/sync/wipe", '{"confirm":"WIPE"}', status=200), BEGIN)
_CID = {"X-Correlation-ID": "c-1"}


def _cid(want: Want) -> Want:
    return Want(want.status, want.headers, want.body, cid="c-1")


CASES = (
    Case(
        "session-lasts-30-minutes",
        "POST",
        _SESSIONS,
        Want(201, "J epoch={session_epoch}", HalfAnHour()),
    ),
    *(
        Case(f"epoch-{name}", "GET", _LIST, want, given=_GIVEN, change={"X-Sync-Epoch": value})
        for name, (value, want) in _EPOCHS.items()
    ),
    *(
        Case(
            f"jwt-user-before-tenant-on-{name}",
            method,
            path,
            SERVER_ERROR,
            jwt=_NUL,
            signed=_BAD_MAC,
        )
        for name, method, path in (
            ("notes", "GET", _LIST),
            ("sessions", "POST", _SESSIONS),
            ("state", "GET", "/v1/sync/state"),
        )
    ),
    *(
        Case(f"{name}-needs-no-auth", "GET", path, want, jwt=Jwt("Bearer garbage"), signed=_BAD_MAC)
        for name, path, want in (("info", "/v1/sync/info", INFO), ("healthz", "/healthz", HEALTH))
    ),
    *(
        Case(f"jwt-accepted-{name}", "GET", _LIST, NOTE_LIST, given=_GIVEN, jwt=jwt)
        for name, jwt in _TOKENS.items()
    ),
    Case(
        "jwt-accepted-trailing-space",
        "GET",
        _LIST,
        NOTE_LIST,
        given=_GIVEN,
        jwt=Jwt("Bearer {jwt} "),
        wire=True,
    ),
    *(
        Case(f"jwt-refused-{name}", "GET", _LIST, UNAUTHORIZED, jwt=jwt)
        for name, jwt in _REFUSED.items()
    ),
    Case(
        "jwt-sub-is-case-sensitive",
        "GET",
        _LIST,
        SESSION_FOREIGN,
        jwt=Jwt(claims={"sub": "toolbridge-contract-CASE"}),
        user="case",
    ),
    *(
        Case(f"wipe-{name}", "POST", "/v1/sync/wipe", want, given=("empty",), body=body)
        for name, (body, want) in _WIPES.items()
    ),
    Case(
        "wipe-uid-starts-again",
        "POST",
        "/v1/notes",
        item(201, uid="{note}", b=1),
        given=_AGAIN,
        body='{"uid":"{note}","b":1}',
    ),
    Case(
        "correlation-empty-is-replaced",
        "GET",
        "/v1/notes/abc",
        error(400, "invalid UID"),
        change={"X-Correlation-ID": ""},
    ),
    Case(
        "correlation-trimmed",
        "GET",
        "/v1/notes/abc",
        error(400, "invalid UID", cid="c-1"),
        change={"X-Correlation-ID": "  c-1  "},
        wire=True,
    ),
    *(
        Case(
            f"correlation-{name}",
            "GET",
            "/v1/nope",
            Want(404, NO_PATH.headers, NO_PATH.body, cid=value),
            change={"X-Correlation-ID": value},
        )
        for name, value in _CIDS.items()
    ),
    Case("correlation-on-401", "GET", _LIST, _cid(UNAUTHORIZED), jwt=None, change=_CID),
    Case("correlation-on-404", "GET", "/v1/nope", _cid(NO_PATH), change=_CID),
    Case("correlation-on-405", "PUT", "/v1/notes", _cid(not_allowed("GET", "POST")), change=_CID),
    Case("correlation-on-panic", "POST", "/v1/notes", _cid(PANIC), body="null", change=_CID),
    *(
        Case(f"session-path-{name}", "GET", f"{_SESSIONS}/{form}", NO_SESSION, wire=wire)
        for name, form, wire in (
            ("upper-case", "{session_upper}", False),
            ("no-dashes", "{session_bare}", False),
            ("braces", "{{session}}", True),
        )
    ),
)
