"""Lists: limit, cursor, includeDeleted, order."""

import base64
from typing import Any

import pytest

from support.contract_caller import Caller, TurnedClock, caller_with_session, make_api, read
from toolbridge_contract.mock import lists
from toolbridge_contract.tools import ENTITIES, NOTE


@pytest.fixture(scope="module")
def crowd() -> Caller:
    """A caller with 1100 notes, one per ms, the last one deleted."""
    clock = TurnedClock()
    caller = Caller(make_api(clock, rate_limit=False)).begin()
    for number in range(1100):
        clock.turn(0.001)
        uid = caller.create(NOTE, title=f"n{number:04}")["uid"]
    caller.send("DELETE", f"/v1/notes/{uid}")
    return caller


def page(caller: Caller, query: str) -> dict[str, Any]:
    answer = caller.send("GET", f"/v1/notes?{query}")
    assert answer.status == 200
    return read(answer)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 500),
        ("limit=0", 500),
        ("limit=-1", 500),
        ("limit=abc", 500),
        ("limit=", 500),
        ("limit=10.5", 500),
        ("limit=+5", 500),
        ("Limit=3", 500),
        ("limit=2;cursor=x", 500),
        ("limit=%zz", 500),
        ("limit=&limit=3", 500),
        ("limit=99999999999999999999", 500),
        ("limit=5000", 1000),
        ("limit=1001", 1000),
        ("limit=1000", 1000),
        ("limit=%2B5", 5),
        ("limit=0002", 2),
        ("limit=3&limit=7", 3),
        ("limit=2&foo=bar&sort=desc&parentUid=x", 2),
        ("limit=2&cursor=", 2),
        ("limit=2&cursor=!!!", 2),
        ("limit=2&cursor=%zz", 2),
        ("cursor=bad", 500),
    ],
)
def test_the_page_size_and_a_bad_cursor_are_never_refused(
    crowd: Caller, query: str, count: int
) -> None:
    """Default 500, cap 1000; unknown parameters are ignored; pages start at the oldest."""
    found = page(crowd, query)

    assert (count, "n0000") == (len(found["items"]), found["items"][0]["payload"]["title"])
    assert "nextCursor" in found


def test_pages_cover_every_item_once_and_end_without_a_cursor(crowd: Caller) -> None:
    """nextCursor is there on the last non-empty page too."""
    first = page(crowd, "limit=1000")
    second = page(crowd, f"limit=1000&cursor={first['nextCursor']}")
    third = page(crowd, f"limit=1000&cursor={second['nextCursor']}")

    titles = [item["payload"]["title"] for item in first["items"] + second["items"]]
    assert [f"n{number:04}" for number in range(1099)] == titles
    assert third == {"items": []}


@pytest.mark.parametrize(
    ("value", "count"), [("true", 1100), ("True", 1099), ("1", 1099), ("", 1099), ("TRUE", 1099)]
)
def test_only_the_exact_word_true_includes_the_deleted(
    crowd: Caller, value: str, count: int
) -> None:
    """Deleted items then come with their time."""
    query = f"limit=1000&includeDeleted={value}"
    first = page(crowd, query)
    second = page(crowd, f"{query}&cursor={first['nextCursor']}")
    items = first["items"] + second["items"]

    assert count == len(items)
    assert count - 1099 == sum("deletedAt" in item for item in items)


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


NIL = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("cursor", "first"),
    [
        (encoded(f"-5|{NIL}"), "n0000"),
        (encoded(f"0|{NIL}"), "n0000"),
        (encoded("9999999999999|x"), "n0000"),
        (encoded("9999999999999"), "n0000"),
        (encoded(f"soon|{NIL}"), "n0000"),
        (encoded("123|abc"), "n0000"),
        (encoded(f"9999999999999|{NIL}") + "==", "n0000"),
        ("%20" + encoded(f"9999999999999|{NIL}"), "n0000"),
        (encoded(f"9999999999999|{NIL}")[:-4], "n0000"),
        (encoded(f"99999999999999999|{NIL}"), None),
        (encoded(f"9999999999999|{NIL}"), None),
    ],
)
def test_a_forged_cursor_is_a_place_or_the_start(
    crowd: Caller, cursor: str, first: str | None
) -> None:
    """base64url of `ms|uuid` without padding; anything else starts over."""
    items = page(crowd, f"limit=2&cursor={cursor}")["items"]

    assert first == (items[0]["payload"]["title"] if items else None)


def test_a_list_is_printed_as_go_prints_it() -> None:
    """Items as GET prints them, then the cursor of the last one."""
    caller = caller_with_session()
    uid = caller.create(NOTE)["uid"]
    item = caller.send("GET", f"/v1/notes/{uid}").body.strip()
    cursor = encoded(f"1767225600123|{uid}").encode()

    expected = b'{"items":[' + item + b'],"nextCursor":"' + cursor + b'"}\n'
    assert expected == caller.send("GET", "/v1/notes").body


def test_empty_lists_have_no_cursor() -> None:
    """Of every entity."""
    caller = caller_with_session()

    assert [caller.send("GET", entity.collection).body for entity in ENTITIES] == [
        b'{"items":[]}\n'
    ] * 5


def test_an_update_moves_an_item_to_the_end() -> None:
    """Lists are oldest-updated first; within one ms by uid."""
    clock = TurnedClock()
    caller = Caller(make_api(clock)).begin()
    uids = sorted(caller.create(NOTE)["uid"] for _ in range(4))
    listed = [item["uid"] for item in page(caller, "")["items"]]
    clock.turn(0.001)
    caller.send("PATCH", f"/v1/notes/{uids[0]}", {})

    assert uids == listed
    assert [*uids[1:], uids[0]] == [item["uid"] for item in page(caller, "")["items"]]


def test_a_cursor_walks_over_items_of_one_millisecond() -> None:
    """No item is lost or repeated where times are equal."""
    caller = caller_with_session()
    uids = sorted(caller.create(NOTE)["uid"] for _ in range(5))
    found: list[str] = []
    cursor = ""
    while items := page(caller, f"limit=2&cursor={cursor}")["items"]:
        found += [item["uid"] for item in items]
        cursor = lists.cursor((1767225600123, found[-1]))

    assert uids == found
