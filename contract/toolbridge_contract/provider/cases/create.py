"""Section 12: create with a uid and metadata of the client's."""

from toolbridge_contract.provider.case import Case, Given, Want
from toolbridge_contract.provider.states import make
from toolbridge_contract.provider.wants import item

_NIL = "00000000-0000-0000-0000-000000000000"
_MADE = make("notes", '{"uid":"{fresh}","title":"1"}', "note")
_BACK = ("deleted note", make("notes", '{"uid":"{gone}","back":1}', "note"))
# Values of uid that are silently replaced.
_REPLACED = {
    "not-a-uuid": '"abc"',
    "empty": '""',
    "number": "5",
    "null": "null",
    "nil-uuid": f'"{_NIL}"',
}
_METADATA = (
    '{"sync":{"version":7,"isDeleted":true},"updatedTs":"2001-01-01T00:00:00Z",'
    '"updatedAt":"2001-01-01T00:00:00Z","version":9,"deletedAt":"x"}'
)


def _create(name: str, body: str, want: Want, *given: Given, match: str | None = None) -> Case:
    change = {"If-Match": match} if match else {}
    return Case(f"create-{name}", "POST", "/v1/notes", want, given=given, body=body, change=change)


CASES = (
    _create("client-uid", '{"uid":"{fresh}","title":"1"}', item(201, uid="{fresh}", title="1")),
    _create("same-uid", '{"uid":"{fresh}","other":2}', item(201, 2, uid="{fresh}", other=2), _MADE),
    _create(
        "same-uid-if-match-ignored",
        '{"uid":"{fresh}","o":3}',
        item(201, 2, uid="{fresh}", o=3),
        _MADE,
        match="99",
    ),
    _create(
        "same-uid-upper-case",
        '{"uid":"{fresh_upper}","o":4}',
        item(201, 2, uid="{fresh}", spelling="{fresh_upper}", o=4),
        _MADE,
    ),
    _create(
        "uid-of-deleted-undeletes",
        '{"uid":"{gone}","back":1}',
        item(201, 3, uid="{gone}", back=1),
        "deleted note",
    ),
    Case(
        "create-get-undeleted",
        "GET",
        "/v1/notes/{gone}",
        item(200, 3, uid="{gone}", back=1),
        given=_BACK,
    ),
    *(
        _create(f"uid-{name}-replaced", f'{{"uid":{value}}}', item(201))
        for name, value in _REPLACED.items()
    ),
    _create(
        "uid-urn",
        '{"uid":"urn:uuid:{fresh}"}',
        item(201, uid="{fresh}", spelling="urn:uuid:{fresh}"),
    ),
    _create(
        "uid-of-other-user",
        '{"uid":"{foreign}","t":1}',
        item(201, uid="{foreign}", t=1),
        "note of other",
    ),
    _create(
        "client-metadata",
        _METADATA,
        item(201, raw={"version": "9"}, deletedAt="x", updatedAt="2001-01-01T00:00:00Z"),
    ),
    _create("sync-is-a-string", '{"sync":"x"}', item(201)),
)
