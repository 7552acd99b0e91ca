"""Proxies that have one of forty tools wrong, of the kinds of object that nobody tries by hand."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mutants.table import mutant
from support import changed_calls
from toolbridge_proxy.upstream import ApiRequest

COMMENT, MESSAGE = "tools-comment-life-cycle", "tools-chat_message-life-cycle"


def _of(tool: str, change: Callable[[ApiRequest], ApiRequest]) -> None:
    """Let `change` make another request of that of one tool, such as "archive comments"."""
    operation, plural = tool.split()

    def changed(name: str, _: dict[str, Any], request: ApiRequest) -> ApiRequest:
        wrong = (name, request.path.split("/")[2]) == (operation, plural)
        return change(request) if wrong else request

    changed_calls.built(changed)


@mutant(
    "comment-archived-as-read",
    "archive_comment reads the comment and leaves it as it is",
    rows="MCP-02",
    cause=COMMENT,
)
def archive_reads() -> None:
    """The answer looks alike: the comment, with its version."""

    def change(request: ApiRequest) -> ApiRequest:
        return replace(request, method="GET", path=request.path.removesuffix("/archive"))

    _of("archive comments", change)


@mutant(
    "comment-reopened-resolves",
    "process_comment resolves a comment whatever the action is",
    rows="MCP-02",
    cause=COMMENT,
)
def reopen_resolves() -> None:
    """The action was a constant before there were two."""

    def change(request: ApiRequest) -> ApiRequest:
        body = (request.body or b"").replace(b'"reopen"', b'"resolve"')
        return replace(request, body=body)

    _of("process comments", change)


@mutant(
    "messages-listed-deleted",
    "list_chat_messages shows deleted messages too",
    rows="INP-34",
    cause=MESSAGE,
)
def deleted_messages_listed() -> None:
    """A flag from the time when the list was looked at by developers alone."""

    def change(request: ApiRequest) -> ApiRequest:
        query = [pair for pair in request.query if pair[0] != "includeDeleted"]
        return replace(request, query=(*query, ("includeDeleted", "true")))

    _of("list chat_messages", change)


@mutant(
    "message-archived-as-read",
    "archive_chat_message marks the message as read",
    rows="MCP-02",
    cause=MESSAGE,
)
def archive_marks_read() -> None:
    """The line above it, copied."""

    def change(request: ApiRequest) -> ApiRequest:
        path = request.path.removesuffix("archive") + "process"
        return replace(request, path=path, body=b'{"action":"mark_read"}')

    _of("archive chat_messages", change)
