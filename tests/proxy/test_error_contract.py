"""Every row of the error contract, for both reads and all six mutations."""

import asyncio
import gc
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from support.error_judging import complaint, expected, expected_of_session
from support.error_plans import good_data
from support.error_rows import BY_NAME, ROWS
from support.error_stage import Seen, Stage, stage
from support.error_verdicts import ALL, Row, while_making_the_session
from toolbridge_contract.tools import ENTITIES, Operation
from toolbridge_proxy import upstream


@pytest.fixture(autouse=True, scope="module")
def what_was_imported_is_not_garbage() -> Iterator[None]:
    """Going through it again and again would take a quarter of the time of these tests."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def every_call_may_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process-wide budget is somebody else's row."""
    monkeypatch.setattr(upstream, "RETRY_BURST", 100.0)


def named(rows: Sequence[Row]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", rows, ids=lambda row: row.name)


async def ask(on: Stage, operations: Sequence[Operation]) -> list[Seen]:
    return list(await asyncio.gather(*(on.ask(operation) for operation in operations)))


@named(ROWS)
async def test_a_failure_is_told_as_the_contract_says(row: Row) -> None:
    """Code, status, uid, ids, text and attempts, for each operation that it can happen to."""
    async with stage(seconds=row.seconds) as on:
        on.api.entity = [row.plan]
        seen = await ask(on, row.operations)
    assert [] == [line for s in seen for line in complaint(expected(row, s.operation), s)]


@named([row for row in ROWS if row.session])
async def test_a_failed_session_is_told_as_definite(row: Row) -> None:
    """Nothing was mutated, so nothing is unknown, and nothing is sent after it."""
    async with stage(seconds=row.seconds) as on:
        on.api.session = [row.plan]
        seen = await ask(on, ("get", "create"))
    assert [] == [line for s in seen for line in complaint(expected_of_session(row), s)]


@named([row for row in ROWS if row.verdict.reads == 2])
async def test_one_failure_is_ridden_out_where_sending_again_is_safe(row: Row) -> None:
    """The second attempt is answered well: a mutation that might have run never makes one."""
    async with stage() as on:
        on.api.entity = [row.plan, on.api.good]
        seen = await ask(on, row.operations)
    again = [s for s in seen if expected(row, s.operation).attempts == 2]
    for s in again:
        ok = (False, 2, 1 + row.verdict.renewals)
        assert ok == (s.result["isError"], len(s.sent), len(s.sessions)), s.operation
        assert good_data(s.sent[-1]) == s.result["structuredContent"], s.operation
    rest = [s for s in seen if s not in again]
    assert [] == [line for s in rest for line in complaint(expected(row, s.operation), s)]


SAMPLE = [
    BY_NAME[name]
    for name in (
        "401 tenant headers",
        "404 json",
        "409 epoch",
        "429 Retry-After 7",
        "504 html",
        "200 gzip",
        "307 elsewhere",
        "refused",
        "reset",
    )
]


@pytest.mark.parametrize("modern", [False, True], ids=["legacy", "modern"])
@named(SAMPLE)
async def test_both_protocol_eras_tell_the_same(row: Row, modern: bool) -> None:
    """The error object does not depend on the client's revision, before or after the session."""
    async with stage(modern=modern) as on:
        on.api.entity = [row.plan]
        seen = await ask(on, ALL)
        on.api.session = [row.plan]
        unmade = await ask(on, ALL)
    assert [] == [line for s in seen for line in complaint(expected(row, s.operation), s)]
    assert [] == [line for s in unmade for line in complaint(expected_of_session(row), s)]


@named([BY_NAME["404 json"], BY_NAME["504 html"], BY_NAME["200 html"]])
async def test_all_forty_tools_tell_it_in_the_same_words(row: Row) -> None:
    """Whatever the entity; where the outcome is unknown, its own get tool is named."""
    async with stage() as on:
        on.api.entity = [row.plan]
        seen = [await on.ask(operation, entity) for entity in ENTITIES for operation in ALL]
    assert 40 == len(seen)
    assert [] == [line for s in seen for line in complaint(expected(row, s.operation), s)]


@named([BY_NAME[name] for name in ("502 html", "404 json", "429 Retry-After 7", "reset")])
@pytest.mark.parametrize("lost", ["428 json", "403 foreign session", "409 epoch"])
async def test_a_session_that_cannot_be_renewed_is_definite(row: Row, lost: str) -> None:
    """The request that was refused for its session was not carried out."""
    async with stage() as on:
        on.api.entity = [BY_NAME[lost].plan, on.api.good]
        on.api.session = [on.api.good, row.plan]
        seen = await ask(on, ALL)
    code = while_making_the_session(row).read
    for s in seen:
        assert (code, 1) == (s.error["code"], len(s.sent)), s.operation
        assert len(s.sessions) in (2, 3), s.operation


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("428 json", "502 html"),
        ("428 json", "409 epoch"),
        ("403 foreign session", "reset"),
        ("409 epoch", "503 html"),
        ("refused", "428 json"),
        ("DNS", "504 html"),
        ("503 html", "428 json"),
        ("reset", "409 epoch"),
    ],
)
async def test_reasons_to_send_again_do_not_add_up(first: str, second: str) -> None:
    """Two attempts are the most, whatever the causes; the second one's failure is told."""
    once, twice = BY_NAME[first], BY_NAME[second]
    async with stage() as on:
        on.api.entity = [once.plan, twice.plan, on.api.good]
        seen = await ask(on, [o for o in ALL if expected(once, o).attempts == 2])
    sessions = 1 + once.verdict.renewals
    for s in seen:
        want = replace(expected(twice, s.operation), attempts=2, sessions=sessions)
        assert [] == complaint(want, s)
