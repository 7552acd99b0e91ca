"""What the checks create on a live deployment is deleted, or it is said that it was not."""

import asyncio
import contextlib
import json

import httpx
import pytest

from support.polite_target import (
    Answer,
    PoliteTarget,
    raises,
    rpc_error,
    tool_error,
    tool_result,
)
from toolbridge_harness.cleanup import clean_up
from toolbridge_harness.model import LeftBehind
from toolbridge_harness.target import Caller
from toolbridge_harness.verdicts import Untestable, Violation
from toolbridge_harness.wire import tool_call

NOTE = {"title": "t", "content": "c"}


async def _swept(caller: Caller, seconds: float = 5) -> tuple[LeftBehind, ...]:
    return await clean_up(caller.target.deployment, seconds)


async def test_what_was_created_is_deleted_as_its_owner() -> None:
    """Objects of several users go, each with the token of the user who created it."""
    target = PoliteTarget()
    caller = target.caller()
    for user in (caller, caller.target.caller()):
        await user.ok("create_note", NOTE)
        await user.ok("create_task", {"title": "t"})

    assert () == await _swept(caller)
    assert {} == target.objects


async def test_children_go_before_their_parents() -> None:
    """A comment goes before its note, a message before its chat, and the latest first."""
    target = PoliteTarget()
    caller = target.caller()
    for kind in ("note", "comment", "chat", "chat_message"):
        await caller.ok(f"create_{kind}", {})
    await _swept(caller)

    assert ["uid-3", "uid-1", "uid-2", "uid-0"] == target.deleted


async def test_what_a_check_deleted_is_not_deleted_again() -> None:
    """Nothing is sent for an object that its check has deleted, or found gone."""
    target = PoliteTarget()
    caller = target.caller()
    await caller.ok("delete_note", {"uid": (await caller.ok("create_note", NOTE))["uid"]})
    other = await caller.ok("create_note", NOTE)
    target.answers["delete_note"] = tool_error("gone")
    await caller.call("delete_note", {"uid": other["uid"]})
    sent = target.sent

    assert () == await _swept(caller)
    assert sent == target.sent


async def test_an_object_of_another_kind_with_the_same_uid_stays_on_the_list() -> None:
    """Deleting a task strikes no note off."""
    target = PoliteTarget()
    caller = target.caller()
    note = await caller.ok("create_note", NOTE)
    target.answers["delete_task"] = tool_result({})
    await caller.call("delete_task", {"uid": note["uid"]})

    assert () == await _swept(caller)
    assert [note["uid"]] == target.deleted


async def test_an_object_created_again_is_deleted_once() -> None:
    """A create that writes over an object is no second object."""
    target = PoliteTarget()
    caller = target.caller()
    first = await caller.ok("create_note", NOTE)
    target.answers["create_note"] = tool_result({"uid": first["uid"]})
    await caller.ok("create_note", NOTE)

    assert 1 == len(caller.target.deployment.courtesy.created.open)


@pytest.mark.parametrize(
    "refusal",
    [
        tool_error("invalid_argument"),
        tool_error("upstream_unreachable"),
        rpc_error(-32602),
        lambda _: httpx.Response(401, json={"error": {"code": -31401}}),
        lambda _: httpx.Response(413, text="too large"),
        raises(httpx.ConnectError),
    ],
)
async def test_a_refused_create_leaves_nothing(refusal: Answer) -> None:
    """Where the answer says that nothing was written, or nothing was sent, nothing is left."""
    target = PoliteTarget()
    target.answers["create_note"] = refusal
    caller = target.caller()
    await _attempt(caller)

    assert () == await _swept(caller)
    assert 1 == target.sent


async def _attempt(caller: Caller) -> None:
    with contextlib.suppress(Violation, Untestable):
        await caller.call("create_note", NOTE)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (raises(httpx.ReadTimeout), "the answer to its creation never came"),
        (tool_error("outcome_unknown"), "is unknown (HTTP 200, outcome_unknown)"),
        (tool_error("internal"), "is unknown (HTTP 200, internal)"),
        (tool_error(""), "is unknown (HTTP 200, no code)"),
        (rpc_error(-32603), "is unknown (HTTP 200, no code)"),
        (lambda _: httpx.Response(502, text="bad gateway"), "is unknown (HTTP 502, no code)"),
        (tool_result({}), "names no uid"),
        (tool_result({"uid": "\x1b[31m"}), "names no uid"),
    ],
)
async def test_a_create_without_a_clear_outcome_is_possibly_left_behind(
    answer: Answer, reason: str
) -> None:
    """Where the object may exist and nobody knows its uid, the report says so and why."""
    target = PoliteTarget()
    target.answers["create_note"] = answer
    caller = target.caller()
    await _attempt(caller)
    left = await _swept(caller)

    assert [("note", "", caller.sub, False)] == [
        (one.entity, one.uid, one.user, one.certain) for one in left
    ]
    assert reason in left[0].reason


