"""Section 9: process and archive."""

from typing import Any

from toolbridge_contract.provider.case import Case, Want, slug
from toolbridge_contract.provider.wants import INVALID_JSON, error, item

_COMMENT = {"content": "c", "parentType": "note", "parentUid": "{note}"}
_MESSAGE = {"content": "m", "chatUid": "{chat}"}
# Path, what the item holds, its actions with what each sets, and what archiving sets.
ENTITIES: dict[str, tuple[str, dict[str, Any], dict[str, dict[str, Any]], dict[str, Any]]] = {
    "note": (
        "notes",
        {"title": "n"},
        {
            "pin": {"pinned": True},
            "unpin": {"pinned": False},
            "archive": {"status": "archived"},
            "unarchive": {"status": "active"},
        },
        {"status": "archived"},
    ),
    "task": (
        "tasks",
        {"title": "t"},
        {
            "start": {"status": "in_progress"},
            "complete": {"status": "completed"},
            "reopen": {"status": "open"},
        },
        {"status": "archived"},
    ),
    "comment": (
        "comments",
        _COMMENT,
        {"resolve": {"status": "resolved"}, "reopen": {"status": "open"}},
        {"status": "archived"},
    ),
    "chat": (
        "chats",
        {"title": "c"},
        {"resolve": {"status": "resolved"}, "reopen": {"status": "active"}},
        {"archived": True},
    ),
    "message": (
        "chat_messages",
        _MESSAGE,
        {"mark_read": {"read": True}, "mark_delivered": {"delivered": True}},
        {"archived": True},
    ),
}
_PIN = item(200, 2, uid="{note}", title="n", pinned=True)
# Bodies of a note's process; the rest of each row is the answer.
_ODD: dict[str, tuple[str, Want]] = {
    "action-missing": ("{}", error(400, "invalid action: ")),
    "action-empty": ('{"action":""}', error(400, "invalid action: ")),
    "action-null": ('{"action":null}', error(400, "invalid action: ")),
    "action-upper-case": ('{"action":"PIN"}', error(400, "invalid action: PIN")),
    "action-number": ('{"action":5}', INVALID_JSON),
    "metadata-list": ('{"action":"pin","metadata":[]}', INVALID_JSON),
    "key-upper-case": ('{"ACTION":"pin"}', _PIN),
    "metadata-object": ('{"action":"pin","metadata":{"a":1}}', _PIN),
    "action-html": (
        '{"action":"<x>&"}',
        error(400, "invalid action: \\u003cx\\u003e\\u0026"),
    ),
}


def _of_entity(name: str) -> list[Case]:
    path, payload, actions, archive = ENTITIES[name]
    where = f"/v1/{path}/{{{name}}}"
    about = {"uid": f"{{{name}}}", **payload}
    return [
        *(
            Case(
                f"process-{name}-{slug(action)}",
                "POST",
                f"{where}/process",
                item(200, 2, **about, **sets),
                given=(name,),
                body=f'{{"action":"{action}"}}',
            )
            for action, sets in actions.items()
        ),
        Case(
            f"process-{name}-bogus",
            "POST",
            f"{where}/process",
            error(400, "invalid action: bogus"),
            given=(name,),
            body='{"action":"bogus"}',
        ),
        Case(
            f"archive-{name}",
            "POST",
            f"{where}/archive",
            item(200, 2, **about, **archive),
            given=(name,),
        ),
    ]


CASES = (
    *(case for name in ENTITIES for case in _of_entity(name)),
    *(
        Case(
            f"process-{name}", "POST", "/v1/notes/{note}/process", want, given=("note",), body=body
        )
        for name, (body, want) in _ODD.items()
    ),
)
