"""Answers are read strictly, and whatever is wrong with one has a name."""

import json

import pytest

from support.load_samples import answer
from toolbridge_loadtests import answers
from toolbridge_loadtests.answers import AnswerError
from toolbridge_loadtests.samples import MISMATCH

JSON = "application/json"
ERROR = json.dumps({"jsonrpc": "2.0", "id": 1, "error": {"code": -32602, "message": "no such"}})


def test_the_result_of_a_json_answer_is_returned() -> None:
    """The plain case."""
    assert answers.result(200, JSON, answer({"a": 1}), 1) == {"a": 1}


def test_the_result_of_an_event_stream_is_its_last_message() -> None:
    """A server may answer a POST with SSE, and send notifications before the answer."""
    notification = json.dumps({"jsonrpc": "2.0", "method": "notifications/progress"})
    body = f"event: message\r\ndata: {notification}\r\n\r\ndata: {answer({'a': 1})}\r\n\r\n"

    assert answers.result(200, "text/event-stream; charset=utf-8", body, 1) == {"a": 1}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, "no", "HTTP 401"),
        (307, "", "HTTP 307"),
        (202, "", "HTTP 202"),
        (200, "<html>", "not JSON"),
        (200, "", "not JSON"),
        (200, "[1]", "not a JSON-RPC message"),
        (200, ERROR, "JSON-RPC error -32602"),
        (200, answer({}, number=2), "not an answer to the request"),
        (200, answer(["a"]), "not an answer to the request"),
    ],
)
def test_an_answer_that_is_none_is_named(status: int, body: str, kind: str) -> None:
    """The kind is what errors are counted by, so it holds nothing that varies."""
    with pytest.raises(AnswerError) as caught:
        answers.result(status, JSON, body, 1)

    assert kind == caught.value.kind


def test_structured_content_comes_before_text() -> None:
    """The text block only repeats it."""
    result = {"structuredContent": {"a": 1}, "content": [{"type": "text", "text": "{}"}]}

    assert answers.tool_content(result) == {"a": 1}


def test_text_is_read_when_there_is_no_structured_content() -> None:
    """Servers before revision 2025-06-18 have only that."""
    assert answers.tool_content({"content": [{"type": "text", "text": '{"a": 1}'}]}) == {"a": 1}


@pytest.mark.parametrize(
    ("result", "kind"),
    [
        (
            {"isError": True, "structuredContent": {"error": {"code": "rate_limited"}}},
            "tool error rate_limited",
        ),
        ({"isError": True, "content": [{"type": "text", "text": "Oh"}]}, "tool error"),
        ({"content": []}, "tool result without JSON"),
        ({"content": [{"type": "text", "text": "done"}]}, "tool result without JSON"),
        ({"content": ["odd"]}, "tool result without JSON"),
    ],
)
def test_a_tool_error_is_a_failure_although_the_status_is_200(
    result: dict[str, object], kind: str
) -> None:
    """isError is the flag that a check of the status alone would miss."""
    with pytest.raises(AnswerError) as caught:
        answers.tool_content(result)

    assert kind == caught.value.kind


def test_an_item_that_holds_what_was_written_is_accepted() -> None:
    """Other fields do not matter: the API adds some."""
    item = {"uid": "u", "payload": {"title": "t", "sync": {}}}

    assert answers.expect_fields(item, {"title": "t"}) == "u"


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        ({"uid": "u", "payload": {"title": "other"}}, MISMATCH),
        ({"uid": "u", "payload": {}}, MISMATCH),
        ({"uid": "u"}, "not an item"),
        ({"payload": {"title": "t"}}, "not an item"),
    ],
)
def test_an_item_that_holds_something_else_is_refused(item: dict[str, object], kind: str) -> None:
    """Content that differs is a kind of its own, because it fails the whole run."""
    with pytest.raises(AnswerError) as caught:
        answers.expect_fields(item, {"title": "t"})

    assert kind == caught.value.kind


def test_an_excerpt_is_one_short_line() -> None:
    """A page of HTML in an answer must not fill the report."""
    text = answers.excerpt("a\n\n b" + "x" * 1000)

    assert (len(text), text[:4], text[-1]) == (160, "a bx", "…")
