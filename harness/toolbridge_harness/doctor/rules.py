"""The rules of the decision core, as data: which observation at which probe is which cause."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from toolbridge_harness.doctor.model import EDGE_STATUSES, Probe

BAD_HEADERS = "invalid tenant headers"
# The window of the Go API, and the skew below which it cannot be the clock.
WINDOW_SECONDS, SAFE_SECONDS = 300.0, 240.0
# Answered by the Go API in more than this, where `info` takes under a second: its database.
SLOW_MS, QUICK_MS = 3000, 1000

# What a tool error says about the proxy's way to the Go API (the error contract's codes).
CODES: dict[str, str] = {
    "tenant_headers_rejected": "tenant_headers",
    "upstream_token_rejected": "api_jwt_key",
    "upstream_dns": "api_dns",
    "upstream_tls": "api_tls",
    "upstream_unreachable": "api_unreachable",
    "upstream_connect_timeout": "api_unreachable",
    "upstream_redirect": "api_redirect",
    "upstream_timeout": "api_slow",
    "busy": "api_slow",
    "upstream_unavailable": "api_unavailable",
    "upstream_bad_response": "api_other_service",
    "upstream_rejected": "api_other_service",
    "upstream_error": "api_error",
    "outcome_unknown": "api_unavailable",
    "session_unavailable": "sync_session",
    "upstream_forbidden": "foreign_session",
    "epoch_mismatch": "epoch",
    "conflict": "conflict",
    "precondition_failed": "conflict",
    "rate_limited": "rate_limited",
    "unauthenticated": "header_dropped",
    "invalid_token": "header_dropped",
}
# The proxy's own word; the other codes are its reading of what happened beyond it.
OBSERVED = {"header_dropped", "rate_limited", "conflict"}
# More than one cause has this code.
AMBIGUOUS = {"tenant_headers"}


@dataclass(frozen=True)
class Evidence:
    """What the probes saw, by name; a probe that was not made saw nothing."""

    probes: Mapping[str, Probe] = field(default_factory=dict)

    def __call__(self, name: str, fact: str) -> Any:
        """Return a fact, or None where it was not seen."""
        probe = self.probes.get(name)
        return probe.seen.get(fact) if probe else None


@dataclass(frozen=True)
class Rule:
    """A cause, the probe that shows it, and when; the first rule of a probe that applies wins."""

    at: str
    symptom: str
    applies: Callable[[Evidence], bool]
    certain: bool = True
    inferred: bool = False


def _signed(says: str) -> Callable[[Evidence], bool]:
    return lambda e: e("local_time", "says") == says


def _says(e: Evidence, says: str, other_key: bool = False) -> bool:
    """What the Go API says inside; with `other_key` also that the proxy's key is not ours."""
    return bool(_signed(says)(e) and (not other_key or e("config", "jwt_key_equal") is False))


def _bad_headers(e: Evidence) -> bool:
    return bool(e("local_time", "says") == BAD_HEADERS)


def _right_at_upstream_time(e: Evidence) -> bool:
    return bool(e("local_time", "upstream_says") == "created")


def _other_tenant(e: Evidence) -> bool:
    mine, wanted = e("token", "tenant"), e("token", "wanted")
    return bool(mine and wanted and mine != wanted)


def _guarded(probe: str) -> Callable[[Evidence], bool]:
    """Whether the refusal is a guard's, and not the token gate's, which gives a code."""

    def applies(e: Evidence) -> bool:
        status = e(probe, "status")
        unexplained = not e(probe, "challenge") and not e(probe, "code")
        return bool(status == 421 or (status == 403 and unexplained))

    return applies


def _rejected(e: Evidence) -> bool:
    return _bad_headers(e) or bool(e("call", "code") == "tenant_headers_rejected")


def _skewed(e: Evidence) -> bool:
    return bool(abs(e("api_info", "skew") or 0.0) > WINDOW_SECONDS)


def _in_time(e: Evidence) -> bool:
    skew = e("api_info", "skew")
    return skew is not None and abs(skew) < SAFE_SECONDS


def _refused(e: Evidence) -> bool:
    return bool(e("admitted", "status") == 401)


def _silent(e: Evidence) -> bool:
    return bool(e("api_http", "kind") == "ReadTimeout")


def _api_status(e: Evidence) -> int:
    return int(e("api_http", "status") or 0)


