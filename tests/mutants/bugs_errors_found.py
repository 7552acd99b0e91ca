"""Proxies that tell what they should not know, or make up what they were not told."""

import json
from dataclasses import replace
from typing import Any

from mutants.table import mutant
from support.patching import patch
from toolbridge_proxy import answers, operations, sessions
from toolbridge_proxy.errors import ToolFailure
from toolbridge_proxy.upstream import ApiRequest


def _parsed(change: Any) -> None:
    """Let `change(original, answer, accept, lost)` judge answers with a good status."""

    def make(original: Any) -> Any:
        def parsed(answer: answers.Answer, accept: Any, lost: str | None) -> answers.Answer:
            judged: answers.Answer = change(original, answer, accept, lost)
            return judged

        return parsed

    patch(answers, "_parsed", make)


@mutant(
    "oracle",
    "an object of somebody else is forbidden, where one that does not exist is not found",
    rows="ERR-11 TEN-18",
    cause="isolation-foreign-uid",
)
def oracle() -> None:
    """Whoever guesses uids learns which of them exist."""
    owners: dict[str, Any] = {}

    def make(original: Any) -> Any:
        async def send(self: sessions.Sessions, request: ApiRequest, call: Any) -> Any:
            uid = request.path.split("/")[3:4]
            owner = owners.get(uid[0], call.caller.subject) if uid else call.caller.subject
            if owner != call.caller.subject:
                raise ToolFailure("upstream_forbidden", 403)
            answer = await original(self, request, call)
            if request.method == "POST" and not uid:
                owners[json.loads(answer.body)["uid"]] = call.caller.subject
            return answer

        return send

    patch(sessions.Sessions, "send", make)


@mutant(
    "objects-cached",
    "an object that was read is kept and shown to whoever asks for its uid",
    rows="TEN-18 ERR-11",
    cause="isolation-foreign-uid",
)
def objects_cached() -> None:
    """A cache by path, and the path is the same for everybody."""
    known: dict[str, answers.Answer] = {}

    def make(original: Any) -> Any:
        async def send(self: sessions.Sessions, request: ApiRequest, call: Any) -> Any:
            if request.method != "GET" and request.path in known:
                del known[request.path]
            try:
                answer = await original(self, request, call)
            except ToolFailure as failure:
                if failure.code != "not_found" or request.path not in known:
                    raise
                return known[request.path]
            if "{uid}" in request.route and request.method in ("GET", "POST"):
                known[request.path] = answer
            if request.route.count("/") == 2 and request.method == "POST":
                known[f"{request.path}/{json.loads(answer.body)['uid']}"] = answer
            return answer

        return send

    patch(sessions.Sessions, "send", make)


@mutant(
    "any-success",
    "whatever comes with a good status is relayed, be it of another shape",
    rows="ERR-10 RES-16",
    cause="errors-not-json",
)
def any_success() -> None:
    """The status is checked, and the JSON parsed; the shape is the Go API's business."""

    def change(original: Any, answer: answers.Answer, accept: Any, lost: str | None) -> Any:
        session = accept == sessions.Made.model_validate
        return original(answer, accept if session else lambda data: data, lost)

    _parsed(change)


@mutant(
    "gaps-filled",
    "an answer without items is an empty list, and one without a version has version 0",
    rows="ERR-10",
    cause="errors-odd-shapes",
)
def gaps_filled() -> None:
    """Defaults in the models of answers: an agent then believes that there is nothing."""

    def change(original: Any, answer: answers.Answer, accept: Any, lost: str | None) -> Any:
        try:
            data = json.loads(answer.body)
        except ValueError:
            return original(answer, accept, lost)
        if isinstance(data, dict) and "epoch" not in data:
            page = accept == operations.Page.model_validate
            filled = {"items": []} if page else {"uid": "", "version": 0, "updatedAt": ""}
            filled = filled if page else filled | {"payload": {}}
            given = {k: v for k, v in data.items() if v is not None}
            answer = replace(answer, body=json.dumps(filled | given).encode())
        return original(answer, accept, lost)

    _parsed(change)


@mutant(
    "truncated-is-empty",
    "a page that is cut short is an empty one",
    rows="ERR-05 RES-16",
    cause="errors-not-json",
)
def broken_is_empty() -> None:
    """What cannot be parsed is caught where the default is returned."""

    def change(original: Any, answer: answers.Answer, accept: Any, lost: str | None) -> Any:
        try:
            return original(answer, accept, lost)
        except ToolFailure:
            if accept != operations.Page.model_validate:
                raise
            return replace(answer, body=b'{"items":[]}', data=None)

    _parsed(change)


@mutant(
    "rate-limit-waits",
    "a 429 is waited for and tried again, whatever Retry-After says",
    rows="RES-11",
    cause="errors-rate-limited",
)
def rate_limit_waits() -> None:
    """The retry policy takes 429 for an outage."""
    patch(answers, "REPEATABLE", lambda original: original | {429})


@mutant(
    "retry-after-lost",
    "a 429 reaches the caller without its Retry-After",
    rows="RES-11",
    cause="errors-rate-limited",
)
def retry_after_lost() -> None:
    """As frameworks do that make a text of it."""
    patch(answers, "_retry_after", lambda _: lambda value: None)


@mutant(
    "error-page-quoted",
    "the page that comes with an error is quoted in its message",
    rows="ERR-05",
    cause="errors-not-json",
)
def error_page_quoted() -> None:
    """What is no JSON is taken for the explanation."""

    def make(original: Any) -> Any:
        def said(answer: answers.Answer) -> Any:
            detail, upstream_id = original(answer)
            return detail or answer.body.decode(errors="replace") or None, upstream_id

        return said

    patch(answers, "_said", make)


@mutant(
    "forbidden-renews",
    "any 403 is taken for a lost session, and the write is sent again",
    rows="ERR-01 SES-11",
    cause="errors-status-codes",
)
def forbidden_renews() -> None:
    """The status is read, the message is not."""

    def make(original: Any) -> Any:
        return lambda status, detail: status == 403 or original(status, detail)

    patch(answers, "_is_session_loss", make)


@mutant(
    "unlisted-status",
    "a status that is not in the table of errors crashes the call",
    rows="ERR-01 ERR-09",
    cause="errors-status-codes",
)
def unlisted_status() -> None:
    """A KeyError for what nobody had seen yet."""

    def make(original: Any) -> Any:
        def code(answer: answers.Answer, detail: str | None) -> str:
            found: str = original(answer, detail)
            if answer.status in (405, 418, 422, 501, 599):
                raise KeyError(answer.status)
            return found

        return code

    patch(answers, "_code", make)
