"""Go's parsing rules that the API inherits."""

import pytest

from toolbridge_contract.mock.golang import (
    parse_int,
    parse_query,
    parse_uuid,
    rfc3339,
    routing_path,
    split_target,
)

UID = "3f2b8c1e-9d4a-4b6f-8e7d-0a1b2c3d4e5f"
MAX = 2**63 - 1
MIN = -(2**63)


@pytest.mark.parametrize(
    ("text", "value", "exact"),
    [
        ("7", 7, True),
        ("+7", 7, True),
        ("-7", -7, True),
        ("007", 7, True),
        ("-0", 0, True),
        (str(MAX), MAX, True),
        (str(MIN), MIN, True),
        (str(MAX + 1), MAX, False),
        (str(MIN - 1), MIN, False),
        ("9" * 23, MAX, False),
        ("-" + "9" * 23, MIN, False),
        ("0" * 5000 + "7", 7, True),
        ("", 0, False),
        ("+", 0, False),
        ("1.0", 0, False),
        (" 1", 0, False),
        ("1\n", 0, False),
        ("1_0", 0, False),
        ("１", 0, False),
    ],
)
def test_integers_parse_as_strconv_does(text: str, value: int, exact: bool) -> None:
    """A syntax error gives 0, an overflow the bound of its sign."""
    assert (value, exact) == parse_int(text)


@pytest.mark.parametrize(
    "text",
    [
        UID,
        UID.upper(),
        UID.replace("-", ""),
        f"urn:uuid:{UID}",
        f"URN:UUID:{UID.upper()}",
        f"{{{UID}}}",
        f"({UID})",
        f"x{UID}x",
        f" {UID} ",
    ],
)
def test_every_spelling_that_google_uuid_takes_is_one_uid(text: str) -> None:
    """Case, dashes, the urn prefix and one character at each end do not matter."""
    assert parse_uuid(text) == UID


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        f"{UID} ",
        f" {UID}",
        f"é{UID}é",
        f"urn:uid_:{UID}",
        UID.replace("-", "_"),
        UID[:-1] + "g",
        UID[:-1] + "٣",
        "-" * 32,
        UID.replace("-", "") + "0",
    ],
)
def test_other_texts_are_no_uid(text: str) -> None:
    """What google/uuid refuses is None."""
    assert None is parse_uuid(text)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("/v1/notes", "/v1/notes"),
        ("/v1/%6eotes", "/v1/%6eotes"),
        ("/v1/notes/%20a%20", "/v1/notes/ a "),
        ("/v1/notes/%7Ba%7D", "/v1/notes/{a}"),
        ("/v1/notes/%7ba%7d", "/v1/notes/%7ba%7d"),
        ("/v1/notes/a%2Fb", "/v1/notes/a%2Fb"),
        ("/v1/notes/urn%3Auuid%3Aa", "/v1/notes/urn%3Auuid%3Aa"),
        ("/v1/notes/%zz", None),
        ("/v1/notes/%2", None),
    ],
)
def test_the_router_sees_the_decoded_path_only_when_it_encodes_back(
    raw: str, expected: str | None
) -> None:
    """net/url keeps the raw path when its own encoding differs; bad escapes are refused."""
    assert expected == routing_path(raw)


def test_a_target_in_absolute_form_loses_its_origin() -> None:
    """`http://host/path?query` is path and query."""
    assert split_target("http://127.0.0.1/v1/notes?limit=1") == ("/v1/notes", "limit=1")
    assert split_target("http://127.0.0.1") == ("/", "")
    assert split_target("/a?b?c") == ("/a", "b?c")


def test_a_query_keeps_the_first_good_value_of_each_name() -> None:
    """Semicolons and bad escapes drop their part alone; plus is a blank."""
    query = "a=1&a=2&b=%zz&c=x;d=y&e=%2B5&f=+5&&g&%68=i"

    assert parse_query(query) == {"a": "1", "e": "+5", "f": " 5", "g": "", "h": "i"}


@pytest.mark.parametrize(
    ("ns", "expected"),
    [
        (1_767_225_639_000_000_000, "2026-01-01T00:00:39Z"),
        (1_767_225_639_600_000_000, "2026-01-01T00:00:39.6Z"),
        (1_767_225_639_010_000_000, "2026-01-01T00:00:39.01Z"),
        (1_767_225_639_123_456_789, "2026-01-01T00:00:39.123456789Z"),
    ],
)
def test_times_lose_their_trailing_zeros(ns: int, expected: str) -> None:
    """RFC3339Nano cuts the zeros of the fraction, and the point with the last one."""
    assert expected == rfc3339(ns)
