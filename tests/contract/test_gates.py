"""The gates before every handler: their texts, their order, and what each looks at."""

import base64
import hashlib
import hmac
import json

import pytest

from support.contract_caller import (
    JWT_SECRET,
    SECOND_NS,
    START_NS,
    TENANT_SECRET,
    Caller,
    TurnedClock,
    caller_with_session,
    make_api,
    read,
)
from toolbridge_contract.mock.messages import Response
from toolbridge_contract.signing import tenant_headers

NOW = START_NS // 1_000_000_000
UNAUTHORIZED = (401, b"unauthorized\n")
INVALID_TENANT = (401, b"Unauthorized: invalid tenant headers\n")
SESSION_REQUIRED = (
    "X-Sync-Session header required. Please call POST /v1/sync/sessions to begin a session."
)
SESSION_INVALID = (
    "Invalid or expired sync session. Please call POST /v1/sync/sessions to begin a new session."
)
HASHES = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


def part(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def token(
    claims: object,
    header: object = None,
    *,
    secret: str = JWT_SECRET,
    algorithm: str = "HS256",
) -> str:
    signed = f"{part(header or {'alg': algorithm, 'typ': 'JWT'})}.{part(claims)}"
    digest = hmac.digest(secret.encode(), signed.encode(), HASHES.get(algorithm, hashlib.sha256))
    return f"{signed}.{part(digest)}"


def ask(authorization: str | None, subject: str = "ann") -> Response:
    caller = Caller(make_api(), subject)
    return caller.send("POST", "/v1/sync/sessions", change={"Authorization": authorization})


GOOD = {"sub": "ann", "exp": NOW + 60}


TRAILING = b'{"sub":"ann"} x'


@pytest.mark.parametrize(
    "authorization",
    [
        f"Bearer {token(GOOD)}",
        f"Bearer {token(GOOD)} ",
        f"Bearer {token({'sub': 'ann'})}",
        f"Bearer {token(GOOD, algorithm='HS384')}",
        f"Bearer {token(GOOD, algorithm='HS512')}",
        f"Bearer {token(GOOD, {'alg': 'HS256'})}",
        f"Bearer {token(GOOD, {'alg': 'HS256', 'kid': 'x', 'crit': ['x'], 'typ': 'at+jwt'})}",
        f"Bearer {token(GOOD | {'iat': NOW + 3600})}",
        f"Bearer {token(GOOD | {'iss': 'x', 'aud': 5})}",
        f"Bearer {token({'sub': 'ann', 'exp': 0})}",
        f"Bearer {token({'sub': 'ann', 'exp': NOW + 1.5})}",
        f"Bearer {token({'sub': 'ann', 'exp': 1e17})}",
        f"Bearer {token(GOOD | {'nbf': NOW})}",
        f"Bearer {token(GOOD | {'nbf': 0})}",
        f"Bearer {token({'sub': 'Ann é 5'})}",
    ],
)
def test_a_token_that_golang_jwt_takes_begins_a_session(authorization: str) -> None:
    """HS256, HS384 and HS512 by the one secret; exp optional; iat, iss, aud, kid not looked at."""
    assert ask(authorization).status == 201


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer ",
        "Bearer garbage",
        "Bearer a.b.c",
        f"bearer {token(GOOD)}",
        f"BEARER {token(GOOD)}",
        f"Bearer  {token(GOOD)}",
        f"Basic {token(GOOD)}",
        token(GOOD),
        f"Bearer {token(GOOD, secret='another-secret-of-32-bytes-or-so')}",
        f"Bearer {token({'sub': 'ann', 'exp': NOW - 60})}",
        f"Bearer {token({'sub': 'ann', 'exp': NOW})}",
        f"Bearer {token({'sub': 'ann', 'exp': -5})}",
        f"Bearer {token({'sub': 'ann', 'exp': 1e19})}",
        f"Bearer {token({'sub': 'ann', 'exp': 1e-7})}",
        f"Bearer {token({'sub': 'ann', 'exp': None})}",
        f"Bearer {token({'sub': 'ann', 'exp': str(NOW + 60)})}",
        f"Bearer {token({'sub': 'ann', 'exp': True})}",
        f"Bearer {token(GOOD | {'nbf': NOW + 3600})}",
        f"Bearer {token(GOOD | {'nbf': str(NOW)})}",
        f"Bearer {token({'exp': NOW + 60})}",
        f"Bearer {token({'sub': ''})}",
        f"Bearer {token({'sub': 5})}",
        f"Bearer {token({'sub': None})}",
        f"Bearer {token({'sub': ['ann']})}",
        f"Bearer {token(['sub'])}",
        f"Bearer {token(None)}",
        f"Bearer {token(TRAILING)}",
        f"Bearer {token(GOOD, {'alg': 'hs256'})}",
        f"Bearer {token(GOOD, {'alg': 'RS256'})}",
        f"Bearer {token(GOOD, {'alg': 5})}",
        f"Bearer {token(GOOD, {'typ': 'JWT'})}",
        f"Bearer {part({'alg': 'none'})}.{part(GOOD)}.",
        f"Bearer {token(GOOD)}=",
        f"Bearer {token(GOOD)}.x",
        f"Bearer {token(GOOD)}!",
        f"Bearer {token(GOOD)[:-4]}",
    ],
)
def test_any_other_token_is_unauthorized(authorization: str | None) -> None:
    """The 401 of the JWT gate never says why."""
    answer = ask(authorization)

    assert (answer.status, answer.body) == UNAUTHORIZED
    assert answer.header("Content-Type") == "text/plain; charset=utf-8"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("WWW-Authenticate") is None


