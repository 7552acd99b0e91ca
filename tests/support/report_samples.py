"""Runs made up for tests of the reports: one with everything, and hostile ones."""

from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from support.harness_fakes import a_check, a_report, failed
from toolbridge_harness.model import (
    Cause,
    Exchange,
    NotVerified,
    Outcome,
    Report,
    Result,
    Severity,
)

GOLDEN = Path(__file__).parents[1] / "harness" / "golden"
CHECKS = {
    name: a_check(name, severity=severity)
    for name, severity in (
        ("demo-a", Severity.CRITICAL),
        ("demo-b", Severity.HIGH),
        ("demo-c", Severity.MEDIUM),
        ("demo-d", Severity.LOW),
        ("other-e", Severity.INFO),
        ("other-f", Severity.CRITICAL),
        ("other-g", Severity.HIGH),
        ("other-h", Severity.HIGH),
    )
}
GREEN = a_report(Result("demo-a", Outcome.PASS), Result("other-e", Outcome.NOT_APPLICABLE))
NOTHING = a_report(Result("demo-a", Outcome.NOT_APPLICABLE))
EVERYTHING = a_report(
    Result("demo-a", Outcome.PASS, seconds=0.25),
    failed("demo-b", exchanges=(Exchange("POST /mcp", "HTTP 200", 0.1),), seconds=1.5),
    failed("demo-c", cause="demo-b"),
    failed("demo-d", accepted="known since January"),
    Result("other-e", Outcome.WARNING, expected="this", actual="that | <b>`*`</b>"),
    Result("other-f", Outcome.UNTESTABLE, detail="the control failed"),
    Result("other-g", Outcome.ERROR, detail="KeyError: 'a check of ours'"),
    Result("other-h", Outcome.NOT_APPLICABLE, detail="needs logs"),
    causes=(
        Cause("demo-b", "demo-b is broken", "Fix demo-b.", ("demo-c",)),
        Cause("run-strays", "the proxy acts for the wrong user: 2 requests", "Do not.", ()),
    ),
    problems=(
        "the proxy acts for the wrong user: 2 requests",
        "the vantage logs is required but missing: verify with --launch",
    ),
    not_verified=(NotVerified(("other-h",), "needs logs", "use --launch"),),
    extra={"file": "deploy/toolbridge.toml", "revision": "0123456789abcdef"},
)


def many(
    count: int, actual: str = "x", outcome: Outcome = Outcome.FAIL, prefix: str = "many"
) -> tuple[Report, Any]:
    """Return a run of `count` failures without a common cause, and its checks."""
    checks = {name: a_check(name) for name in (f"{prefix}-{n:03}" for n in range(count))}
    results = (Result(name, outcome, expected="x", actual=actual) for name in checks)
    return a_report(*results), checks


# What ends, opens or escapes something in Markdown, HTML, a table, SARIF or a workflow command.
_BREAKERS = st.sampled_from(
    ["|", "\\|", "`", "```\n", "\n\n", "\r", "\r\n", "<!--", "</details>", "</pre>", "</code>",
     "<script>", "&lt;", "&#124;", "*", "_", "~~", "# x", "\n- x", "\n| a |", "[x](http://e.test)",
     "![x](y)", "](", "::error::", "\n::error::x", "%0A", "%25", ",", ":", "@someone", "#1", "$x$",
     "www.e.test", "https://e.test", "\u202e", "\u2028", "\x1b[31m", "\x00", "\ud800", "{0}", "\t"]
)  # fmt: skip
hostile = st.lists(st.one_of(_BREAKERS, st.text(st.characters(), max_size=5)), max_size=8).map(
    "".join
)


def told(say: list[str]) -> Report:
    """Return a run with everything, whose eleven free texts are `say`."""
    return a_report(
        failed("demo-b", say[0], detail=say[1]),
        failed("demo-c", cause="demo-b"),
        failed("demo-d", accepted=say[2]),
        Result("other-e", Outcome.WARNING, expected=say[3], actual=say[4]),
        Result("other-f", Outcome.UNTESTABLE, detail=say[5]),
        Result("other-h", Outcome.NOT_APPLICABLE, detail=say[6]),
        causes=(Cause("demo-b", say[7], "Fix demo-b.", ("demo-c",)),),
        problems=(say[8],),
        not_verified=(NotVerified(("other-h",), say[9], "use --launch"),),
        target=say[10],
    )


HARMLESS = told([f"word{number}" for number in range(11)])
# Numbered, so that no two are the same text by chance.
hostile_reports = st.lists(hostile, min_size=11, max_size=11).map(
    lambda texts: told([f"x{text}x{number}" for number, text in enumerate(texts)])
)
