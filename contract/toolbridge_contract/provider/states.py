"""The named states that cases start from."""

from toolbridge_contract.provider.case import Given, Step

SESSIONS = "/v1/sync/sessions"
_WIPE = '{"confirm":"WIPE"}'

BEGIN = Step("POST", SESSIONS, keep="session", status=201)
BEGIN_OTHER = Step("POST", SESSIONS, keep="other_session", status=201, who="other")


def make(path: str, body: str, keep: str, who: str = "me") -> Step:
    """Return the step that creates an item and keeps its uid."""
    return Step("POST", f"/v1/{path}", body, keep, 201, who)


def delete(path: str) -> Step:
    """Return the step that deletes an item."""
    return Step("DELETE", f"/v1/{path}", status=200)


def put(path: str, body: str, status: int = 200) -> Step:
    """Return the step that replaces an item."""
    return Step("PUT", f"/v1/{path}", body, status=status)


def patch(path: str, body: str) -> Step:
    """Return the step that merges into an item."""
    return Step("PATCH", f"/v1/{path}", body, status=200)


COMMENT = '{"content":"c","parentType":"note","parentUid":"{note}"}'
MESSAGE = '{"content":"m","chatUid":"{chat}"}'

STATES: dict[str, tuple[Given, ...]] = {
    # Rows and epoch: the user as after a wipe, with a new session.
    "empty": (Step("POST", "/v1/sync/wipe", _WIPE, status=200), BEGIN),
    "other": (BEGIN_OTHER,),
    "note": (make("notes", '{"title":"n"}', "note"),),
    "one note": ("empty", "note"),
    "note v2": ("note", put("notes/{note}", '{"title":"z"}')),
    "task": (make("tasks", '{"title":"t"}', "task"),),
    "chat": (make("chats", '{"title":"c"}', "chat"),),
    "comment": ("note", make("comments", COMMENT, "comment")),
    "message": ("chat", make("chat_messages", MESSAGE, "message")),
    "deleted note": (make("notes", '{"title":"n"}', "gone"), delete("notes/{gone}")),
    "deleted task": (make("tasks", '{"title":"t"}', "gone"), delete("tasks/{gone}")),
    "deleted chat": (make("chats", '{"title":"c"}', "gone"), delete("chats/{gone}")),
    "deleted comment": (
        "note",
        make("comments", COMMENT, "gone"),
        delete("comments/{gone}"),
    ),
    "deleted message": (
        "chat",
        make("chat_messages", MESSAGE, "gone"),
        delete("chat_messages/{gone}"),
    ),
    "note of other": ("other", make("notes", '{"title":"o"}', "foreign", "other")),
    "chat of other": ("other", make("chats", '{"title":"o"}', "foreign", "other")),
    # One whose parent was deleted after it was made.
    "orphan comment": ("comment", delete("notes/{note}")),
    "orphan message": ("message", delete("chats/{chat}")),
    "second session": (Step("POST", SESSIONS, keep="second", status=201),),
    "ended session": (
        Step("POST", SESSIONS, keep="ended", status=201),
        Step("DELETE", SESSIONS + "/{ended}", status=204),
    ),
    "large note": (
        Step("POST", "/v1/notes", lambda: b'{"a":"' + b"x" * (8 << 20) + b'"}', status=201),
    ),
    "wiped": (Step("POST", "/v1/sync/wipe", _WIPE, status=200),),
}
