"""Proxies whose log holds what callers wrote, or lacks what operators look for."""

import contextlib
import sys
from types import SimpleNamespace
from typing import Any

from mutants.table import mutant
from support import changed_calls
from support.changed_calls import Arguments, Pairs
from support.patching import patch
from support.token_doors import claims
from toolbridge_proxy import edge, logs, signing, tokens, tools, upstream


def _write(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@mutant(
    "M-L04",
    "what callers write is logged raw, line breaks and all",
    rows="LOG-06",
    cause="hygiene-log-injection",
)
def raw_log() -> None:
    """An f-string as a log line."""

    def make(original: Any) -> Any:
        async def operate(self: Any, given: Arguments, scope: Any) -> Any:
            _write(f"call {self.model.__name__} {given.get('uid')}")
            return await original(self, given, scope)

        return operate

    patch(tools.Operate, "__call__", make)


@mutant(
    "M-L05",
    "requests to the Go API leave no line in the log",
    rows="LOG-07",
    cause="hygiene-log-line",
)
def no_audit_line() -> None:
    """Only failures are worth a line, somebody thought."""
    silent = SimpleNamespace(info=lambda *_, **__: None, warning=logs.log.warning)
    patch(upstream, "log", lambda _: silent)


@mutant(
    "line-without-tenant",
    "the line of an upstream request does not say for which tenant",
    rows="LOG-07",
    cause="hygiene-log-line",
)
def line_without_tenant() -> None:
    """With one tenant for each deployment it seemed superfluous."""

    def make(original: Any) -> Any:
        def info(event: str, **fields: Any) -> None:
            fields.pop("tenant_id", None)
            original.info(event, **fields)

        return SimpleNamespace(info=info, warning=original.warning)

    patch(upstream, "log", make)
    patch(tools, "log", lambda original: SimpleNamespace(**_quiet(original)))


def _quiet(original: Any) -> dict[str, Any]:
    return {"info": lambda *_, **__: None, "exception": original.exception}


@mutant(
    "token-logged",
    "the token of each call is logged",
    rows="LOG-01",
    cause="hygiene-no-secret-in-logs",
)
def token_logged() -> None:
    """To see who calls."""

    def make(original: Any) -> Any:
        async def caller(self: Any, authorization: str | None) -> tokens.Caller:
            logs.log.info("request", authorization=authorization)
            verified: tokens.Caller = await original(self, authorization)
            return verified

        return caller

    patch(tokens.TokenVerifier, "caller", make)


def _signatures_logged(digits: int) -> None:
    def make(original: Any) -> Any:
        def headers(self: Any) -> Pairs:
            made: Pairs = original(self)
            logs.log.info("signed", signature=made[2][1][:digits])
            return made

        return headers

    patch(signing.Signer, "headers", make)


@mutant(
    "signature-logged",
    "the whole signature of each request is logged",
    rows="LOG-01",
    cause="hygiene-no-secret-in-logs",
)
def signature_logged() -> None:
    """To compare it with the other side's."""
    _signatures_logged(64)


@mutant(
    "signature-start-logged",
    "a quarter of the signature of each request is logged",
    rows="LOG-01",
    cause="hygiene-no-secret-in-logs",
)
def signature_start_logged() -> None:
    """More than one needs to tell two of them apart."""
    _signatures_logged(16)


@mutant(
    "arguments-logged",
    "the arguments of each call are logged",
    rows="LOG-09",
    cause="hygiene-no-secret-in-logs",
)
def arguments_logged() -> None:
    """A note's text is one of them."""

    def take(tool: str, given: Arguments) -> Arguments:
        logs.log.info("arguments", tool=tool, given=given)
        return {}

    changed_calls.arguments(take)


@mutant(
    "refused-token-logged",
    "the token of a refused call is logged, so that one can look at it",
    rows="LOG-01",
    cause="hygiene-no-secret-in-logs",
)
def refused_logged() -> None:
    """A token that is refused here may be good elsewhere."""

    def make(original: Any) -> Any:
        async def caller(self: Any, authorization: str | None) -> tokens.Caller:
            try:
                verified: tokens.Caller = await original(self, authorization)
            except tokens.Denied as denied:
                logs.log.warning("refused", reason=denied.reason, given=authorization)
                raise
            return verified

        return caller

    patch(tokens.TokenVerifier, "caller", make)


@mutant(
    "name-logged-raw",
    "the name in each token that comes is logged raw",
    rows="LOG-06",
    cause="hygiene-log-injection",
)
def name_logged_raw() -> None:
    """Before the token is verified, and the name with it."""

    def make(original: Any) -> Any:
        def parse(token: str) -> Any:
            with contextlib.suppress(ValueError, LookupError, TypeError, RecursionError):
                _write(f"user {claims(token)['sub']}")
            return original(token)

        return parse

    patch(tokens, "_parse", make)


@mutant(
    "agent-logged-raw",
    "the User-Agent of each request is logged raw",
    rows="LOG-06",
    cause="hygiene-log-injection",
)
def agent_logged_raw() -> None:
    """A terminal that shows the log obeys what stands there."""

    def make(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            agent = dict(scope.get("headers", ())).get(b"user-agent", b"")
            _write(f"from {agent.decode('latin-1')}")
            await original(self, scope, receive, send)

        return call

    patch(edge.Edge, "__call__", make)
