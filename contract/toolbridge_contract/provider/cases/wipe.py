"""Section 6: wipe."""

from toolbridge_contract.provider.case import Case, Step, Want, slug
from toolbridge_contract.provider.states import BEGIN
from toolbridge_contract.provider.wants import EMPTY_LIST, SESSION_INVALID, error

_PATH = "/v1/sync/wipe"
_CONFIRM = '{"confirm":"WIPE"}'
BAD_BODY = error(400, "invalid request body", "J")
NOT_CONFIRMED = error(400, 'confirmation required: must send {\\"confirm\\":\\"WIPE\\"}', "J")


def wiped(**rows: int) -> Want:
    """The counts of a wipe, tombstones included, by entity; the others had none."""
    names = ("chat", "chat_message", "comment", "note", "task")
    counts = ",".join(f'"{name}":{rows.get(name, 0)}' for name in names)
    return Want(200, "J", f'{{"epoch":{{session_epoch+1}},"deleted":{{{counts}}}}}\n')


CASES = (
    Case("wipe-empty-body", "POST", _PATH, BAD_BODY),
    Case("wipe-confirm-true", "POST", _PATH, BAD_BODY, body='{"confirm":true}'),
    Case("wipe-empty-object", "POST", _PATH, NOT_CONFIRMED, body="{}"),
    Case("wipe-confirm-lower-case", "POST", _PATH, NOT_CONFIRMED, body='{"confirm":"wipe"}'),
    Case(
        "wipe-without-epoch",
        "POST",
        _PATH,
        wiped(note=1),
        given=("one note",),
        body=_CONFIRM,
        change={"X-Sync-Epoch": None},
    ),
    Case(
        "wipe-counts-every-entity",
        "POST",
        _PATH,
        wiped(chat=1, chat_message=1, comment=1, note=1, task=1),
        given=("empty", "comment", "message", "task"),
        body=_CONFIRM,
    ),
    Case(
        "wipe-counts-tombstones",
        "POST",
        _PATH,
        wiped(chat=1, comment=1, note=2, task=1),
        given=("empty", "deleted task", "deleted chat", "deleted comment", "deleted note"),
        body=_CONFIRM,
    ),
    *(
        Case(
            f"wipe-leaves-no-{slug(plural)}",
            "GET",
            f"/v1/{plural}?includeDeleted=true",
            EMPTY_LIST,
            given=("comment", "message", "task", "wiped", BEGIN),
        )
        for plural in ("notes", "tasks", "comments", "chats", "chat_messages")
    ),
    Case(
        "wipe-with-another-session-alive",
        "POST",
        _PATH,
        wiped(),
        given=("empty", "second session"),
        body=_CONFIRM,
        change={"X-Sync-Session": "{second}"},
    ),
    *(
        Case(
            f"wipe-ends-{name}",
            "GET",
            "/v1/sync/state",
            SESSION_INVALID,
            given=("second session", Step("POST", _PATH, _CONFIRM, status=200)),
            change={"X-Sync-Session": session},
        )
        for name, session in (("its-own-session", "{session}"), ("the-other-session", "{second}"))
    ),
)
