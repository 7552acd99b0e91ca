"""Proxies that do right with notes, and wrong with one other tool or kind of object."""

from dataclasses import replace
from typing import Any

import httpx

from mutants.table import mutant
from support import changed_calls
from support.changed_calls import Arguments
from support.patching import patch
from toolbridge_proxy import operations, sessions, tools
from toolbridge_proxy.errors import ToolFailure
from toolbridge_proxy.upstream import ApiRequest, Call

_UID = "123e4567-e89b-42d3-a456-426614174000"


def _unchecked_uid(tool: str) -> None:
    """Accept any uid in this tool, and resolve the path that it makes."""

    def take(name: str, given: Arguments) -> Arguments:
        uid = given.get("uid")
        if name != tool or not isinstance(uid, str):
            return {}
        given["uid"] = _UID
        return {"uid": uid}

    def change(_: str, given: Arguments, request: ApiRequest) -> ApiRequest:
        if "{uid}" not in request.route:
            return request
        path = httpx.URL("http://go-api.internal").join(request.path).path
        return replace(request, path=path)

    changed_calls.arguments(take)
    changed_calls.built(change)


@mutant(
    "uid-delete-chat",
    "the uid of delete_chat is not checked",
    rows="INP-01 INP-02",
    cause="tools-uid-closed",
)
def delete_chat() -> None:
    """Of forty tools, one was written by hand."""
    _unchecked_uid("delete_chat")


@mutant(
    "uid-archive-task",
    "the uid of archive_task is not checked",
    rows="INP-01 INP-02",
    cause="tools-uid-closed",
)
def archive_task() -> None:
    """The tool that nobody tests."""
    _unchecked_uid("archive_task")


def _without_version(plural: str) -> None:
    def change(_: str, given: Arguments, request: ApiRequest) -> ApiRequest:
        other = request.path.startswith(f"/v1/{plural}/")
        return replace(request, headers=()) if other and "if_match" in given else request

    changed_calls.built(change)


@mutant(
    "if-match-not-chats",
    "changes of chats do not send the version that they are given",
    rows="INP-12 SES-15",
    cause="tools-update-conflict",
)
def no_version_for_chats() -> None:
    """Chats came later."""
    _without_version("chats")


@mutant(
    "unknown-dropped-once",
    "process_task drops arguments that it does not know",
    rows="INP-23",
    cause="tools-arguments",
)
def unknown_dropped_once() -> None:
    """One tool has a model of its own."""

    def make(original: Any) -> Any:
        def validated(model: Any, given: Arguments) -> Any:
            if model.__name__ == "process_task":
                given = {k: v for k, v in given.items() if k in model.model_fields}
            return original(model, given)

        return validated

    patch(tools, "_validated", make)


@mutant(
    "titles-stripped",
    "blanks around titles are removed",
    rows="INP-22",
    cause="tools-text-fidelity",
)
def titles_stripped() -> None:
    """A title looks better without them."""

    def take(_: str, given: Arguments) -> Arguments:
        if isinstance(given.get("title"), str):
            given["title"] = given["title"].strip()
        return {}

    changed_calls.arguments(take)


@mutant(
    "tags-lowered",
    "tags are made lower case",
    rows="INP-22",
    cause="tools-text-fidelity",
)
def tags_lowered() -> None:
    """So that they can be compared."""

    def take(_: str, given: Arguments) -> Arguments:
        if isinstance(given.get("tags"), list):
            given["tags"] = [t.lower() if isinstance(t, str) else t for t in given["tags"]]
        return {}

    changed_calls.arguments(take)


@mutant(
    "additional-wins-updates",
    "additional_fields win over the named arguments of an update",
    rows="INP-13",
    cause="tools-reserved-fields",
)
def additional_wins_updates() -> None:
    """The guard of the create is not in the update."""
    update = operations.OPERATIONS["update"]

    def body(entity: Any, given: Arguments) -> Arguments:
        named = {a.field: given[name] for name, a in entity.update.items() if name in given}
        return {**named, **given.get("additional_fields", {})}

    operations.OPERATIONS["update"] = replace(update, body=body)


@mutant(
    "renewal-of-writes",
    "a write renews its lost session again and again until the deadline",
    rows="SES-10",
    cause="sessions-bounded-recovery",
)
def unbounded_writes() -> None:
    """Reads are bounded; writes, it was thought, must arrive."""

    def make(original: Any) -> Any:
        async def send(self: sessions.Sessions, request: ApiRequest, call: Call) -> Any:
            while True:
                try:
                    return await original(self, request, call)
                except ToolFailure as failure:
                    write = request.method != "GET" and failure.session_lost
                    if not write or call.remaining() < 0.5:
                        raise
                call.retries = 1

        return send

    patch(sessions.Sessions, "send", make)
