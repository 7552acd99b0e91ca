"""One cause, said once: which failures explain which. Pure functions over results."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from toolbridge_contract.tools import ENTITIES, OPERATIONS
from toolbridge_harness.model import Cause, Check, Outcome, Result, Severity
from toolbridge_harness.target import NOTHING_UPSTREAM

CONTROL = "control-token"
SIGNING = (
    "signing-every-request",
    "signing-recomputed",
    "signing-unit",
    "signing-fresh",
    "signing-concurrent",
)
SESSIONS = ("sessions-own", "sessions-headers", "sessions-recovered-read")
LIFE_CYCLES = tuple(
    (f"precondition {entity.tool(operation)} ", (f"tools-{entity.singular}-life-cycle",))
    for entity in ENTITIES
    for operation in OPERATIONS
)

# What an answer says about its cause, whichever check met it: the machine code in the answer,
# and the checks that test the thing itself, most basic first.
EVIDENCE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("tenant_headers_rejected", SIGNING),
    ("session_unavailable", SESSIONS),
    ("epoch_mismatch", ("sessions-headers", "sessions-epoch")),
    ("upstream_token_rejected", ("control-one-request", "auth-scheme-case")),
    # Requests went out, but as somebody else.
    (NOTHING_UPSTREAM, ("isolation-connection", "control-one-request")),
    *LIFE_CYCLES,
    # Where callers share a session, any error that one meets may be meant for another.
    ("tool error", ("sessions-own",)),
)
# What these checks find wrong shows as anything at all wherever several users are at work: one
# user's fault, error or extra request turns up with another. Refusals go wrong by themselves.
PERVASIVE = ("sessions-own",)
_RANK = {severity: rank for rank, severity in enumerate(Severity)}


def explain(
    results: Sequence[Result], checks: Mapping[str, Check]
) -> tuple[tuple[Result, ...], tuple[Cause, ...]]:
    """Return the results with each red one's root cause, and the causes, weightiest first.

    The cause of a red result is found by following, through red results to the end, what its
    own answer says (EVIDENCE) and what its check declares (`explained_by`). A result whose claim
    could not be tested is explained by the control.
    """
    red = {r.check: r for r in results if r.red and not r.cause}
    roots = {name: _root(name, red, checks, frozenset()) for name in red}
    settled = tuple(
        replace(r, cause=roots[r.check]) if roots.get(r.check, r.check) != r.check else r
        for r in results
    )
    causes = [
        _cause(root, tuple(n for n, r in roots.items() if r == root and n != root), red, checks)
        for root in sorted(set(roots.values()))
    ]
    causes.sort(key=lambda cause: _weight(cause, red, checks))
    return settled, tuple(causes)


def blame_strays(
    results: Sequence[Result], checks: Mapping[str, Check], strays: Sequence[str]
) -> tuple[tuple[Result, ...], tuple[Cause, ...]]:
    """Return the results, and the one cause that strays are: the proxy acts for the wrong user.

    When identities mix, whatever needs one may fail; refusals of tokens and tenants that fail
    do so for reasons of their own.
    """
    if not strays:
        return tuple(results), ()
    explained = {
        r.check
        for r in results
        if r.red
        and not r.cause
        and (r.outcome is Outcome.UNTESTABLE or checks[r.check].area not in REFUSING_AREAS)
    }
    cause = Cause(
        "run-strays",
        f"the proxy acts for the wrong user: {len(strays)} upstream requests belong to another "
        f"caller or to none; first, {strays[0]}",
        "Send the token and session of the request at hand; keep no identity in a client, "
        "a global, a cache or a connection.",
        tuple(sorted(explained)),
    )
    return tuple(replace(r, cause=cause.id) if r.check in explained else r for r in results), (
        cause,
    )


def _root(
    name: str, red: Mapping[str, Result], checks: Mapping[str, Check], seen: frozenset[str]
) -> str:
    told = f"{red[name].actual} {red[name].detail}"
    explaining = [other for code, others in EVIDENCE if code in told for other in others]
    explaining += checks[name].explained_by
    if red[name].outcome is Outcome.UNTESTABLE and name != CONTROL:
        explaining.append(CONTROL)
    if checks[name].area not in REFUSING_AREAS:
        explaining += PERVASIVE
    for other in explaining:
        # A check that broke for reasons of ours explains nothing about the target.
        if other in red and other not in seen and red[other].outcome is not Outcome.ERROR:
            return _root(other, red, checks, seen | {name})
    return name


def _cause(
    root: str, explains: tuple[str, ...], red: Mapping[str, Result], checks: Mapping[str, Check]
) -> Cause:
    result, declared = red[root], checks[root]
    if result.outcome is Outcome.ERROR:
        return Cause(root, f"the check {root} itself broke: {result.detail}", _OURS, explains)
    if result.outcome is Outcome.UNTESTABLE:
        headline = f"{root} could not be tested: {result.detail}"
        return Cause(root, headline, declared.remedy, explains)
    for name, told, said, remedy in TOLD_APART:
        if name == root and told in result.actual:
            return Cause(root, said, remedy, explains)
    return Cause(root, declared.broken, declared.remedy, explains)


REFUSING_AREAS = frozenset({"auth", "tenant", "transport"})
# A root that can have several causes, told apart by what its own answer says.
TOLD_APART: tuple[tuple[str, str, str, str], ...] = (
    (
        CONTROL,
        "HTTP 401",
        "the target does not accept tokens signed with the key that this run was given",
        (
            "Compare TOOLBRIDGE_JWT_SECRET here with the target's own; with an issuer or audience "
            "there, set TOOLBRIDGE_JWT_ISSUER and TOOLBRIDGE_JWT_AUDIENCE here too."
        ),
    ),
    (
        CONTROL,
        "HTTP 403",
        "the target is for another tenant than the one that this run was given",
        "Compare TOOLBRIDGE_TENANT_ID here with the target's own.",
    ),
)

_OURS = "This is a bug of the suite, not of the target: please report it with the run file."


def _weight(
    cause: Cause, red: Mapping[str, Result], checks: Mapping[str, Check]
) -> tuple[int, int, int, str]:
    ours = red[cause.id].outcome is Outcome.ERROR
    return (int(ours), -len(cause.explains), _RANK[checks[cause.id].severity], cause.id)
