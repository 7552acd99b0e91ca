"""What the deployment guide promises and the observed API does not keep.

A faithful provider has these faults, so they are findings for the API's owners and never
differences. Each names the cases that show it.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from toolbridge_contract.provider.runner import Outcome, Result


class Severity(enum.Enum):
    """How much depends on it."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"


@dataclass(frozen=True)
class Obligation:
    """A promise, what was seen instead, and what would keep it."""

    id: str
    severity: Severity
    promise: str
    observed: str
    remedy: str
    cases: tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """An obligation with what this run saw of it."""

    obligation: Obligation
    seen: str


OBLIGATIONS = (
    Obligation(
        "tenants-separate-data",
        Severity.CRITICAL,
        "tenants do not see each other's data",
        "rows belong to the JWT's sub alone; X-TB-Tenant-ID is part of the signature only, and "
        "the tenant_id claim is not read",
        "store and look up rows by tenant and user, and compare the tenant_id claim with the "
        "header; until then the proxy's claim check is the only barrier",
        (
            "scope-read-under-other-tenant",
            "scope-list-under-other-tenant",
            "scope-patch-under-other-tenant",
            "scope-delete-under-other-tenant",
        ),
    ),
    Obligation(
        "tokens-expire",
        Severity.HIGH,
        "a token is good for a limited time",
        "a token without exp, or with exp 0, is accepted for ever",
        "require exp when parsing (jwt.WithExpirationRequired)",
        ("jwt-no-exp", "jwt-accepted-exp-0"),
    ),
    Obligation(
        "only-hs256",
        Severity.MEDIUM,
        "tokens are HS256 (or RS256 by JWKS)",
        "HS384 and HS512 by the same secret are accepted too",
        'name the method when parsing (jwt.WithValidMethods([]string{"HS256"}))',
        ("jwt-hs384", "jwt-hs512"),
    ),
    Obligation(
        "signatures-are-used-once",
        Severity.HIGH,
        "a signature proves that the proxy sent this request",
        "it covers neither method, path, body nor user, and may be replayed for 300 s",
        "sign method, path, a body digest and a nonce that is remembered for the window",
        ("tenant-triple-replayed",),
    ),
    Obligation(
        "if-match-is-atomic",
        Severity.HIGH,
        "a write with a stale If-Match is refused, so no update is lost",
        "of 8 PUTs at once with the same If-Match 2 to 7 get 200, some of them not applied",
        "compare the version in the UPDATE itself (WHERE version = $n), or lock the row",
        ("match-not-atomic",),
    ),
    Obligation(
        "if-match-is-understood",
        Severity.MEDIUM,
        "a conditional write happens only when its condition holds",
        'an If-Match that cannot be parsed (*, W/"1", a list) is ignored and the write happens',
        "answer 400 or 412 to an If-Match that cannot be evaluated",
        (
            "match-put-weak-ignored",
            "match-put-text-ignored",
            "match-put-list-ignored",
            "match-put-overflow-ignored",
        ),
    ),
    Obligation(
        "bad-bodies-are-400",
        Severity.MEDIUM,
        "a body that is not as documented is a client error",
        "null on POST and PUT panics: 500 with an empty body; a NUL character is 500 too",
        "refuse a nil map after decoding, and \\u0000, with 400 invalid JSON",
        ("body-create-null", "body-put-null", "body-create-nul-in-value"),
    ),
    Obligation(
        "bad-parents-are-4xx",
        Severity.MEDIUM,
        "a comment on something that is not there is a client error",
        "every fault of a parent is 500, so that callers retry what cannot succeed",
        "answer 400 or 404 that names the parent",
        ("comment-parent-uid-unknown", "comment-no-parent-type", "message-chat-uid-unknown"),
    ),
    Obligation(
        "bodies-are-limited",
        Severity.HIGH,
        "one caller cannot exhaust the API",
        "bodies of 64 MiB are stored, and a list returns all of them in one answer",
        "wrap the body in http.MaxBytesReader, and cap the bytes of a page",
        ("size-64-mib", "size-list-has-no-cap", "size-trailing-spaces"),
    ),
    Obligation(
        "errors-can-be-traced",
        Severity.MEDIUM,
        "every answer carries a correlation id",
        "a 409 blanks a generated X-Correlation-Id, in header and body",
        "keep the generated id when the epoch gate refuses",
        ("epoch-missing", "epoch-zero"),
    ),
)


def findings(results: Sequence[Result]) -> list[Finding]:
    """Return every obligation that a selected case shows, with what this run saw of it."""
    outcomes = {result.case.id: result.outcome for result in results}
    return [
        Finding(item, _seen([outcomes[case] for case in item.cases if case in outcomes]))
        for item in OBLIGATIONS
        if not outcomes.keys().isdisjoint(item.cases)
    ]


def _seen(found: Sequence[Outcome]) -> str:
    if Outcome.AGREES in found:
        return "seen in this run"
    if Outcome.DIFFERS in found:
        return "not seen: the API differs here, see above"
    return "not shown in this run"
