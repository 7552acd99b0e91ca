"""Sync sessions, the epoch's state, and wipe."""

import pytest

from support.contract_caller import Caller, TurnedClock, caller_with_session, make_api, read
from toolbridge_contract.tools import COMMENT, ENTITIES, NOTE

UNKNOWN = (404, b"session not found or expired\n")


def test_a_session_is_printed_as_go_prints_it() -> None:
    """201 with id, user, two times with ns digits, epoch, and the epoch header."""
    caller = Caller(make_api())
    answer = caller.send("POST", "/v1/sync/sessions", b"garbage", change={"X-Sync-Epoch": "99"})
    session = read(answer)

    assert answer.status == 201
    assert list(session) == ["id", "userId", "createdAt", "expiresAt", "epoch"]
    assert session["createdAt"] == "2026-01-01T00:00:00.123456789Z"
    assert session["expiresAt"] == "2026-01-01T00:30:00.123456789Z"
    assert (answer.header("X-Sync-Epoch"), session["epoch"]) == ("1", 1)
    assert answer.body.endswith(b"}\n")


def test_an_own_session_is_read_and_ended() -> None:
    """GET shows it; DELETE is 204 without a type; then it is unknown."""
    caller = caller_with_session()
    path = f"/v1/sync/sessions/{caller.session}"

    assert caller.session == read(caller.send("GET", path))["id"]
    ended = caller.send("DELETE", path)
    assert (ended.status, ended.body, ended.header("Content-Type")) == (204, b"", None)
    again = caller.send("DELETE", path)
    assert (again.status, again.body) == UNKNOWN
    assert caller.send("GET", "/v1/notes").status == 428


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_another_users_session_is_forbidden(method: str) -> None:
    """The session routes answer foreign ids in plain text."""
    caller = caller_with_session()
    foreign = Caller(caller.api).begin().session
    answer = caller.send(method, f"/v1/sync/sessions/{foreign}")

    assert (answer.status, answer.body) == (403, b"forbidden\n")
    assert answer.header("X-Content-Type-Options") == "nosniff"


@pytest.mark.parametrize("spelling", [str.upper, lambda s: s.replace("-", ""), "{{{}}}".format])
def test_session_ids_in_paths_are_exact_text(spelling: object) -> None:
    """No other spelling of the uuid is the session."""
    caller = caller_with_session()
    assert callable(spelling)
    answer = caller.send("GET", f"/v1/sync/sessions/{spelling(caller.session)}")

    assert (answer.status, answer.body) == UNKNOWN


def test_several_sessions_of_a_user_live_at_once() -> None:
    """A new session does not end the one before, under another tenant id neither."""
    caller = caller_with_session()
    other_tenant = Caller(caller.api, caller.subject, "tenant-b").begin()
    other_tenant.session = caller.session

    assert caller.send("GET", "/v1/notes").status == 200
    assert other_tenant.send("GET", "/v1/notes").status == 200


def test_use_does_not_extend_a_session() -> None:
    """It lives 30 minutes from its begin; then it looks like an unknown one."""
    clock = TurnedClock()
    caller = Caller(make_api(clock)).begin()
    path = f"/v1/sync/sessions/{caller.session}"

    clock.turn(1799)
    assert caller.send("GET", "/v1/notes").status == 200
    clock.turn(1)
    assert caller.send("GET", "/v1/notes").status == 428
    assert (caller.send("GET", path).status, caller.send("GET", path).body) == UNKNOWN
    assert caller.send("DELETE", path).status == 404


def test_a_shortened_lifetime_holds_for_new_sessions_only() -> None:
    """None brings the real lifetime back."""
    clock = TurnedClock()
    api = make_api(clock)
    old = Caller(api).begin()
    api.sessions.set_lifetime(1.5)
    short = Caller(api).begin()
    clock.turn(1.5)

    assert tuple(c.send("GET", "/v1/notes").status for c in (old, short)) == (200, 428)
    api.sessions.set_lifetime(None)
    assert read(short.send("POST", "/v1/sync/sessions"))["expiresAt"].startswith("2026-01-01T00:30")