def test_a_token_expires_while_it_is_remembered() -> None:
    """The times of a token are judged at every request, to the second, without leeway."""
    clock = TurnedClock()
    caller = Caller(make_api(clock), "ann")
    bearer = {"Authorization": f"Bearer {token({'sub': 'ann', 'exp': NOW + 2})}"}

    clock.ns = (NOW + 2) * SECOND_NS - 1
    assert caller.send("POST", "/v1/sync/sessions", change=bearer).status == 201
    clock.ns += 1
    assert caller.send("POST", "/v1/sync/sessions", change=bearer).status == 401


@pytest.mark.parametrize(
    "change",
    [
        {"X-TB-Tenant-ID": None},
        {"X-TB-Timestamp": None},
        {"X-TB-Signature": None},
        {"X-TB-Tenant-ID": ""},
        {"X-TB-Tenant-ID": "tenant-b"},
        {"X-TB-Tenant-ID": "tenant-a, evil"},
        {"X-TB-Signature": "0" * 64},
        tenant_headers("tenant-a", "another secret", START_NS // 1_000_000),
        tenant_headers("tenant-a", TENANT_SECRET, START_NS // 1_000_000 - 301_000),
        tenant_headers("tenant-a", TENANT_SECRET, START_NS // 1_000_000 + 301_000),
        tenant_headers("tenant-a", TENANT_SECRET, NOW),
    ],
)
@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/v1/notes"),
        ("POST", "/v1/sync/sessions"),
        ("GET", "/v1/sync/state"),
        ("POST", "/v1/sync/wipe"),
        ("DELETE", "/v1/sync/sessions/nope"),
    ],
)
def test_any_fault_of_the_tenant_headers_has_one_text(
    change: dict[str, str | None], method: str, target: str
) -> None:
    """The tenant gate stands before every route but health and info, and never says why."""
    answer = caller_with_session().send(method, target, change=change)

    assert (answer.status, answer.body) == INVALID_TENANT
    assert answer.header("X-Content-Type-Options") == "nosniff"


@pytest.mark.parametrize("tenant", ["a:b", "té", "x" * 2000])
def test_a_tenant_id_may_be_any_text(tenant: str) -> None:
    """Colons, UTF-8 and 2000 characters pass when they are signed."""
    assert Caller(make_api(), tenant=tenant).send("POST", "/v1/sync/sessions").status == 201


def test_outer_blanks_of_a_header_do_not_count() -> None:
    """HTTP cuts them before anybody looks."""
    caller = caller_with_session()
    padded: dict[str, str | None] = {name: f" \t{v} " for name, v in caller.headers().items()}

    assert caller.send("GET", "/v1/notes", change=padded).status == 200


@pytest.mark.parametrize("target", ["/healthz", "/v1/sync/info"])
def test_health_and_info_need_nothing(target: str) -> None:
    """Garbage in both gates' headers is 200 there."""
    garbage = {"Authorization": "garbage", "X-TB-Signature": "garbage"}

    assert caller_with_session().send("GET", target, change=dict(garbage)).status == 200


@pytest.mark.parametrize(
    ("session", "status", "text"),
    [
        (None, 428, SESSION_REQUIRED),
        ("", 428, SESSION_REQUIRED),
        ("   ", 428, SESSION_REQUIRED),
        ("11111111-2222-3333-4444-555555555555", 428, SESSION_INVALID),
        ("garbage", 428, SESSION_INVALID),
        ("UPPER", 428, SESSION_INVALID),
        ("FOREIGN", 403, "Session does not belong to authenticated user."),
    ],
)
@pytest.mark.parametrize("target", ["/v1/notes", "/v1/sync/state"])
def test_a_missing_unknown_or_foreign_session_is_refused(
    session: str | None, status: int, text: str, target: str
) -> None:
    """428 for no session, another 428 for a bad one, 403 for somebody else's."""
    caller = caller_with_session()
    foreign = Caller(caller.api).begin().session
    sent = {"UPPER": (caller.session or "").upper(), "FOREIGN": foreign}.get(session or "", session)

    answer = caller.send("GET", target, change={"X-Sync-Session": sent})

    assert (status, text) == (answer.status, read(answer)["error"])
    assert answer.header("X-Ratelimit-Limit") is None
    assert list(read(answer)) == ["error", "correlation_id"]


@pytest.mark.parametrize("epoch", [None, "", "0", "abc", "1.0", "-1", "-" + "9" * 23])
def test_an_epoch_behind_or_unreadable_is_a_mismatch(epoch: str | None) -> None:
    """What does not parse counts as 0, and the generated correlation id is blanked."""
    answer = caller_with_session().send("GET", "/v1/notes", change={"X-Sync-Epoch": epoch})

    assert (
        answer.status,
        answer.body,
    ) == (409, b'{"correlation_id":"","epoch":1,"error":"epoch_mismatch"}\n')
    assert (answer.header("X-Sync-Epoch"), answer.header("X-Correlation-Id")) == ("1", "")
    assert answer.header("X-Ratelimit-Limit") == "600"


@pytest.mark.parametrize("epoch", ["1", "2", "+1", "001", str(2**63), "9" * 23])
def test_an_epoch_at_or_ahead_passes(epoch: str) -> None:
    """An overflow counts as the largest integer."""
    answer = caller_with_session().send("GET", "/v1/notes", change={"X-Sync-Epoch": epoch})

    assert answer.status == 200


def test_the_epoch_refusal_keeps_a_correlation_id_of_the_client() -> None:
    """Only a generated one is blanked."""
    change: dict[str, str | None] = {"X-Sync-Epoch": None, "X-Correlation-ID": "cid-7"}
    answer = caller_with_session().send("GET", "/v1/notes", change=change)

    assert (read(answer)["correlation_id"], answer.header("X-Correlation-Id")) == ("cid-7", "cid-7")


# In the order of the gates: what breaks each, and the answer that then wins.
FAULTS: list[tuple[str, dict[str, str | None], int]] = [
    ("jwt", {"Authorization": "Bearer x"}, 401),
    ("tenant", {"X-TB-Signature": "0" * 64}, 401),
    ("session", {"X-Sync-Session": None}, 428),
    ("rate", {}, 429),
    ("epoch", {"X-Sync-Epoch": "0"}, 409),
    ("uid", {}, 400),
]


@pytest.mark.parametrize(
    ("first", "second"),
    [(i, j) for i in range(len(FAULTS)) for j in range(i + 1, len(FAULTS))],
)
def test_of_two_faults_the_earlier_gate_answers(first: int, second: int) -> None:
    """JWT, tenant headers, session, rate limit, epoch, uid: each beats all after it."""
    names = {FAULTS[first][0], FAULTS[second][0]}
    caller = caller_with_session()
    if "rate" in names:
        for _ in range(120):
            caller.send("GET", "/v1/notes")
    target = "/v1/notes/abc" if "uid" in names else "/v1/notes"

    answer = caller.send("GET", target, change=FAULTS[first][1] | FAULTS[second][1])

    assert FAULTS[first][2] == answer.status
    if FAULTS[first][2] == 401:
        expected = UNAUTHORIZED if FAULTS[first][0] == "jwt" else INVALID_TENANT
        assert expected[1] == answer.body


@pytest.mark.parametrize(
    ("method", "target", "status"), [("GET", "/v1/nope", 404), ("DELETE", "/v1/notes", 405)]
)
def test_routing_comes_before_every_gate(method: str, target: str, status: int) -> None:
    """An unknown path and a wrong method need no token at all, and take no rate token."""
    answer = Caller(make_api()).send(
        method, target, change={"Authorization": None, "X-TB-Signature": None}
    )

    assert status == answer.status


def test_the_user_is_made_between_the_two_signatures() -> None:
    """A `sub` that PostgreSQL refuses is 500 before a bad tenant signature is seen."""
    long_subject = "".join(hashlib.sha256(bytes([i])).hexdigest() for i in range(100))
    for subject in ("a\0b", long_subject):
        answer = Caller(make_api(), subject).send(
            "GET", "/v1/notes", change={"X-TB-Signature": "0"}
        )
        assert (answer.status, answer.body) == (500, b"server error\n")


def test_subjects_are_case_sensitive() -> None:
    """`Ann` and `ann` are two users, so a session of one is foreign to the other."""
    api = make_api()
    first, second = Caller(api, "Ann").begin(), Caller(api, "ann").begin()
    second.session = first.session

    assert second.send("GET", "/v1/notes").status == 403


@pytest.mark.parametrize(
    ("name", "bad", "status"),
    [
        ("Authorization", "Bearer x", 401),
        ("X-TB-Tenant-ID", "other", 401),
        ("X-TB-Timestamp", "1", 401),
        ("X-TB-Signature", "0", 401),
        ("X-Sync-Session", "other", 428),
        ("X-Sync-Epoch", "0", 409),
    ],
)
def test_of_a_repeated_header_the_first_counts(name: str, bad: str, status: int) -> None:
    """Good before bad passes, bad before good is refused."""
    caller = caller_with_session()
    good = caller.headers()[name]

    assert caller.send("GET", "/v1/notes", extra=[(name, bad)]).status == 200
    assert (
        status == caller.send("GET", "/v1/notes", change={name: bad}, extra=[(name, good)]).status
    )


def test_header_names_match_in_any_case() -> None:
    """Lower-cased names are the same headers."""
    caller = caller_with_session()
    lowered = {name.lower(): value for name, value in caller.headers().items()}
    gone = dict.fromkeys(caller.headers())

    assert caller.send("GET", "/v1/notes", change=gone | lowered).status == 200
