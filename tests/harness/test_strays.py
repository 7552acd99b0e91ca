"""Upstream requests that belong to nobody."""

import pytest

from toolbridge_contract.control import RecordedRequest
from toolbridge_harness.strays import strays, unidentified

CALLERS = {"alice": "mark-1-a", "bob": "mark-1-b"}


def _request(
    caller: str, target: str = "/v1/notes", body: bytes = b"", status: int = 201
) -> RecordedRequest:
    return RecordedRequest(
        seq=1,
        caller=caller,
        method="POST",
        target=target,
        headers=[],
        body=body,
        received_ms=0.0,
        status=status,
        violations=[],
    )


@pytest.mark.parametrize(
    ("request_", "count"),
    [
        (_request("alice", body=b'{"title": "x mark-1-a"}'), 0),
        (_request("alice", body=b'{"title": "plain"}'), 0),
        (_request("alice", body=b'{"title": "mark-1-b"}'), 1),
        (_request("service-account"), 1),
        (_request(""), 1),
        (_request(" \t"), 1),
        (_request("", "/healthz"), 0),
        (_request("", "/v1/sync/info?x=1"), 0),
    ],
)
def test_strays_are_found(request_: RecordedRequest, count: int) -> None:
    """Unknown identities and foreign markers are strays; anonymous readiness probes are not."""
    assert count == len(strays([request_], CALLERS))


def test_a_stray_says_whose_it_was() -> None:
    """The line names the identity and the request."""
    assert ["POST /v1/notes was sent for 'service-account'"] == strays(
        [_request("service-account")], CALLERS
    )


@pytest.mark.parametrize(
    ("request_", "line", "expected"),
    [
        (_request("service"), "POST /v1/notes was sent for 'service'", False),
        (_request("x", status=401), "POST /v1/notes was sent for 'x', and refused there", True),
        (_request("", status=401), "POST /v1/notes was sent for nobody, and refused there", True),
        (_request("  "), "POST /v1/notes was sent for nobody", True),
        (
            _request("bob", body=b"mark-1-a"),
            "POST /v1/notes of bob carries the marker of alice",
            False,
        ),
    ],
)
def test_whom_the_go_api_knows_is_told_from_nobody(
    request_: RecordedRequest, line: str, expected: bool
) -> None:
    """A shared identity is served; a token that should have been refused is refused there."""
    (found,) = strays([request_], CALLERS)

    assert (line, expected) == (found, unidentified(found))
