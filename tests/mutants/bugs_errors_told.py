"""Proxies whose errors say too much, too little, or something else than what happened."""

import json
import os
import traceback
from dataclasses import replace
from typing import Any

import httpx
from starlette.responses import PlainTextResponse

from mutants.table import mutant
from support.patching import patch
from toolbridge_proxy import answers, calls, sessions, signing, tools
from toolbridge_proxy.errors import Result, ToolFailure
from toolbridge_proxy.upstream import ApiRequest


def _address() -> str:
    return os.environ["TOOLBRIDGE_GO_API_BASE_URL"]


def _failures(change: Any) -> None:
    """Let `change(failure, request)` change each failure of a call, or return its answer."""

    def make(original: Any) -> Any:
        async def send(self: sessions.Sessions, request: ApiRequest, call: Any) -> Any:
            try:
                return await original(self, request, call)
            except ToolFailure as failure:
                answer = change(failure, request)
                if answer is None:
                    raise
                return answer

        return send

    patch(sessions.Sessions, "send", make)


def _answered(body: dict[str, Any]) -> answers.Answer:
    return answers.Answer(200, json.dumps(body).encode(), "application/json", None)


@mutant(
    "M-R01",
    "412 is swallowed, and success reported",
    rows="SES-15 INP-12 ERR-09",
    cause="tools-update-conflict",
)
def conflict_swallowed() -> None:
    """The object is as it was, and the caller believes it changed."""

    def change(failure: ToolFailure, request: ApiRequest) -> answers.Answer | None:
        uid = request.path.split("/")[3:4]
        return _answered({"uid": uid}) if failure.status == 412 else None

    _failures(change)


@mutant(
    "M-R02",
    "errors hold the upstream's address and the exception's text",
    rows="ERR-03",
    cause="hygiene-no-internals",
)
def exception_relayed() -> None:
    """As frameworks do by default."""

    def change(failure: ToolFailure, request: ApiRequest) -> None:
        url = _address() + request.path
        failure.message = f"httpx.HTTPStatusError: {failure.text()} for url '{url}'"

    _failures(change)


@mutant(
    "M-R03",
    "a page of HTML that comes with a good status is relayed",
    rows="ERR-05",
    cause="errors-not-json",
)
def html_relayed() -> None:
    """What is not JSON is put into a text, so that it can be shown."""

    def make(original: Any) -> Any:
        def parsed(answer: answers.Answer, *given: Any) -> answers.Answer:
            if answer.media_type.startswith("text/html"):
                page = json.dumps({"text": answer.body.decode(errors="replace")}).encode()
                return replace(answer, body=page, data={})
            judged: answers.Answer = original(answer, *given)
            return judged

        return parsed

    patch(answers, "_parsed", make)


def _health(document: dict[str, str]) -> None:
    async def health(arguments: Any, scope: Any) -> Result:
        text = json.dumps(document)
        return Result(text, text.encode())

    patch(tools, "_health", lambda _: health)


@mutant(
    "M-R04",
    "health_check tells the upstream's address",
    rows="ERR-13",
    cause="health-check-public",
)
def health_tells_address() -> None:
    """Useful to whoever deploys, and to everybody else."""
    _health({"status": "ok", "upstream": _address()})


@mutant(
    "health-version",
    "health_check tells its own version",
    rows="ERR-13",
    cause="health-check-public",
)
def health_tells_version() -> None:
    """A scanner looks it up in a list of known holes."""
    _health({"status": "ok", "version": "4.1.2"})


@mutant(
    "health-tenant",
    "health_check tells the tenant",
    rows="ERR-13",
    cause="health-check-public",
)
def health_tells_tenant() -> None:
    """So that one sees which deployment this is."""
    _health({"status": "ok", "tenant": os.environ["TOOLBRIDGE_TENANT_ID"]})


@mutant(
    "M-R06",
    "health_check asks the Go API, without a bound",
    rows="ERR-14",
    cause="errors-health-alone",
)
def health_asks() -> None:
    """Liveness that depends on somebody else."""
    client = httpx.AsyncClient(timeout=None, trust_env=False)

    async def health(arguments: Any, scope: Any) -> Result:
        await client.get(_address() + "/healthz")
        return Result('{"status":"ok"}', b'{"status":"ok"}')

    patch(tools, "_health", lambda _: health)


