"""The TLS connection to the Go API: whose certificate is believed, and what a refusal is called."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from toolbridge_harness.fronts.tls import GOOD, TlsRelay
from toolbridge_harness.fronts.views import over_tls
from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import Untestable, require, require_equal

# A start, and up to eight calls of which each may take the deadline where both cores are busy.
_SECONDS = 90.0


@asynccontextmanager
async def _control(target: Target) -> AsyncIterator[tuple[Caller, TlsRelay]]:
    """Yield a caller whose calls work with a good certificate, before and after."""
    async with over_tls(target) as (secured, relay):
        caller = secured.caller()
        await caller.control()
        if not relay.received:
            raise Untestable("the control reached the Go API on another way than through TLS")
        yield caller, relay
        await relay.present(GOOD)
        await caller.control()


@check(
    "resilience-upstream-certificate",
    "Nothing is sent to a Go API whose certificate does not hold",
    severity=Severity.CRITICAL,
    catalogue="RES-26",
    source="CWE-295; RFC 9110 §4.3.4; RFC 8996",
    remedy="Leave certificate and host name verification on; trust TOOLBRIDGE_UPSTREAM_CA_FILE.",
    why="Whoever gets between proxy and Go API reads the token and the signature of every caller.",
    needs={Vantage.TOKENS, Vantage.UPSTREAM, Vantage.RESTART},
    seconds=_SECONDS,
    explained_by=("control-token",),
    broken="requests are sent to a Go API whose certificate does not hold",
)
async def bad_certificates_are_refused(target: Target, caller: Caller) -> None:
    """Serves the Go API over TLS: expired, self-signed, misnamed, of a stranger, and too old."""
    async with _control(target) as (user, relay):
        for what in relay.bad:
            await relay.present(what)
            sent, came = relay.received, relay.listener.accepted
            reply = await user.call("list_notes", {"limit": 1})
            require(not reply.ok, f"list_notes to fail with {what}", reply.brief)
            require_equal(0, relay.received - sent, f"bytes sent to {what}:")
            if relay.listener.accepted == came:
                raise Untestable(f"the proxy did not connect to {what}: {reply.brief}")


@check(
    "resilience-upstream-tls-code",
    "A certificate that does not hold is upstream_tls, also for a write",
    severity=Severity.MEDIUM,
    catalogue="RES-26",
    source="error contract: TLS, nothing sent",
    remedy="Tell a failed handshake from a refused connection, and from a lost answer.",
    why="The operator looks for the cause, and a caller told outcome_unknown has to read back.",
    needs={Vantage.TOKENS, Vantage.UPSTREAM, Vantage.RESTART},
    profile=Profile.FULL,
    seconds=_SECONDS,
    explained_by=("control-token", "resilience-upstream-certificate"),
    broken="a failed handshake with the Go API is called something else than upstream_tls",
)
async def failed_handshakes_are_named(target: Target, caller: Caller) -> None:
    """Reads and writes while the Go API's certificate has expired, and while it is too old."""
    async with _control(target) as (user, relay):
        for what in (relay.bad[0], relay.bad[-1]):
            await relay.present(what)
            reply = await user.call("list_notes", {"limit": 1})
            require_equal("upstream_tls", reply.code, f"code of a read with {what}:")
            note = {"title": user.text(), "content": "x"}
            reply = await user.call("create_note", note)
            require_equal("upstream_tls", reply.code, f"code of a create with {what}:")
