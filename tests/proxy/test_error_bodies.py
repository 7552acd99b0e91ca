"""What of an upstream's words reaches the caller, what never does, and failures of our own."""

import asyncio
import gzip
import json
import re
from typing import Any

import httpx
import pytest

from support.error_bodies import CANARY, HTML, JSON, SAID, TEXT, UPSTREAM_ID, go_json, said
from support.error_judging import Expected, broken_aspects
from support.error_plans import Endless, answer, fails, streamed
from support.error_stage import Seen, stage
from support.error_verdicts import ALL, MUTATIONS
from support.proxy_app import GO_API
from support.proxy_upstream import UID
from toolbridge_contract.tools import Operation
from toolbridge_proxy import upstream

CAP = 20_000_000  # catalogue row RES-18: bytes of one answer, held at the most


async def refused(status: int, body: bytes, kind: str | None, *headers: tuple[str, str]) -> Seen:
    """A get that is answered with this error."""
    async with stage() as on:
        on.api.entity = [answer(status, (body, kind), *headers)]
        return await on.ask("get")


@pytest.mark.parametrize("status", [400, 404, 409, 410, 412, 429, 500])
async def test_the_go_apis_own_words_are_relayed(status: int) -> None:
    """A model corrects itself by "expected 99, actual 1" better than by a code."""
    seen = await refused(status, *said(status))
    assert SAID[status] in seen.error["message"]
    assert UPSTREAM_ID not in seen.response.text


@pytest.mark.parametrize("operation", MUTATIONS)
async def test_where_the_outcome_is_unknown_nobody_elses_words_are_relayed(
    operation: Operation,
) -> None:
    """A gateway that says "please retry" would have the model do what the proxy did not."""
    async with stage() as on:
        on.api.entity = [answer(504, go_json("please retry"))]
        seen = await on.ask(operation)
    assert "outcome_unknown" == seen.error["code"]
    assert "please" not in seen.response.text


async def test_long_words_are_cut() -> None:
    """200 characters of ten thousand."""
    seen = await refused(400, *go_json("x " * 10_000))
    assert 0 < seen.error["message"].count("x ") <= 100


async def test_control_characters_are_not_relayed() -> None:
    """Neither a forged line nor a terminal's escape comes out."""
    seen = await refused(400, *go_json("a\r\nb\x1b[31mc\x00d\x7fe\u2028f"))
    assert re.search("a.*b.*c.*d.*e.*f", seen.error["message"])
    assert not re.search("[\x00-\x1f\x7f]", seen.error["message"])


@pytest.mark.parametrize("found", ["base URL", "token", "signature"])
async def test_words_that_hold_a_secret_or_our_address_are_not_relayed(found: str) -> None:
    """Catalogue rows ERR-03 and ERR-04: not even when a gateway quotes them in a JSON error."""

    async def quotes(request: httpx.Request) -> httpx.Response:
        secrets = {
            "base URL": f"{GO_API}/v1/notes",
            "token": request.headers["Authorization"],
            "signature": request.headers["X-TB-Signature"],
        }
        return await answer(400, go_json(f"bad: {secrets[found]}"))(request)

    async with stage() as on:
        on.api.entity = [quotes]
        seen = await on.ask("get")
    assert [] == broken_aspects(Expected("invalid_argument", 1, 1, (400,), (None,)), seen)


BARE = [None, 5, True, [], {}, ["a"], {"message": CANARY}, ""]


@pytest.mark.parametrize("words", BARE, ids=repr)
async def test_words_that_are_no_text_are_left_out(words: Any) -> None:
    """The code and a sentence of the proxy's own remain."""
    bare = await refused(404, b"", None)
    seen = await refused(404, *go_json(words, message=CANARY, detail=CANARY))
    assert bare.error["message"] == seen.error["message"]


MALFORMED = {
    "list": b'["%s"]' % CANARY.encode(),
    "text": b'"%s"' % CANARY.encode(),
    "number": b"5",
    "truncated": b'{"error": "%s' % CANARY.encode(),
    "two errors": b'{"error": "a", "error": "%s"}' % CANARY.encode(),
    "not UTF-8": b'{"error": "\xff%s"}' % CANARY.encode(),
    "byte order mark": b'\xef\xbb\xbf{"error": "%s"}' % CANARY.encode(),
    "deep": b'{"error":' * 5000 + b'"%s"' % CANARY.encode() + b"}" * 5000,
    "NaN": b'{"error": "%s", "n": NaN}' % CANARY.encode(),
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_a_malformed_error_is_judged_by_its_status(name: str) -> None:
    """Nothing of it is relayed, and it breaks nothing."""
    seen = await refused(404, MALFORMED[name], JSON)
    assert ("not_found", 404) == (seen.error["code"], seen.error["status"])
    assert CANARY not in seen.response.text


@pytest.mark.parametrize("kind", [HTML, TEXT, None], ids=str)
async def test_a_page_of_a_megabyte_becomes_one_sentence(kind: str | None) -> None:
    """No more than 600 characters, whatever the page calls itself."""
    page = f"<html><script>{CANARY}</script>".encode() * 35_000
    seen = await refused(502, page, kind)
    assert "upstream_unavailable" == seen.error["code"]
    assert CANARY not in seen.response.text
    assert len(seen.error["message"]) <= 600


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "nonsense"])
async def test_a_compressed_error_is_judged_by_its_status(encoding: str) -> None:
    """It is not unfolded, so that it cannot grow."""
    body = gzip.compress(go_json(CANARY)[0])
    seen = await refused(404, body, JSON, ("Content-Encoding", encoding))
    assert ("not_found", 404) == (seen.error["code"], seen.error["status"])
    assert CANARY not in seen.response.text


