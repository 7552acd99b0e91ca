"""Proxies that sign at the wrong time, or take a refused signature for something else."""

import time
from contextvars import ContextVar
from typing import Any

from mutants.table import mutant
from support.patching import patch
from toolbridge_proxy import calls, errors, signing, upstream
from toolbridge_proxy.edge import rpc_error

Pairs = list[tuple[str, str]]


@mutant(
    "M-S03",
    "a signature is kept for ten minutes",
    rows="SIG-04 SIG-10",
    cause="signing-fresh",
)
def cached_signature() -> None:
    """Made once and used again, as if it were a token."""
    kept: list[tuple[float, Pairs]] = []

    def make(original: Any) -> Any:
        def headers(self: signing.Signer) -> Pairs:
            if not kept or time.monotonic() > kept[-1][0] + 600:
                kept.append((time.monotonic(), original(self)))
            return kept[-1][1]

        return headers

    patch(signing.Signer, "headers", make)


_EARLY: ContextVar[Pairs | None] = ContextVar("early", default=None)


def _signed_early(where: str) -> None:
    """Sign when `where` begins, for all that follows in it."""

    def make_step(original: Any) -> Any:
        async def step(self: Any, *given: Any) -> Any:
            _EARLY.set(self._signer.headers())
            return await original(self, *given)

        return step

    def make_sign(original: Any) -> Any:
        def sign(self: signing.Signer, headers: Pairs) -> Pairs:
            early = _EARLY.get()
            return original(self, headers) if early is None else [*headers, *early]

        return sign

    patch(upstream.Upstream, where, make_step)
    patch(signing.Signer, "sign", make_sign)


@mutant(
    "retry-replays",
    "a retry carries the signature of the first attempt",
    rows="SIG-06",
    cause="signing-retry",
)
def replayed_on_retry() -> None:
    """The headers are part of the request, which is sent again as it is."""
    _signed_early("send")


@mutant(
    "M-S13",
    "refused tenant headers are passed off as the caller's bad token",
    rows="ERR-02 SIG-10",
    cause="errors-tenant-rejection",
)
def client_401() -> None:
    """Any 401 of the Go API becomes the client's."""

    def make(original: Any) -> Any:
        def answer(request_id: Any, result: errors.Result, end: bytes) -> Any:
            if result.outcome in ("tenant_headers_rejected", "upstream_token_rejected"):
                return rpc_error(401, -31401, "invalid token", request_id)
            return original(request_id, result, end)

        return answer

    patch(calls, "_answer", make)


@mutant(
    "skew-unnamed",
    "the error for refused tenant headers says nothing about clocks",
    rows="SIG-10",
    cause="signing-clock",
)
def skew_unnamed() -> None:
    """Right code, no help."""
    told = {**errors.MESSAGES, "tenant_headers_rejected": "The Go API refused the headers."}
    patch(errors, "MESSAGES", lambda _: told)


@mutant(
    "skew-retried",
    "refused tenant headers are signed and sent again, five times",
    rows="ERR-02 SIG-10",
    cause="errors-tenant-rejection",
)
def skew_retried() -> None:
    """As if the next signature could be better."""

    def make(original: Any) -> Any:
        async def exchange(self: Any, request: Any, call: Any, session: Any) -> Any:
            for _ in range(4):
                answer = await original(self, request, call, session)
                if answer.status != 401:
                    return answer
            return await original(self, request, call, session)

        return exchange

    patch(upstream.Upstream, "_exchange", make)
