"""Section 6: wipe."""

from toolbridge_contract.provider.case import Case, Step, Want
from toolbridge_contract.provider.wants import SESSION_INVALID, error

_PATH = "/v1/sync/wipe"
_CONFIRM = '{"confirm":"WIPE"}'
BAD_BODY = error(400, "invalid request body", "J")
NOT_CONFIRMED = error(400, 'confirmation required: must send {\\"confirm\\":\\"WIPE\\"}', "J")


def wiped(notes: int = 0) -> Want:
    """The counts of a wipe, tombstones included."""
    counts = f'"chat":0,"chat_message":0,"comment":0,"note":{notes},"task":0'
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
        wiped(notes=1),
        given=("one note",),
        body=_CONFIRM,
        change={"X-Sync-Epoch": None},
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
