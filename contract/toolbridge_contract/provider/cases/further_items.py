"""Section 22, rows 3 to 5, 8, 11 and 12: uids, versions and parents."""

from typing import Any

from toolbridge_contract.provider.case import Case, Given, Step, Want
from toolbridge_contract.provider.states import MESSAGE, make
from toolbridge_contract.provider.wants import INVALID_UID, NOTE, PANIC, error, item, mismatch

_NOTE = "/v1/notes/{note}"
_COMMENT = "/v1/comments/{comment}"
# Spellings of a uid that Go's parser takes, as they stand in a path.
_PATHS = {
    "parentheses": "({note})",
    "any-ends": "x{note}x",
    "encoded-spaces": "%20{note}%20",
    "encoded-braces": "%7B{note}%7D",
    "urn-upper-case": "URN:UUID:{note}",
}
_UNDECODED = {
    "encoded-digit": "%37f2b8c1e-9d4a-4b6f-8e7d-0a1b2c3d4e5f",
    "encoded-urn": "urn%3Auuid%3A{unknown}",
}
# And in a body, where payload.uid keeps the client's spelling.
_SPELLINGS = {
    "upper-case": "{fresh_upper}",
    "no-dashes": "{fresh_bare}",
    "braces": "{{fresh}}",
    "parentheses": "({fresh})",
    "urn-upper-case": "URN:UUID:{fresh}",
}
_SPELLED = make("notes", '{"uid":"{fresh_upper}"}', "note")
_KEPT: dict[str, Any] = {"uid": "{fresh}", "spelling": "{fresh_upper}"}
_PARSED = {
    "leading-zeros": ("001", 1),
    "plus": ("+1", 1),
    "plus-quoted": ('"+1"', 1),
    "zero": ("0", 0),
    "negative-quoted": ('"-1"', -1),
    "int64-max": ("9223372036854775807", 2**63 - 1),
    "int64-min": ("-9223372036854775808", -(2**63)),
}
_IGNORED = {
    "quotes-alone": '""',
    "quote-open": '"1',
    "quote-close": '1"',
    "blanks-in-quotes": '" 1 "',
    "quoted-twice": '""1""',
    "underscore": "1_0",
    "exponent": "1e3",
    "hexadecimal": "0x1",
    "2-63": "9223372036854775808",
}
_MOVE: dict[str, Any] = {"content": "c", "parentType": "task"}
_TIMES = {"past": '"2001-01-01T00:00:00Z"', "future": '"2999-01-01T00:00:00Z"', "number": "5"}
_DEAD_CHILD: tuple[Given, ...] = (
    "chat",
    make("chat_messages", MESSAGE, "message"),
    Step("DELETE", "/v1/chat_messages/{message}", status=200),
    Step("DELETE", "/v1/chats/{chat}", status=200),
)
_DEAD_PARENT = '{"uid":"{note}","title":"back"}'


def _orphan(name: str, want: Want, body: str, path: str = "", **change: str) -> Case:
    method = "POST" if path else "PATCH"
    return Case(
        f"order-{name}",
        method,
        _COMMENT + path,
        want,
        given=("orphan comment",),
        body=body,
        change={key.replace("_", "-"): value for key, value in change.items()},
    )


