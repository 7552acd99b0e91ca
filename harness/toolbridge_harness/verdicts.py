"""What a check raises when its claim does not simply hold. Returning is a pass."""


class Violation(Exception):
    """The claim does not hold: what was expected, and what came instead."""

    def __init__(self, expected: str, actual: str) -> None:
        super().__init__(f"expected {expected}, got {actual}")
        self.expected = expected
        self.actual = actual


class Advisory(Exception):
    """A deviation that the catalogue grades WARN or INFO: reported, never red."""

    def __init__(self, expected: str, actual: str) -> None:
        super().__init__(f"expected {expected}, got {actual}")
        self.expected = expected
        self.actual = actual


class Untestable(Exception):
    """A precondition failed, so the claim could not be looked at. Red."""


class NoAnswer(Violation):
    """The target took the request and gave no answer in time."""


class Unreachable(Untestable):
    """The target did not take the request."""


class ControlFailed(Untestable):
    """The call that must succeed beside every refusal did not: a refusal would prove nothing."""


class NotApplicable(Exception):
    """The target does not have what the claim is about."""


def require_equal(expected: object, actual: object, what: str) -> None:
    """Raise a Violation unless `actual` equals `expected`; `what` names the thing compared."""
    if actual != expected:
        raise Violation(f"{what} {expected!r}", f"{actual!r}")


def require(condition: object, expected: str, actual: object) -> None:
    """Raise a Violation unless `condition` is true."""
    if not condition:
        raise Violation(expected, str(actual))
