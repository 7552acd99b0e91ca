"""Section 10: comments and their parent."""

from typing import Any

from toolbridge_contract.provider.case import Case, Given
from toolbridge_contract.provider.states import put
from toolbridge_contract.provider.wants import body_of, error, item, items, removed

_PATH = "/v1/comments"
_ONE = _PATH + "/{comment}"
_FAILED = error(500, "failed to create comment")
_ABOUT: dict[str, Any] = {
    "uid": "{comment}",
    "content": "c",
    "parentType": "note",
    "parentUid": "{note}",
}
_MOVED = '{"content":"z","parentType":"task","parentUid":"{task}"}'
_LIVE = '"parentType":"note","parentUid":"{note}"'
# State and body of creates that all fail alike.
_REFUSED: dict[str, tuple[tuple[Given, ...], str]] = {
    "parent-type-chat": (("chat",), '{"content":"x","parentType":"chat","parentUid":"{chat}"}'),
    "parent-type-upper-case": (
        ("note",),
        '{"content":"x","parentType":"NOTE","parentUid":"{note}"}',
    ),
    "no-parent-type": (("note",), '{"content":"x","parentUid":"{note}"}'),
    "no-parent-uid": ((), '{"content":"x","parentType":"note"}'),
    "parent-uid-invalid": ((), '{"content":"x","parentType":"note","parentUid":"abc"}'),
    "parent-uid-unknown": ((), '{"content":"x","parentType":"note","parentUid":"{unknown}"}'),
    "parent-deleted": (
        ("deleted note",),
        '{"content":"x","parentType":"note","parentUid":"{gone}"}',
    ),
    "parent-of-other-user": (
        ("note of other",),
        '{"content":"x","parentType":"note","parentUid":"{foreign}"}',
    ),
    "parent-of-another-type": (
        ("task",),
        '{"content":"x","parentType":"note","parentUid":"{task}"}',
    ),
    "snake-case-fields": (
        ("note",),
        '{"content":"x","parent_type":"note","parent_uid":"{note}"}',
    ),
    "parent-uid-not-a-string": ((), '{"content":"x","parentType":"note","parentUid":5}'),
    "empty-object": ((), "{}"),
}
# What happens to a comment whose parent was deleted after it.
_ORPHAN = {
    "patch": ("PATCH", "", '{"content":"q"}', "patch"),
    "process": ("POST", "/process", '{"action":"resolve"}', "process"),
    "archive": ("POST", "/archive", "", "archive"),
    "put": ("PUT", "", '{"content":"z",' + _LIVE + "}", "update"),
}

CASES = (
    *(
        Case(
            f"comment-on-{kind}",
            "POST",
            _PATH,
            item(201, content="x", parentType=kind, parentUid=f"{{{kind}}}"),
            given=(kind,),
            body=f'{{"content":"x","parentType":"{kind}","parentUid":"{{{kind}}}"}}',
        )
        for kind in ("note", "task")
    ),
    *(
        Case(f"comment-{name}", "POST", _PATH, _FAILED, given=given, body=body)
        for name, (given, body) in _REFUSED.items()
    ),
    Case("comment-orphan-get", "GET", _ONE, item(200, **_ABOUT), given=("orphan comment",)),
    *(
        Case(
            f"comment-orphan-{name}",
            method,
            _ONE + suffix,
            error(500, f"failed to {verb} comment"),
            given=("orphan comment",),
            body=body,
        )
        for name, (method, suffix, body, verb) in _ORPHAN.items()
    ),
    Case(
        "comment-orphan-delete", "DELETE", _ONE, removed(2, "{comment}"), given=("orphan comment",)
    ),
    Case(
        "comment-put-without-parent",
        "PUT",
        _ONE,
        error(500, "failed to update comment"),
        given=("comment",),
        body='{"content":"z"}',
    ),
    Case(
        "comment-put-with-parent",
        "PUT",
        _ONE,
        item(200, 2, uid="{comment}", content="z", parentType="task", parentUid="{task}"),
        given=("comment", "task"),
        body=_MOVED,
    ),
    Case(
        "comment-patch-content-only",
        "PATCH",
        _ONE,
        item(200, 3, uid="{comment}", content="q", parentType="task", parentUid="{task}"),
        given=("comment", "task", put("comments/{comment}", _MOVED)),
        body='{"content":"q"}',
    ),
    Case(
        "comment-list-has-no-parent-filter",
        "GET",
        _PATH + "?parentUid={unknown}&limit=1",
        items(body_of(**_ABOUT)),
        given=("empty", "comment"),
    ),
)
