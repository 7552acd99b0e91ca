"""Section 22, rows 9, 13 and 15: lists, JSON text and odd requests."""

from toolbridge_contract.provider.case import Case, Seed, Step, Text, Want
from toolbridge_contract.provider.cases.lists import forged, page
from toolbridge_contract.provider.matchers import Echo
from toolbridge_contract.provider.wants import EMPTY_LIST, INVALID_JSON, item

_SEED = Seed(1100)
_FIRST = Step("GET", "/v1/notes?limit=1000", keep="page", status=200)
_NIL = "00000000-0000-0000-0000-000000000000"
_LISTS: dict[str, tuple[str, Want]] = {
    "limit-leading-zeros": ("limit=0002", page(2)),
    "bad-first-limit-wins": ("limit=abc&limit=3", page(500)),
    "empty-first-limit-wins": ("limit=&limit=3", page(500)),
    "forged-negative": (f"limit=2&cursor={forged(-5, _NIL)}", page(2)),
    "forged-zero": (f"limit=2&cursor={forged(0, _NIL)}", page(2)),
    "forged-bad-uuid": (f"limit=2&cursor={forged(99_999_999_999_999, 'x')}", page(2)),
    "forged-17-digits": (f"limit=2&cursor={forged(99_999_999_999_999_999)}", EMPTY_LIST),
    "cursor-one-pad": ("limit=2&cursor={page_cursor}=", page(2)),
    "cursor-space": ("limit=2&cursor={page_cursor}%20", page(2)),
    "cursor-cut-short": ("limit=2&cursor={page_cut}", page(2)),
}
_TEXTS: dict[str, tuple[Text, Want]] = {
    "minus-zero": ('{"a":-0}', item(201, raw={"a": "-0"})),
    "1e21": ('{"a":1e21}', item(201, raw={"a": "1e+21"})),
    "short-escapes": ('{"a":"\\u0008\\u000c"}', item(201, raw={"a": '"\\b\\f"'})),
    "delete-character": ('{"a":"\x7f"}', item(201, a="\x7f")),
    "keys-sorted-bytewise": (
        '{"é":1,"b":2,"B":3,"a":4}',
        item(201, é=1, b=2, B=3, a=4),
    ),
}
_PIN = item(200, 2, uid="{note}", title="n", pinned=True)
_PROCESS: dict[str, tuple[str, Want]] = {
    "last-action-wins": ('{"action":"bogus","action":"pin"}', _PIN),
    "last-action-wins-in-any-case": ('{"action":"bogus","ACTION":"pin"}', _PIN),
    "metadata-text": ('{"action":"pin","metadata":"x"}', INVALID_JSON),
}
_EXPECT = Want(417, "no-type close", "", cid=None)

CASES = (
    *(
        Case(
            f"list-{name}",
            "GET",
            f"/v1/notes?{query}",
            want,
            user="lists",
            given=(_SEED, _FIRST) if "{page_" in query else (_SEED,),
        )
        for name, (query, want) in _LISTS.items()
    ),
    Case(
        "list-bad-escape-dropped",
        "GET",
        "/v1/notes?foo=%zz&limit=2",
        page(2),
        given=(_SEED,),
        user="lists",
        wire=True,
    ),
    Case(
        "list-limit-bad-escape-dropped",
        "GET",
        "/v1/notes?limit=%zz&cursor={page_cursor}",
        page(100, "n1000"),
        given=(_SEED, _FIRST),
        user="lists",
        wire=True,
    ),
    *(
        Case(f"text-{name}", "POST", "/v1/notes", want, body=body)
        for name, (body, want) in _TEXTS.items()
    ),
    Case(
        "text-chunked-from-2-kb",
        "POST",
        "/v1/notes",
        Want(201, "J RL chunked", Echo(lambda: b'"a":"' + b"x" * 2500 + b'"')),
        body=lambda: b'{"a":"' + b"x" * 2500 + b'"}',
    ),
    Case(
        "text-of-1-kb-has-a-length",
        "POST",
        "/v1/notes",
        Want(201, "J RL", Echo(lambda: b'"a":"' + b"x" * 1000 + b'"')),
        body=lambda: b'{"a":"' + b"x" * 1000 + b'"}',
    ),
    *(
        Case(
            f"process-{name}", "POST", "/v1/notes/{note}/process", want, given=("note",), body=body
        )
        for name, (body, want) in _PROCESS.items()
    ),
    Case("expect-unknown", "GET", "/v1/notes", _EXPECT, extra=(("Expect", "foo"),), wire=True),
)
