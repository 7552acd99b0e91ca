"""How far a server's clock is from ours, by one exchange with it, and whether that matters.

The Go API refuses tenant headers that are more than 300 s from its clock.
"""

import enum
from dataclasses import dataclass

# Check catalogue DEP-13. A clock kept by NTP is within 2 s even by a Date header, which has whole
# seconds; 30 s is drift that nobody corrects; at 240 s the 300 s of the Go API are nearly used up.
IN_STEP_SECONDS = 2.0
WARN_SECONDS = 30.0
FAIL_SECONDS = 240.0

_NS_PER_SECOND = 1_000_000_000


class Verdict(enum.IntEnum):
    """What a skew means for signing; the worse is the greater."""

    OK = 0
    WARN = 1
    FAIL = 2


@dataclass(frozen=True)
class Skew:
    """The server's clock minus ours: the true skew is within `error_ns` of `offset_ns`."""

    offset_ns: int
    error_ns: int

    @property
    def seconds(self) -> float:
        """Return the skew in seconds, positive when the server is ahead."""
        return self.offset_ns / _NS_PER_SECOND

    @property
    def error_seconds(self) -> float:
        """Return the bound of the error in seconds."""
        return self.error_ns / _NS_PER_SECOND

    @property
    def in_step(self) -> bool:
        """Say whether both clocks are kept: an OK that is not in step is worth a remark."""
        return abs(self.seconds) <= IN_STEP_SECONDS

    @property
    def verdict(self) -> Verdict:
        """Return OK up to 30 s, WARN up to 240 s, FAIL beyond."""
        size = abs(self.seconds)
        if size > FAIL_SECONDS:
            return Verdict.FAIL
        return Verdict.WARN if size > WARN_SECONDS else Verdict.OK


def estimate(sent_ns: int, server_ns: int, received_ns: int, resolution_ns: int = 0) -> Skew:
    """Return the skew from our clock before and after an exchange and the server's within it.

    Times are unix ns. `resolution_ns` is the unit that `server_ns` was cut to: a second for a Date
    header (RFC 9110 section 6.6.1). The error is half of the round trip and half of that unit.
    ValueError if our own clock went back meanwhile: such an exchange says nothing.
    """
    if received_ns < sent_ns:
        raise ValueError("the local clock went back during the exchange: measure again")
    # Where the server read its clock is unknown, so the middle of all that is possible is taken.
    offset = (2 * server_ns + resolution_ns - sent_ns - received_ns) // 2
    error = (received_ns - sent_ns + resolution_ns + 1) // 2
    return Skew(offset, error)
