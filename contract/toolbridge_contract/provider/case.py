"""What a provider case is made of.

Paths, bodies, header values and expected texts are templates: `{note}` stands for a value that a
step kept (`{epoch+1}` for a number beside it), and in an expected body `<ts>` for any value of
that kind, the same name for the same value (see `template`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

Text = str | bytes | Callable[[], bytes]
Values = Mapping[str, str]


def slug(name: str) -> str:
    """Return an API name as part of a case id."""
    return name.replace("_", "-")


# A claim that is left out of the token.
GONE = object()


@dataclass(frozen=True)
class Now:
    """A NumericDate beside the API's clock: whole seconds for an int, a fraction for a float."""

    offset: float
    quoted: bool = False


@dataclass(frozen=True)
class Jwt:
    """The Authorization header of a request: `form` around a token by `alg` and `key`.

    `claims` are put over sub, tenant_id, iat and exp (GONE removes one); a list or None in their
    place is the whole claims set.
    """

    form: str = "Bearer {jwt}"
    alg: str = "HS256"
    wrong_key: bool = False
    header: Mapping[str, object] = field(default_factory=dict)
    claims: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Signed:
    """The three tenant headers.

    `stamp` is signed together with `tenant`; it may use {ms}, {s} and {us}, of a clock `shift`
    seconds beside the API's. `mac` may use {mac}, {upper}, {forged} (another secret) and {foreign}
    (another tenant); `sent` is sent in place of the stamp that was signed; `pad` goes around all.
    """

    tenant: str = "{tenant}"
    shift: float = 0.0
    stamp: str = "{ms}"
    sent: str = ""
    mac: str = "{mac}"
    pad: str = ""


@dataclass(frozen=True)
class Step:
    """A request that makes a state; `keep` names what its answer holds.

    `keep="x"` keeps the answer's uid or id as `{x}`, its epoch, cursor, userId and deletedAt as
    `{x_epoch}`, `{x_cursor}` (cut short: `{x_cut}`), `{x_user}` and `{x_at}`, other spellings of
    the uid as `{x_upper}` and `{x_bare}`.
    `who` is `me`, or `other` for another user.
    """

    method: str
    path: str
    body: Text = ""
    keep: str = ""
    status: int | None = None
    who: str = "me"
    tenant: str = "{tenant}"


@dataclass(frozen=True)
class Drain:
    """Empty a rate bucket: ask for `path` until the API answers 429."""

    path: str = "/v1/notes?limit=1"


@dataclass(frozen=True)
class Refill:
    """Wait until a rate bucket is full, as after a run just before this one it is not."""

    path: str = "/v1/notes?limit=1"


@dataclass(frozen=True)
class Wait:
    """Let time pass on the API's clock."""

    seconds: float


@dataclass(frozen=True)
class Seed:
    """Push `count` notes named n0000, n0001, … once; `deleted` of them are then deleted."""

    count: int
    deleted: int = 0


Given = str | Step | Drain | Refill | Wait | Seed


class Body(Protocol):
    """A matcher for bodies that are not one text."""

    def differs(self, body: bytes) -> tuple[str, str] | None:
        """Return (expected, got) in words, None when the body is as expected."""


@dataclass(frozen=True)
class Race:
    """Of answers given at once `least` to `most` have the wanted status, the rest `loses`.

    With `by_luck` fewer than `least`, but one, is no difference: nothing was shown.
    """

    loses: int
    least: int
    most: int
    by_luck: bool = False


@dataclass(frozen=True)
class Want:
    """The expected answer.

    `headers` is shorthand as in the observations: J or T or `no-type` for Content-Type, `Tn` with
    nosniff, RL for the four rate headers, `left=119` for Remaining, `epoch={x}`, `retry=1`,
    `allow=GET,POST`, `close`, `chunked`. What is not named must not be there. `cid` is
    X-Correlation-Id: `<cid>` any, "" present and empty, None absent, else the exact text.
    """

    status: int
    headers: str
    body: str | Body | Race = ""
    cid: str | None = "<cid>"


@dataclass(frozen=True)
class Then:
    """A further request, correct but for `change`, and its answer: what the case left behind."""

    method: str
    path: str
    want: Want
    body: Text = ""
    who: str = "me"
    change: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """One observation: a state, a request, and the answer.

    `user` names a user of the case's own whose rows and rate bucket it uses up; `who` says who
    asks. `wire` needs bytes that no HTTP client sends; `timing` holds only when the clocks agree
    to some ms, so it is tried again; `slow` and `mock` say why a case is not run by default, and
    why the mock cannot show it; `at_once` requests are sent at the same time; `then` is asked
    after the answer, in order.
    """

    id: str
    method: str
    path: str
    want: Want
    given: tuple[Given, ...] = ()
    body: Text = ""
    jwt: Jwt | None = field(default_factory=Jwt)
    signed: Signed | None = field(default_factory=Signed)
    session: bool = True
    change: Mapping[str, str | None] = field(default_factory=dict)
    first: tuple[tuple[str, str], ...] = ()
    extra: tuple[tuple[str, str], ...] = ()
    lower: bool = False
    who: str = "me"
    user: str = ""
    wire: bool = False
    http: str = "1.1"
    timing: bool = False
    slow: str = ""
    mock: str = ""
    at_once: int = 1
    then: tuple[Then, ...] = ()

    @property
    def is_sharp(self) -> bool:
        """Whether the way to the API decides the answer: an edge of time, or of a bucket."""
        shifted = self.signed is not None and self.signed.shift != 0
        drained = any(isinstance(step, Drain) for step in self.given)
        filled = any(isinstance(step, Refill) for step in self.given)
        return filled or (self.timing and (shifted or drained))

    @property
    def waits(self) -> float:
        """Seconds that the case lets pass."""
        return sum(step.seconds for step in self.given if isinstance(step, Wait))
