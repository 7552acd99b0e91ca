"""Section 21: a session lives 30 minutes, however much it is used."""

from toolbridge_contract.provider.case import Case, Given, Step, Wait
from toolbridge_contract.provider.wants import (
    NO_SESSION,
    NOTE_LIST,
    SESSION_INVALID,
    began,
)

_LIST = "/v1/notes?limit=1"
_SESSION = "/v1/sync/sessions/{session}"
_AGED: tuple[Given, ...] = ("one note", Wait(17 * 60 + 56))
_EXPIRED: tuple[Given, ...] = (
    *_AGED,
    Step("GET", _LIST, status=200),
    Wait(31 * 60 + 2 - (17 * 60 + 56)),
)

CASES = (
    Case("expiry-used-at-18-minutes", "GET", _LIST, NOTE_LIST, given=_AGED),
    Case("expiry-shown-at-18-minutes", "GET", _SESSION, began(200), given=_AGED),
    Case("expiry-gone-at-31-minutes", "GET", _LIST, SESSION_INVALID, given=_EXPIRED),
    Case("expiry-get-at-31-minutes", "GET", _SESSION, NO_SESSION, given=_EXPIRED),
    Case("expiry-delete-at-31-minutes", "DELETE", _SESSION, NO_SESSION, given=_EXPIRED),
)
