"""What the mock does for the cases' sake: delta sync, repaired requests, unread bodies."""

import json
from typing import Any

import pytest

from support.contract_caller import Caller, TurnedClock, caller_with_session, make_api, read
from toolbridge_contract.mock.repair import repair
from toolbridge_contract.tools import NOTE

UID = "3f2b8c1e-9d4a-4b6f-8e7d-0a1b2c3d4e5f"
STAMP = "2026-01-02T03:04:05.678Z"
KIB = 1024


def push(caller: Caller, *items: object, entity: str = "notes") -> Any:
    answer = caller.send("POST", f"/v1/sync/{entity}/push", {"items": items})
    return json.loads(answer.body)


def pull(caller: Caller, query: str = "", entity: str = "notes") -> Any:
    return read(caller.send("GET", f"/v1/sync/{entity}/pull{query}"))


def note(**fields: object) -> dict[str, object]:
    return {"uid": UID, "updatedTs": STAMP, **fields}


def test_a_pushed_item_is_stored_as_sent_and_seen_by_rest_and_pull() -> None:
    """Its own time, no sync block."""
    caller = caller_with_session()
    acks = push(caller, note(title="t"))

    assert [{"uid": UID, "version": 1, "updatedAt": STAMP}] == acks
    assert {"uid": UID, "version": 1, "updatedAt": STAMP, "payload": note(title="t")} == read(
        caller.send("GET", f"/v1/notes/{UID}")
    )
    assert [note(title="t")] == pull(caller)["upserts"]


@pytest.mark.parametrize(
    ("stamp", "version", "title"),
    [
        ("2026-01-02T03:04:05.679Z", 2, "new"),
        (STAMP, 1, "old"),
        ("2025-01-01T00:00:00Z", 1, "old"),
    ],
)
def test_the_strictly_newer_push_wins(stamp: str, version: int, title: str) -> None:
    """A push again, or an older one, changes nothing and is acknowledged as it stands."""
    caller = caller_with_session()
    push(caller, note(title="old"))
    (ack,) = push(caller, note(title="new", updatedTs=stamp))

    assert version == ack["version"]
    assert title == read(caller.send("GET", f"/v1/notes/{UID}"))["payload"]["title"]


def test_a_pushed_deletion_is_pulled_as_one() -> None:
    """With its time; REST says 410."""
    caller = caller_with_session()
    push(caller, note(sync={"isDeleted": True, "deletedAt": STAMP}))

    page = pull(caller)
    assert ([], [{"deletedAt": STAMP, "uid": UID}]) == (page["upserts"], page["deletes"])
    assert 410 == caller.send("GET", f"/v1/notes/{UID}").status


def test_pull_pages_by_cursor_and_ends_without_one() -> None:
    """Two items, one at a time."""
    caller = caller_with_session()
    push(caller, note(), note(uid=UID.replace("3f", "4f"), updatedTs="2026-01-03T00:00:00Z"))
    first = pull(caller, "?limit=1")
    second = pull(caller, f"?limit=1&cursor={first['nextCursor']}")
    third = pull(caller, f"?limit=1&cursor={second['nextCursor']}")

    assert [1, 1] == [len(first["upserts"]), len(second["upserts"])]
    assert {"upserts": [], "deletes": []} == third


def test_a_nul_in_one_item_stores_none() -> None:
    """The transaction is gone as a whole."""
    caller = caller_with_session()
    acks = push(caller, note(), note(uid=UID.replace("3f", "4f"), a="\0"))

    assert ["commit failed"] == [ack["error"] for ack in acks]
    assert [] == pull(caller)["upserts"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"items":5}', b'{"items":["x"]}', b""])
def test_a_push_that_is_no_list_of_objects_is_400(body: bytes) -> None:
    """In the shape of an acknowledgement."""
    answer = caller_with_session().send("POST", "/v1/sync/notes/push", body)

    expected = [{"uid": "", "version": 0, "updatedAt": "", "error": "invalid json"}]
    assert (400, expected) == (answer.status, json.loads(answer.body))


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"parentType": "chat"}, "invalid parent_type: chat (must be 'note' or 'task')"),
        ({}, "missing parentType"),
        ({"parentType": "note", "parentUid": UID}, "parent not found"),
    ],
)
def test_a_pushed_comment_needs_a_parent(fields: dict[str, object], error: str) -> None:
    """The item is refused, the push is not."""
    (ack,) = push(caller_with_session(), note(**fields), entity="comments")

    assert error == ack["error"]


def test_push_and_pull_have_a_bucket_of_their_own() -> None:
    """The notes one is empty, theirs is full."""
    caller = Caller(make_api(TurnedClock())).begin()
    statuses = [caller.send("GET", "/v1/notes").status for _ in range(121)]

    assert 429 == statuses[-1]
    answer = caller.send("GET", "/v1/sync/notes/pull")
    assert (200, "119") == (answer.status, answer.header("X-Ratelimit-Remaining"))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/sync/notes/other", 404),
        ("/v1/sync/nope/push", 404),
        ("/v1/sync/notes/push/", 404),
        ("/v1/sync/notes/push", 405),
    ],
)
def test_delta_routes_are_exact(path: str, status: int) -> None:
    """Known entities, two verbs, one method each."""
    assert status == caller_with_session().send("GET", path).status


@pytest.mark.parametrize("method", [b"FOO", b"get", b"M-SEARCHX"])
def test_a_method_that_llhttp_does_not_know_is_put_aside(method: bytes) -> None:
    """And given back under its name; the rest of the bytes stays."""
    found = repair(method + b" /v1 HTTP/1.1\r\nHost: a\r\n\r\nbody")

    assert found is not None
    assert (b"POST /v1 HTTP/1.1\r\nHost: a\r\n\r\nbody", method.decode(), []) == (
        found.data,
        found.method,
        found.headers,
    )


def test_equal_lengths_become_one_and_different_ones_stay_bad() -> None:
    """Whatever the case of the name."""
    head = b"POST / HTTP/1.1\r\nContent-Length: 2\r\ncontent-length:%b\r\n\r\n{}"
    found = repair(head % b"2 ")

    assert found is not None
    assert b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}" == found.data
    assert [(b"content-length", b"2")] == found.headers
    assert repair(head % b"3") is None


@pytest.mark.parametrize(
    "data",
    [b"", b" / HTTP/1.1\r\n\r\n", b"G\x00T / HTTP/1.1\r\n\r\n", b"FOO / HTTP/1.1\r\nHost: a"],
)
def test_what_no_server_takes_is_not_repaired(data: bytes) -> None:
    """No method, no token, no end of the head."""
    assert repair(data) is None


@pytest.mark.parametrize(
    ("method", "path", "body", "closes"),
    [
        ("POST", "/v1/notes", b'{"a":1}' + b" " * 300 * KIB, True),
        ("POST", "/v1/notes", b'{"a":1}' + b" " * 200 * KIB, False),
        ("POST", "/v1/notes", b'{"a":"' + b"x" * 300 * KIB + b'"}', False),
        ("POST", "/v1/notes/{uid}/archive", b"x" * 300 * KIB, True),
        ("GET", "/v1/nope", b"x" * 300 * KIB, True),
    ],
)
def test_much_unread_closes_the_connection(
    method: str, path: str, body: bytes, closes: bool
) -> None:
    """From 256 KiB that the handler did not ask for."""
    caller = caller_with_session()
    uid = caller.create(NOTE)["uid"]
    answer = caller.send(method, path.replace("{uid}", uid), body)

    assert closes == (answer.header("Connection") == "close")
