"""What a check is, what a run finds, and the words for both. Pure data: nothing here does I/O."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How much a violated claim matters; the grades are those of the check catalogue."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


class Vantage(StrEnum):
    """What the harness must have to test a claim."""

    OUTSIDE = "outside"
    """A URL that answers."""
    TOKENS = "tokens"
    """Tokens that the target accepts: minted, or given for two users and a foreign tenant."""
    MINT = "mint"
    """The key that signs tokens, so that any token can be made."""
    UPSTREAM = "upstream"
    """The harness's own mock Go API behind the proxy: it records, and injects faults."""
    LOGS = "logs"
    """The proxy's standard output and error."""
    RESTART = "restart"
    """The proxy can be started again with other settings."""


class Capability(StrEnum):
    """What a proxy may do without and still be correct: a target declares it (`--lacks`)."""

    KEY_SETS = "key-sets"
    """Tokens that an issuer signs with a key of its published set (JWKS)."""
    METRICS = "metrics"
    """Prometheus metrics on a port of their own."""
    SESSION_CACHE = "session-cache"
    """One sync session for several calls of a user; without it, each call makes its own."""


class Ask(StrEnum):
    """What a check does to a live deployment that its owner has to allow (`--allow`)."""

    HEAVY = "heavy"
    """It costs the target much: megabytes, or work that a weak one does not survive."""
    DESTRUCTIVE = "destructive"
    """On a weak target it may harm what is not the suite's own."""


class Outcome(StrEnum):
    """What became of one check."""

    PASS = "pass"  # noqa: S105 - an outcome, not a password
    FAIL = "fail"
    UNTESTABLE = "untestable"
    ERROR = "error"
    WARNING = "warning"
    NOT_APPLICABLE = "not applicable"

    @property
    def red(self) -> bool:
        """Whether this outcome alone makes the run red."""
        return self in {Outcome.FAIL, Outcome.UNTESTABLE, Outcome.ERROR}


class Profile(StrEnum):
    """Named selections of checks, each including the ones before it."""

    SMOKE = "smoke"
    GATE = "gate"
    FULL = "full"
    SOAK = "soak"


CheckFunction = Callable[..., Awaitable[None]]


@dataclass(frozen=True)
class Check:
    """One claim about the target, with everything a reader needs beside it."""

    id: str
    claim: str
    severity: Severity
    catalogue: tuple[str, ...]
    source: str
    remedy: str
    why: str
    needs: frozenset[Vantage]
    run: CheckFunction
    profile: Profile
    alone: bool = False
    explained_by: tuple[str, ...] = ()
    """Checks whose failure makes this one fail too: they are the cause, this is a consequence."""
    broken: str = ""
    """What is wrong when the claim does not hold, as the first line of a report says it."""
    seconds: float | None = None
    """How long it may take, where that is more than the runner gives any check."""
    asks: Ask | None = None
    """What has to be allowed before it runs against a live deployment."""
    capability: Capability | None = None
    """What it is about, where a correct target may lack that."""

    @property
    def area(self) -> str:
        """The part of the id before the first dash."""
        return self.id.split("-", 1)[0]


@dataclass(frozen=True)
class Exchange:
    """One request and its answer as the report shows them, secrets already removed."""

    request: str
    response: str
    seconds: float


@dataclass(frozen=True)
class Result:
    """What became of one check in one run."""

    check: str
    outcome: Outcome
    seconds: float = 0.0
    expected: str = ""
    actual: str = ""
    detail: str = ""
    exchanges: tuple[Exchange, ...] = ()
    unanswered: bool = False
    """Whether the target gave no answer, so that its end explains this."""
    cause: str = ""
    """The id of the cause that explains this failure, when the run found one."""
    accepted: str = ""
    """Why the baseline accepts this failure; empty when it does not."""

    @property
    def red(self) -> bool:
        """Whether this result makes the run red."""
        return self.outcome.red and not self.accepted


@dataclass(frozen=True)
class Cause:
    """A failure that explains others: said once, with the remedy."""

    id: str
    headline: str
    remedy: str
    explains: tuple[str, ...]


@dataclass(frozen=True)
class NotVerified:
    """Claims that this run could not look at, and what would enable them."""

    checks: tuple[str, ...]
    reason: str
    enable: str = ""
    """What would make the claims testable; empty where the target simply lacks their subject."""

    @property
    def enabling(self) -> str:
        """How to go on, as the end of a sentence; empty where there is no way."""
        return f"; to enable, {self.enable}" if self.enable else ""


@dataclass(frozen=True)
class LeftBehind:
    """An object that a check created on a live deployment and that could not be deleted."""

    entity: str
    """note, task, comment, chat or chat_message."""
    uid: str
    """Empty when the target did not say it."""
    user: str
    """The subject who owns it."""
    reason: str
    certain: bool = True
    """Whether it exists; an object whose creation had no clear outcome may."""


# The key of `Report.extra` under which a run says which checks it was not asked for.
UNSELECTED = "unselected"


@dataclass(frozen=True)
class Report:
    """One run, whole: every report format is a pure function of this."""

    version: str
    target: str
    mode: str
    profile: str
    seed: int
    started: str
    """RFC 3339, UTC."""
    seconds: float
    results: tuple[Result, ...]
    causes: tuple[Cause, ...] = ()
    not_verified: tuple[NotVerified, ...] = ()
    problems: tuple[str, ...] = ()
    """Why the run is red beyond its results: strays, a missing vantage, the deadline."""
    notes: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)
    left_behind: tuple[LeftBehind, ...] = ()

    def count(self, outcome: Outcome) -> int:
        """How many checks ended in `outcome`."""
        return sum(result.outcome is outcome for result in self.results)

    @property
    def green(self) -> bool:
        """Whether the target may be trusted on what was tested."""
        return bool(self.results) and not (
            self.problems or any(result.red for result in self.results)
        )

    @property
    def exit_code(self) -> int:
        """0 green, 1 red, 3 a check of ours broke and nothing else did, 5 nothing ran."""
        ran = [r for r in self.results if r.outcome is not Outcome.NOT_APPLICABLE]
        if self.green and ran:
            return 0
        if not ran and not self.problems:
            return 5
        red = {result.outcome for result in self.results if result.red}
        return 3 if red == {Outcome.ERROR} and not self.problems else 1
