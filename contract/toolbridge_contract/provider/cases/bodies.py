"""Section 8: request bodies."""

import gzip

from toolbridge_contract.provider.case import Case, Text, Want
from toolbridge_contract.provider.matchers import Echo
from toolbridge_contract.provider.wants import (
    INVALID_JSON,
    INVALID_UID,
    NOTE_LIST,
    PANIC,
    error,
    gone,
    item,
)

_NOTE = "/v1/notes/{note}"
_NO_OBJECT: dict[str, Text] = {
    "empty": "",
    "open-brace": "{",
    "list": "[]",
    "string": '"x"',
    "number": "5",
    "true": "true",
}
_NOT_JSON: dict[str, Text] = {
    **_NO_OBJECT,
    "bom": b"\xef\xbb\xbf{}",
    "nan": '{"a":NaN}',
    "number-1e400": '{"a":1e400}',
    "depth-10001": lambda: b'{"a":' + b"[" * 10_001 + b"]" * 10_001 + b"}",
    "raw-newline-in-string": b'{"a":"x\ny"}',
}
_MADE: dict[str, tuple[Text, Want]] = {
    "empty-object": ("{}", item(201)),
    "garbage-behind": ("{} garbage", item(201)),
    "two-objects": ('{"a":1}{"b":2}', item(201, a=1)),
    "float-1.0": ('{"a":1.0}', item(201, a=1)),
    "duplicate-keys": ('{"a":1,"a":2}', item(201, a=2)),
    "integer-of-20-digits": (
        '{"a":12345678901234567890}',
        item(201, a=12345678901234567000),
    ),
    "integer-2-53-plus-1": ('{"a":9007199254740993}', item(201, a=9007199254740992)),
    "lone-surrogate": ('{"a":"\\ud800"}', item(201, a="\ufffd")),
    "invalid-utf8": (b'{"a":"\xff"}', item(201, a="\ufffd")),
    "html-characters": (
        '{"a":"<b>&\u2028"}',
        item(201, raw={"a": '"\\u003cb\\u003e\\u0026\\u2028"'}),
    ),
    "non-bmp": ('{"a":"😀"}', item(201, a="😀")),
}
_TYPES: dict[str, dict[str, str | None]] = {
    "no-content-type": {"Content-Type": None},
    "text-plain": {"Content-Type": "text/plain"},
}
_FAILED = error(500, "failed to create note")
_NOT_FOUND = error(404, "note not found")
_NO_ACTION = error(400, "invalid action: ")
_OTHERS = {
    "put": ("PUT", _NOTE),
    "patch": ("PATCH", _NOTE),
    "process": ("POST", _NOTE + "/process"),
}
_DEEP = b"[" * 9000 + b"]" * 9000

CASES = (
    *(
        Case(f"body-create-{name}", "POST", "/v1/notes", INVALID_JSON, body=body)
        for name, body in _NOT_JSON.items()
    ),
    Case(
        "body-create-gzip",
        "POST",
        "/v1/notes",
        INVALID_JSON,
        body=lambda: gzip.compress(b"{}"),
        change={"Content-Encoding": "gzip"},
    ),
    Case("body-create-null", "POST", "/v1/notes", PANIC, body="null"),
    *(
        Case(f"body-create-{name}", "POST", "/v1/notes", want, body=body)
        for name, (body, want) in _MADE.items()
    ),
    *(
        Case(
            f"body-create-{name}",
            "POST",
            "/v1/notes",
            item(201, a=1),
            body='{"a":1}',
            change=change,
        )
        for name, change in _TYPES.items()
    ),
    Case(
        "body-create-chunked",
        "POST",
        "/v1/notes",
        item(201, a=1),
        body=b'3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n',
        change={"Transfer-Encoding": "chunked"},
        wire=True,
    ),
    Case("body-create-nul-in-value", "POST", "/v1/notes", _FAILED, body='{"a":"\\u0000"}'),
    Case("body-create-nul-in-key", "POST", "/v1/notes", _FAILED, body='{"\\u0000":1}'),
    Case(
        "body-create-depth-9000",
        "POST",
        "/v1/notes",
        Want(201, "J RL chunked", Echo(lambda: b'"a":' + _DEEP)),
        body=lambda: b'{"a":' + _DEEP + b"}",
    ),
    *(
        Case(f"body-{operation}-{name}", method, path, INVALID_JSON, given=("note",), body=body)
        for operation, (method, path) in _OTHERS.items()
        for name, body in _NO_OBJECT.items()
    ),
    Case("body-put-null", "PUT", _NOTE, PANIC, given=("note",), body="null"),
    Case(
        "body-patch-null",
        "PATCH",
        _NOTE,
        item(200, 2, uid="{note}", title="n"),
        given=("note",),
        body="null",
    ),
    *(
        Case(
            f"body-process-{name}",
            "POST",
            _NOTE + "/process",
            _NO_ACTION,
            given=("note",),
            body=body,
        )
        for name, body in (("null", "null"), ("empty-object", "{}"))
    ),
    Case(
        "body-put-empty-object",
        "PUT",
        _NOTE,
        item(200, 2, uid="{note}"),
        given=("note",),
        body="{}",
    ),
    Case(
        "body-patch-empty-object",
        "PATCH",
        _NOTE,
        item(200, 2, uid="{note}", title="n"),
        given=("note",),
        body="{}",
    ),
    Case("body-put-unknown-before-json", "PUT", "/v1/notes/{unknown}", _NOT_FOUND, body="{"),
    Case(
        "body-process-json-before-unknown",
        "POST",
        "/v1/notes/{unknown}/process",
        INVALID_JSON,
        body="{",
    ),
    Case(
        "body-process-unknown-before-action",
        "POST",
        "/v1/notes/{unknown}/process",
        _NOT_FOUND,
        body='{"action":"bogus"}',
    ),
    Case(
        "body-archive-garbage",
        "POST",
        _NOTE + "/archive",
        item(200, 2, uid="{note}", title="n", status="archived"),
        given=("note",),
        body="garbage",
    ),
    Case(
        "body-on-get",
        "GET",
        _NOTE,
        item(200, uid="{note}", title="n"),
        given=("note",),
        body='{"a":1}',
    ),
    Case(
        "body-accept-encoding-ignored",
        "GET",
        "/v1/notes?limit=1",
        NOTE_LIST,
        given=("one note",),
        change={"Accept-Encoding": "gzip"},
    ),
    *(
        Case(
            f"body-{name}-deleted-before-json",
            method,
            "/v1/notes/{gone}",
            gone("note"),
            given=("deleted note",),
            body="{",
        )
        for name, method in (("put", "PUT"), ("patch", "PATCH"))
    ),
    Case(
        "body-process-json-before-deleted",
        "POST",
        "/v1/notes/{gone}/process",
        INVALID_JSON,
        given=("deleted note",),
        body="{",
    ),
    Case("body-process-uid-before-json", "POST", "/v1/notes/abc/process", INVALID_UID, body="{"),
)
