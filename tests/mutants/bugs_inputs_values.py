"""Proxies that change the values of a call on their way to the Go API or back."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pydantic import create_model

from mutants.table import mutant
from support import changed_calls
from support.changed_calls import Arguments
from support.patching import patch
from toolbridge_proxy import operations, tools
from toolbridge_proxy.upstream import ApiRequest


def _bodies(change: Callable[[str, Arguments], Arguments]) -> None:
    """Let `change(operation, body)` change the JSON object that goes upstream."""

    def changed(name: str, _: Arguments, request: ApiRequest) -> ApiRequest:
        if request.body is None:
            return request
        body = json.dumps(change(name, json.loads(request.body)), ensure_ascii=False)
        return replace(request, body=body.encode())

    changed_calls.built(changed)


@mutant(
    "M-I07",
    "additional_fields win over the uid and the named arguments of a create",
    rows="INP-13",
    cause="tools-reserved-fields",
)
def additional_wins() -> None:
    """Two objects are merged, and the caller's comes last."""
    patch(operations, "_refuse_keys", lambda _: lambda *given: None)


@mutant(
    "additional-lost",
    "additional_fields are accepted and dropped",
    rows="INP-13",
    cause="tools-reserved-fields",
)
def additional_lost() -> None:
    """The argument is in the schema, and nothing comes of it."""

    def take(_: str, given: Arguments) -> Arguments:
        given.pop("additional_fields", None)
        return {}

    changed_calls.arguments(take)


@mutant(
    "M-I09",
    "empty texts and lists are dropped",
    rows="INP-27",
    cause="tools-falsy-values",
)
def falsy_dropped() -> None:
    """`if tags:` where `is not None` is meant."""
    _bodies(lambda name, body: {k: v for k, v in body.items() if v or name == "patch"})


@mutant(
    "patch-truthy",
    "a patch loses what is empty, zero or false",
    rows="INP-33",
    cause="tools-patch-exact",
)
def patch_truthy() -> None:
    """Nobody changes a field to nothing."""
    _bodies(lambda name, body: {k: v for k, v in body.items() if v or name != "patch"})


@mutant(
    "M-I10",
    'include_deleted "false" is taken for true',
    rows="INP-28",
    cause="tools-falsy-values",
)
def bool_of_text() -> None:
    """bool() of a text."""

    def take(_: str, given: Arguments) -> Arguments:
        if isinstance(given.get("include_deleted"), str):
            given["include_deleted"] = bool(given["include_deleted"])
        return {}

    changed_calls.arguments(take)


@mutant(
    "M-I11",
    "a limit out of range is clamped",
    rows="INP-09",
    cause="tools-arguments",
)
def limit_clamped() -> None:
    """min() and max() instead of an error."""

    def take(_: str, given: Arguments) -> Arguments:
        if type(given.get("limit")) is int:
            given["limit"] = min(max(given["limit"], 1), 1000)
        return {}

    changed_calls.arguments(take)


def _queries(change: Callable[[tuple[tuple[str, str], ...]], Any]) -> None:
    def changed(_: str, __: Arguments, request: ApiRequest) -> ApiRequest:
        return replace(request, query=tuple(change(request.query)))

    changed_calls.built(changed)


@mutant(
    "limit-ignored",
    "the limit of a list is not sent",
    rows="INP-35",
    cause="tools-list-walk",
)
def limit_ignored() -> None:
    """A page always has the Go API's own size."""
    _queries(lambda query: [pair for pair in query if pair[0] != "limit"])


@mutant(
    "cursor-ignored",
    "the cursor is checked, and not sent",
    rows="INP-35",
    cause="tools-list-walk",
)
def cursor_ignored() -> None:
    """Every page is the first one."""
    _queries(lambda query: [pair for pair in query if pair[0] != "cursor"])


@mutant(
    "M-I15",
    "a patch is sent as a PUT",
    rows="INP-33 MCP-02",
    cause="tools-patch-exact",
)
def patch_as_put() -> None:
    """The fields that were not named are lost."""
    operations.OPERATIONS["patch"] = replace(operations.OPERATIONS["patch"], method="PUT")


@mutant(
    "M-I16",
    "include_deleted is ignored when one object is read",
    rows="MCP-02 INP-34",
    cause="tools-note-life-cycle",
)
def deleted_ignored() -> None:
    """The argument came for lists, and was never passed on here."""

    def changed(name: str, _: Arguments, request: ApiRequest) -> ApiRequest:
        return replace(request, query=()) if name == "get" else request

    changed_calls.built(changed)


@mutant(
    "unknown-dropped",
    "arguments that a tool does not know are dropped in silence",
    rows="INP-23",
    cause="tools-arguments",
)
def unknown_dropped() -> None:
    """As models do by default."""

    def make(original: Any) -> Any:
        def validated(model: Any, given: Arguments) -> Any:
            return original(model, {k: v for k, v in given.items() if k in model.model_fields})

        return validated

    patch(tools, "_validated", make)


@mutant(
    "types-coerced",
    "arguments of another type are converted",
    rows="INP-24 INP-09",
    cause="tools-arguments",
)
def coerced() -> None:
    """As models do by default: "10" is 10, and true is 1."""

    def make(original: Any) -> Any:
        def made(entity: Any, operation: str) -> Any:
            model, schema = original(entity, operation)
            config: Any = {**model.model_config, "strict": False}
            fields: Any = {n: (f.annotation, f) for n, f in model.model_fields.items()}
            return create_model(model.__name__, __config__=config, **fields), schema

        return made

    patch(tools, "_model", make)
