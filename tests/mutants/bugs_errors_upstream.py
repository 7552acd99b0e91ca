"""Proxies that send writes again, keep what the Go API sets, or read whatever it sends."""

from typing import Any

import httpx

from mutants.table import mutant
from support.patching import patch
from toolbridge_proxy import answers, sessions, upstream
from toolbridge_proxy.errors import ToolFailure


@mutant(
    "shared-jar",
    "one cookie jar serves all callers",
    rows="RES-19",
    cause="resilience-cookies",
)
def shared_jar() -> None:
    """As a shared HTTP client has it."""
    jar = httpx.Cookies()

    def make_read(original: Any) -> Any:
        async def read(response: httpx.Response, request: Any) -> answers.Answer:
            response.request = httpx.Request("GET", "http://go-api.internal/")
            jar.extract_cookies(response)
            answer: answers.Answer = await original(response, request)
            return answer

        return read

    def make_headers(original: Any) -> Any:
        def headers(*given: Any) -> list[tuple[str, str]]:
            built: list[tuple[str, str]] = original(*given)
            kept = {cookie.name: cookie.value for cookie in jar.jar}
            pairs = "; ".join(f"{name}={value}" for name, value in kept.items())
            return [*built, ("Cookie", pairs)] if pairs else built

        return headers

    patch(upstream, "_read", make_read)
    patch(upstream.Upstream, "_headers", make_headers)


def retried(methods: set[str], attempts: int) -> None:
    """Send requests of these methods so often again after an error of the Go API."""

    def make(original: Any) -> Any:
        async def attempt(self: Any, request: Any, call: Any, session: Any) -> Any:
            for _ in range(attempts if request.method in methods else 0):
                try:
                    return await original(self, request, call, session)
                except ToolFailure as failure:
                    if failure.status is None or failure.session_lost:
                        raise
            return await original(self, request, call, session)

        return attempt

    patch(upstream.Upstream, "_attempt", make)


@mutant(
    "retry-post",
    "a POST that is answered with an error is sent again",
    rows="RES-09",
    cause="resilience-create-once",
)
def retry_post() -> None:
    """The retry policy does not look at the method."""
    retried({"POST"}, 1)


@mutant(
    "retry-sessions",
    "making a session is tried three times, whatever the others do",
    rows="RES-13 RES-14",
    cause="resilience-amplification",
)
def retry_sessions() -> None:
    """Three times as much for a Go API that cannot do with once."""

    def make(original: Any) -> Any:
        async def made(self: Any, principal: Any, call: Any) -> Any:
            for _ in range(2):
                try:
                    return await original(self, principal, call)
                except ToolFailure:
                    continue
            return await original(self, principal, call)

        return made

    patch(sessions.Sessions, "_make", make)


@mutant(
    "unpack",
    "answers are read whole and unpacked",
    rows="RES-18",
    cause="resilience-huge-answers",
)
def unpack() -> None:
    """As an HTTP client does by default."""

    async def read(response: httpx.Response, request: Any) -> answers.Answer:
        body = await response.aread()
        headers = response.headers
        kind, retry_after = headers.get("content-type", ""), headers.get("retry-after")
        return answers.Answer(response.status_code, body, kind, retry_after)

    patch(upstream, "_read", lambda _: read)