def _flaky(probe: str) -> Callable[[Evidence], bool]:
    """Whether some calls got through and others met no app."""

    def applies(e: Evidence) -> bool:
        statuses = e(probe, "statuses") or []
        absent = [status for status in statuses if status is None or status in EDGE_STATUSES]
        return 0 < len(absent) < len(statuses)

    return applies


def _absent(e: Evidence) -> bool:
    statuses = e("health", "statuses") or []
    return bool(statuses) and all(s is None or s in EDGE_STATUSES for s in statuses)


def _absent_once(e: Evidence) -> bool:
    return _code("no_answer")(e) or e("call", "status") in EDGE_STATUSES


def _both_limited(e: Evidence) -> bool:
    return bool(e("call", "code") == e("other_user", "code") == "rate_limited")


def _code(code: str) -> Callable[[Evidence], bool]:
    return lambda e: e("call", "code") == code


def _headers_sometimes(e: Evidence) -> bool:
    return _code("tenant_headers_rejected")(e) and "" in (e("repeat", "codes") or [])


RULES: tuple[Rule, ...] = (
    Rule("resolve", "app_dns", lambda e: bool(e("resolve", "error"))),
    Rule("config", "config_blank", lambda e: bool(e("config", "error") and e("config", "blank"))),
    Rule("config", "config", lambda e: bool(e("config", "error"))),
    Rule(
        "connect",
        "app_family",
        lambda e: bool(e("connect", "v6_only") and not e.probes["connect"].ok),
    ),
    Rule(
        "connect",
        "app_tls_port",
        lambda e: bool(e("connect", "port_80") and not e.probes["connect"].ok),
    ),
    Rule("connect", "app_connect", lambda e: not e.probes["connect"].ok),
    Rule("tls", "app_tls", lambda e: bool(e("tls", "error"))),
    Rule("edge", "plain_http", lambda e: bool(e("edge", "to_https"))),
    Rule("health", "edge", _absent),
    Rule("health", "unsteady", _flaky("health")),
    Rule("initialize", "unknown_method", lambda e: e("initialize", "rpc") == -32601),
    Rule("initialize", "wrong_path", lambda e: e("initialize", "status") == 404),
    Rule("initialize", "plain_http", lambda e: 300 <= (e("initialize", "status") or 0) < 400),
    Rule("initialize", "host_guard", _guarded("initialize")),
    Rule(
        "initialize",
        "client_headers",
        lambda e: (
            e("initialize", "status") in {400, 405, 406, 415}
            or e("initialize", "rpc") in {-32020, -32022}
        ),
    ),
    Rule("token", "token_expired", lambda e: bool(e("token", "expired"))),
    Rule("token", "token_not_yet", lambda e: bool(e("token", "not_yet"))),
    Rule("token", "token_form", lambda e: bool(e("token", "problem"))),
    Rule(
        "token", "tenant_mismatch", lambda e: _other_tenant(e) and bool(e("token", "wanted_inside"))
    ),
    Rule("no_token", "no_auth_needed", lambda e: bool(e("no_token", "ok"))),
    *(
        Rule(rung, "gate_open", lambda e, rung=rung: bool(e(rung, "ok")))  # type: ignore[misc]
        for rung in ("garbage", "wrong_key", "expired", "other_tenant")
    ),
    Rule("admitted", "host_guard", _guarded("admitted")),
    Rule("admitted", "tenant_mismatch", lambda e: e("admitted", "code") == "forbidden_tenant"),
    Rule(
        "admitted",
        "tenant_mismatch",
        lambda e: e("admitted", "status") in {401, 403} and _other_tenant(e),
    ),
    Rule(
        "admitted", "token_refused", lambda e: _refused(e) and bool(e("admitted", "minted_works"))
    ),
    Rule("admitted", "jwt_key_both", lambda e: _refused(e) and _says(e, "unauthorized", True)),
    Rule(
        "admitted",
        "jwt_key_both",
        lambda e: _refused(e) and _says(e, "unauthorized"),
        certain=False,
    ),
    Rule("admitted", "proxy_jwt_key", lambda e: _refused(e) and _says(e, "created", True)),
    Rule("admitted", "proxy_jwt_key", _refused, certain=False),
    Rule("api_dns", "api_dns", lambda e: bool(e("api_dns", "error"))),
    Rule("api_tcp", "api_unreachable", lambda e: not e.probes["api_tcp"].ok),
    Rule("api_http", "api_tls", lambda e: "SSL" in (e("api_http", "error") or "")),
    Rule("api_http", "api_unreachable", lambda e: not _api_status(e) and not _silent(e)),
    Rule("api_http", "api_slow", _silent),
    Rule("api_http", "api_redirect", lambda e: 300 <= _api_status(e) < 400),
    Rule("api_http", "api_unavailable", lambda e: _api_status(e) in EDGE_STATUSES),
    Rule(
        "api_http",
        "api_other_service",
        lambda e: 200 <= _api_status(e) < 500 and not e.probes["api_http"].ok,
    ),
    Rule("api_http", "api_error", lambda e: _api_status(e) >= 500),
    Rule("api_info", "api_slow", lambda e: e("api_info", "kind") == "ReadTimeout"),
    Rule("api_info", "api_other_service", lambda e: not e.probes["api_info"].ok),
    Rule("secret", "tenant_secret", lambda e: e("secret", "equal") is False and _rejected(e)),
    Rule("local_time", "later_generation", _signed("missing tenant header")),
    Rule(
        "local_time",
        "api_jwt_key",
        lambda e: _says(e, "unauthorized") and e("call", "code") == "upstream_token_rejected",
    ),
    Rule("local_time", "api_jwt_key", _signed("unauthorized"), certain=False),
    Rule("local_time", "clock_skew", lambda e: _bad_headers(e) and _right_at_upstream_time(e)),
    Rule(
        "local_time", "headers_stripped", lambda e: _bad_headers(e) and e("secret", "equal") is True
    ),
    Rule("local_time", "tenant_secret", _bad_headers, certain=False),
    Rule("local_time", "api_slow", lambda e: e("local_time", "kind") == "ReadTimeout"),
    Rule("local_time", "rate_limited", lambda e: e("local_time", "status") == 429),
    Rule("local_time", "api_unavailable", lambda e: e("local_time", "status") in EDGE_STATUSES),
    Rule("local_time", "api_error", lambda e: e("local_time", "status") == 500),
    Rule("local_time", "foreign_session", lambda e: e("local_time", "status") == 403),
    Rule(
        "local_time",
        "api_slow",
        lambda e: (e("local_time", "ms") or 0) > SLOW_MS and (e("api_info", "ms") or 0) < QUICK_MS,
    ),
    Rule("unsigned", "not_enforced", lambda e: e("unsigned", "says") == "created"),
    Rule("flipped", "not_enforced", lambda e: e("flipped", "says") == "created"),
    Rule("call", "rate_shared", _both_limited),
    Rule("call", "mcp_session", lambda e: bool(e("call", "session_lost"))),
    Rule("call", "unsteady", lambda e: _absent_once(e) and "" in (e("repeat", "codes") or [])),
    Rule("call", "edge", lambda e: e("call", "status") in EDGE_STATUSES),
    Rule("call", "api_slow", _code("no_answer"), certain=False, inferred=True),
    Rule("call", "tenant_headers_sometimes", _headers_sometimes),
    Rule(
        "call",
        "tenant_headers_sometimes",
        lambda e: _code("tenant_headers_rejected")(e) and _signed("created")(e),
        certain=False,
    ),
    Rule(
        "call",
        "clock_skew",
        lambda e: _code("tenant_headers_rejected")(e) and _skewed(e),
        certain=False,
    ),
    Rule(
        "call",
        "headers_stripped",
        lambda e: _rejected(e) and _in_time(e) and e("secret", "equal") is True,
        certain=False,
    ),
    Rule(
        "call",
        "tenant_secret",
        lambda e: _rejected(e) and _in_time(e),
        certain=False,
    ),
    Rule(
        "call",
        "header_not_forwarded",
        lambda e: _code("upstream_token_rejected")(e) and _signed("created")(e),
        certain=False,
    ),
    Rule("repeat", "mcp_session", lambda e: bool(e("repeat", "session_lost"))),
    Rule(
        "repeat",
        "tenant_headers_sometimes",
        lambda e: "tenant_headers_rejected" in (e("repeat", "codes") or []),
    ),
    Rule("repeat", "unsteady", _flaky("repeat")),
    Rule("canary", "lost_update", lambda e: bool(e("canary", "stale_accepted"))),
    Rule("canary", "identity", lambda e: e("canary", "found") == 0),
    Rule("canary", "duplicates", lambda e: (e("canary", "found") or 0) > 1),
    Rule("steady", "cold_start", lambda e: not e.probes["steady"].ok),
    Rule("clock", "own_clock", lambda e: not e.probes["clock"].ok),
)
