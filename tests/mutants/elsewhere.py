"""Rows of the published table that are no proxy with a bug, and the tests that stand for them."""

from dataclasses import dataclass

_DUMB = "tests/e2e/test_verify.py::test_a_dead_or_dumb_target_is_named"
_EDGE = "tests/harness/test_edge_checks.py::test_plain_http_that_reaches_the_proxy_is_a_violation"


@dataclass(frozen=True)
class Elsewhere:
    """A row, why no patch of the proxy makes it, and the pytest nodes that test it instead."""

    bug: str
    why: str
    tests: tuple[str, ...]


ELSEWHERE = {
    "M-Q13": Elsewhere(
        "force_https=false",
        "the edge in front serves plain http, whichever proxy is behind it",
        (f"{_EDGE}[200]", f"{_EDGE}[401]"),
    ),
    "M-V01": Elsewhere(
        "answers 401 to everything",
        "it is no proxy, and the run ends before the first check",
        (f"{_DUMB}[M-V01-401-to-everything]",),
    ),
    "M-V03": Elsewhere(
        "hangs on everything",
        "it is no proxy, and the run ends before the first check",
        (f"{_DUMB}[M-V03-hangs]",),
    ),
}
