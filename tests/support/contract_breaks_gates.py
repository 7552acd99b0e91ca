"""Ways in which the mock's gates can be wrong, and the cases that notice each."""

import hashlib
from typing import Any

from support.contract_breaks_base import Break, Patch, constant, status, without
from toolbridge_contract import signing
from toolbridge_contract.mock import (
    api,
    epoch,
    golang,
    jwt_gate,
    messages,
    rate,
    sessions,
    tenant_gate,
)
from toolbridge_contract.mock.messages import Call, Refused, Request, Response
from toolbridge_contract.signing import Rejection


def _any_signature(patch: Patch) -> None:
    real = tenant_gate.judge

    def judge(request: Request, secret: str, now_ns: int) -> Rejection | None:
        found = real(request, secret, now_ns)
        return None if found is Rejection.SIGNATURE else found

    patch.setattr("toolbridge_contract.mock.api.judge", judge)


def _any_case_of_hex(patch: Patch) -> None:
    real = signing.verify
    patch.setattr(
        tenant_gate,
        "verify",
        lambda t, s, mac, secret, now: real(t, s, mac and mac.lower(), secret, now),
    )


def _seconds_too(patch: Patch) -> None:
    real = golang.parse_int

    def parse(text: str) -> Any:
        found = real(text)
        return found._replace(value=found.value * 1000) if len(text) == 10 else found

    patch.setattr(signing, "parse_int", parse)


def _tenant_gate_first(patch: Patch) -> None:
    def identify(self: api.GoApi, call: Call) -> Any:
        now_ns = self.clock.now_ns()
        if tenant_gate.judge(call.request, self.tenant_secret, now_ns) is not None:
            raise Refused(messages.text_answer(401, "Unauthorized: invalid tenant headers"))
        return self.users.get(self._jwt.subject(call.headers.get(b"authorization"), now_ns))

    patch.setattr(api.GoApi, "_identify", identify)


def _epoch_before_rate(patch: Patch) -> None:
    real = rate.RateLimit.admit

    def admit(self: rate.RateLimit, call: Call, user: Any) -> None:
        epoch.admit(call, user)
        real(self, call, user)

    patch.setattr(rate.RateLimit, "admit", admit)


def _bucket_per_entity(patch: Patch) -> None:
    real = rate.RateLimit.admit

    def admit(self: rate.RateLimit, call: Call, user: Any) -> None:
        real(self, call, (user, call.request.target.split("/")[2].partition("?")[0]))  # type: ignore[arg-type]

    patch.setattr(rate.RateLimit, "admit", admit)


def _bearer_in_any_case(patch: Patch) -> None:
    real = jwt_gate.JwtGate.subject

    def subject(self: jwt_gate.JwtGate, value: str | None, now_ns: int) -> str:
        if value is not None and value[:7].lower() == "bearer ":
            value = "Bearer " + value[7:]
        return real(self, value, now_ns)

    patch.setattr(jwt_gate.JwtGate, "subject", subject)


def _leeway(patch: Patch) -> None:
    real = jwt_gate._in_time
    patch.setattr(jwt_gate, "_in_time", lambda token, now: real(token, now - 60 * 10**9))


def _missing_epoch_passes(patch: Patch) -> None:
    real = epoch.admit
    patch.setattr(
        epoch, "admit", lambda call, user: b"x-sync-epoch" in call.headers and real(call, user)
    )


def _use_extends_sessions(patch: Patch) -> None:
    real = sessions.Sessions.find

    def find(self: sessions.Sessions, session_id: str) -> sessions.Session | None:
        found = real(self, session_id)
        if found is not None:
            found.expires_ns = self._clock.now_ns() + 1800 * 10**9
        return found

    patch.setattr(sessions.Sessions, "find", find)


def _one_session_per_user(patch: Patch) -> None:
    real = sessions.Sessions.begin

    def begin(self: sessions.Sessions, user: Any) -> sessions.Session:
        self.drop(user)
        return real(self, user)

    patch.setattr(sessions.Sessions, "begin", begin)


def _wipe_keeps_sessions(patch: Patch) -> None:
    patch.setattr(sessions.Sessions, "drop", lambda self, user: 0)


def _correlation_not_echoed(patch: Patch) -> None:
    real = api._call

    def call(request: Request, query: str) -> Call:
        found = real(request, query)
        found.correlation_id = "generated"
        return found

    patch.setattr(api, "_call", call)


