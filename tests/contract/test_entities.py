"""The eight operations for all five entities: life cycle, actions, parents, refusals."""

from typing import Any

import pytest

from support.contract_caller import Caller, TurnedClock, caller_with_session, make_api, read
from toolbridge_contract.tools import CHAT, CHAT_MESSAGE, COMMENT, ENTITIES, NOTE, TASK, Entity

UNKNOWN = "11111111-2222-3333-4444-555555555555"
every_entity = pytest.mark.parametrize("entity", ENTITIES, ids=lambda e: e.singular)


def clocked() -> tuple[Caller, TurnedClock]:
    clock = TurnedClock()
    return Caller(make_api(clock)).begin(), clock


@every_entity
def test_an_item_lives_from_create_to_undelete(entity: Entity) -> None:
    """Each write is one version more; a delete hides; a create with the uid brings back."""
    caller, clock = clocked()
    payload = caller.payload(entity)
    created = read(caller.send("POST", entity.collection, payload))
    path = f"{entity.collection}/{created['uid']}"
    clock.turn(1)
    put = read(caller.send("PUT", path, payload | {"x": 1, "y": 2}))
    patched = read(caller.send("PATCH", path, {"x": None}))
    archived = read(caller.send("POST", f"{path}/archive"))
    deleted = read(caller.send("DELETE", path))

    assert [item["version"] for item in (created, put, patched, archived, deleted)] == [
        1,
        2,
        3,
        4,
        5,
    ]
    assert {"x": 1, "y": 2} | payload == own(put)
    assert {"x": None, "y": 2} | payload == own(patched)
    assert {"x": None, "y": 2} | payload | entity.archive == own(archived)
    assert list(deleted) == ["deletedAt", "uid", "updatedAt", "version"]
    assert caller.send("GET", path).status == 410
    shown = read(caller.send("GET", f"{path}?includeDeleted=true"))
    assert list(shown) == ["uid", "version", "updatedAt", "deletedAt", "payload"]
    assert shown["payload"]["sync"] == {
        "deletedAt": shown["deletedAt"],
        "isDeleted": True,
        "version": 5,
    }
    back = read(caller.send("POST", entity.collection, payload | {"uid": created["uid"]}))
    assert (6, created["uid"], payload) == (back["version"], back["uid"], own(back))
    assert back == read(caller.send("GET", path))


def own(item: dict[str, Any]) -> dict[str, Any]:
    """Return the payload without what the API adds."""
    added = {"uid", "sync", "updatedTs"}
    return {key: value for key, value in item["payload"].items() if key not in added}


def test_an_item_is_printed_as_go_prints_it() -> None:
    """Struct order outside, sorted keys in the payload, ms times, a newline at the end."""
    caller, _ = clocked()
    answer = caller.send("POST", "/v1/notes", {"title": "T", "content": "C", "tags": ["a"]})
    uid = read(answer)["uid"]
    at = "2026-01-01T00:00:00.123Z"

    assert answer.body.decode() == (
        f'{{"uid":"{uid}","version":1,"updatedAt":"{at}","payload":{{"content":"C",'
        f'"sync":{{"isDeleted":false,"version":1}},"tags":["a"],"title":"T","uid":"{uid}",'
        f'"updatedTs":"{at}"}}}}\n'
    )
    deleted = caller.send("DELETE", f"/v1/notes/{uid}")
    assert deleted.body.decode() == (
        f'{{"deletedAt":"{at}","uid":"{uid}","updatedAt":"{at}","version":2}}\n'
    )


@every_entity
@pytest.mark.parametrize(
    ("method", "suffix", "body"),
    [
        ("GET", "", b""),
        ("PUT", "", b"{}"),
        ("PATCH", "", b"{}"),
        ("DELETE", "", b""),
        ("POST", "/archive", b""),
        ("POST", "/process", b'{"action":"bogus"}'),
    ],
)
def test_invalid_unknown_and_deleted_uids_are_refused(
    entity: Entity, method: str, suffix: str, body: bytes
) -> None:
    """400, 404 and 410, each in its own words; the 410 has no correlation id."""
    caller, _ = clocked()
    deleted = caller.create(entity)["uid"]
    caller.send("DELETE", f"{entity.collection}/{deleted}")
    already = "already deleted" if method == "DELETE" else "deleted"

    def ask(uid: str) -> tuple[int, dict[str, Any]]:
        answer = caller.send(
            method, f"{entity.collection}/{uid}{suffix}", body, {"X-Correlation-ID": "c"}
        )
        return answer.status, read(answer)

    assert ask("abc") == (400, {"error": "invalid UID", "correlation_id": "c"})
    assert (404, {"error": f"{entity.label} not found", "correlation_id": "c"}) == ask(UNKNOWN)
    at = "2026-01-01T00:00:00.123Z"
    assert (410, {"deletedAt": at, "error": f"{entity.label} {already}"}) == ask(deleted)


