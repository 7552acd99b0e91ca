"""One cause, said once: which failures explain which. Pure functions over results."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from toolbridge_contract.tools import ENTITIES, OPERATIONS
from toolbridge_harness.model import Cause, Check, Outcome, Result, Severity
from toolbridge_harness.strays import unidentified
from toolbridge_harness.target import NOTHING_UPSTREAM

CONTROL = "control-token"
CHALLENGE = "auth-challenge"
# How an answer reads that was refused as it should be, but for its challenge.
WRONG_CHALLENGE = "WWW-Authenticate: "
STRAYS = "run-strays"
# How the problem that strays are begins.
WRONG_USER = "the proxy acts for the wrong user"
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
    (WRONG_CHALLENGE, (CHALLENGE,)),
    # Whoever blocks one caller blocks all.
    ("ReadTimeout after ", ("errors-upstream-silent", "resilience-crowd")),
    ("PoolTimeout after ", ("errors-upstream-silent", "resilience-crowd")),
    ("tool error busy", ("errors-upstream-silent", "resilience-crowd")),
    ("Unknown tool", ("tools-inventory",)),
    ("upstream_token_rejected", ("control-one-request", "auth-scheme-case")),
    # One user's requests count for all, or one call makes many.
    ("rate_limited", ("isolation-connection", "control-one-request")),
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

    When identities mix, whatever needs one may fail, and what follows from that; refusals of
    tokens and tenants that fail do so for reasons of their own. Strays that such a refusal
    explains are no cause.
    """
    if not strays or _let_in(results, checks, strays):
        return tuple(results), ()
    red = {r.check: r for r in results if r.red and not r.cause}
    mixed = {
        name
        for name, r in red.items()
        if r.outcome is Outcome.UNTESTABLE or checks[name].area not in REFUSING_AREAS
    }
    explained = mixed | {n for n in red if _root(n, red, checks, frozenset()) in mixed}
    cause = Cause(
        STRAYS,
        strays_headline(strays),
        "Send the token and session of the request at hand; keep no identity in a client, "
        "a global, a cache or a connection.",
        tuple(sorted(explained)),
    )
    return tuple(replace(r, cause=cause.id) if r.check in explained else r for r in results), (
        cause,
    )


def strays_headline(strays: Sequence[str]) -> str:
    """Return what strays are, as a problem of the run; first one that nothing else explains."""
    first = next((line for line in strays if not unidentified(line)), strays[0])
    number = len(strays)
    belong = "request belongs" if number == 1 else "requests belong"
    return f"{WRONG_USER}: {number} upstream {belong} to another caller or to none; first, {first}"


def _let_in(results: Sequence[Result], checks: Mapping[str, Check], strays: Sequence[str]) -> bool:
    """Whether the strays are forged or missing tokens that a failed check shows to be let in.

    A proxy that acts under an identity of its own would be served by the Go API, and one that
    loses the caller's token fails the control.
    """
    failed = {r.check for r in results if r.red and r.outcome is Outcome.FAIL}
    refusals = {name for name in failed if checks[name].area in IDENTITY_AREAS}
    control = any(r.check == CONTROL and r.red for r in results)
    return bool(refusals) and not control and all(map(unidentified, strays))


def _root(
    name: str, red: Mapping[str, Result], checks: Mapping[str, Check], seen: frozenset[str]
) -> str:
    told = _told(red[name])
    behind = name == CONTROL or checks[name].area not in REFUSING_AREAS
    if red[name].outcome is Outcome.ERROR:
        return name
    if _turned_away(red) and (behind or red[name].outcome is Outcome.UNTESTABLE):
        return CONTROL
    if name == CHALLENGE and WRONG_CHALLENGE in told:
        return name
    evidence = [other for code, others in EVIDENCE if code in told for other in others]
    declared = checks[name].explained_by
    explaining = evidence + [o for o in declared if _declared(name, o, evidence, checks)]
    if red[name].outcome is Outcome.UNTESTABLE and name != CONTROL:
        explaining.append(CONTROL)
    if checks[name].area not in REFUSING_AREAS:
        explaining += PERVASIVE
    for other in explaining:
        if other in red and other not in seen and _explains(red[other], told):
            return _root(other, red, checks, seen | {name})
    return name


def _declared(name: str, other: str, evidence: Sequence[str], checks: Mapping[str, Check]) -> bool:
    """Whether `other` explains `name` as declared, where each of the two may explain the other.

    The control and what it rests on do: the answer itself decides which of them is the cause.
    """
    if other == CONTROL:
        return name not in evidence
    return name != CONTROL or CONTROL not in checks[other].explained_by


def _turned_away(red: Mapping[str, Result]) -> bool:
    """Whether the control was refused at the door: nothing behind the door is the cause then.

    A signature that was found wrong is one that the Go API was sent: the proxy let the caller
    in, and passes on what the Go API said.
    """
    said = red[CONTROL].actual if CONTROL in red else ""
    sent = any(name in red and red[name].outcome is Outcome.FAIL for name in SIGNING)
    door = any(name == CONTROL and said.startswith(told) for name, told, _, _ in TOLD_APART)
    return door and not sent


def _told(result: Result) -> str:
    return f"{result.actual} {result.detail}"


def _explains(other: Result, told: str) -> bool:
    """Whether a red result may be the cause of one that tells `told`.

    One that broke for reasons of ours explains nothing about the target, nor does one that found
    out nothing itself, but for the control; and a challenge that is wrong explains no door that
    is open.
    """
    challenge = WRONG_CHALLENGE in _told(other) and WRONG_CHALLENGE not in told
    judged = other.outcome is Outcome.FAIL or other.check == CONTROL
    return judged and other.outcome is not Outcome.ERROR and not challenge


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
        if name == root and result.actual.startswith(told):
            return Cause(root, said, remedy, explains)
    return Cause(root, declared.broken, declared.remedy, explains)


REFUSING_AREAS = frozenset({"auth", "tenant", "transport"})
# Areas whose failures let somebody in whom the Go API does not know.
IDENTITY_AREAS = frozenset({"auth", "tenant"})
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
    (
        "control-one-request",
        "none: answered ",
        "calls are answered without asking the Go API, or ask it as somebody else",
        "Ask the Go API for every call, with that call's token: replay and share no answers.",
    ),
)

_OURS = "This is a bug of the suite, not of the target: please report it with the run file."


def _weight(
    cause: Cause, red: Mapping[str, Result], checks: Mapping[str, Check]
) -> tuple[int, int, int, str]:
    ours = red[cause.id].outcome is Outcome.ERROR
    return (int(ours), -len(cause.explains), _RANK[checks[cause.id].severity], cause.id)
