"""Paths, methods, correlation ids, and what net/http refuses before any handler."""

import json

import pytest

from support.contract_caller import Caller, caller_with_session, make_api, read
from toolbridge_contract.mock.messages import Request

UID = "11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/v1/nope",
        "/v1/notes/",
        f"/v1/notes/{UID}/",
        f"/v1/notes/{UID}/x",
        f"/v1/notes/{UID}/archive/",
        "/v1//notes",
        "/v1/notes/../tasks",
        "/V1/NOTES",
        "/v1/%6eotes?limit=1",
        "/healthz/",
        "/metrics",
        "/readyz",
        "/v1/search",
        "/v1/sync",
        "/v1/sync/sessions/",
        "/v1/sync/sessions/a/b",
        "//v1/notes",
    ],
)
def test_an_unknown_path_is_404_in_plain_text(target: str) -> None:
    """The router matches exact text."""
    answer = caller_with_session().send("GET", target)

    assert (answer.status, answer.body) == (404, b"404 page not found\n")
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("X-Ratelimit-Limit") is None


COLLECTION = {"GET", "POST"}
ITEM = {"DELETE", "GET", "PATCH", "PUT"}


@pytest.mark.parametrize(
    ("method", "target", "allowed"),
    [
        ("POST", "/healthz", {"GET"}),
        ("HEAD", "/healthz", {"GET"}),
        ("OPTIONS", "/healthz", {"GET"}),
        ("DELETE", "/v1/notes", COLLECTION),
        ("PUT", "/v1/tasks", COLLECTION),
        ("PATCH", "/v1/comments", COLLECTION),
        ("HEAD", "/v1/chats", COLLECTION),
        ("OPTIONS", "/v1/chat_messages", COLLECTION),
        ("TRACE", "/v1/notes", COLLECTION),
        ("POST", f"/v1/notes/{UID}", ITEM),
        ("GET", f"/v1/notes/{UID}/archive", {"POST"}),
        ("PUT", f"/v1/notes/{UID}/process", {"POST"}),
        ("GET", "/v1/sync/sessions", {"POST"}),
        ("PUT", "/v1/sync/sessions/x", {"DELETE", "GET"}),
        ("GET", "/v1/sync/wipe", {"POST"}),
        ("POST", "/v1/sync/state", {"GET"}),
        ("POST", "/v1/sync/info", {"GET"}),
        ("FOO", "/v1/notes", set()),
        ("get", "/v1/notes", set()),
        ("FOO", "/v1/nope", set()),
    ],
)
def test_a_wrong_method_is_405_with_one_allow_line_each(
    method: str, target: str, allowed: set[str]
) -> None:
    """Empty body, no type; nothing allowed is named for a method that nobody knows."""
    answer = caller_with_session().send(method, target)
    lines = [value.decode() for name, value in answer.headers if name == b"Allow"]

    assert (answer.status, answer.body, answer.header("Content-Type")) == (405, b"", None)
    assert (len(allowed), allowed) == (len(lines), set(lines))


def test_a_target_in_absolute_form_is_routed() -> None:
    """`GET http://host/path` is `GET /path`."""
    answer = caller_with_session().send("GET", "http://127.0.0.1/v1/notes?limit=1")

    assert answer.status == 200


def test_health_is_two_bytes() -> None:
    """`ok` without a newline, as plain text without nosniff."""
    answer = Caller(make_api()).send("GET", "/healthz")

    assert (answer.status, answer.body) == (200, b"ok")
    assert answer.header("Content-Type") == "text/plain; charset=utf-8"
    assert answer.header("X-Content-Type-Options") is None