def _last_header_wins(patch: Patch) -> None:
    real = messages.first_values
    patch.setattr(messages, "first_values", lambda headers: real(headers[::-1]))


def _retry_after_missing(patch: Patch) -> None:
    real = api.GoApi.respond

    def respond(self: api.GoApi, request: Request) -> Response:
        found = real(self, request)
        without(b"Retry-After")(found)
        return found

    patch.setattr(api.GoApi, "respond", respond)


GATE_BREAKS = (
    Break(
        "any signature passes",
        _any_signature,
        (
            "tenant-signature-of-zeros",
            "tenant-signature-by-another-secret",
            "tenant-signature-for-another-tenant",
            "tenant-timestamp-altered",
        ),
    ),
    Break("hex in any case passes", _any_case_of_hex, ("tenant-signature-upper-case",)),
    Break(
        "the window is 600 s",
        constant(signing, "MAX_SKEW_SECONDS", 600.0),
        ("tenant-past-301s", "tenant-future-301s", "tenant-past-300.2s", "tenant-future-300.3s"),
    ),
    Break(
        "the window is 299.5 s",
        constant(signing, "MAX_SKEW_SECONDS", 299.5),
        ("tenant-past-299.9s", "tenant-future-299.9s"),
    ),
    Break("a timestamp in seconds passes", _seconds_too, ("tenant-timestamp-in-seconds",)),
    Break(
        "tenant headers are looked at before the JWT",
        _tenant_gate_first,
        ("jwt-before-tenant", "jwt-user-before-tenant-on-notes"),
    ),
    Break("the epoch is looked at before the rate", _epoch_before_rate, ("rate-before-epoch",)),
    Break(
        "409 in place of 428",
        status(sessions, "error_answer", 428, 409),
        ("session-missing", "session-unknown", "wipe-ends-its-own-session"),
    ),
    Break(
        "401 in place of 403 for a foreign session",
        status(sessions, "error_answer", 403, 401),
        ("session-foreign",),
    ),
    Break(
        "a bucket per entity", _bucket_per_entity, ("rate-shared-by-tasks", "rate-shared-by-chats")
    ),
    Break("no Retry-After", _retry_after_missing, ("rate-exhausted",)),
    Break("the burst is 100", constant(rate, "BURST", 100), ("rate-burst",)),
    Break("the burst is 200", constant(rate, "BURST", 200), ("rate-burst",)),
    Break("nothing comes back", constant(rate, "TOKENS_PER_SECOND", 0.1), ("rate-refills",)),
    Break(
        "the burst is said to be 60",
        constant(rate, "_BURST_HEADER", (b"X-Ratelimit-Burst", b"60")),
        ("flow-create", "rate-exhausted"),
    ),
    Break("bearer in any case", _bearer_in_any_case, ("jwt-lower-case-scheme",)),
    Break("60 s of leeway", _leeway, ("jwt-expired-1s",)),
    Break(
        "only HS256",
        constant(jwt_gate, "_HASHES", {"HS256": hashlib.sha256}),
        ("jwt-hs384", "jwt-hs512"),
    ),
    Break(
        "a missing epoch passes",
        _missing_epoch_passes,
        ("epoch-missing", "epoch-missing-with-correlation-id"),
    ),
    Break(
        "tenants do not share rows",
        lambda _: None,
        ("scope-read-under-other-tenant", "scope-list-under-other-tenant"),
        (("tenant_scoped", True),),
    ),
    Break(
        "use extends a session",
        _use_extends_sessions,
        ("expiry-gone-at-31-minutes", "expiry-get-at-31-minutes"),
    ),
    Break(
        "sessions last an hour",
        constant(sessions, "LIFETIME_SECONDS", 3600.0),
        ("session-lasts-30-minutes", "expiry-gone-at-31-minutes"),
    ),
    Break(
        "one session per user",
        _one_session_per_user,
        ("session-second-does-not-end-first",),
    ),
    Break(
        "a wipe keeps sessions",
        _wipe_keeps_sessions,
        ("wipe-ends-its-own-session", "wipe-ends-the-other-session"),
    ),
    Break(
        "the client's correlation id is not echoed",
        _correlation_not_echoed,
        ("header-correlation-twice", "correlation-on-404"),
    ),
    Break(
        "the last of repeated headers wins",
        _last_header_wins,
        ("header-authorization-twice-good-bad", "header-if-match-twice-bad-good"),
    ),
)
