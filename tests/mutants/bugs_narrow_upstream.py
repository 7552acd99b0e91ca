"""Proxies whose requests to the Go API have one flaw that it lets pass, or that shows elsewhere."""

import contextlib
import os
from dataclasses import replace
from typing import Any

import httpx

from mutants.table import mutant
from support import changed_calls
from support.wrapping import in_place_of
from toolbridge_proxy import answers, sessions, tools, upstream
from toolbridge_proxy.answers import Answer
from toolbridge_proxy.errors import Result, ToolFailure
from toolbridge_proxy.upstream import ApiRequest


@mutant(
    "delete-if-any",
    "a delete is sent with If-Match: *, which the Go API cannot read and passes over",
    rows="SIG-16",
    cause="signing-no-violations",
)
def delete_if_any() -> None:
    """Right by HTTP, and no number."""

    def change(name: str, _: dict[str, Any], request: ApiRequest) -> ApiRequest:
        if name != "delete":
            return request
        return replace(request, headers=(*request.headers, ("If-Match", "*")))

    changed_calls.built(change)


@mutant(
    "machine-keeps-patches",
    "what a machine has patched it answers from memory, whatever another machine did since",
    rows="SES-29 DEP-08",
    cause="sessions-two-machines",
)
def machine_keeps_patches() -> None:
    """Its own further writes empty the memory."""
    kept: dict[tuple[str, str], Answer] = {}

    @in_place_of(sessions.Sessions, "send")
    async def send(original: Any, self: Any, request: ApiRequest, call: Any) -> Answer:
        key = call.caller.subject, request.path
        if request.method == "GET" and not request.query and key in kept:
            return kept[key]
        answer: Answer = await original(self, request, call)
        if request.method != "GET":
            kept.clear()
        if request.method == "PATCH":
            kept[key] = answer
        return answer


@mutant(
    "tenant-rejection-as-token",
    "what the Go API says about tenant headers is reported as a rejected token",
    rows="ERR-02",
    cause="errors-tenant-rejection",
)
def tenant_rejection_as_token() -> None:
    """Both are a 401, and the text is not read."""

    @in_place_of(answers, "_code")
    def code(original: Any, *given: Any) -> str:
        found: str = original(*given)
        return "upstream_token_rejected" if found == "tenant_headers_rejected" else found


@mutant(
    "health-waits-for-api",
    "health_check waits for what the Go API says, and is well whatever that is",
    rows="ERR-14",
    cause="errors-health-alone",
)
def health_waits_for_api() -> None:
    """An outage was thought of; an answer that never comes was not."""
    client = httpx.AsyncClient(timeout=None, trust_env=False)

    @in_place_of(tools, "_health")
    async def health(original: Any, *given: Any) -> Result:
        with contextlib.suppress(httpx.HTTPError):
            await client.get(os.environ["TOOLBRIDGE_GO_API_BASE_URL"] + "/healthz")
        answer: Result = await original(*given)
        return answer


@mutant(
    "idempotent-repeated",
    "PUT and DELETE whose answer is lost are sent once more, as HTTP clients like to",
    rows="RES-07",
    cause="errors-lost-answer",
)
def idempotent_repeated() -> None:
    """Idempotent by RFC 9110 section 9.2.2, but not for whoever wrote in between."""

    @in_place_of(upstream.Upstream, "_attempt")
    async def attempt(original: Any, self: Any, request: ApiRequest, *more: Any) -> Any:
        try:
            return await original(self, request, *more)
        except ToolFailure as failure:
            if failure.code != "outcome_unknown" or request.method not in ("PUT", "DELETE"):
                raise
        return await original(self, request, *more)
