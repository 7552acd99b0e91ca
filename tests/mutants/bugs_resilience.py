"""Proxies that take a Go API in trouble badly: down, slow, or sending odd answers."""

import asyncio
from typing import Any

import httpx

from mutants.bugs_errors_upstream import retried
from mutants.table import mutant
from support.patching import patch
from toolbridge_proxy import answers, upstream
from toolbridge_proxy.errors import ToolFailure


def _exchange(make: Any) -> None:
    patch(upstream.Upstream, "_exchange", make)


@mutant(
    "M-Q03",
    "the deadline starts anew with every byte of an answer",
    rows="RES-05",
    cause="resilience-drip",
)
def per_read_timeout() -> None:
    """httpx's own time-out, which is per operation, is the only one."""

    def make(_: Any) -> Any:
        async def exchange(self: Any, request: Any, call: Any, session: Any) -> Any:
            sent = httpx.Request(
                request.method,
                httpx.URL(self._base_url + request.path, params=request.query or None),
                headers=self._signer.sign([*self._headers(request, call), *session]),
                content=request.body,
                extensions={"timeout": httpx.Timeout(self.timeout_seconds).as_dict()},
            )
            response: httpx.Response | None = None
            try:
                response = await next(self._turns).handle_async_request(sent)
                return await upstream._read(response, request)
            except httpx.TimeoutException as error:
                answered = response is not None
                timeout = TimeoutError(str(error))
                raise upstream._transport_failure(timeout, answered, request.lost) from None
            except httpx.TransportError as error:
                answered = response is not None
                raise upstream._transport_failure(error, answered, request.lost) from None

        return exchange

    _exchange(make)


@mutant(
    "refused-waits",
    "a refused connection is tried until the deadline",
    rows="RES-01",
    cause="resilience-refused",
)
def refused_waits() -> None:
    """Connects again and again, as a client does that takes any failure for a slow start."""

    def make(original: Any) -> Any:
        async def exchange(self: Any, request: Any, call: Any, session: Any) -> Any:
            while True:
                try:
                    return await original(self, request, call, session)
                except ToolFailure as failure:
                    if failure.code != "upstream_unreachable" or not failure.repeatable:
                        raise
                await asyncio.sleep(0.1)

        return exchange

    _exchange(make)


@mutant(
    "refused-unknown",
    "a write that met a refused connection is said to be of unknown outcome",
    rows="RES-01",
    cause="resilience-refused",
)
def refused_unknown() -> None:
    """Every failure of the transport is taken for a lost answer."""

    def make(original: Any) -> Any:
        def failure(error: Exception, answered: bool, lost: str | None) -> ToolFailure:
            if isinstance(error, httpx.ConnectError) and lost is not None:
                return ToolFailure("outcome_unknown", message=lost)
            judged: ToolFailure = original(error, answered, lost)
            return judged

        return failure

    patch(upstream, "_transport_failure", make)


@mutant(
    "M-Q08",
    "after thirty refused connections the pool is dead until the proxy is restarted",
    rows="RES-21",
    cause="resilience-recovery",
)
def dead_pool() -> None:
    """What counts failures is never set back by a success."""
    refused: list[str] = []

    def make(original: Any) -> Any:
        async def exchange(self: Any, *given: Any) -> Any:
            if len(refused) > 30:
                raise ToolFailure("upstream_unreachable")
            try:
                return await original(self, *given)
            except ToolFailure as failure:
                if failure.code == "upstream_unreachable":
                    refused.append(failure.code)
                raise

        return exchange

    _exchange(make)


@mutant(
    "retry-reads",
    "each failed read is tried three times and then retried",
    rows="RES-10 RES-13",
    cause="resilience-amplification",
)
def retry_reads() -> None:
    """The attempts of two layers multiply."""
    retried({"GET"}, 2)


@mutant(
    "retry-resets",
    "a read that is reset is tried five times",
    rows="RES-06",
    cause="resilience-read-attempts",
)
def retry_resets() -> None:
    """Transport retries below the retry policy."""

    def make(original: Any) -> Any:
        async def exchange(self: Any, request: Any, call: Any, session: Any) -> Any:
            for _ in range(4):
                try:
                    return await original(self, request, call, session)
                except ToolFailure as failure:
                    if failure.code != "upstream_unreachable" or request.method != "GET":
                        raise
            return await original(self, request, call, session)

        return exchange

    _exchange(make)


@mutant(
    "retry-after-number",
    "Retry-After is taken for a number, whatever it is",
    rows="RES-12",
    cause="resilience-retry-after",
)
def retry_after_number() -> None:
    """A date, or two values, end in a ValueError."""
    patch(answers, "_retry_after", lambda _: lambda value: None if value is None else int(value))


@mutant(
    "few-headers",
    "an answer with more than a hundred headers crashes the call",
    rows="RES-25",
    cause="resilience-odd-answers",
)
def few_headers() -> None:
    """A limit that raises what nobody catches."""

    def make(original: Any) -> Any:
        async def read(response: httpx.Response, request: Any) -> Any:
            if len(response.headers) > 100:
                raise RuntimeError("too many headers")
            return await original(response, request)

        return read

    patch(upstream, "_read", make)
