"""Bodies of create, PUT and PATCH; If-Match; the uid in a body and in a path."""

from typing import Any

import pytest

from support.contract_caller import caller_with_session, read
from toolbridge_contract.mock import store
from toolbridge_contract.mock.messages import Response
from toolbridge_contract.tools import NOTE

UID = "3f2b8c1e-9d4a-4b6f-8e7d-0a1b2c3d4e5f"
UNKNOWN = "11111111-2222-3333-4444-555555555555"


def facts(answer: Response) -> tuple[int, Any]:
    return answer.status, read(answer)["error"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"5", b"true", b"\x1f\x8b\x08\x00"])
def test_a_body_that_is_no_object_is_invalid_json(body: bytes) -> None:
    """For create, PUT and PATCH alike; nothing is written."""
    caller = caller_with_session()
    path = f"/v1/notes/{caller.create(NOTE)['uid']}"

    for method, target in (("POST", "/v1/notes"), ("PUT", path), ("PATCH", path)):
        assert facts(caller.send(method, target, body)) == (400, "invalid JSON")
    assert read(caller.send("GET", path))["version"] == 1


def test_a_null_body_panics_on_create_and_put_and_changes_nothing_on_patch() -> None:
    """500 without body or type, yet with rate headers and correlation id; a version on PATCH."""
    caller = caller_with_session()
    path = f"/v1/notes/{caller.create(NOTE)['uid']}"

    for method, target in (("POST", "/v1/notes"), ("PUT", path)):
        answer = caller.send(method, target, b"null", {"If-Match": "99", "X-Correlation-ID": "c"})
        assert (answer.status, answer.body, answer.header("Content-Type")) == (500, b"", None)
        assert (
            answer.header("X-Ratelimit-Limit"),
            answer.header("X-Correlation-Id"),
        ) == ("600", "c")
    patched = read(caller.send("PATCH", path, b"null"))
    assert (patched["version"], patched["payload"]["title"]) == (2, "t")


@pytest.mark.parametrize("body", [b'{"a":1} garbage', b'{"a":1}{"b":2}', b' \n{"a":1}'])
def test_what_follows_the_first_value_is_ignored(body: bytes) -> None:
    """No Content-Type is needed either."""
    answer = caller_with_session().send("POST", "/v1/notes", body)

    assert (answer.status, read(answer)["payload"]["a"]) == (201, 1)


@pytest.mark.parametrize("body", [b'{"a":"\\u0000"}', b'{"\\u0000":1}', b'{"a":{"b":["\\u0000"]}}'])
def test_a_nul_is_500(body: bytes) -> None:
    """PostgreSQL refuses it in jsonb, in values and keys."""
    caller = caller_with_session()
    path = f"/v1/notes/{caller.create(NOTE)['uid']}"

    assert facts(caller.send("POST", "/v1/notes", body)) == (500, "failed to create note")
    assert facts(caller.send("PUT", path, body)) == (500, "failed to update note")
    assert facts(caller.send("PATCH", path, body)) == (500, "failed to patch note")
    assert caller.send("PATCH", path, body, {"If-Match": "9"}).status == 412


@pytest.mark.parametrize(
    "body", [b'{"a":"\\\\u0000"}', b'{"uid":"\\u0000"}', b'{"sync":"\\u0000"}']
)
def test_a_nul_that_is_not_stored_does_no_harm(body: bytes) -> None:
    """An escaped backslash is no NUL, and the API's own fields are overwritten."""
    assert caller_with_session().send("POST", "/v1/notes", body).status == 201


