"""What the probes saw of a sound deployment, and of one for every cause: input of `decide`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from toolbridge_harness.doctor.model import ORDER, Probe

Facts = Mapping[str, Any]
CREATED = {"says": "created", "status": 201, "ms": 3.0, "kind": None}
REJECTED = {"says": "invalid tenant headers", "status": 401, "ms": 1.0, "kind": None}
REFUSED = {"says": "unauthorized", "status": 401, "ms": 1.0, "kind": None}

SOUND: dict[str, Facts] = {
    "resolve": {},
    "config": {"error": None, "blank": [], "jwt_key_equal": True},
    "connect": {"v6_only": False, "port_80": False},
    "tls": {"error": None},
    "edge": {"to_https": False, "resource_metadata": 200},
    "health": {"statuses": [200] * 5},
    "initialize": {"status": 200, "rpc": None, "challenge": None, "code": ""},
    "token": {"expired": False, "not_yet": False, "problem": None, "tenant": "t", "wanted": "t"},
    **{
        name: {"status": 401, "ok": False, "code": "invalid_token"}
        for name in ("no_token", "garbage", "wrong_key", "expired", "other_tenant")
    },
    "admitted": {"status": 200, "code": "", "challenge": None},
    "api_dns": {"error": None},
    "api_tcp": {},
    "api_http": {"status": 200, "body": "ok", "ms": 5.0},
    "api_info": {"status": 200, "ms": 2.0, "skew": 0.01},
    "local_time": {**CREATED, "upstream_says": "created"},
    "garbage_token": REFUSED,
    "unsigned": REJECTED,
    "flipped": REJECTED,
    "window": {},
    "binding": {},
    "call": {"code": "", "status": 200, "session_lost": False},
    "repeat": {"codes": [""] * 6, "statuses": [200] * 6, "session_lost": False},
    "canary": {"codes": [], "stale_accepted": False, "found": 1},
    "steady": {},
    "clock": {},
}
INSIDE = ("config", *ORDER[ORDER.index("api_dns") : ORDER.index("call")])


@dataclass(frozen=True)
class Recording:
    """A cause, the probe that shows it first, and what is not as in SOUND."""

    cause: str
    at: str
    changed: Mapping[str, Facts] = field(default_factory=dict)
    certain: bool = True
    inferred: bool = False
    outside_only: bool = False
    absent: tuple[str, ...] = ()

    def probes(self) -> list[Probe]:
        return recorded(self.changed, (*self.absent, *(INSIDE if self.outside_only else ())))


def recorded(changed: Mapping[str, Facts], absent: tuple[str, ...] = ()) -> list[Probe]:
    """Return the sound recording with changes; a changed probe is not ok, unless it says `ok`."""
    if "admitted" in changed:
        absent = (*absent, "call", "repeat", "canary")
    if "call" in changed and "repeat" not in changed:
        changed = {**changed, "repeat": {"codes": [changed["call"]["code"]] * 6}}
    names = [name for name in ORDER if name in SOUND or name in changed]
    return [
        Probe(
            name,
            "P0",
            f"sent by {name}",
            f"got by {name}",
            "expected",
            name not in changed or changed[name].get("sound", False),
            {**SOUND.get(name, {}), **changed.get(name, {})},
        )
        for name in names
        if name not in absent
    ]


def failing(code: str, at: str = "call", **facts: Any) -> dict[str, Facts]:
    """A call that fails with a code of the error contract."""
    return {at: {"code": code, **facts}}


def through(cause: str, code: str, **fields: Any) -> Recording:
    """A cause that is read from the proxy's error code, from outside."""
    return Recording(cause, "call", failing(code), inferred=True, outside_only=True, **fields)


BAD: dict[str, Facts] = {"local_time": {**REJECTED, "upstream_says": "invalid tenant headers"}}
DENIED = {"status": 401, "code": "invalid_token", "challenge": "Bearer"}
SKEWED: dict[str, Facts] = {"api_info": {"skew": 900.0, "sound": True}}

