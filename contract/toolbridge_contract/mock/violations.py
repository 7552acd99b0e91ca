"""What a correct proxy never sends, named; the answer stays the API's own."""

from collections import Counter

from toolbridge_contract import signing
from toolbridge_contract.mock.entities import if_match
from toolbridge_contract.mock.messages import Request
from toolbridge_contract.mock.routes import Gate, Route, find
from toolbridge_contract.mock.tenant_gate import judge

_ONCE = frozenset(
    {
        b"authorization",
        b"x-tb-tenant-id",
        b"x-tb-timestamp",
        b"x-tb-signature",
        b"x-sync-session",
        b"x-sync-epoch",
        b"if-match",
        b"content-length",
        b"host",
    }
)


def violations(request: Request, tenant_secret: str, now_ns: int) -> list[str]:
    """Return what is wrong with a request, one phrase each; [] for a correct one.

    `now_ns` is the mock's own clock, offset included, so a skew that the mock plays shows here.
    """
    found: list[str] = []
    route = _route(request, found)
    if route is not None and route.gate is not Gate.OPEN:
        found += _signature(request, tenant_secret, now_ns)
    found += repeated(request)
    matched = request.values.get(b"if-match")
    if matched is not None and if_match(matched) is None:
        found.append(f"If-Match does not parse: {matched[:80]!r}")
    if b"x-debug-sub" in request.values:
        found.append("X-Debug-Sub sent")
    return found


def _route(request: Request, found: list[str]) -> Route | None:
    routed = find(request)
    if routed.route is None:
        found.append(f"path outside the known routes: {routed.raw_path[:200]!r}")
    elif request.method not in routed.route.operations:
        where = f"{request.method[:20]} {routed.raw_path[:200]!r}"
        found.append(f"method not allowed there: {where}")
    return routed.route


def _signature(request: Request, secret: str, now_ns: int) -> list[str]:
    rejection = judge(request, secret, now_ns)
    if rejection is None:
        return []
    values = request.values
    tenant = values.get(b"x-tb-tenant-id")
    timestamp = values.get(b"x-tb-timestamp")
    signature = values.get(b"x-tb-signature")
    lowered = (signature or "").lower()
    if signing.verify(tenant, timestamp, lowered, secret, now_ns) is None:
        return ["tenant headers: the signature is upper-case hex"]
    return [f"tenant headers: {rejection.value}"]


def repeated(request: Request) -> list[str]:
    """Return a phrase for each header that must come once and came more often."""
    if not request.repeats:
        return []
    counts = Counter(name.lower() for name, _ in request.headers)
    return [
        f"header sent {counts[name]} times: {name.decode('latin-1')}"
        for name in sorted(_ONCE)
        if counts[name] > 1
    ]
