"""Probes P9 to P17, read from the JSON of `python -m toolbridge_proxy diagnose` (its format 1)."""

import hmac
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from toolbridge_harness.doctor.model import Probe
from toolbridge_harness.errors import UsageProblem

Json = Mapping[str, Any]
FORMAT = 1
JWT_KEY = "TOOLBRIDGE_JWT_SECRET"
TENANT = "TOOLBRIDGE_TENANT_ID"
SECRET = "TOOLBRIDGE_TENANT_HEADER_SECRET"  # noqa: S105 - the name of a variable
# The window is 300 s on both sides; diagnose asks 10 s inside and outside of it.
WITHIN, BEYOND = ("-290_seconds", "+290_seconds"), ("-310_seconds", "+310_seconds")


def read_inside(path: Path) -> Json:
    """Return the document in a file, `-` for standard input; UsageProblem when there is none.

    What `fly ssh console` prints before and after it is passed over.
    """
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise UsageProblem(f"--diagnose {path}: cannot be read: {reason}") from None
    try:
        document = json.JSONDecoder().raw_decode(text[max(text.find("{"), 0) :])[0]
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise UsageProblem(
            f"--diagnose {path}: no JSON document of format {FORMAT}: give the output of "
            "`python -m toolbridge_proxy diagnose`"
        )
    return document


def _part(document: Json, *names: str) -> Json:
    found: Any = document
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def tenant_inside(document: Json) -> str | None:
    """Return the proxy's tenant id as diagnose shows it, escaped outside of ASCII."""
    value = _part(document, "settings", TENANT).get("value")
    return value if isinstance(value, str) else None


def inside_probes(
    document: Json, api_fingerprint: str | None = None, jwt_fingerprint: str | None = None
) -> Iterator[Probe]:
    """Return the inside's probes.

    `api_fingerprint` is that of the Go API's tenant secret, `jwt_fingerprint` that of the key
    with which the doctor mints; each None where it is not known.
    """
    yield _config(document, jwt_fingerprint)
    if document.get("error"):
        return
    url = document.get("base_url", "the Go API")
    for name, read in (("dns", _dns), ("tcp", _tcp), ("healthz", _healthz), ("info", _info)):
        if isinstance(document.get(name), dict):
            yield read(document, str(url))
    if api_fingerprint is not None:
        yield _secret(document, api_fingerprint)
    if _part(document, "signed", "local_time"):
        yield from _signed(document)


def fingerprint(secret: str) -> str:
    """Return the keyed fingerprint that diagnose shows (docs/diagnose.md), 8 hex digits."""
    return hmac.digest(secret.encode(), b"doctor-v1", "sha256").hex()[:8]


def _config(document: Json, jwt_fingerprint: str | None) -> Probe:
    settings = _part(document, "settings")
    odd = [
        f"{name} is {form.replace('_', ' ')}"
        for name, seen in settings.items()
        for form in ("blank_edged", "line_break", "quoted")
        if isinstance(seen, dict) and seen.get(form)
    ]
    error = document.get("error")
    told = [str(error)] if error else [f"{len(settings)} settings, the proxy starts"]
    own = _part(settings, JWT_KEY).get("fingerprint")
    equal = own == jwt_fingerprint if own and jwt_fingerprint else None
    keys = [] if equal is not False else [f"{JWT_KEY} differs from the one here"]
    got = "; ".join([*told, *odd, *keys])
    seen = {"error": error, "blank": odd, "jwt_key_equal": equal}
    return Probe("config", "P24", "the settings, inside", got, "the proxy starts", not error, seen)


def _said(probe: Json) -> str:
    if "error" in probe:
        return f"{probe.get('kind')}: {probe['error']}"
    if "status" in probe:
        to = f" to {probe['location']}" if probe.get("location") else ""
        return (
            f"HTTP {probe['status']}{to} in {probe.get('ms')} ms: {str(probe.get('body'))[:80]!r}"
        )
    return f"{probe.get('ms')} ms"


