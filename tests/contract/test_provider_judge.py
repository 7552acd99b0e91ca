"""Each thing that an answer can have wrong is named as a difference."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from toolbridge_contract.provider.case import Race, Want
from toolbridge_contract.provider.exchange import Answer
from toolbridge_contract.provider.judge import is_undecided, judge, judge_race
from toolbridge_contract.provider.judge_headers import judge_unique
from toolbridge_contract.provider.matchers import Echo, Page, show
from toolbridge_contract.provider.template import fill, matches
from toolbridge_contract.provider.wants import LIMITED, item, not_allowed, text

NOW = 1_767_225_600.5
UID = "3f2b8c1e-9d4a-4b6f-8e7d-0a1b2c3d4e5f"
STAMP = "2026-01-01T00:00:00.12Z"
FRAME = [("Date", "Thu, 01 Jan 2026 00:00:00 GMT"), ("Content-Length", "1")]
JSON = ("Content-Type", "application/json")
CID = ("X-Correlation-Id", "c1")
RATE = [
    ("X-Ratelimit-Limit", "600"),
    ("X-Ratelimit-Burst", "120"),
    ("X-Ratelimit-Remaining", "10"),
    ("X-Ratelimit-Reset", str(int(NOW) + 11)),
]
ITEM = (
    f'{{"uid":"{UID}","version":1,"updatedAt":"{STAMP}","payload":{{"sync":'
    f'{{"isDeleted":false,"version":1}},"uid":"{UID}","updatedTs":"{STAMP}"}}}}\n'
)


def differences(want: Want, answer: Answer, *, frames: bool = True) -> list[str]:
    return [d.what for d in judge(want, answer, {}, (NOW, NOW), frames=frames)]


def made(
    body: str = ITEM, status: int = 201, change: Mapping[str, str | None] | None = None
) -> Answer:
    pairs = [*FRAME, JSON, CID, *RATE]
    for name, value in (change or {}).items():
        pairs = [pair for pair in pairs if pair[0] != name]
        pairs += [(name, value)] if value is not None else []
    return Answer(status, pairs, body.encode())


def test_an_answer_as_observed_has_no_difference() -> None:
    """The control of all that follows."""
    assert [] == differences(item(201), made())


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"Content-Type": None}, "content-type"),
        ({"Content-Type": "application/json; charset=utf-8"}, "content-type"),
        ({"X-Content-Type-Options": "nosniff"}, "x-content-type-options"),
        ({"X-Sync-Epoch": "1"}, "x-sync-epoch"),
        ({"Retry-After": "1"}, "retry-after"),
        ({"Allow": "GET"}, "allow"),
        ({"Connection": "close"}, "connection"),
        ({"Transfer-Encoding": "chunked"}, "transfer-encoding"),
        ({"X-Correlation-Id": None}, "x-correlation-id"),
        ({"X-Correlation-Id": ""}, "x-correlation-id"),
        ({"X-Ratelimit-Limit": "60"}, "x-ratelimit-limit"),
        ({"X-Ratelimit-Burst": None}, "x-ratelimit-burst"),
        ({"X-Ratelimit-Remaining": "121"}, "x-ratelimit-remaining"),
        ({"X-Ratelimit-Remaining": "-1"}, "x-ratelimit-remaining"),
        ({"X-Ratelimit-Reset": str(int(NOW) + 60)}, "x-ratelimit-reset"),
        ({"X-Ratelimit-Reset": str(int(NOW) + 15)}, "x-ratelimit-reset"),
        ({"X-Ratelimit-Reset": str(int(NOW) + 8)}, "x-ratelimit-reset"),
        ({"X-Ratelimit-Reset": "12"}, "x-ratelimit-reset"),
        ({"ETag": '"1"'}, "etag"),
        ({"Server": "go"}, "server"),
        ({"Content-Type": None, "content-type": "application/json"}, "content-type"),
        ({"Date": None, "DATE": "Thu, 01 Jan 2026 00:00:00 GMT"}, "date"),
        ({"WWW-Authenticate": "Bearer"}, "www-authenticate"),
        ({"Date": None}, "date"),
        ({"Content-Length": None}, "content-length"),
    ],
)
def test_one_header_off_is_one_difference(change: dict[str, str | None], named: str) -> None:
    """Missing, wrong, or where it was never seen."""
    assert [named] == differences(item(201), made(change=change))


@pytest.mark.parametrize(
    "body",
    [
        ITEM.removesuffix("\n"),
        ITEM.replace('"version":1}', '"version":2}'),
        ITEM.replace(',"uid"', ', "uid"'),
        ITEM.replace("0.12Z", "0.120Z"),
        ITEM.replace("0.12Z", "0.12Z", 1).replace('Ts":"2026', 'Ts":"2027'),
        ITEM.replace(UID, UID.upper()),
        ITEM.replace('"sync":{"isDeleted":false,"version":1},', ""),
        "",
    ],
)
def test_one_byte_off_in_a_body_is_a_difference(body: str) -> None:
    """A newline, a blank, digits of a time, two times that must be one, a spelling."""
    assert ["body"] == differences(item(201), made(body))


def test_a_status_off_is_a_difference() -> None:
    """Even when all else is right."""
    assert ["status"] == differences(item(201), made(status=200))


def test_a_429_leaves_nothing_and_says_when_to_come_back() -> None:
    """Remaining is 0 and Retry-After 1."""
    body = '{"error":"Rate limit exceeded. Please retry after 1 seconds.","correlation_id":"c1"}\n'
    change = {"Retry-After": "1", "X-Ratelimit-Remaining": "0"}

    assert [] == differences(LIMITED, made(body, 429, change))
    assert ["retry-after", "x-ratelimit-remaining"] == differences(LIMITED, made(body, 429))


def test_rate_headers_on_an_answer_without_them_are_differences() -> None:
    """All four."""
    answer = made("no\n", 404, {"Content-Type": "text/plain; charset=utf-8"})
    found = differences(text(404, "no"), answer)

    assert "x-content-type-options" in found
    assert 4 == sum(name.startswith("x-ratelimit") for name in found)


def test_allow_has_one_line_per_method_in_any_order() -> None:
    """One line with both is a difference."""
    pairs = [*FRAME, CID, ("Allow", "POST"), ("Allow", "GET")]

    assert [] == differences(not_allowed("GET", "POST"), Answer(405, pairs, b""))
    joined = Answer(405, [*FRAME, CID, ("Allow", "GET, POST")], b"")
    assert ["allow"] == differences(not_allowed("GET", "POST"), joined)


def test_framing_is_judged_only_where_it_can_be_seen() -> None:
    """Behind respx there is none."""
    answer = made(change={"Date": None, "Connection": "close"})

    assert ["connection", "date"] == differences(item(201), answer)
    assert [] == differences(item(201), answer, frames=False)


def test_the_correlation_id_in_a_body_is_that_of_the_header() -> None:
    """As JSON spells it."""
    want = Want(201, "J RL", '{"correlation_id":"{cid}"}\n')
    change = {"X-Correlation-Id": "a <b>"}

    assert [] == differences(want, made('{"correlation_id":"a \\u003cb\\u003e"}\n', 201, change))
    assert ["body"] == differences(want, made('{"correlation_id":"other"}\n', 201, change))


def test_a_correlation_id_is_used_once_and_said_once() -> None:
    """Within a run, and in an answer."""
    seen: set[str] = set()

    assert [] == judge_unique(made(), seen)
    (again,) = judge_unique(made(), seen)
    assert ("one of its own", "'c1' again") == (again.expected, again.got)
    twice = made()
    twice = Answer(201, [*twice.headers, ("X-Correlation-Id", "c2")], twice.body)
    assert ["x-correlation-id"] == differences(item(201), twice)


def test_what_is_left_of_the_rate_is_judged_where_it_is_known() -> None:
    """To the token."""
    want = Want(201, "J RL left=10", item(201).body)

    assert [] == differences(want, made())
    assert ["x-ratelimit-remaining"] == differences(replace(want, headers="J RL left=9"), made())


@pytest.mark.parametrize(("past", "named"), [(10, True), (11, False), (12, False), (13, True)])
def test_after_a_429_the_bucket_is_full_in_11_to_12_seconds(past: int, *, named: bool) -> None:
    """No more and no less."""
    body = '{"error":"Rate limit exceeded. Please retry after 1 seconds.","correlation_id":"c1"}\n'
    reset = {"X-Ratelimit-Reset": str(int(NOW) + past)}
    change = {"Retry-After": "1", "X-Ratelimit-Remaining": "0", **reset}

    assert named == ("x-ratelimit-reset" in differences(LIMITED, made(body, 429, change)))


def test_no_content_has_no_length() -> None:
    """RFC 9110, section 8.6."""
    want = Want(204, "no-type")

    assert [] == differences(want, Answer(204, [FRAME[0], CID], b""))
    assert ["content-length"] == differences(want, Answer(204, [*FRAME, CID], b""))


def answers(*statuses: int) -> list[Answer]:
    return [Answer(status, [], b"") for status in statuses]


def test_a_burst_is_judged_by_how_many_pass() -> None:
    """Neither fewer nor more."""
    race = Race(429, 2, 3)

    assert [] == judge_race(200, race, answers(200, 200, 429, 429))
    (few,) = judge_race(200, race, answers(200, 429, 429, 429))
    assert ("2 to 3 times 200, else 429", "1 times 200, 3 times 429") == (few.expected, few.got)
    assert ["statuses"] == [d.what for d in judge_race(200, race, answers(200, 200, 200, 200))]


def test_a_race_with_one_winner_is_undecided() -> None:
    """It may be luck; several winners show it; another status is a difference."""
    race = Race(412, 2, 3, by_luck=True)

    assert [] == judge_race(200, race, answers(200, 200, 412))
    assert (False, True) == (
        is_undecided(200, race, answers(200, 200, 412)),
        is_undecided(200, race, answers(200, 412, 412)),
    )
    assert ["statuses"] == [d.what for d in judge_race(200, race, answers(412, 412, 412))]
    assert ["statuses"] == [d.what for d in judge_race(200, race, answers(200, 500, 412))]


def row(title: str, *, dead: bool = False) -> str:
    gone = f'"deletedAt":"{STAMP}",' if dead else ""
    sync = f'"sync":{{{gone}"isDeleted":true}},' if dead else ""
    return (
        f'{{"uid":"{UID}","version":1,"updatedAt":"{STAMP}",{gone}"payload":{{{sync}'
        f'"title":"{title}","uid":"{UID}","updatedTs":"{STAMP}"}}}}'
    )


def page(*rows: str) -> bytes:
    return f'{{"items":[{",".join(rows)}],"nextCursor":"x"}}\n'.encode()


def test_a_page_is_judged_by_its_figures() -> None:
    """Items, first title, cursor, deleted ones."""
    body = page(row("n0007"), row("n0008", dead=True))

    assert Page(2, "n0007", deleted=1).differs(body) is None
    for other in (Page(1, "n0007", deleted=1), Page(2, "n0008", deleted=1), Page(2, "n0007")):
        assert other.differs(body) is not None
    assert Page(2, "n0007", cursor=False, deleted=1).differs(body) is not None
    assert Page(0).differs(b"no JSON") is not None


@pytest.mark.parametrize(
    "body",
    [
        page(row("n0001"), row("n0003"), row("n0002")),
        page(row("n0001"), row("n0002"), row("n0003")).removesuffix(b"\n"),
        page(row("n0001"), row("n0002"), row("n0003").replace('"version":1,', "")),
        page(row("n0001"), row("n0002"), row("n0003").replace('"updatedTs":"2026', '"x":"2026')),
        page(row("n0001"), row("n0002"), row("n0003").replace(UID, "other", 1)),
    ],
)
def test_a_page_is_judged_row_by_row(body: bytes) -> None:
    """In order, each with its members, and a newline at the end."""
    assert Page(3, "n0001").differs(page(row("n0001"), row("n0002"), row("n0003"))) is None
    assert Page(3, "n0001").differs(body) is not None


def test_an_echo_is_judged_byte_by_byte() -> None:
    """By the uid and the time that it has itself, up to the newline."""
    body = ITEM.replace('{"sync', '{"a":1,"sync').encode()
    echo = Echo(lambda: b'"a":1')

    assert echo.differs(body) is None
    for other in (body[:-1], body + b"\n", body.replace(b'"a":1', b'"a":2'), b"x" * 300, b""):
        assert echo.differs(other) is not None
    stamp = STAMP.encode()
    assert echo.differs(body.replace(b'Ts":"' + stamp, b'Ts":"' + stamp[:-1] + b"3Z")) is not None


def test_an_echo_in_a_list_has_a_cursor_behind_it() -> None:
    """And nothing else."""
    item_text = ITEM.replace('{"sync', '{"a":1,"sync').encode().rstrip(b"\n")
    body = b'{"items":[' + item_text + b'],"nextCursor":"abc"}\n'

    assert Echo(lambda: b'"a":1', listed=True).differs(body) is None
    for other in (body[:-1], body.replace(b"abc", b""), body.replace(item_text, b"{}")):
        assert Echo(lambda: b'"a":1', listed=True).differs(other) is not None


def test_a_template_fills_values_and_leaves_json_alone() -> None:
    """`{x+1}` counts."""
    values = {"x": "7", "note": UID}

    assert f'{{"a":8,"b":"{UID}","c":{{}}}}' == fill('{"a":{x+1},"b":"{note}","c":{}}', values)
    assert f"{{{UID}}}" == fill("{{note}}", values)
    assert matches("<uid> <uid>", f"{UID} {UID}") == {"uid": UID}
    assert matches("<uid> <uid>", f"{UID} {UID.replace('3', '4')}") is None


def test_what_is_shown_of_a_body_holds_no_token_and_no_signature() -> None:
    """Should an answer echo the request."""
    assert "a <redacted> b" == show(b"a eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.sig b")
    assert "<redacted>⏎" == show(b"0" * 64 + b"\n")
