"""Checks of severity critical or high that kill no mutant alone, each with the reason why.

A test keeps this in step with the matrix: an entry that does kill one alone is stale.
"""

NOT_ALONE: dict[str, str] = {
    "control-lacks": (
        "it applies to targets that declare a lack, and no mutant does; "
        "tests/e2e/test_plain_proxy.py makes each declaration untrue"
    ),
    "transport-plain-http": (
        "the edge in front serves plain http or leads to https, whichever proxy is behind it; "
        "tests/harness/test_edge_checks.py breaks an edge in that one thing"
    ),
    "transport-tls": (
        "TLS ends at the edge in front, and a launched proxy has none; "
        "tests/harness/test_edge_checks.py breaks an edge's TLS in one thing at a time"
    ),
}