def _dns(document: Json, url: str) -> Probe:
    seen = _part(document, "dns")
    got = ", ".join(map(str, seen.get("addresses", []))) or _said(seen)
    ok = bool(seen.get("addresses"))
    facts = {"error": None if ok else got}
    return Probe("api_dns", "P9", f"resolve the host of {url}, inside", got, "addresses", ok, facts)


def _tcp(document: Json, url: str) -> Probe:
    tried = {a: _part(document, "tcp", a) for a in _part(document, "tcp")}
    got = "; ".join(f"{address} {_said(seen)}" for address, seen in tried.items()) or "not tried"
    ok = any("error" not in seen for seen in tried.values())
    return Probe("api_tcp", "P9", f"connect to {url}, inside", got, "a connection", ok)


def _healthz(document: Json, url: str) -> Probe:
    seen = _part(document, "healthz")
    ok = seen.get("status") == 200 and str(seen.get("body", "")).strip() == "ok"
    return Probe("api_http", "P9", f"GET {url}/healthz, inside", _said(seen), "200 ok", ok, seen)


def _info(document: Json, url: str) -> Probe:
    seen, skew = _part(document, "info"), _part(document, "skew")
    seconds = skew.get("seconds")
    got = f"{_said(seen)}; {_skew(document)}"
    ok = seen.get("status") == 200 and seconds is not None
    return Probe(
        "api_info",
        "P10",
        f"GET {url}/v1/sync/info, inside",
        got,
        "200 with serverTime",
        ok,
        {**seen, "skew": seconds},
    )


def _skew(document: Json) -> str:
    skew = _part(document, "skew")
    seconds, half = skew.get("seconds"), skew.get("uncertainty_seconds")
    if not isinstance(seconds, int | float) or not isinstance(half, int | float):
        return "clock skew unknown"
    return f"clock skew {seconds:+.1f} ± {half:.1g} s"


def _secret(document: Json, api_fingerprint: str) -> Probe:
    own = _part(document, "settings", SECRET)
    here, there = own.get("fingerprint"), api_fingerprint.lower()
    word = "equal" if here == there else "different"
    got = f"{word}: proxy {here} ({own.get('bytes')} bytes), Go API {there}"
    facts = {"equal": here == there}
    return Probe("secret", "P17", "compare secret fingerprints", got, "equal", True, facts)


def _signed(document: Json) -> Iterator[Probe]:
    signed = _part(document, "signed")

    def says(name: str) -> Any:
        seen = _part(signed, name)
        return seen.get("kind") or seen.get("says")

    local = {**_part(signed, "local_time"), "upstream_says": says("upstream_time")}
    got = (
        f"{says('local_time')}; signed at the Go API's time: {says('upstream_time')}; "
        f"{_skew(document)}"
    )
    session = "POST /v1/sync/sessions"
    yield Probe(
        *("local_time", "P13, P14", f"{session}, signed at local time", got, "created"),
        *(local.get("says") == "created", local),
    )
    rows = (
        ("garbage_token", "P12", "garbage_token", "a token that is none", "unauthorized"),
        ("unsigned", "P11", "no_tenant_headers", "no tenant headers", "invalid tenant headers"),
        ("flipped", "P13", "flipped_digit", "one digit flipped", "invalid tenant headers"),
    )
    for name, row, key, what, expected in rows:
        if key in signed:
            seen = _part(signed, key)
            yield Probe(
                *(name, row, f"{session}, {what}", str(says(key)), expected),
                *(seen.get("says") == expected, seen),
            )
    if WITHIN[0] in signed:
        answers = {name: says(name) for name in (*WITHIN, *BEYOND)}
        yield _listed("window", "P15", answers, "created within ±290 s", WITHIN)
        answers = {name: says(name) for name in ("tenant_lower", "tenant_random")}
        yield _listed("binding", "P16", answers, "any: this Go API does not bind tenant ids", ())


def _listed(name: str, row: str, answers: Json, expected: str, needed: tuple[str, ...]) -> Probe:
    got = ", ".join(f"{key} {said}" for key, said in answers.items())
    ok = all(answers[key] == "created" for key in needed)
    return Probe(name, row, "POST /v1/sync/sessions, varied", got, expected, ok)