@mutant(
    "M-R05",
    "a deleted object is answered as if it were there",
    rows="INP-34 ERR-09",
    cause="tools-note-life-cycle",
)
def gone_is_found() -> None:
    """410 is taken for a kind of success: the uid was known, after all."""

    def change(failure: ToolFailure, request: ApiRequest) -> answers.Answer | None:
        uid = request.path.rpartition("/")[2]
        found = {"uid": uid, "version": 1, "payload": {"uid": uid}}
        return _answered(found) if failure.status == 410 else None

    _failures(change)


@mutant(
    "errors-masked",
    "every error has one text and one code",
    rows="ERR-18 ERR-01",
    cause="errors-status-codes",
)
def masked() -> None:
    """mask_error_details: agents cannot tell a conflict from an outage."""

    def change(failure: ToolFailure, request: ApiRequest) -> None:
        if not failure.session_lost and failure.status in range(400, 500):
            failure.code, failure.detail = "upstream_rejected", None

    _failures(change)


@mutant(
    "server-errors-empty",
    "an object that the Go API fails to read is reported as not found",
    rows="ERR-01 ERR-09",
    cause="errors-status-codes",
)
def failed_is_absent() -> None:
    """An agent then makes it a second time."""

    def change(failure: ToolFailure, request: ApiRequest) -> None:
        if failure.status == 500 and not request.path.startswith("/v1/sync/"):
            failure.code = "not_found"

    _failures(change)


@mutant(
    "debug-page",
    "a crash is answered with its traceback",
    rows="ERR-16",
    cause="hygiene-no-internals",
)
def debug_page() -> None:
    """Debug mode was left on, and a tool that does not exist is a KeyError."""

    def make(original: Any) -> Any:
        async def serve(self: calls.Calls, message: Any, body: bytes, *rest: Any) -> None:
            name = (message.get("params") or {}).get("name", "health_check")
            if message.get("method") != "tools/call" or name in self._tools:
                await original(self, message, body, *rest)
                return
            trace = "".join(traceback.format_stack())
            page = f"Traceback (most recent call last):\n{trace}KeyError"
            await PlainTextResponse(page, 500)(*rest)

        return serve

    patch(calls.Calls, "serve", make)


@mutant(
    "rules-quoted",
    "the error of a bad argument is the validation library's own",
    rows="ERR-15",
    cause="hygiene-no-internals",
)
def rules_quoted() -> None:
    """With the input, and a link to the library's manual."""

    def make(original: Any) -> Any:
        def rules(invalid: Any) -> str:
            return str(invalid)

        return rules

    patch(tools, "_rules", make)


def _quoted(quote: Any) -> None:
    """Let `quote(headers)` of the last upstream request be part of every failure's text."""
    last: dict[str, str] = {}

    def make(original: Any) -> Any:
        def sign(self: signing.Signer, headers: Any) -> list[tuple[str, str]]:
            signed: list[tuple[str, str]] = original(self, headers)
            last.update(signed)
            return signed

        return sign

    def change(failure: ToolFailure, _: ApiRequest) -> None:
        failure.message = f"{failure.text()} ({quote(last)})"

    patch(signing.Signer, "sign", make)
    _failures(change)


@mutant(
    "token-in-errors",
    "errors of the Go API are reported with the token that was sent",
    rows="ERR-04",
    cause="hygiene-no-secret-in-answers",
)
def token_in_errors() -> None:
    """So that the caller sees which one was meant."""
    _quoted(lambda headers: headers["Authorization"])


@mutant(
    "signature-in-errors",
    "errors of the Go API are reported with the signature that was sent",
    rows="SIG-15",
    cause="hygiene-no-secret-in-answers",
)
def signature_in_errors() -> None:
    """Good for five minutes, for any request of the tenant."""
    _quoted(lambda headers: headers[signing.SIGNATURE])


@mutant(
    "signature-start-in-errors",
    "errors of the Go API are reported with the first 16 digits of the signature",
    rows="SIG-15",
    cause="hygiene-no-secret-in-answers",
)
def signature_start_in_errors() -> None:
    """Too short to replay, and long enough to look up."""
    _quoted(lambda headers: headers[signing.SIGNATURE][:16])