@pytest.mark.parametrize(
    ("entity", "action", "fields"),
    [
        (NOTE, "pin", {"pinned": True}),
        (NOTE, "unpin", {"pinned": False}),
        (NOTE, "archive", {"status": "archived"}),
        (NOTE, "unarchive", {"status": "active"}),
        (TASK, "start", {"status": "in_progress"}),
        (TASK, "complete", {"status": "completed"}),
        (TASK, "reopen", {"status": "open"}),
        (COMMENT, "resolve", {"status": "resolved"}),
        (COMMENT, "reopen", {"status": "open"}),
        (CHAT, "resolve", {"status": "resolved"}),
        (CHAT, "reopen", {"status": "active"}),
        (CHAT_MESSAGE, "mark_read", {"read": True}),
        (CHAT_MESSAGE, "mark_delivered", {"delivered": True}),
    ],
)
def test_an_action_sets_its_fields(entity: Entity, action: str, fields: dict[str, object]) -> None:
    """Metadata is read and dropped, If-Match ignored."""
    caller = caller_with_session()
    item = caller.create(entity)
    answer = caller.send(
        "POST",
        f"{entity.collection}/{item['uid']}/process",
        {"action": action, "metadata": {"a": 1}},
        {"If-Match": "99"},
    )

    assert (answer.status, read(answer)["version"]) == (200, 2)
    assert own(item) | fields == own(read(answer))


@pytest.mark.parametrize(
    ("entity", "fields"),
    [
        (NOTE, {"status": "archived"}),
        (TASK, {"status": "archived"}),
        (COMMENT, {"status": "archived"}),
        (CHAT, {"archived": True}),
        (CHAT_MESSAGE, {"archived": True}),
    ],
)
def test_archive_sets_its_field(entity: Entity, fields: dict[str, object]) -> None:
    """Whatever the body and If-Match say."""
    caller = caller_with_session()
    item = caller.create(entity)
    path = f"{entity.collection}/{item['uid']}/archive"
    answer = caller.send("POST", path, b"{garbage", {"If-Match": "99"})

    assert (200, own(item) | fields) == (answer.status, own(read(answer)))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"action":"bogus"}', "invalid action: bogus"),
        (b'{"action":"PIN"}', "invalid action: PIN"),
        (b'{"action":"start"}', "invalid action: start"),
        (b'{"action":"<x>&"}', "invalid action: <x>&"),
        (b'{"action":""}', "invalid action: "),
        (b'{"action":null}', "invalid action: "),
        (b"{}", "invalid action: "),
        (b"null", "invalid action: "),
        (b'{"action":5}', "invalid JSON"),
        (b'{"action":"pin","metadata":[]}', "invalid JSON"),
        (b'{"action":"pin","metadata":"x"}', "invalid JSON"),
        (b"", "invalid JSON"),
        (b"{", "invalid JSON"),
        (b"[]", "invalid JSON"),
        (b'"pin"', "invalid JSON"),
        (b"5", "invalid JSON"),
        (b"true", "invalid JSON"),
    ],
)
def test_a_bad_process_body_is_400(body: bytes, message: str) -> None:
    """An action outside the entity's set, and what is no such struct."""
    caller = caller_with_session()
    answer = caller.send("POST", f"/v1/notes/{caller.create(NOTE)['uid']}/process", body)

    assert (400, message) == (answer.status, read(answer)["error"])


def test_an_action_with_html_is_escaped() -> None:
    """Error texts are JSON in Go's spelling too."""
    caller = caller_with_session()
    path = f"/v1/notes/{caller.create(NOTE)['uid']}/process"

    assert b'invalid action: \\u003cx\\u003e\\u0026"' in (
        caller.send("POST", path, b'{"action":"<x>&"}').body
    )


def parent_fault(caller: Caller, name: str) -> dict[str, object]:
    """Return a comment payload whose parent has the named fault."""
    note, deleted, task = (caller.create(e)["uid"] for e in (NOTE, NOTE, TASK))
    chat = caller.create(CHAT)["uid"]
    caller.send("DELETE", f"/v1/notes/{deleted}")
    foreign = Caller(caller.api).begin().create(NOTE)["uid"]
    return {
        "type chat": {"parentType": "chat", "parentUid": chat},
        "type NOTE": {"parentType": "NOTE", "parentUid": note},
        "type a list": {"parentType": ["note"], "parentUid": note},
        "no type": {"parentUid": note},
        "no uid": {"parentType": "note"},
        "invalid": {"parentType": "note", "parentUid": "abc"},
        "unknown": {"parentType": "note", "parentUid": UNKNOWN},
        "deleted": {"parentType": "note", "parentUid": deleted},
        "foreign": {"parentType": "note", "parentUid": foreign},
        "other kind": {"parentType": "note", "parentUid": task},
        "number": {"parentType": "note", "parentUid": 5},
        "snake case": {"parent_type": "note", "parent_uid": note},
        "empty": {},
    }[name]


