"""Proxies that let the values of arguments out of their place."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from mutants.table import mutant
from support.patching import patch
from toolbridge_proxy import calls, entities, strict_json, tools, upstream
from toolbridge_proxy.errors import ToolFailure
from toolbridge_proxy.gate import MAX_DEPTH

_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"


def _arguments(change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Let `change` take arguments out before they are validated; it returns what comes back."""

    def make(original: Any) -> Any:
        def validated(model: Any, arguments: dict[str, Any]) -> Any:
            given = dict(arguments)
            kept = change(given)
            return original(model, given) | kept

        return validated

    patch(tools, "_validated", make)


def _requests(change: Callable[[upstream.ApiRequest, dict[str, Any]], upstream.ApiRequest]) -> None:
    """Let `change` see each built request and the arguments that it was built of."""

    def make(original: Any) -> Any:
        def build(entity: Any, name: str, given: dict[str, Any]) -> upstream.ApiRequest:
            return change(original(entity, name, given), given)

        return build

    patch(tools, "build", make)


class _Origin(str):
    """A base URL that a link in the path replaces, as urljoin does."""

    __slots__ = ()

    def __add__(self, path: str) -> str:
        _, link, rest = path.partition("http:")
        return link + rest if link else str(self) + path


@mutant(
    "uid-links",
    "a uid may be a link to the object, and is followed wherever it leads",
    rows="INP-05",
    cause="tools-uid-origin",
)
def uid_links() -> None:
    """http://anywhere/v1/notes/<uuid> is taken for an object's address."""
    pattern = re.compile(rf"{_UUID}|https?://.+/v1/[a-z_]+/{_UUID}")
    patch(entities, "_UUID", lambda _: pattern)

    def make(original: Any) -> Any:
        def init(self: upstream.Upstream, *given: Any) -> None:
            original(self, *given)
            self._base_url = _Origin(self._base_url)

        return init

    patch(upstream.Upstream, "__init__", make)


@mutant(
    "uid-letters",
    "uids may hold letters and digits of any script",
    rows="INP-06",
    cause="tools-uid-characters",
)
def uid_letters() -> None:
    r"""The pattern is made of \w."""
    pattern = re.compile(r"\w{8}-(?:\w{4}-){3}\w{12}")
    patch(entities, "_UUID", lambda _: pattern)


@mutant(
    "M-I04",
    "the cursor is put into the URL as it came, so that it can add parameters",
    rows="INP-08",
    cause="tools-cursor",
)
def cursor_in_the_url() -> None:
    """An f-string builds the query, as it is read at the other end."""

    def take(given: dict[str, Any]) -> dict[str, Any]:
        cursor = given.pop("cursor", None)
        return {"cursor": cursor} if isinstance(cursor, str) else {}

    def change(request: upstream.ApiRequest, given: dict[str, Any]) -> upstream.ApiRequest:
        if "cursor" not in given:
            return request
        text = "&".join(f"{name}={value}" for name, value in request.query)
        return replace(request, query=tuple(parse_qsl(text, keep_blank_values=True)))

    _arguments(take)
    _requests(change)


@mutant(
    "M-I08",
    "objects may come as JSON text, and nobody looks whether it is an object",
    rows="INP-14",
    cause="tools-text-for-objects",
)
def texts_for_objects() -> None:
    """A text is parsed, and then .keys() is called on whatever came out."""
    names = {"updates": {"a": 1}, "additional_fields": {}, "metadata": {}}

    def take(given: dict[str, Any]) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for name in names.keys() & given.keys():
            try:
                kept[name] = strict_json.loads(given[name].encode(), max_depth=MAX_DEPTH)
            except (AttributeError, ValueError):
                continue
            given[name] = names[name]
        return kept

    _arguments(take)


@mutant(
    "keys-cleaned",
    "keys that look dangerous are dropped in silence",
    rows="INP-15",
    cause="tools-odd-keys",
)
def keys_cleaned() -> None:
    """A list of bad names instead of treating keys as data."""

    def change(request: upstream.ApiRequest, given: dict[str, Any]) -> upstream.ApiRequest:
        if request.method != "PATCH":
            return request
        body = {k: v for k, v in json.loads(request.body or b"{}").items() if k[:2] != "__"}
        return replace(request, body=json.dumps(body).encode())

    _requests(change)


@mutant(
    "actions-folded",
    "actions are compared without case and blanks",
    rows="INP-31",
    cause="tools-actions",
)
def actions_folded() -> None:
    """ " PIN" is taken for pin."""

    def take(given: dict[str, Any]) -> dict[str, Any]:
        if isinstance(given.get("action"), str):
            given["action"] = given["action"].strip().lower()
        return {}

    _arguments(take)


@mutant(
    "children-repeated",
    "a create below a parent that the Go API answers with 500 is sent again",
    rows="INP-32",
    cause="tools-parents",
)
def children_repeated() -> None:
    """500 is taken for something that passes."""

    def make(original: Any) -> Any:
        async def send(self: Any, request: upstream.ApiRequest, *given: Any) -> Any:
            try:
                return await original(self, request, *given)
            except ToolFailure as failure:
                child = request.path in ("/v1/comments", "/v1/chat_messages")
                if not child or request.method != "POST" or failure.status != 500:
                    raise
            return await original(self, request, *given)

        return send

    patch(upstream.Upstream, "send", make)


@mutant(
    "uid-as-spelled",
    "uids go into the path in the caller's spelling",
    rows="INP-07",
    cause="tools-uid-spellings",
)
def uid_as_spelled() -> None:
    """Checked in one spelling, used in another."""

    def take(given: dict[str, Any]) -> dict[str, Any]:
        return {"uid": given["uid"]} if isinstance(given.get("uid"), str) else {}

    _arguments(take)


@mutant(
    "null-arguments",
    "a call whose arguments are null crashes",
    rows="INP-25",
    cause="tools-no-arguments",
)
def null_arguments() -> None:
    """`params["arguments"].items()` without a look at what it is."""

    def make(original: Any) -> Any:
        def runnable(message: dict[str, Any], *given: Any) -> Any:
            params = message.get("params")
            if isinstance(params, dict) and params.get("arguments", {}) is None:
                raise AttributeError("'NoneType' object has no attribute 'items'")
            return original(message, *given)

        return runnable

    patch(calls, "_runnable", make)
