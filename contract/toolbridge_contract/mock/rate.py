"""The rate limit: one token bucket per user, shared by the five entities."""

from dataclasses import dataclass

from toolbridge_contract.mock.clock import Clock
from toolbridge_contract.mock.messages import Call, Headers, Refused, error_answer
from toolbridge_contract.mock.users import User

# The first 429 came at request 123 after 0.27 s: 120 at once, then ten each second.
BURST = 120
TOKENS_PER_SECOND = 10.0
# What the API advertises: the refill of its 60 s window.
_LIMIT_HEADER = (b"X-Ratelimit-Limit", b"600")
_BURST_HEADER = (b"X-Ratelimit-Burst", b"120")
_TEXT = "Rate limit exceeded. Please retry after 1 seconds."
_NS_PER_SECOND = 1_000_000_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_ns: int


class RateLimit:
    """The gate that takes one token per call, whatever the answer will be."""

    def __init__(self, clock: Clock, *, enforced: bool) -> None:
        self._clock = clock
        self._enforced = enforced
        self._buckets: dict[User, _Bucket] = {}

    def admit(self, call: Call, user: User) -> None:
        """Take a token and add the four headers; raises Refused with 429 when there is none."""
        now = self._clock.now_ns()
        bucket = self._buckets.get(user)
        if bucket is None:
            bucket = self._buckets[user] = _Bucket(float(BURST), now)
        elapsed = max(now - bucket.filled_ns, 0) / _NS_PER_SECOND
        bucket.tokens = min(float(BURST), bucket.tokens + elapsed * TOKENS_PER_SECOND)
        bucket.filled_ns = now
        if not self._enforced:
            bucket.tokens = float(BURST)
        allowed = bucket.tokens >= 1
        if allowed:
            bucket.tokens -= 1
        call.extra += _headers(bucket.tokens, now)
        if not allowed:
            call.extra.append((b"Retry-After", b"1"))
            raise Refused(error_answer(429, _TEXT, call))


def _headers(tokens: float, now_ns: int) -> Headers:
    """Return the headers; Reset is when the bucket will be full again."""
    full_ns = now_ns + int((BURST - tokens) / TOKENS_PER_SECOND * _NS_PER_SECOND)
    return [
        _LIMIT_HEADER,
        _BURST_HEADER,
        (b"X-Ratelimit-Remaining", b"%d" % int(tokens)),
        (b"X-Ratelimit-Reset", b"%d" % (full_ns // _NS_PER_SECOND)),
    ]