def test_info_is_printed_in_full() -> None:
    """With the API's own clock, to the nanosecond."""
    answer = Caller(make_api(clock_offset=-2)).send("GET", "/v1/sync/info")
    same = '{"maxLimit":1000,"push":true,"pull":true}'

    assert answer.body.decode() == (
        '{"apiVersion":"1.1","serverTime":"2025-12-31T23:59:58.123456789Z","entities":'
        f'{{"chat_messages":{same},"chats":{same},"comments":{same},"notes":{same},'
        f'"tasks":{same}}},"locking":{{"supported":true,"mode":"session"}},'
        '"minClientVersion":"0.1.0","rateLimit":{"windowSeconds":60,"maxRequests":600,'
        '"burst":120},"hints":{"recommendedBatch":500,"backoffMsOn429":1500}}\n'
    )


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/v1/notes", 200),
        ("GET", "/v1/notes/abc", 400),
        ("GET", "/v1/nope", 404),
        ("DELETE", "/v1/notes", 405),
        ("GET", "/healthz", 200),
        ("GET", "/v1/sync/info", 200),
    ],
)
@pytest.mark.parametrize(
    ("sent", "expected"),
    [("c1", "c1"), ("  c1 ", "c1"), ("my id <x>", "my id <x>"), ("a\tb", "a\tb"), ("é" * 300,) * 2],
)
def test_a_correlation_id_comes_back_on_every_answer(
    method: str, target: str, status: int, sent: str, expected: str
) -> None:
    """Trimmed and otherwise raw, in header and error body."""
    answer = caller_with_session().send(
        method, target, b"", {"X-Correlation-ID": sent}, [("X-Correlation-ID", "c2")]
    )
    header = next(value for name, value in answer.headers if name == b"X-Correlation-Id")

    assert (status, expected) == (answer.status, header.decode())
    if status == 400:
        assert read(answer) == {"error": "invalid UID", "correlation_id": expected}


def test_an_empty_correlation_id_is_replaced() -> None:
    """By a new one at every request."""
    caller = caller_with_session()
    ids = {
        caller.send("GET", "/v1/notes", change={"X-Correlation-ID": sent}).header(
            "X-Correlation-Id"
        )
        for sent in (None, "", "  ")
    }

    assert len(ids) == 3
    assert all(ids)


def test_a_correlation_id_is_escaped_in_the_body_as_go_escapes() -> None:
    """HTML characters, and bytes that are no UTF-8."""
    caller = caller_with_session()
    answer = caller.send("GET", "/v1/notes/abc", change={"X-Correlation-ID": "my id <x>"})
    assert b'"correlation_id":"my id \\u003cx\\u003e"' in answer.body

    request = caller.headers() | {"X-Correlation-ID": "RAW"}
    pairs = [(n.encode(), v.encode().replace(b"RAW", b"a\xff")) for n, v in request.items()]
    raw = caller.api.respond(Request("GET", "/v1/notes/abc", pairs))
    assert (b"X-Correlation-Id", b"a\xff") in raw.headers
    assert b'"correlation_id":"a\\ufffd"' in raw.body


@pytest.mark.parametrize(
    ("target", "change", "extra", "status", "body"),
    [
        ("/v1/notes", {}, [("Host", "b")], 400, "400 Bad Request"),
        ("/v1/notes", {"Host": None}, [], 400, "400 Bad Request: missing required Host header"),
        ("/v1/notes/%zz", {}, [], 400, "400 Bad Request"),
        (
            "/v1/notes",
            {"Content-Length": "1"},
            [("Content-Length", "2")],
            400,
            "400 Bad Request",
        ),
        ("/v1/notes", {"X-Big": "x" * 1_100_000}, [], 431, "431 Request Header Fields Too Large"),
        ("/v1/notes", {"Expect": "foo"}, [], 417, ""),
    ],
)
def test_net_http_refuses_before_any_handler(
    target: str,
    change: dict[str, str | None],
    extra: list[tuple[str, str]],
    status: int,
    body: str,
) -> None:
    """Plain text, a close, no correlation id."""
    answer = caller_with_session().send("GET", target, b"", change, extra)

    assert (status, body) == (answer.status, answer.body.decode())
    assert (answer.header("Connection"), answer.header("X-Correlation-Id")) == ("close", None)


@pytest.mark.parametrize(
    ("change", "extra"),
    [
        ({"X-Big": "x" * 900_000}, []),
        ({"Expect": "100-continue"}, []),
        ({"Content-Length": "0"}, [("Content-Length", "0")]),
    ],
)
def test_net_http_lets_the_rest_through(
    change: dict[str, str | None], extra: list[tuple[str, str]]
) -> None:
    """900 KB of header, a wait for 100, an equal Content-Length twice."""
    assert caller_with_session().send("GET", "/v1/notes", b"", change, extra).status == 200


def test_errors_are_json_with_the_message_first() -> None:
    """`error`, then `correlation_id`, then a newline."""
    answer = caller_with_session().send("GET", "/v1/notes/abc")

    assert answer.header("Content-Type") == "application/json"
    assert list(json.loads(answer.body)) == ["error", "correlation_id"]
    assert answer.body.endswith(b"}\n")