@pytest.mark.parametrize(
    "fault",
    [
        "type chat",
        "type NOTE",
        "type a list",
        "no type",
        "no uid",
        "invalid",
        "unknown",
        "deleted",
        "foreign",
        "other kind",
        "number",
        "snake case",
        "empty",
    ],
)
def test_a_comment_without_a_live_parent_is_500(fault: str) -> None:
    """Never 4xx; on PUT too, and a PATCH that breaks it."""
    caller = caller_with_session()
    broken = parent_fault(caller, fault)
    answers = [caller.send("POST", "/v1/comments", broken)]
    comment = f"/v1/comments/{caller.create(COMMENT)['uid']}"
    answers.append(caller.send("PUT", comment, broken))
    if set(broken) == {"parentType", "parentUid"}:
        answers.append(caller.send("PATCH", comment, broken))

    texts = [f"failed to {verb} comment" for verb in ("create", "update", "patch")]
    assert [(500, text) for text in texts[: len(answers)]] == [
        (answer.status, read(answer)["error"]) for answer in answers
    ]


@pytest.mark.parametrize("fields", [{}, {"chatUid": "abc"}, {"chatUid": UNKNOWN}, {"chatUid": 5}])
def test_a_message_without_a_live_chat_is_500(fields: dict[str, object]) -> None:
    """Never 4xx."""
    answer = caller_with_session().send("POST", "/v1/chat_messages", fields)

    assert (answer.status, read(answer)["error"]) == (500, "failed to create chat message")


@pytest.mark.parametrize(
    ("entity", "parent_field", "parents", "action"),
    [
        (COMMENT, "parentUid", "/v1/notes", b'{"action":"resolve"}'),
        (CHAT_MESSAGE, "chatUid", "/v1/chats", b'{"action":"mark_read"}'),
    ],
)
def test_a_deleted_parent_freezes_its_children(
    entity: Entity, parent_field: str, parents: str, action: bytes
) -> None:
    """PUT, PATCH, process and archive are 500, GET and DELETE work; an undelete revives."""
    caller = caller_with_session()
    item = caller.create(entity)
    path = f"{entity.collection}/{item['uid']}"
    parent = item["payload"][parent_field]
    caller.send("DELETE", f"{parents}/{parent}")
    writes: list[tuple[str, str, object, str]] = [
        ("PUT", path, own(item), "update"),
        ("PATCH", path, {"a": 1}, "patch"),
        ("POST", f"{path}/process", action, "process"),
        ("POST", f"{path}/archive", b"", "archive"),
    ]

    for method, target, body, verb in writes:
        answer = caller.send(method, target, body)
        expected = (500, f"failed to {verb} {entity.label}")
        assert expected == (answer.status, read(answer)["error"])
    assert read(caller.send("GET", path))["version"] == 1
    bogus = caller.send("POST", f"{path}/process", {"action": "bogus"})
    assert (bogus.status, read(bogus)["error"]) == (400, "invalid action: bogus")
    assert caller.send("PATCH", path, {}, {"If-Match": "9"}).status == 412
    caller.send("POST", parents, {"uid": parent})
    assert caller.send("PATCH", path, {"a": 1}).status == 200
    caller.send("DELETE", f"{parents}/{parent}")
    assert caller.send("DELETE", path).status == 200
    undelete = caller.send("POST", entity.collection, own(item) | {"uid": item["uid"]})
    assert undelete.status == 500


def test_a_comment_moves_to_another_parent_and_keeps_its_spelling() -> None:
    """The parent's uid may be spelled any way and is stored as sent."""
    caller = caller_with_session()
    comment = caller.create(COMMENT)
    task = caller.create(TASK)["uid"]
    for spelling in (task.upper(), f"urn:uuid:{task}"):
        moved = caller.send(
            "PATCH",
            f"/v1/comments/{comment['uid']}",
            {"parentType": "task", "parentUid": spelling},
        )
        assert (200, spelling) == (moved.status, read(moved)["payload"]["parentUid"])


def test_uids_are_per_entity() -> None:
    """The same uid may name a note and a task."""
    caller = caller_with_session()
    uid = caller.create(NOTE)["uid"]

    assert caller.send("GET", f"/v1/tasks/{uid}").status == 404
    assert caller.create(TASK, uid=uid)["version"] == 1
