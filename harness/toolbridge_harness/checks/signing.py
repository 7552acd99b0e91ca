"""Tenant headers as they reach the Go API, recomputed from what was recorded."""

import asyncio
import hashlib
import hmac
import re

from toolbridge_contract.control import RecordedRequest
from toolbridge_harness.model import Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.target import NOTHING_UPSTREAM, Caller, Target
from toolbridge_harness.verdicts import Untestable, Violation, require, require_equal

_NAMES = ("X-TB-Tenant-ID", "X-TB-Timestamp", "X-TB-Signature")
# 2 s is the catalogue's bound for loopback (SIG-03): far below the 300 s window, far above noise.
FRESH_MS = 2000
NEEDS = {Vantage.TOKENS, Vantage.UPSTREAM}


def _values(request: RecordedRequest, name: str) -> list[str]:
    return [value for key, value in request.headers if key.lower() == name.lower()]


async def _signed_requests(caller: Caller) -> list[RecordedRequest]:
    """Make a few calls, whatever comes of them, and return what reached the Go API.

    Deliberately no control: with a wrong signature nothing succeeds, and these checks are the
    ones that must say why.
    """
    await caller.call("list_notes", {"limit": 1})
    await caller.call("create_note", {"title": caller.text(), "content": caller.text()})
    requests = await caller.upstream()
    if not requests:
        raise Untestable(NOTHING_UPSTREAM)
    return requests


@check(
    "signing-every-request",
    "Every request upstream carries each tenant header exactly once",
    severity=Severity.CRITICAL,
    catalogue=("SIG-01", "TEN-13"),
    source="check catalogue SIG-01",
    remedy="Add the three headers in the one place through which every upstream request goes.",
    why="The Go API refuses unsigned requests; of two headers it silently takes the first.",
    needs=NEEDS,
    broken="some upstream requests lack the tenant headers, or carry them twice",
)
async def every_request_is_signed(target: Target, caller: Caller) -> None:
    """Reads the raw header list of session and entity requests."""
    for request in await _signed_requests(caller):
        where = f"{request.method} {request.target}"
        for name in _NAMES:
            require_equal(1, len(_values(request, name)), f"{name} on {where}, occurrences:")
        require_equal([target.deployment.tenant], _values(request, _NAMES[0]), f"{where}: tenant")


@check(
    "signing-recomputed",
    "The signature is the one that the Go API computes",
    severity=Severity.CRITICAL,
    catalogue="SIG-02",
    source="RFC 2104; check catalogue SIG-02",
    remedy='Send lower-case hex of HMAC-SHA256(secret, tenant + ":" + timestamp), over the very '
    "strings that are sent; compare with `toolbridge sign`.",
    why="With a wrong signature the Go API refuses every request of every user.",
    needs=NEEDS,
    explained_by=("signing-every-request",),
    broken="no upstream request carries the signature that the Go API computes",
)
async def signature_is_right(target: Target, caller: Caller) -> None:
    """Recomputes the signature from the recorded tenant and timestamp and the known secret."""
    for request in await _signed_requests(caller):
        tenant, timestamp, signature = ("".join(_values(request, name)) for name in _NAMES)
        message = f"{tenant}:{timestamp}".encode()
        key = target.deployment.tenant_secret.encode()
        expected = hmac.new(key, message, hashlib.sha256).hexdigest()
        if signature != expected:
            shape = (
                "64 lower-case hex digits"
                if re.fullmatch("[0-9a-f]{64}", signature)
                else (f"{len(signature)} characters")
            )
            raise Violation(
                f"the HMAC of {message.decode()!r} on {request.method} {request.target}",
                f"another value of {shape}",
            )


@check(
    "signing-unit",
    "The timestamp is a whole number of milliseconds, as the clock shows it",
    severity=Severity.CRITICAL,
    catalogue="SIG-03",
    source="check catalogue SIG-03",
    remedy="Send time.time_ns() // 1_000_000 in decimal digits.",
    why="The Go API reads milliseconds; seconds look like 1970 to it.",
    needs=NEEDS,
    explained_by=("signing-every-request",),
    broken="the timestamp sent upstream is not in milliseconds",
)
async def timestamp_is_in_milliseconds(target: Target, caller: Caller) -> None:
    """Reads the timestamps of several requests: thirteen digits, and not whole seconds."""
    requests = await _signed_requests(caller)
    stamps = ["".join(_values(request, "X-TB-Timestamp")) for request in requests]
    for stamp in stamps:
        require(re.fullmatch("[0-9]{13}", stamp), "thirteen digits in X-TB-Timestamp", repr(stamp))
    # Three requests that all fall on a whole second by chance: one in a thousand million.
    if len(stamps) > 2 and all(int(stamp) % 1000 == 0 for stamp in stamps):
        raise Violation("timestamps with a millisecond part", f"whole seconds: {stamps}")