RECORDINGS: tuple[Recording, ...] = (
    Recording("app_dns", "resolve", {"resolve": {"error": "Name or service not known"}}),
    Recording("app_family", "connect", {"connect": {"v6_only": True}}),
    Recording("app_connect", "connect", {"connect": {}}),
    Recording("app_tls_port", "connect", {"connect": {"port_80": True}}),
    Recording("app_tls", "tls", {"tls": {"error": "certificate has expired"}}),
    Recording("plain_http", "edge", {"edge": {"to_https": True}}),
    Recording("plain_http", "initialize", {"initialize": {"status": 301}}),
    Recording("edge", "health", {"health": {"statuses": [502] * 5}}),
    Recording("edge", "health", {"health": {"statuses": [None] * 5}}),
    Recording("edge", "call", failing("http_503", status=503)),
    Recording("unsteady", "health", {"health": {"statuses": [200, 502, 200, None, 200]}}),
    Recording(
        "unsteady", "repeat", {"repeat": {"codes": ["", "no_answer"], "statuses": [200, None]}}
    ),
    Recording(
        "unsteady", "call", failing("no_answer", status=None) | {"repeat": {"codes": ["", ""]}}
    ),
    Recording("wrong_path", "initialize", {"initialize": {"status": 404}}),
    Recording("unknown_method", "initialize", {"initialize": {"status": 404, "rpc": -32601}}),
    Recording("client_headers", "initialize", {"initialize": {"status": 406}}),
    Recording("client_headers", "initialize", {"initialize": {"status": 200, "rpc": -32022}}),
    Recording("host_guard", "initialize", {"initialize": {"status": 421}}),
    Recording("host_guard", "initialize", {"initialize": {"status": 403}}),
    Recording("host_guard", "admitted", {"admitted": {"status": 403}}),
    Recording("token_expired", "token", {"token": {"expired": True}}),
    Recording("token_not_yet", "token", {"token": {"not_yet": True}}),
    Recording("token_form", "token", {"token": {"problem": "alg is 'none'"}}),
    Recording("token_refused", "admitted", {"admitted": {**DENIED, "minted_works": True}}),
    Recording("proxy_jwt_key", "admitted", {"admitted": DENIED}, certain=False),
    Recording("proxy_jwt_key", "admitted", {"admitted": DENIED}, certain=False, outside_only=True),
    Recording(
        "proxy_jwt_key",
        "admitted",
        {"admitted": DENIED, "config": {"jwt_key_equal": False, "sound": True}},
    ),
    Recording("jwt_key_both", "admitted", {"admitted": DENIED, "local_time": REFUSED}, False),
    Recording(
        "jwt_key_both",
        "admitted",
        {
            "admitted": DENIED,
            "local_time": REFUSED,
            "config": {"jwt_key_equal": False, "sound": True},
        },
    ),
    Recording(
        "api_jwt_key", "local_time", {"local_time": REFUSED, **failing("upstream_token_rejected")}
    ),
    Recording(
        "api_jwt_key",
        "local_time",
        {"local_time": REFUSED},
        certain=False,
        absent=("call", "repeat", "canary"),
    ),
    through("api_jwt_key", "upstream_token_rejected"),
    Recording("header_not_forwarded", "call", failing("upstream_token_rejected"), False),
    Recording("tenant_mismatch", "token", {"token": {"wanted": "T", "wanted_inside": True}}),
    Recording(
        "tenant_mismatch", "admitted", {"admitted": {"status": 403, "code": "forbidden_tenant"}}
    ),
    Recording(
        "tenant_mismatch",
        "admitted",
        {"admitted": DENIED, "token": {"wanted": "T", "wanted_inside": False, "sound": True}},
    ),
    Recording("config_blank", "config", {"config": {"error": "x", "blank": ["A is quoted"]}}),
    Recording("tenant_secret", "local_time", BAD, certain=False),
    Recording("tenant_secret", "secret", BAD | {"secret": {"equal": False}}),
    Recording("headers_stripped", "local_time", BAD | {"secret": {"equal": True, "sound": True}}),
    Recording("clock_skew", "local_time", {"local_time": {**REJECTED, "upstream_says": "created"}}),
    through("tenant_headers", "tenant_headers_rejected", certain=False),
    Recording(
        "tenant_headers_sometimes",
        "call",
        {**failing("tenant_headers_rejected"), "repeat": {"codes": ["", ""]}},
        outside_only=True,
    ),
    Recording(
        "tenant_headers_sometimes",
        "repeat",
        {"repeat": {"codes": ["", "tenant_headers_rejected"]}},
        outside_only=True,
    ),
    Recording("tenant_headers_sometimes", "call", failing("tenant_headers_rejected"), False),
    Recording("not_enforced", "unsigned", {"unsigned": CREATED}),
    Recording("not_enforced", "flipped", {"flipped": CREATED}),
    Recording(
        "later_generation",
        "local_time",
        {"local_time": {**REJECTED, "says": "missing tenant header"}},
    ),
    Recording("api_dns", "api_dns", {"api_dns": {"error": "gaierror"}}),
    through("api_dns", "upstream_dns"),
    Recording("api_unreachable", "api_tcp", {"api_tcp": {}}),
    Recording(
        "api_unreachable", "api_http", {"api_http": {"status": None, "kind": "RemoteProtocolError"}}
    ),
    through("api_unreachable", "upstream_unreachable"),
    through("api_unreachable", "upstream_connect_timeout"),
    Recording("api_other_service", "api_http", {"api_http": {"status": 200, "body": "<html>"}}),
    Recording("api_other_service", "api_info", {"api_info": {"status": 404}}),
    through("api_other_service", "upstream_bad_response"),
    Recording(
        "api_tls",
        "api_http",
        {"api_http": {"status": None, "kind": "ConnectError", "error": "[SSL: CERTIFICATE]"}},
    ),
    through("api_tls", "upstream_tls"),
    Recording("api_error", "api_http", {"api_http": {"status": 500}}),
    Recording("api_slow", "api_info", {"api_info": {"status": None, "kind": "ReadTimeout"}}),
    Recording("api_slow", "call", failing("no_answer", status=None), False, True, True),
    Recording("api_redirect", "api_http", {"api_http": {"status": 308}}),
    through("api_redirect", "upstream_redirect"),
    Recording("api_slow", "api_http", {"api_http": {"status": None, "kind": "ReadTimeout"}}),
    Recording("api_slow", "local_time", {"local_time": {"ms": 4500.0, "sound": True}}),
    Recording("api_slow", "local_time", {"local_time": {"says": "other", "kind": "ReadTimeout"}}),
    through("api_slow", "upstream_timeout"),
    Recording("api_unavailable", "api_http", {"api_http": {"status": 503}}),
    Recording("api_unavailable", "local_time", {"local_time": {"says": "other", "status": 502}}),
    through("api_unavailable", "upstream_unavailable"),
    Recording("mcp_session", "call", failing("http_404", session_lost=True)),
    Recording(
        "mcp_session", "repeat", {"repeat": {"codes": ["", "http_404"], "session_lost": True}}
    ),
    through("sync_session", "session_unavailable"),
    Recording(
        "sync_session", "repeat", {"repeat": {"codes": ["", "session_unavailable"]}}, inferred=True
    ),
    Recording("foreign_session", "local_time", {"local_time": {"says": "other", "status": 403}}),
    through("foreign_session", "upstream_forbidden"),
    through("epoch", "epoch_mismatch"),
    Recording("conflict", "canary", {"canary": {"codes": ["precondition_failed"]}}),
    Recording("lost_update", "canary", {"canary": {"stale_accepted": True}}),
    Recording("rate_limited", "call", failing("rate_limited")),
    Recording(
        "rate_limited",
        "call",
        failing("rate_limited") | {"other_user": {"code": "", "sound": True}},
    ),
    Recording("rate_limited", "local_time", {"local_time": {"says": "other", "status": 429}}),
    Recording(
        "rate_shared", "call", failing("rate_limited") | {"other_user": {"code": "rate_limited"}}
    ),
    Recording(
        "api_error", "canary", failing("", "canary", codes=["upstream_error"]), inferred=True
    ),
    Recording("api_error", "local_time", {"local_time": {"says": "other", "status": 500}}),
    Recording("identity", "canary", {"canary": {"found": 0}}),
    Recording("duplicates", "canary", {"canary": {"found": 2}}),
    Recording("header_dropped", "call", failing("unauthenticated")),
    Recording("cold_start", "steady", {"steady": {}}),
    Recording("config", "config", {"config": {"error": "TOOLBRIDGE_TENANT_ID is not set"}}),
    Recording("own_clock", "clock", {"clock": {}}),
    Recording("gate_open", "garbage", {"garbage": {"status": 200, "ok": True}}),
    *(
        Recording("gate_open", rung, {rung: {"status": 200, "ok": True}})
        for rung in ("wrong_key", "expired", "other_tenant")
    ),
    Recording("no_auth_needed", "no_token", {"no_token": {"status": 200, "ok": True}}),
)
