"""What one user does: reads and writes of its own notes and tasks, every answer checked.

Knows no HTTP and no Locust: a `Call` performs a tool call and passes its result to a check.
"""

import random
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from toolbridge_contract.tools import NOTE, TASK, Entity, Operation
from toolbridge_loadtests.answers import AnswerError, excerpt, expect_fields
from toolbridge_loadtests.samples import MISMATCH

Result = Mapping[str, Any]
Call = Callable[[str, dict[str, Any], Callable[[Result], str]], str]
"""Call a tool with arguments; return what the check made of the result, or raise AnswerError."""

# How people use it: more reading than writing, and as many deletes as the cap makes necessary.
MIX: Mapping[Operation, int] = {
    "list": 25,
    "get": 30,
    "create": 20,
    "update": 10,
    "patch": 10,
    "delete": 5,
}

# The text fields that a create and an update both take, under the same name as in the payload.
TEXTS: Mapping[str, tuple[str, ...]] = {
    NOTE.singular: ("title", "content"),
    TASK.singular: ("title", "description"),
}

# Small: what is left over is deleted at the end, within the burst that the API allows (120).
CAPACITY = 8


@dataclass
class Item:
    """An item of this user and what its last acknowledged write put into it."""

    entity: Entity
    uid: str
    fields: dict[str, str]
    busy: bool = False
    writes: int = 0


@dataclass
class Notebook:
    """The items of one user. Calls may overlap: an item in use is left alone by the others."""

    dice: random.Random
    items: list[Item] = field(default_factory=list)
    doubtful: list[Item] = field(default_factory=list)
    """Items whose last write failed: their content is unknown, they are only cleaned up."""

    def act(self, call: Call) -> None:
        """Perform one operation, which is one tool call; AnswerError when the answer is wrong."""
        operation = self.dice.choices(list(MIX), list(MIX.values()))[0]
        idle = [item for item in self.items if not item.busy]
        if operation in {"get", "update", "patch", "delete"} and not idle:
            operation = "create"
        if operation == "create" and len(self.items) >= CAPACITY:
            operation = "delete" if idle else "list"
        if operation == "create":
            self._create(call)
        elif operation == "list":
            self._list(call)
        else:
            _STEPS[operation](self, call, self.dice.choice(idle))

    def clean_up(self, call: Call) -> int:
        """Delete everything that is left; return how many items could not be deleted."""
        left = 0
        while self.items or self.doubtful:
            item = (self.items or self.doubtful).pop()
            try:
                call(item.entity.tool("delete"), {"uid": item.uid}, _uid_of)
            except AnswerError:
                left += 1
        return left

    def _texts(self, entity: Entity) -> dict[str, str]:
        mark = secrets.token_hex(8)
        # Beyond ASCII, so that a wrong encoding on the way is seen.
        return {name: f"load test {name} {mark}: naïve ✓" for name in TEXTS[entity.singular]}

    def _create(self, call: Call) -> None:
        entity = self.dice.choice((NOTE, TASK))
        texts = self._texts(entity)
        uid = call(entity.tool("create"), dict(texts), lambda item: expect_fields(item, texts))
        self.items.append(Item(entity, uid, texts))

    def _list(self, call: Call) -> None:
        entity = self.dice.choice((NOTE, TASK))
        known = {i.uid: (i, i.writes) for i in self.items if i.entity is entity and not i.busy}

        def check(page: Result) -> str:
            listed = page.get("items")
            if not isinstance(listed, list):
                raise AnswerError("not a list of items", excerpt(str(dict(page))))
            for entry in listed:
                if not isinstance(entry, dict):
                    raise AnswerError("not an item", excerpt(str(entry)))
                item, writes = known.get(str(entry.get("uid")), (None, 0))
                # A write that began meanwhile may show or not: both are right.
                if item and not item.busy and item.writes == writes:
                    expect_fields(entry, item.fields)
            return ""

        call(entity.tool("list"), {"limit": 100}, check)

    def _get(self, call: Call, item: Item) -> None:
        with self._using(item):
            call(
                item.entity.tool("get"),
                {"uid": item.uid},
                lambda got: _same(got, item, item.fields),
            )

    def _update(self, call: Call, item: Item) -> None:
        texts = self._texts(item.entity)
        self._write(call, item, "update", {"uid": item.uid, **texts}, texts)

    def _patch(self, call: Call, item: Item) -> None:
        name = TEXTS[item.entity.singular][1]
        texts = item.fields | {name: self._texts(item.entity)[name]}
        self._write(call, item, "patch", {"uid": item.uid, "updates": {name: texts[name]}}, texts)

    def _write(
        self,
        call: Call,
        item: Item,
        operation: Operation,
        arguments: dict[str, Any],
        texts: dict[str, str],
    ) -> None:
        with self._using(item, changing=True):
            call(item.entity.tool(operation), arguments, lambda got: _same(got, item, texts))
            item.fields = texts

    def _delete(self, call: Call, item: Item) -> None:
        with self._using(item, changing=True):
            call(item.entity.tool("delete"), {"uid": item.uid}, lambda got: _same(got, item, {}))
            self.items.remove(item)

    @contextmanager
    def _using(self, item: Item, *, changing: bool = False) -> Iterator[None]:
        item.busy = True
        item.writes += changing
        try:
            yield
        except BaseException:
            if changing:
                self.items.remove(item)
                self.doubtful.append(item)
            raise
        finally:
            item.busy = False


_STEPS: Mapping[Operation, Callable[[Notebook, Call, Item], None]] = {
    "get": Notebook._get,
    "update": Notebook._update,
    "patch": Notebook._patch,
    "delete": Notebook._delete,
}


def _uid_of(result: Result) -> str:
    return str(result.get("uid", ""))


def _same(result: Result, item: Item, fields: Mapping[str, str]) -> str:
    if result.get("uid") != item.uid:
        raise AnswerError(MISMATCH, excerpt(f"asked for {item.uid}, got {result.get('uid')!r}"))
    return expect_fields(result, fields) if fields else item.uid