@pytest.mark.parametrize("status", [200, 201, 404, 500, 502])
@pytest.mark.parametrize("operation", ["get", "create"])
async def test_an_answer_that_goes_on_is_left_early(status: int, operation: Operation) -> None:
    """Less than the cap is taken, of a good answer and of an error."""
    endless = Endless()
    async with stage() as on:
        on.api.entity = [streamed(status, endless.stream)]
        seen = await on.ask(operation)
    assert endless.sent <= CAP * len(seen.sent)
    assert seen.result["isError"]


async def test_a_large_page_below_the_cap_is_relayed() -> None:
    """A thousand notes of 8 KiB are a page like any other."""
    item = {"uid": UID, "version": 1, "updatedAt": "2025-01-01T00:00:00Z"}
    page = {"items": [item | {"payload": {"content": "x" * 8192}}] * 1000}

    async with stage() as on:
        on.api.entity = [answer(200, (json.dumps(page).encode(), JSON))]
        seen = await on.ask("list")
    assert page == seen.result["structuredContent"]


@pytest.mark.parametrize(
    "kind", [JSON, "application/json; charset=utf-8", "Application/JSON", "application/json ;a=b"]
)
async def test_a_good_answer_is_good_however_its_type_is_spelled(kind: str) -> None:
    """The control of all rows: every operation succeeds, with one request in one session."""
    async with stage() as on:
        for operation in ALL:
            good = await on.ask(operation)
            body = json.dumps(good.result["structuredContent"]).encode()
            on.api.entity = [answer(200, (body, kind))]
            seen = await on.ask(operation)
            on.api.entity = []
            ok = (False, 1, 1)
            assert ok == (seen.result["isError"], len(seen.sent), len(seen.sessions)), operation


# One argument that each tool refuses by itself.
BAD_ARGUMENTS: dict[Operation, dict[str, Any]] = {
    "list": {"limit": 0},
    "get": {"uid": "abc"},
    "create": {"title": "T"},
    "update": {"uid": UID, "title": "T", "content": "C", "if_match": "3"},
    "patch": {"uid": UID, "updates": {}},
    "delete": {"uid": f"../{UID}"},
    "archive": {"uid": UID, "force": True},
    "process": {"uid": UID, "action": "explode"},
}


@pytest.mark.parametrize("operation", ALL)
async def test_what_the_proxy_refuses_itself_never_leaves_it(operation: Operation) -> None:
    """invalid_argument without a status: nothing was sent, not even for a session."""
    async with stage() as on:
        seen = await on.ask(operation, **BAD_ARGUMENTS[operation])
    broken = broken_aspects(Expected("invalid_argument", 0, 0, (None,), (None,)), seen)
    assert set(broken) <= {"uid"}  # whether a refused uid is named is left open
    assert seen.error["uid"] in (None, UID)


@pytest.mark.parametrize("operation", ALL)
async def test_a_bug_of_our_own_tells_the_correlation_id_and_no_more(operation: Operation) -> None:
    """What was raised may hold anything; it goes to the log."""

    def bug() -> Exception:
        return RuntimeError(f"{CANARY} http://go-api.internal:8081")

    async with stage() as on:
        on.api.entity = [fails(bug)]
        seen = await on.ask(operation)
    broken = broken_aspects(Expected("internal", 1, 1, (None,), (None,)), seen)
    assert set(broken) <= {"uid"}  # named or not


async def test_with_no_place_in_the_pool_the_proxy_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits until the deadline has sent nothing, so that mutations are definite too."""
    monkeypatch.setattr(upstream, "POOL_SIZE", 1)
    held, over = asyncio.Event(), asyncio.Event()

    async def never_lets_go(_: httpx.Request) -> httpx.Response:
        held.set()
        while not over.is_set():
            try:
                await over.wait()
            except asyncio.CancelledError:
                continue
        return httpx.Response(500)

    async with stage(seconds=0.4) as on:
        on.api.session = [never_lets_go]
        holder = asyncio.create_task(on.ask("get"))
        await held.wait()
        seen = await asyncio.gather(*(on.ask(operation) for operation in ALL))
        over.set()
        await holder
    for s in seen:
        broken = broken_aspects(Expected("busy", 0, 0, (None,), (None,)), s)
        assert [] == broken, f"{s.operation}: {s.response.text}"