def test_a_wipe_drops_rows_and_all_sessions_and_raises_the_epoch() -> None:
    """The old sessions get 428; with a new one the old epoch gets 409."""
    caller = caller_with_session()
    second = Caller(caller.api, caller.subject).begin()
    bystander = Caller(caller.api).begin()
    for entity in (NOTE, NOTE, COMMENT):
        caller.create(entity)

    answer = caller.send("POST", "/v1/sync/wipe", {"confirm": "WIPE"}, {"X-Sync-Epoch": None})

    deleted = '{"chat":0,"chat_message":0,"comment":1,"note":3,"task":0}'
    assert (200, f'{{"epoch":2,"deleted":{deleted}}}\n') == (answer.status, answer.body.decode())
    assert [c.send("GET", "/v1/notes").status for c in (caller, second, bystander)] == [
        428,
        428,
        200,
    ]
    begun = caller.send("POST", "/v1/sync/sessions")
    assert (begun.header("X-Sync-Epoch"), read(begun)["epoch"]) == ("2", 2)
    caller.session = read(begun)["id"]
    assert read(caller.send("GET", "/v1/notes"))["epoch"] == 2
    caller.epoch = 2
    assert caller.send("GET", "/v1/notes").body == b'{"items":[]}\n'


def test_a_wiped_uid_starts_again_at_version_one() -> None:
    """Nothing of the row is left."""
    caller = caller_with_session()
    uid = caller.create(NOTE)["uid"]
    caller.send("POST", "/v1/sync/wipe", {"confirm": "WIPE"})
    caller.begin()

    assert caller.create(NOTE, uid=uid)["version"] == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "invalid request body"),
        (b"[]", "invalid request body"),
        (b'"WIPE"', "invalid request body"),
        (b'{"confirm":true}', "invalid request body"),
        (b"{}", 'confirmation required: must send {"confirm":"WIPE"}'),
        (b'{"confirm":"wipe"}', 'confirmation required: must send {"confirm":"WIPE"}'),
        (b'{"confirm":null}', 'confirmation required: must send {"confirm":"WIPE"}'),
        (b"null", 'confirmation required: must send {"confirm":"WIPE"}'),
    ],
)
def test_a_wipe_without_its_word_is_refused(body: bytes, message: str) -> None:
    """400, and everything is still there."""
    caller = caller_with_session()
    answer = caller.send("POST", "/v1/sync/wipe", body)

    assert (400, message) == (answer.status, read(answer)["error"])
    assert caller.send("GET", "/v1/notes").status == 200


@pytest.mark.parametrize(
    "body", [b'{"CONFIRM":"WIPE"}', b'{"x":1,"confirm":"WIPE"}', b'{"confirm":"WIPE"} trailing']
)
def test_a_wipe_reads_its_word_as_go_does(body: bytes) -> None:
    """Key case, unknown keys and trailing garbage do not matter."""
    assert caller_with_session().send("POST", "/v1/sync/wipe", body).status == 200


def test_the_state_shows_epoch_and_last_wipe() -> None:
    """Before a wipe the epoch alone; after it the time in µs and the user."""
    caller = caller_with_session()
    assert caller.send("GET", "/v1/sync/state").body == b'{"epoch":1}\n'
    caller.send("POST", "/v1/sync/wipe", {"confirm": "WIPE"})
    caller.begin()
    state = read(caller.send("GET", "/v1/sync/state", change={"X-Sync-Epoch": None}))

    assert list(state) == ["epoch", "lastWipeAt", "lastWipeBy"]
    assert (state["epoch"], state["lastWipeAt"]) == (2, "2026-01-01T00:00:00.123456Z")


def test_tenants_share_rows_unless_scoped() -> None:
    """X-TB-Tenant-ID has no effect on data, except in the mock's own scoped mode."""
    for scoped, expected in ((False, 200), (True, 404)):
        caller = caller_with_session(tenant_scoped=scoped)
        uid = caller.create(NOTE)["uid"]
        other = Caller(caller.api, caller.subject, "tenant-b").begin()
        assert expected == other.send("GET", f"/v1/notes/{uid}").status


def test_users_do_not_see_each_other() -> None:
    """Another user's uid is unknown, and a create with it makes a row of one's own."""
    caller = caller_with_session()
    other = Caller(caller.api).begin()
    for entity in ENTITIES:
        uid = caller.create(entity)["uid"]
        assert other.send("GET", f"{entity.collection}/{uid}").status == 404
        assert other.create(entity, uid=uid)["version"] == 1
