"""Proxies that change the Go API's answers, or say more about them than they should."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pydantic import ConfigDict

from mutants.table import mutant
from support.patching import patch
from toolbridge_contract.tools import ENTITIES
from toolbridge_proxy import answers, edge, operations, sessions, tools
from toolbridge_proxy.errors import MESSAGES, Result, ToolFailure
from toolbridge_proxy.upstream import ApiRequest

_KNOWN = {"uid", "updatedTs", "sync", "status", "pinned", "archived", "read", "delivered"}
_KNOWN |= {field for entity in ENTITIES for field in entity.create.values()}


def _known(item: dict[str, Any]) -> dict[str, Any]:
    payload = item.get("payload", {})
    return item | {"payload": {k: v for k, v in payload.items() if k in _KNOWN}}


def _read(change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Let `change` see each good answer to a GET."""

    def make(original: Any) -> Any:
        async def send(self: Any, request: ApiRequest, call: Any) -> Any:
            answer = await original(self, request, call)
            if request.method != "GET":
                return answer
            return replace(answer, body=json.dumps(change(json.loads(answer.body))).encode())

        return send

    patch(sessions.Sessions, "send", make)


@mutant(
    "M-I17",
    "the payloads of a list go through a model that drops the fields it does not know",
    rows="INP-36",
    cause="tools-answers-unchanged",
)
def unknown_fields_dropped() -> None:
    """A list shows the fields of the tool table alone."""

    def change(data: dict[str, Any]) -> dict[str, Any]:
        return data | {"items": [_known(i) for i in data["items"]]} if "items" in data else data

    _read(change)


@mutant(
    "nulls-dropped",
    "fields that are null are missing from what is read",
    rows="INP-36",
    cause="tools-answers-unchanged",
)
def nulls_dropped() -> None:
    """A model is written without its nulls (exclude_none)."""

    def change(data: dict[str, Any]) -> dict[str, Any]:
        payload = data.get("payload")
        if payload is None:
            return data
        return data | {"payload": {k: v for k, v in payload.items() if v is not None}}

    _read(change)


class _Deletion(operations.Deletion):
    model_config = ConfigDict(strict=True, extra="forbid")
    deletedAt: str  # noqa: N815 - as on the wire


@mutant(
    "delete-shape",
    "an answer to DELETE with a payload is an error, after the delete has happened",
    rows="INP-36",
    cause="tools-delete-answers",
)
def delete_shape() -> None:
    """The model of the answer forbids what it does not know."""
    deletion = operations.OPERATIONS["delete"]
    operations.OPERATIONS["delete"] = replace(deletion, accept=_Deletion)


@mutant(
    "exception-text",
    "an answer in another shape is reported with the text of the exception",
    rows="ERR-07",
    cause="errors-odd-shapes",
)
def exception_text() -> None:
    """What the parser says reaches the caller."""

    def make(original: Any) -> Any:
        def parsed(*given: Any) -> answers.Answer:
            try:
                answer: answers.Answer = original(*given)
            except ToolFailure as failure:
                cause = failure.__context__
                failure.message = f"{failure.text()} {type(cause).__name__}: {cause}"
                raise
            return answer

        return parsed

    patch(answers, "_parsed", make)


@mutant(
    "errors-whole",
    "the Go API's error texts are passed on at any length",
    rows="INP-38",
    cause="tools-stored-instructions",
)
def errors_whole() -> None:
    """No limit on what is quoted."""
    patch(answers, "MAX_DETAIL_CHARS", lambda _: 100_000)


@mutant(
    "words-dropped",
    "the Go API's explanation of a refusal is dropped",
    rows="ERR-06",
    cause="errors-own-words",
)
def words_dropped() -> None:
    """The code's own text is all that a caller reads."""

    def text(self: ToolFailure) -> str:
        return self.message or MESSAGES[self.code]

    patch(ToolFailure, "text", lambda _: text)


@mutant(
    "shape-of-its-own",
    "chat messages report errors in a shape of their own",
    rows="ERR-12",
    cause="errors-one-shape",
)
def shape_of_its_own() -> None:
    """One kind of object was added later, by somebody else."""

    def make(original: Any) -> Any:
        async def operate(self: Any, arguments: dict[str, Any], scope: Any) -> Result:
            result: Result = await original(self, arguments, scope)
            if result.outcome == "ok" or self.entity.singular != "chat_message":
                return result
            told = {"error": {"code": result.outcome, "reason": result.text}}
            return replace(result, structured=json.dumps(told).encode())

        return operate

    patch(tools.Operate, "__call__", make)


@mutant(
    "id-as-sent",
    "any correlation id of the caller is taken over, whatever it holds",
    rows="ERR-08",
    cause="errors-correlation",
)
def id_as_sent() -> None:
    """The header goes into logs and upstream headers as it came."""

    def make(original: Any) -> Any:
        def correlation_id(headers: list[tuple[str, str]]) -> str:
            given = dict(headers).get("x-correlation-id")
            own: str = original(headers)
            return given or own

        return correlation_id

    patch(edge, "_correlation_id", make)