@check(
    "signing-fresh",
    "Every request is signed at the moment it is sent",
    severity=Severity.HIGH,
    catalogue="SIG-04",
    source="RFC 9421 §7.2.2; check catalogue SIG-04",
    remedy="Make the headers when the request is sent; cache none of them.",
    why="A cached signature works for five minutes and then fails for everybody at once.",
    needs=NEEDS,
    explained_by=("signing-unit", "signing-every-request"),
    broken="upstream requests are signed with an old or wrong time",
)
async def timestamp_is_fresh(target: Target, caller: Caller) -> None:
    """Compares timestamp and arrival of requests made at once and two seconds later."""
    requests = await _signed_requests(caller)
    await asyncio.sleep(FRESH_MS / 1000)
    await caller.call("list_notes", {"limit": 1})
    requests += await caller.upstream(requests[-1].seq)
    for request in requests:
        stamp = "".join(_values(request, "X-TB-Timestamp"))
        if not stamp.isascii() or not stamp.isdigit():
            raise Violation("a timestamp in digits", repr(stamp))
        age = request.received_ms - int(stamp)
        if abs(age) >= FRESH_MS:
            raise Violation(
                f"a timestamp within {FRESH_MS} ms of arrival", f"{age:.0f} ms before arrival"
            )


@check(
    "signing-concurrent",
    "Requests signed at the same time do not mix up their headers",
    severity=Severity.HIGH,
    catalogue="SIG-14",
    source="CWE-362",
    remedy="Share no hash object and no header dictionary between requests.",
    why="Torn triples fail now and then, under load only, and look like a clock problem.",
    needs=NEEDS,
    explained_by=("control-token", "signing-recomputed"),
    broken="tenant headers of concurrent requests get mixed up",
)
async def concurrent_requests_are_signed_apart(target: Target, caller: Caller) -> None:
    """Makes forty calls at once and recomputes each recorded signature."""
    await caller.control()
    calls = [caller.call("list_notes", {"limit": 1 + n}) for n in range(40)]
    replies = await asyncio.gather(*calls)
    failed = [reply.brief for reply in replies if not reply.ok]
    require_equal([], failed[:1], "failed calls among forty at once:")
    key = target.deployment.tenant_secret.encode()
    for request in await caller.upstream():
        tenant, stamp, signature = ("".join(_values(request, name)) for name in _NAMES)
        mac = hmac.new(key, f"{tenant}:{stamp}".encode(), hashlib.sha256).hexdigest()
        require(mac == signature, "each signature to fit its own timestamp", f"{stamp} does not")


@check(
    "signing-no-violations",
    "The proxy sends nothing that a correct proxy never sends",
    severity=Severity.HIGH,
    catalogue=("SIG-16", "TEN-13"),
    source="DESIGN: the recorder reports violations",
    remedy="The violation names the header; build upstream requests from nothing.",
    why="The Go API is lenient in places where leniency hides a bug.",
    needs=NEEDS,
    explained_by=("signing-every-request", "signing-recomputed", "signing-unit", "signing-fresh"),
    broken="the proxy sends requests upstream that a correct proxy never sends",
)
async def recorder_saw_no_violation(target: Target, caller: Caller) -> None:
    """Makes calls of every kind and reads what the recorder objects to."""
    await caller.control()
    note = await caller.given("create_note", {"title": caller.text(), "content": "x"})
    uid = note["uid"]
    await caller.given(
        "update_note",
        {"uid": uid, "title": caller.text(), "content": "y", "if_match": note["version"]},
    )
    await caller.given("delete_note", {"uid": uid})
    for request in await caller.upstream():
        if request.violations:
            raise Violation(
                "requests without violations",
                f"{request.method} {request.target}: {', '.join(request.violations)}",
            )
