"""What only the inside of the proxy's machine can tell, as JSON; docs/diagnose.md is the format."""

import hmac
import json
import os
import re
import select
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from socket import create_connection, getaddrinfo
from threading import Thread
from typing import Any

import httpx
import structlog

from toolbridge_proxy.settings import Settings, load
from toolbridge_proxy.signing import SIGNATURE, Signer

# The total leaves 2 of 30 s for the start of Python; a dead address leaves time for the next one.
STDIN_SECONDS, TOTAL_SECONDS, TIMEOUT = 3.0, 28.0, httpx.Timeout(5.0, connect=2.0)
TOKEN_BYTES, ANSWER_BYTES = 16 * 1024, 2048  # the Go API's longest answer here has some 600
FORMS = {
    "blank_edged": r"\A\s|\s\Z", "line_break": r"[\r\n]", "non_ascii": r"[^\x00-\x7f]",
    "quoted": r"\A\s*(['\"])[\s\S]*\1\s*\Z",
    "base64": r"\A\s*(?:[A-Za-z0-9+/]{4}){4,}(?:[A-Za-z0-9+/]{2,3}={1,2})?\s*\Z",
}  # fmt: skip
SAYS = r'\{"id":"([\w-]+)"|(?:Unauthorized: )?(unauthorized|(?:invalid|missing) tenant headers?)\s'
Json = dict[str, Any]


def main() -> int:
    """Print the document; return 0, or 4 when the configuration keeps the proxy from starting."""
    # The signer logs on standard output, which is the document's.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    found: Json = {"format": 1, "clock": datetime.now(UTC).isoformat(timespec="milliseconds")}
    found["settings"] = {k: _form(k, v) for k, v in os.environ.items() if "TOOLBRIDGE_" in k}
    loaded = _probe(lambda: {"settings": load()})
    found["error"] = loaded.get("error")
    # Left behind when the time is up: nothing interrupts a name look-up.
    look = Thread(target=lambda: found.update(total=_probe(_look, found, loaded)), daemon=True)
    look.start()
    look.join(TOTAL_SECONDS)
    print(json.dumps(found.copy(), indent=2))  # noqa: T201
    if found["error"]:
        print(f"toolbridge_proxy: {found['error']}", file=sys.stderr)  # noqa: T201
    return 4 if found["error"] else 0


def _form(name: str, value: str) -> Json:
    key = os.fsencode(value)
    shown = {"value": value.encode("unicode_escape").decode()} if name.endswith("TENANT_ID") else {}
    forms = {form: bool(re.search(pattern, value)) for form, pattern in FORMS.items()}
    fingerprint = hmac.digest(key, b"doctor-v1", "sha256").hex()[:8]
    return {"bytes": len(key), **forms, "fingerprint": fingerprint, **shown}


def _probe(work: Callable[..., Json | None], *given: object) -> Json:
    at, started = time.time(), time.monotonic()
    try:
        seen = work(*given) or {}
    except Exception as problem:  # noqa: BLE001 - whatever it is, it is the finding
        seen = {"kind": type(problem).__name__, "error": str(problem)[:500]}
    return {"at": at, "ms": round((time.monotonic() - started) * 1000, 1), **seen}


def _look(found: Json, loaded: Json) -> None:
    ready = sys.stdin and not sys.stdin.isatty() and select.select([0], [], [], STDIN_SECONDS)[0]
    line = os.read(0, TOKEN_BYTES) if ready else b""
    token = re.fullmatch(rb"\s*(?:Bearer )?([\w.~+/-]{1,9999}=*)\s*", line)
    found["token"] = "given" if token else "unusable" if line.strip() else "none"
    if (config := loaded.get("settings")) is None:
        return
    url = httpx.URL(config.go_api_base_url)
    found["base_url"] = str(url)
    to = url.host, url.port or {"http": 80, "https": 443}[url.scheme]
    found["dns"] = dns = _probe(lambda: {"addresses": sorted({a[4][0] for a in getaddrinfo(*to)})})
    dial = lambda address: create_connection((address, to[1]), TIMEOUT.connect).close()  # noqa: E731
    found["tcp"] = {a: _probe(dial, a) for a in dns.get("addresses", [])[:4]}
    verify = ssl.create_default_context(cafile=config.upstream_ca_file)
    with httpx.Client(base_url=url, verify=verify, trust_env=False, timeout=TIMEOUT) as client:
        found["healthz"] = _probe(_ask, client, "GET", "/healthz", {})
        found["info"] = info = _probe(_ask, client, "GET", "/v1/sync/info", {})
        found["skew"] = skew = _probe(_skew, info)
        if token and "status" in info:
            for name, headers in _ways(config, token[1].decode(), skew.get("seconds")):
                found["signed"] = found.get("signed", {}) | {name: _begin(client, headers)}


def _ask(client: httpx.Client, method: str, path: str, headers: Json) -> Json:
    with client.stream(method, path, headers={"Accept-Encoding": "identity", **headers}) as answer:
        seen = {"status": answer.status_code, "location": answer.headers.get("location")}
        if tls := answer.extensions["network_stream"].get_extra_info("ssl_object"):
            seen["tls"] = {**tls.getpeercert(), "version": tls.version()}
        body = next(answer.iter_raw(ANSWER_BYTES), b"").decode(errors="replace")
    return {**seen, "date": answer.headers.get("date"), "body": body}


def _skew(info: Json) -> Json:
    server = datetime.fromisoformat(json.loads(info["body"])["serverTime"]).timestamp()
    half = info["ms"] / 2000
    return {"seconds": round(server - info["at"] - half, 4), "uncertainty_seconds": half}


def _ways(config: Settings, token: str, skew: float | None) -> Iterator[tuple[str, Json]]:
    def sign(seconds: float, tenant: str = config.tenant_id) -> Json:
        secret = config.tenant_header_secret.get_secret_value()
        signer = Signer(tenant, secret, lambda: time.time_ns() + int(seconds * 1e9))
        return dict(signer.sign([("Authorization", f"Bearer {token}")]))

    yield "local_time", sign(0)
    yield "no_tenant_headers", {"Authorization": f"Bearer {token}"}
    yield "garbage_token", sign(skew or 0) | {"Authorization": "Bearer garbage"}
    if skew is not None:
        yield "upstream_time", (good := sign(skew))
        yield "flipped_digit", good | {SIGNATURE: f"{int(good[SIGNATURE], 16) ^ 1:064x}"}
        yield "tenant_lower", sign(skew, config.tenant_id.lower())
        yield "tenant_random", sign(skew, os.urandom(8).hex())
        for seconds in (-310, -290, 290, 310):
            yield f"{seconds:+}_seconds", sign(skew + seconds)


def _begin(client: httpx.Client, headers: Json) -> Json:
    seen = _probe(_ask, client, "POST", "/v1/sync/sessions", headers)
    says = re.match(SAYS, seen.get("body", "")) or {1: None, 2: "other"}
    if says[1]:
        _probe(_ask, client, "DELETE", f"/v1/sync/sessions/{says[1]}", headers)
    return {"says": says[2] or "created", **{k: seen.get(k) for k in ("status", "kind", "ms")}}