async def test_an_unknown_outcome_with_a_uid_is_settled_by_deleting() -> None:
    """The error names the uid: what deletes or does not find it knows that it is not there."""
    target = PoliteTarget()
    target.answers["create_note"] = tool_error("outcome_unknown", "uid-7")
    caller = target.caller()
    await _attempt(caller)

    assert () == await _swept(caller)
    assert 2 == target.sent


async def test_a_cancelled_create_is_possibly_left_behind() -> None:
    """Whoever interrupts a run while a create is on its way is told of it."""
    target = PoliteTarget()
    caller = target.caller()
    sending = asyncio.Event()

    async def never(request: httpx.Request) -> httpx.Response:
        sending.set()
        await asyncio.Event().wait()
        raise AssertionError

    caller.target.deployment.http = httpx.AsyncClient(transport=httpx.MockTransport(never))
    creating = asyncio.create_task(caller.call("create_note", NOTE))
    await sending.wait()
    creating.cancel()
    await asyncio.gather(creating, return_exceptions=True)

    assert [False] == [one.certain for one in await _swept(caller)]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (tool_error("upstream_error"), "tool error upstream_error"),
        (lambda _: httpx.Response(401), "HTTP 401"),
        (raises(httpx.ReadTimeout), "an HTTP answer in time"),
        (raises(httpx.ConnectError), "the target cannot be reached"),
    ],
)
async def test_what_cannot_be_deleted_is_named(answer: Answer, reason: str) -> None:
    """Each object that stays is named with its uid, its user and the reason."""
    target = PoliteTarget()
    caller = target.caller()
    await caller.ok("create_note", NOTE)
    await caller.ok("create_task", {"title": "t"})
    target.answers |= {"delete_note": answer, "delete_task": answer}
    left = await _swept(caller)

    assert [("task", "uid-1", caller.sub, True), ("note", "uid-0", caller.sub, True)] == [
        (one.entity, one.uid, one.user, one.certain) for one in left
    ]
    assert all(reason in one.reason for one in left)


async def test_a_target_that_is_gone_is_asked_once() -> None:
    """Where no connection comes about, the other objects are listed without another attempt."""
    target = PoliteTarget()
    caller = target.caller()
    for _ in range(3):
        await caller.ok("create_note", NOTE)
    target.answers["delete_note"] = raises(httpx.ConnectError)

    assert 3 == len(await _swept(caller))
    assert 4 == target.sent


async def test_cleaning_up_ends_in_time() -> None:
    """A target that answers no deletion is not waited for, and what is left is named."""
    target = PoliteTarget()
    caller = target.caller()
    await caller.ok("create_note", NOTE)

    async def never(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    caller.target.deployment.http = httpx.AsyncClient(transport=httpx.MockTransport(never))

    assert ["there was no time left to delete it"] == [
        one.reason for one in await _swept(caller, seconds=0.05)
    ]


async def test_the_budget_has_room_for_every_deletion() -> None:
    """Creates stop early enough: everything that was created can still be deleted."""
    target = PoliteTarget()
    caller = target.caller(limit=7)
    for _ in range(3):
        await caller.ok("create_note", NOTE)
    with pytest.raises(Untestable, match="budget of 7 requests"):
        await caller.ok("create_note", NOTE)

    assert () == await _swept(caller)
    assert ({}, 6) == (target.objects, target.sent)


async def test_a_deletion_that_the_check_makes_uses_its_own_reserve() -> None:
    """What is created and deleted again costs two requests, and nothing stays reserved."""
    target = PoliteTarget()
    caller = target.caller(limit=6)
    for _ in range(2):
        note = await caller.ok("create_note", NOTE)
        await caller.ok("delete_note", {"uid": note["uid"]})
    budget = caller.target.deployment.courtesy.budget

    assert (4, 0) == (budget.spent, budget.reserved)


async def test_a_create_in_a_batch_or_sent_by_hand_is_remembered_too() -> None:
    """Whatever carries a create to the target, the object is on the list."""
    caller = PoliteTarget().caller()
    created = caller.target.deployment.courtesy.created
    single = json.loads(tool_call("create_chat", {}).body())
    batch = json.dumps([single, single]).encode()

    assert ["chat", "chat"] == [write.entity.singular for write in created.read([], batch)]
    assert () == created.read([], b'[{"params":5},5,{"create_note":1},{"params":{"name":[]}}')
    assert () == created.read([], b'[{"params":5},5,{"create_note":1},{"params":{"name":[]}}]')
    assert () == created.read([], b"[" * 100_000 + b"create_note")


async def test_a_target_of_the_harness_is_left_as_it_is() -> None:
    """What ends with the run needs no clean-up."""
    target = PoliteTarget()
    caller = target.caller()
    caller.target.deployment.courtesy.created.keeps = False
    await caller.ok("create_note", NOTE)

    assert () == await _swept(caller)
    assert 1 == target.sent
