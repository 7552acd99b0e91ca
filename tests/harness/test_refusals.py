"""What counts as a refusal."""

import httpx
import pytest

from toolbridge_harness.refusals import challenge, require_invalid_token
from toolbridge_harness.verdicts import Violation
from toolbridge_harness.wire import Reply, parse


def _refusal(header: str | None, status: int = 401) -> Reply:
    headers = {} if header is None else {"WWW-Authenticate": header}
    return parse(httpx.Response(status, headers=headers), 0.1)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Bearer", ("bearer", {})),
        ('Bearer error="invalid_token"', ("bearer", {"error": "invalid_token"})),
        ("bearer error=invalid_token", ("bearer", {"error": "invalid_token"})),
        (
            'Bearer realm="a, b", error="invalid_token", resource_metadata="https://x/y"',
            (
                "bearer",
                {"realm": "a, b", "error": "invalid_token", "resource_metadata": "https://x/y"},
            ),
        ),
        ('Basic realm="x"', ("basic", {"realm": "x"})),
        ('DPoP algs="ES256", Bearer error="invalid_token"', ("bearer", {"error": "invalid_token"})),
        ('DPoP error="use_dpop_nonce", Bearer', ("bearer", {})),
        (
            r'Bearer error_description="no, \"error=x\"", error=invalid_token',
            ("bearer", {"error_description": 'no, "error=x"', "error": "invalid_token"}),
        ),
        (None, ("", {})),
    ],
)
def test_a_challenge_is_parsed(header: str | None, expected: tuple[str, dict[str, str]]) -> None:
    """Scheme and parameters are read, whatever their order, quoting, case and company."""
    assert expected == challenge(_refusal(header))


@pytest.mark.parametrize(
    "reply",
    [
        _refusal(None),
        _refusal("Bearer"),
        _refusal('Basic error="invalid_token"'),
        _refusal('Bearer error="insufficient_scope"'),
        _refusal('Bearer error="invalid_token"', 403),
        _refusal('Bearer error="invalid_token"', 500),
    ],
)
def test_a_refusal_counts_for_the_right_reason_only(reply: Reply) -> None:
    """Another status, scheme or error is no refusal of the token."""
    with pytest.raises(Violation):
        require_invalid_token(reply, "a token")


def test_the_right_refusal_counts() -> None:
    """401, Bearer, invalid_token."""
    require_invalid_token(_refusal('Bearer error="invalid_token"'), "a token")