def test_a_payload_beyond_jsonb_is_500(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is PostgreSQL's; a lower one stands in for a body of 256 MiB."""
    monkeypatch.setattr(store, "_MAX_JSON_BYTES", 1000)
    caller = caller_with_session()

    assert caller.send("POST", "/v1/notes", {"a": "x" * 500}).status == 201
    assert facts(caller.send("POST", "/v1/notes", {"a": "x" * 1000})) == (
        500,
        "failed to create note",
    )


def test_what_the_api_sets_itself_is_overwritten() -> None:
    """sync, updatedTs and uid are the API's; updatedAt, version and deletedAt are the client's."""
    sent = {
        "sync": "x",
        "updatedTs": 5,
        "updatedAt": "2001-01-01T00:00:00Z",
        "version": 9,
        "deletedAt": "x",
    }
    item = read(caller_with_session().send("POST", "/v1/notes", sent))

    assert item["payload"] == sent | {
        "sync": {"isDeleted": False, "version": 1},
        "updatedTs": item["updatedAt"],
        "uid": item["uid"],
    }


def test_a_patch_merges_the_top_level_only() -> None:
    """Objects are replaced, null is kept as null, uid and sync in the body change nothing."""
    caller = caller_with_session()
    uid = caller.create(NOTE, o={"a": 1, "b": 2}, x=1)["uid"]
    body = {"o": {"c": 3}, "x": None, "uid": UNKNOWN, "sync": {"version": 99}}
    item = read(caller.send("PATCH", f"/v1/notes/{uid}", body))

    assert (uid, uid) == (item["uid"], item["payload"]["uid"])
    assert item["payload"]["o"] == {"c": 3}
    assert item["payload"]["x"] is None
    assert item["payload"]["sync"] == {"isDeleted": False, "version": 2}


def test_an_old_version_is_not_changed_by_a_later_patch() -> None:
    """Answers given before stay what they were: rows share no state."""
    caller = caller_with_session()
    path = f"/v1/notes/{caller.create(NOTE, o={'a': 1})['uid']}"
    before = caller.send("GET", path).body
    caller.send("PATCH", path, {"o": {"a": 2}})

    assert b'"o":{"a":1}' in before
    assert b'"o":{"a":2}' in caller.send("GET", path).body


@pytest.mark.parametrize(
    ("method", "uid", "expected"),
    [
        ("PUT", UNKNOWN, (404, "note not found")),
        ("PATCH", UNKNOWN, (404, "note not found")),
        ("PUT", "abc", (400, "invalid UID")),
        ("PUT", "LIVE", (400, "invalid JSON")),
        ("PUT", "DELETED", (410, "note deleted")),
        ("PATCH", "DELETED", (410, "note deleted")),
        ("PROCESS", UNKNOWN, (400, "invalid JSON")),
        ("PROCESS", "DELETED", (400, "invalid JSON")),
        ("PROCESS", "abc", (400, "invalid UID")),
    ],
)
def test_invalid_json_is_seen_after_the_lookup_but_by_process_before(
    method: str, uid: str, expected: tuple[int, str]
) -> None:
    """Invalid JSON with a stale If-Match, on every kind of uid."""
    caller = caller_with_session()
    live, deleted = caller.create(NOTE)["uid"], caller.create(NOTE)["uid"]
    caller.send("DELETE", f"/v1/notes/{deleted}")
    named = {"LIVE": live, "DELETED": deleted}.get(uid, uid)
    path = f"/v1/notes/{named}"
    verb, target = ("POST", f"{path}/process") if method == "PROCESS" else (method, path)

    assert expected == facts(caller.send(verb, target, b"{", {"If-Match": "99"}))


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("3", 3),
        ('"3"', 3),
        ("003", 3),
        ("+3", 3),
        ('"+3"', 3),
        ("1", 1),
        ('"1"', 1),
        ("0", 0),
        ("-1", -1),
        ('"-1"', -1),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("9223372036854775808", None),
        ("999999999999999999999", None),
        ('W/"1"', None),
        ("*", None),
        ("abc", None),
        ("", None),
        ("1.0", None),
        ("1, 2", None),
        ("1_0", None),
        ("1e3", None),
        ("0x1", None),
        ('""', None),
        ('"', None),
        ('"1', None),
        ('1"', None),
        ('" 1 "', None),
        ('""1""', None),
    ],
)
def test_if_match_is_an_integer_or_ignored(method: str, header: str, wanted: int | None) -> None:
    """Bare or quoted integers are compared; anything else and the write happens."""
    caller = caller_with_session()
    path = f"/v1/notes/{caller.create(NOTE)['uid']}"
    caller.send("PUT", path, {})
    caller.send("PUT", path, {})
    answer = caller.send(method, path, {"a": 1}, {"If-Match": header})

    if wanted in (3, None):
        assert (answer.status, read(answer)["version"]) == (200, 4)
    else:
        text = f"version mismatch: version mismatch: expected {wanted}, actual 3"
        assert (412, text) == facts(answer)


