"""What a probe saw, and what follows from all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

# From the caller outwards; the first that fails is the root cause. `config` is the inside's, and
# stands before the connection because a proxy that does not start refuses it.
ORDER = (
    *("resolve", "config", "connect", "tls", "edge", "health", "initialize"),
    *("token", "no_token", "garbage", "wrong_key", "expired", "other_tenant", "admitted"),
    *("api_dns", "api_tcp", "api_http", "api_info"),
    *("secret", "local_time", "garbage_token", "unsigned", "flipped", "window", "binding"),
    *("call", "other_user", "repeat", "canary", "steady", "clock"),
)

# What an edge or an ingress answers in the place of what is behind it.
EDGE_STATUSES = frozenset({502, 503, 504})


class Verdict(StrEnum):
    """What is said of one probe."""

    OK = "ok"
    FAULT = "root cause"
    UNKNOWN = "unexpected"
    NOT_EVALUATED = "not evaluated"


@dataclass(frozen=True)
class Probe:
    """One question: what was sent, what came back, what a sound deployment answers.

    `name` is one of ORDER, `id` the catalogue's (P1 to P24), `seen` what `decide` reads.
    """

    name: str
    id: str
    sent: str
    got: str
    expected: str
    ok: bool
    seen: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Diagnosis:
    """The root cause, or why there is none.

    `symptom` is a key of SYMPTOMS; None with `at` set means that something is wrong there which
    no row explains. `certain` is false when other causes would look the same from here, and
    `inferred` is true when it was read from the proxy's error codes instead of observed.
    """

    symptom: str | None = None
    at: str | None = None
    certain: bool = True
    inferred: bool = False
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    notes: Sequence[str] = ()
    missing: Sequence[str] = ()

    @property
    def exit_code(self) -> int:
        """0 when everything was looked at and nothing found, otherwise 1."""
        return 1 if self.at or self.missing else 0
