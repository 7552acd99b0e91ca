"""What a user does is right on a right server, and finds what is wrong on a wrong one."""

import random
from collections import Counter
from typing import Any

import pytest

from support.load_server import Stub
from toolbridge_contract.tools import TOOL_NAMES
from toolbridge_loadtests.answers import AnswerError
from toolbridge_loadtests.samples import MISMATCH
from toolbridge_loadtests.workload import CAPACITY, Call, Notebook


class Server:
    """The stub's store without HTTP, and a record of the calls."""

    def __init__(self) -> None:
        self.stub = Stub()
        self.calls: Counter[str] = Counter()

    def call(self, tool: str, arguments: dict[str, Any], check: Any) -> str:
        self.calls[tool] += 1
        outcome: str = check(self.stub.call("me", tool, arguments))
        return outcome


def act(notebook: Notebook, call: Call, times: int) -> list[str]:
    """Act so many times; return the kinds of failure."""
    kinds = []
    for _ in range(times):
        try:
            notebook.act(call)
        except AnswerError as refused:
            kinds.append(refused.kind)
    return kinds


def test_a_right_server_gives_no_failure_and_every_operation_occurs() -> None:
    """Notes and tasks are listed, read, created, updated, patched and deleted."""
    server = Server()

    failures = act(Notebook(random.Random(1)), server.call, 500)

    assert failures == []
    assert {
        f"{operation}_{noun}"
        for operation in ("create", "get", "update", "patch", "delete")
        for noun in ("note", "task")
    } | {"list_notes", "list_tasks"} == set(server.calls)
    assert set(server.calls) <= TOOL_NAMES


def test_an_action_is_one_call() -> None:
    """So that one departure of the timetable is one sample."""
    server = Server()

    act(Notebook(random.Random(2)), server.call, 100)

    assert server.calls.total() == 100


def test_a_user_never_owns_more_than_it_can_delete() -> None:
    """At the capacity a create becomes a delete."""
    server, notebook = Server(), Notebook(random.Random(3))

    sizes = []
    for _ in range(500):
        notebook.act(server.call)
        sizes.append(len(notebook.items))

    assert max(sizes) == CAPACITY


def test_cleaning_up_leaves_nothing() -> None:
    """Neither on the server nor in the notebook."""
    server, notebook = Server(), Notebook(random.Random(4))
    act(notebook, server.call, 100)
    assert server.stub.items

    assert notebook.clean_up(server.call) == 0

    assert (server.stub.items, notebook.items) == ({}, [])


def test_what_cannot_be_deleted_is_counted() -> None:
    """The run tells how many items it left behind."""
    server, notebook = Server(), Notebook(random.Random(5))
    act(notebook, server.call, 100)
    owned = len(notebook.items)

    def refuse(tool: str, arguments: dict[str, Any], check: Any) -> str:
        raise AnswerError("HTTP 503")

    assert owned == notebook.clean_up(refuse)


@pytest.mark.parametrize("operation", ["create", "get", "update", "patch", "list"])
def test_content_that_differs_is_found_by_every_operation(operation: str) -> None:
    """A server that answers with another title in one kind of operation is caught by it."""
    server, notebook = Server(), Notebook(random.Random(6))

    def tamper(tool: str, arguments: dict[str, Any], check: Any) -> str:
        def checked(result: dict[str, Any]) -> str:
            for item in result.get("items", [result]):
                if tool.startswith(operation) and "payload" in item:
                    item["payload"] = {**item["payload"], "title": "other"}
            outcome: str = check(result)
            return outcome

        return server.call(tool, arguments, checked)

    assert {MISMATCH} == set(act(notebook, tamper, 200))


def test_the_answer_about_another_item_is_found() -> None:
    """A proxy that mixes up its answers is not fast but wrong."""
    server, notebook = Server(), Notebook(random.Random(7))

    def swap(tool: str, arguments: dict[str, Any], check: Any) -> str:
        def checked(result: dict[str, Any]) -> str:
            outcome: str = check({**result, "uid": "another"} if "uid" in result else result)
            return outcome

        # A create may choose any uid, so only later answers can be about another item.
        return server.call(tool, arguments, check if tool.startswith("create") else checked)

    assert {MISMATCH} == set(act(notebook, swap, 200))


def test_a_list_that_a_write_overtakes_is_not_called_wrong() -> None:
    """Its answer was made before the write: both contents are right."""
    server, notebook = Server(), Notebook(random.Random(10))

    def overtaken(tool: str, arguments: dict[str, Any], check: Any) -> str:
        def checked(result: dict[str, Any]) -> str:
            act(notebook, server.call, 5)
            outcome: str = check(result)
            return outcome

        return server.call(tool, arguments, checked if tool.startswith("list") else check)

    assert act(notebook, overtaken, 200) == []


def test_an_item_in_use_is_left_alone() -> None:
    """Requests of one user overlap when the target is slow: they must not disturb each other."""
    server, notebook = Server(), Notebook(random.Random(8))
    depth = 0

    def overlapping(tool: str, arguments: dict[str, Any], check: Any) -> str:
        nonlocal depth
        if depth < 3:
            depth += 1
            notebook.act(overlapping)
            depth -= 1
        return server.call(tool, arguments, check)

    assert act(notebook, overlapping, 300) == []


def test_an_item_whose_write_failed_is_only_cleaned_up() -> None:
    """Nobody knows what it holds, so reading it back proves nothing."""
    server, notebook = Server(), Notebook(random.Random(9))

    def fail_writes(tool: str, arguments: dict[str, Any], check: Any) -> str:
        if tool.startswith(("update", "patch")):
            raise AnswerError("no answer within 10 s")
        return server.call(tool, arguments, check)

    kinds = act(notebook, fail_writes, 100)

    assert {"no answer within 10 s"} == set(kinds)
    assert len(kinds) == len(notebook.doubtful)
    assert notebook.clean_up(server.call) == 0
    assert server.stub.items == {}
