"""Section 11: chat messages and their chat."""

from toolbridge_contract.provider.case import Case, Given
from toolbridge_contract.provider.wants import error, item, removed

_PATH = "/v1/chat_messages"
_ONE = _PATH + "/{message}"
_FAILED = error(500, "failed to create chat message")
_REFUSED: dict[str, tuple[tuple[Given, ...], str]] = {
    "no-chat-uid": ((), '{"content":"x"}'),
    "chat-uid-invalid": ((), '{"content":"x","chatUid":"abc"}'),
    "chat-uid-unknown": ((), '{"content":"x","chatUid":"{unknown}"}'),
    "chat-deleted": (("deleted chat",), '{"content":"x","chatUid":"{gone}"}'),
    "chat-of-other-user": (("chat of other",), '{"content":"x","chatUid":"{foreign}"}'),
    "snake-case-field": (("chat",), '{"content":"x","chat_uid":"{chat}"}'),
    "chat-uid-number": ((), '{"content":"x","chatUid":5}'),
}

CASES = (
    Case(
        "message-in-live-chat",
        "POST",
        _PATH,
        item(201, chatUid="{chat}", content="x", role="user"),
        given=("chat",),
        body='{"content":"x","role":"user","chatUid":"{chat}"}',
    ),
    *(
        Case(f"message-{name}", "POST", _PATH, _FAILED, given=given, body=body)
        for name, (given, body) in _REFUSED.items()
    ),
    Case(
        "message-put-without-chat",
        "PUT",
        _ONE,
        error(500, "failed to update chat message"),
        given=("message",),
        body='{"content":"z"}',
    ),
    Case(
        "message-orphan-get",
        "GET",
        _ONE,
        item(200, uid="{message}", content="m", chatUid="{chat}"),
        given=("orphan message",),
    ),
    Case(
        "message-orphan-patch",
        "PATCH",
        _ONE,
        error(500, "failed to patch chat message"),
        given=("orphan message",),
        body='{"content":"q"}',
    ),
    Case(
        "message-orphan-process",
        "POST",
        _ONE + "/process",
        error(500, "failed to process chat message"),
        given=("orphan message",),
        body='{"action":"mark_read"}',
    ),
    Case(
        "message-orphan-delete", "DELETE", _ONE, removed(2, "{message}"), given=("orphan message",)
    ),
)