def test_if_match_counts_for_put_and_patch_alone() -> None:
    """Create, delete, archive and process do not look at it; the first of two counts."""
    caller = caller_with_session()
    stale = {"If-Match": "99"}
    uid = read(caller.send("POST", "/v1/notes", {"uid": UID}, stale))["uid"]
    path = f"/v1/notes/{uid}"

    assert caller.send("PUT", f"/v1/notes/{UNKNOWN}", {}, stale).status == 404
    assert caller.send("PUT", path, {}, stale, extra=[("If-Match", "1")]).status == 412
    assert caller.send("PUT", path, {}, {"If-Match": "1"}, [("If-Match", "99")]).status == 200
    assert caller.send("POST", f"{path}/archive", b"", stale).status == 200
    assert caller.send("POST", f"{path}/process", {"action": "pin"}, stale).status == 200
    assert caller.send("POST", "/v1/notes", {"uid": UID}, stale).status == 201
    assert caller.send("DELETE", path, b"", stale).status == 200
    assert caller.send("PUT", path, {}, stale).status == 410


def test_a_create_with_a_known_uid_replaces_everything() -> None:
    """201, the next version, nothing merged."""
    caller = caller_with_session()
    caller.send("POST", "/v1/notes", {"uid": UID, "title": "1"})
    again = caller.send("POST", "/v1/notes", {"uid": UID, "other": 2})

    assert (again.status, read(again)["version"]) == (201, 2)
    assert {"other", "uid", "sync", "updatedTs"} == set(read(again)["payload"])


@pytest.mark.parametrize(
    "spelling",
    [
        UID,
        UID.upper(),
        UID.replace("-", ""),
        f"urn:uuid:{UID}",
        f"URN:UUID:{UID}",
        f"{{{UID}}}",
        f"({UID})",
    ],
)
def test_a_create_keeps_the_uids_spelling_in_the_payload(spelling: str) -> None:
    """The uid outside is canonical; PATCH and archive keep the spelling, PUT does not."""
    caller = caller_with_session()
    created = read(caller.send("POST", "/v1/notes", {"uid": spelling}))
    path = f"/v1/notes/{UID}"
    answers = [
        created,
        read(caller.send("PATCH", path, {"uid": UNKNOWN})),
        read(caller.send("POST", f"{path}/archive")),
        read(caller.send("PUT", path, {"uid": UNKNOWN})),
    ]

    assert [item["uid"] for item in answers] == [UID] * 4
    assert [spelling] * 3 + [UID] == [item["payload"]["uid"] for item in answers]


@pytest.mark.parametrize("uid", ["abc", "", 5, -0.0, None, [], "0" * 32, f"{UID} "])
def test_a_create_replaces_a_uid_that_is_none(uid: object) -> None:
    """An invalid, empty, nil or non-string uid becomes a new one, silently."""
    item = read(caller_with_session().send("POST", "/v1/notes", {"uid": uid}))

    assert (item["uid"], 36) == (item["payload"]["uid"], len(item["uid"]))
    assert item["uid"][14] == "4"


@pytest.mark.parametrize(
    "spelling",
    [
        UID,
        UID.upper(),
        UID.replace("-", ""),
        f"urn:uuid:{UID}",
        f"URN:UUID:{UID}",
        f"{{{UID}}}",
        f"x{UID}x",
        f"%20{UID}%20",
        f"%7B{UID}%7D",
    ],
)
def test_a_path_takes_every_spelling_of_the_uid(spelling: str) -> None:
    """As uuid.Parse does, decoded only where net/url decodes."""
    caller = caller_with_session()
    caller.send("POST", "/v1/notes", {"uid": UID})

    assert caller.send("GET", f"/v1/notes/{spelling}").status == 200


@pytest.mark.parametrize(
    "spelling",
    [
        "abc",
        f"{UID}%20",
        f"{UID}x",
        "%33" + UID[1:],
        f"urn%3Auuid%3A{UID}",
        f"%7b{UID}%7d",
        f"{UID}%2Fx",
        "..",
        "%2e%2e",
    ],
)
def test_a_path_with_any_other_text_is_an_invalid_uid(spelling: str) -> None:
    """400; dot segments are not resolved."""
    caller = caller_with_session()
    caller.send("POST", "/v1/notes", {"uid": UID})

    assert facts(caller.send("GET", f"/v1/notes/{spelling}")) == (400, "invalid UID")


def test_the_nil_uid_is_unknown() -> None:
    """It parses, and names nothing."""
    nil = "00000000-0000-0000-0000-000000000000"

    assert caller_with_session().send("GET", f"/v1/notes/{nil}").status == 404
