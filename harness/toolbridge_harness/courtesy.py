"""How a run treats a deployment that is not its own: what it may cost, touch and leave behind."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from toolbridge_harness.budget import DEFAULT, LAST_QUESTION, Budget
from toolbridge_harness.created import Created
from toolbridge_harness.model import Ask, Check, NotVerified, Outcome, Result
from toolbridge_harness.users import Users

# How a result begins whose check was not allowed; the ask follows.
_REFUSED = "not allowed on a live deployment: "
REASONS = {
    Ask.HEAVY: "a heavy load for a live deployment",
    Ask.DESTRUCTIVE: "might harm others on a live deployment",
}


@dataclass(frozen=True)
class Courtesy:
    """What all checks of a run have to mind; the default is for a target of the harness's own."""

    live: bool = False
    """Somebody's deployment: small samples, users of the pool, nothing that needs --allow."""
    allowed: frozenset[Ask] = frozenset(Ask)
    budget: Budget = field(default_factory=Budget)
    created: Created = field(default_factory=Created)
    users: Users | None = None

    def refusal(self, declared: Check) -> Result | None:
        """Return the result of a check that this run may not make; None for all others."""
        if declared.asks is None or declared.asks in self.allowed:
            return None
        detail = f"{_REFUSED}{declared.asks.value}"
        return Result(declared.id, Outcome.NOT_APPLICABLE, detail=detail)


def towards_url(
    *, loopback: bool, rate: float | None, budget: int | None, allow: frozenset[Ask], jobs: int
) -> Courtesy:
    """Return the manners towards a URL.

    A loopback URL is taken for the user's own machine, where nothing needs sparing, unless a
    rate or a budget says otherwise: it may be a tunnel. What checks create is deleted on both.
    """
    live = not loopback or rate is not None or budget is not None
    limit = budget or (None if loopback else DEFAULT)
    counted = Budget(limit, LAST_QUESTION)
    created = Created(counted, keeps=True)
    if not live:
        return Courtesy(budget=counted, created=created)
    return Courtesy(True, allow, counted, created, Users(jobs))


def not_allowed(results: Sequence[Result]) -> tuple[NotVerified, ...]:
    """Return the claims that were not looked at for want of --allow, grouped by what to allow."""
    groups = [
        (ask, tuple(sorted(r.check for r in results if r.detail == f"{_REFUSED}{ask.value}")))
        for ask in Ask
    ]
    return tuple(
        NotVerified(names, REASONS[ask], f"--allow {ask.value}") for ask, names in groups if names
    )