CASES = (
    Case(
        "order-panic-before-412",
        "PUT",
        _NOTE,
        PANIC,
        given=("note v2",),
        body="null",
        change={"If-Match": "1"},
    ),
    _orphan("412-before-dead-parent", mismatch(99, 1), "{}", If_Match="99"),
    _orphan(
        "action-before-dead-parent",
        error(400, "invalid action: bogus"),
        '{"action":"bogus"}',
        "/process",
    ),
    Case(
        "order-412-before-nul",
        "PATCH",
        _NOTE,
        mismatch(99, 1),
        given=("note",),
        body='{"a":"\\u0000"}',
        change={"If-Match": "99"},
    ),
    *(
        Case(f"uid-form-{name}", "GET", f"/v1/notes/{form}", NOTE, given=("note",))
        for name, form in _PATHS.items()
    ),
    *(
        Case(f"uid-{name}-stays-undecoded", "GET", f"/v1/notes/{form}", INVALID_UID, wire=True)
        for name, form in _UNDECODED.items()
    ),
    *(
        Case(
            f"create-spelling-{name}",
            "POST",
            "/v1/notes",
            item(201, uid="{fresh}", spelling=form),
            body=f'{{"uid":"{form}"}}',
        )
        for name, form in _SPELLINGS.items()
    ),
    Case(
        "spelling-kept-by-patch",
        "PATCH",
        _NOTE,
        item(200, 2, a=1, **_KEPT),
        given=(_SPELLED,),
        body='{"a":1}',
    ),
    Case(
        "spelling-kept-by-archive",
        "POST",
        _NOTE + "/archive",
        item(200, 2, status="archived", **_KEPT),
        given=(_SPELLED,),
    ),
    Case(
        "spelling-canonical-after-put",
        "PUT",
        _NOTE,
        item(200, 2, uid="{fresh}", a=1),
        given=(_SPELLED,),
        body='{"a":1}',
    ),
    *(
        Case(
            f"match-parsed-{name}",
            "PUT",
            _NOTE,
            mismatch(parsed, 2),
            given=("note v2",),
            body="{}",
            change={"If-Match": value},
        )
        for name, (value, parsed) in _PARSED.items()
    ),
    *(
        Case(
            f"match-ignored-{name}",
            "PUT",
            _NOTE,
            item(200, 3, uid="{note}"),
            given=("note v2",),
            body="{}",
            change={"If-Match": value},
        )
        for name, value in _IGNORED.items()
    ),
    Case(
        "uid-is-per-entity",
        "POST",
        "/v1/tasks",
        item(201, uid="{note}", a=1),
        given=("note",),
        body='{"uid":"{note}","a":1}',
    ),
    Case(
        "comment-moved-by-patch",
        "PATCH",
        _COMMENT,
        item(200, 2, uid="{comment}", parentUid="{task}", **_MOVE),
        given=("comment", "task"),
        body='{"parentType":"task","parentUid":"{task}"}',
    ),
    *(
        Case(
            f"comment-parent-{name}",
            "POST",
            "/v1/comments",
            item(201, content="x", parentType="note", parentUid=form),
            given=("note",),
            body=f'{{"content":"x","parentType":"note","parentUid":"{form}"}}',
        )
        for name, form in (("upper-case", "{note_upper}"), ("urn", "urn:uuid:{note}"))
    ),
    Case(
        "comment-parent-broken-by-patch",
        "PATCH",
        _COMMENT,
        error(500, "failed to patch comment"),
        given=("comment",),
        body='{"parentUid":"abc"}',
    ),
    Case(
        "comment-revived-with-parent",
        "PATCH",
        _COMMENT,
        item(200, 2, uid="{comment}", content="q", parentType="note", parentUid="{note}"),
        given=("orphan comment", make("notes", _DEAD_PARENT, "note")),
        body='{"content":"q"}',
    ),
    Case(
        "message-undeleted-under-dead-chat",
        "POST",
        "/v1/chat_messages",
        error(500, "failed to create chat message"),
        given=_DEAD_CHILD,
        body='{"uid":"{message}","content":"m","chatUid":"{chat}"}',
    ),
    *(
        Case(
            f"create-updated-ts-{name}-overwritten",
            "POST",
            "/v1/notes",
            item(201),
            body=f'{{"updatedTs":{value}}}',
        )
        for name, value in _TIMES.items()
    ),
    Case(
        "create-updated-at-stays",
        "POST",
        "/v1/notes",
        item(201, updatedAt="x"),
        body='{"updatedAt":"x"}',
    ),
)
