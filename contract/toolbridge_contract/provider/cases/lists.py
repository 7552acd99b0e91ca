"""Section 15: limit, cursor and includeDeleted; never refused."""

import base64

from toolbridge_contract.provider.case import Case, Given, Seed, Step, Wait, Want, slug
from toolbridge_contract.provider.matchers import Page
from toolbridge_contract.provider.states import make, patch
from toolbridge_contract.provider.wants import EMPTY_LIST, body_of, items

_SEED = Seed(1100)
_DELETED = Seed(1100, deleted=1)
_FIRST = Step("GET", "/v1/notes?limit=1000", keep="page", status=200)
# Times have ms; items of one time are in the order of their uids.
_TICK = Wait(0.01)
_SECOND = Step("GET", "/v1/notes?limit=1000&cursor={page_cursor}", keep="last", status=200)


def forged(ms: int | str, uid: str = "ffffffff-ffff-ffff-ffff-ffffffffffff") -> str:
    """Return a cursor as the API makes them."""
    return base64.urlsafe_b64encode(f"{ms}|{uid}".encode()).decode().rstrip("=")


def page(count: int, title: str = "n0000") -> Want:
    """A page of the seeded notes: chunked from about 2 KB, so from 10 of them."""
    headers = "J RL chunked" if count > 9 else "J RL"
    return Want(200, headers, Page(count, title, cursor=count > 0))


# Query, how many items.
_SIZES = {
    "default": ("", 500),
    "limit-0": ("?limit=0", 500),
    "limit-negative": ("?limit=-1", 500),
    "limit-5000": ("?limit=5000", 1000),
    "limit-1000": ("?limit=1000", 1000),
    "limit-1001": ("?limit=1001", 1000),
    "limit-text": ("?limit=abc", 500),
    "limit-empty": ("?limit=", 500),
    "limit-float": ("?limit=10.5", 500),
    "limit-plus-is-a-space": ("?limit=+5", 500),
    "limit-encoded-plus": ("?limit=%2B5", 5),
    "limit-twice": ("?limit=3&limit=7", 3),
    "limit-other-case": ("?Limit=3", 500),
    "cursor-bad": ("?cursor=bad", 500),
    "cursor-not-base64": ("?limit=2&cursor=!!!", 2),
    "cursor-empty": ("?limit=2&cursor=", 2),
    "cursor-bad-uuid": ("?limit=2&cursor=MTIzfGFiYw", 2),
    "unknown-parameter": ("?limit=2&foo=bar", 2),
    "semicolon": ("?limit=2;cursor=x", 500),
    "sort-ignored": ("?limit=2&sort=desc", 2),
    "cursor-padded": ("?limit=2&cursor={page_cursor}==", 2),
}


def _seeded(name: str, query: str, want: Want, *given: Given) -> Case:
    return Case(
        f"list-{name}", "GET", f"/v1/notes{query}", want, given=(_SEED, *given), user="lists"
    )


CASES = (
    *(
        _seeded(name, query, page(count), *((_FIRST,) if "page_cursor" in query else ()))
        for name, (query, count) in _SIZES.items()
    ),
    _seeded("second-page", "?limit=1000&cursor={page_cursor}", page(100, "n1000"), _FIRST),
    _seeded("after-the-end", "?limit=1000&cursor={last_cursor}", EMPTY_LIST, _FIRST, _SECOND),
    _seeded("cursor-far-in-future", f"?limit=2&cursor={forged(99_999_999_999_999)}", EMPTY_LIST),
    *(
        Case(
            f"list-include-deleted-{name}",
            "GET",
            f"/v1/notes?limit=1000&cursor={{page_cursor}}&includeDeleted={value}",
            Want(200, "J RL chunked", Page(count, "n1000", deleted=deleted)),
            given=(_DELETED, _FIRST),
            user="lists-deleted",
        )
        for name, value, count, deleted in (
            ("true", "true", 100, 1),
            ("capital", "True", 99, 0),
            ("1", "1", 99, 0),
        )
    ),
    Case(
        "list-oldest-updated-first",
        "GET",
        "/v1/notes",
        items(
            body_of(uid="{second}", title="b"),
            body_of(2, uid="{first}", at="<ts2>", title="a", x=1),
        ),
        given=(
            "empty",
            make("notes", '{"title":"a"}', "first"),
            _TICK,
            make("notes", '{"title":"b"}', "second"),
            _TICK,
            patch("notes/{first}", '{"x":1}'),
        ),
    ),
    *(
        Case(f"list-empty-{slug(plural)}", "GET", f"/v1/{plural}", EMPTY_LIST, given=("empty",))
        for plural in ("notes", "tasks", "comments", "chats", "chat_messages")
    ),
)
