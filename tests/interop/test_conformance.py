"""The official MCP conformance suite, two versions of it, against the reference proxy."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from interop.conformance import SUITES, Conformance, Entry, Run, Suite, entries, explains
from interop.node import NodeTools
from interop.relay import token_relay
from toolbridge_contract.tokens import mint
from toolbridge_harness.stack import Stack

pytestmark = pytest.mark.interop

# What a server with nothing but tools must pass, with how many checks of it succeed: fewer means
# that the suite looked at less. The alpha adds a check of the wire schema to most scenarios.
REQUIRED = {
    "0.1.16": {
        "server-initialize": 1,
        "ping": 1,
        "tools-list": 1,
        "dns-rebinding-protection": 2,
    },
    "0.2.0-alpha.12-2025-11-25": {
        "server-initialize": 2,
        "ping": 2,
        "tools-list": 3,
        "dns-rebinding-protection": 2,
    },
    "0.2.0-alpha.12-2026-07-28": {
        "tools-list": 4,
        "caching": 4,
        "http-header-validation": 14,
        "server-stateless": 21,
        "server-sse-multiple-streams": 1,
        "sep-2164-resource-not-found": 2,
        "input-required-result-unsupported-methods": 2,
        "dns-rebinding-protection": 2,
    },
}
SCENARIOS = [
    pytest.param(suite, scenario, id=f"{suite.name}-{scenario}")
    for suite in SUITES
    for scenario in REQUIRED[suite.name]
]
every_suite = pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)


@pytest.fixture(scope="module")
def conformance(
    node: NodeTools, stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Conformance]:
    """The suite, pointed at the proxy through a relay that adds a token: it has no option."""
    proxy = urlsplit(stack.proxy_url)
    assert proxy.hostname, proxy.port
    token = mint("conformance", stack.tenant_id, stack.jwt_secret)
    with token_relay(proxy.hostname, proxy.port or 0, token) as url:
        yield Conformance(node, f"{url}/mcp", tmp_path_factory.mktemp("conformance"))


@pytest.fixture(scope="module")
def runs(conformance: Conformance) -> dict[str, Run]:
    """One whole run of each suite with its baseline."""
    return {suite.name: conformance.run(suite, suite.baseline) for suite in SUITES}


def _baseline(suite: Suite) -> list[Entry]:
    return entries(suite.baseline.read_text())


@every_suite
def test_nothing_fails_that_the_baseline_does_not_name(runs: dict[str, Run], suite: Suite) -> None:
    """The suite's own verdict: no unexpected failure, and no entry that passes by now."""
    assert 0 == runs[suite.name].code, runs[suite.name].output


@every_suite
def test_every_scenario_ran(conformance: Conformance, runs: dict[str, Run], suite: Suite) -> None:
    """The suite left nothing out that it lists for servers."""
    listed = conformance.listed(suite)

    assert listed
    assert set() == listed - runs[suite.name].scenarios


@pytest.mark.parametrize(("suite", "scenario"), SCENARIOS)
def test_what_matters_ran_and_passed(runs: dict[str, Run], suite: Suite, scenario: str) -> None:
    """A scenario for servers with tools is not excused as a whole, and its checks succeed."""
    excused = {entry.check for entry in _baseline(suite) if entry.scenario == scenario}
    checks = runs[suite.name].of(scenario)

    assert None not in excused
    assert [] == [check for check in checks if check.failed and check.id not in excused]
    assert REQUIRED[suite.name][scenario] == sum(check.status == "SUCCESS" for check in checks)


@every_suite
def test_every_failure_has_the_reason_that_the_baseline_gives(
    runs: dict[str, Run], suite: Suite
) -> None:
    """A failure with another message than the reason's is a defect that hides behind an entry."""
    baseline = _baseline(suite)

    unexplained = [
        check
        for check in runs[suite.name].checks
        if check.failed and not any(explains(entry, check) for entry in baseline)
    ]

    assert [] == unexplained


@every_suite
def test_every_entry_is_needed(runs: dict[str, Run], suite: Suite) -> None:
    """Each entry excuses a check that failed; the suite overlooks names that it does not know."""
    checks = runs[suite.name].checks

    idle = [
        entry
        for entry in _baseline(suite)
        if not any(check.failed and explains(entry, check) for check in checks)
    ]

    assert [] == idle


def test_every_message_is_valid_by_the_schema(runs: dict[str, Run]) -> None:
    """No scenario of the alpha, excused or not, saw a message that the MCP schema refuses."""
    checks = [check for run in runs.values() for check in run.checks]
    validity = [check.status for check in checks if check.id == "wire-schema-valid"]

    assert 60 < len(validity)
    assert {"SUCCESS"} == set(validity)


@every_suite
def test_a_stale_entry_fails_the_run(
    conformance: Conformance, suite: Suite, tmp_path: Path
) -> None:
    """An entry for a scenario that passes is an error, so the baseline can't rot."""
    baseline = tmp_path / "stale.yml"
    baseline.write_text("server:\n  - tools-list\n")

    run = conformance.run(suite, baseline, "--scenario", "tools-list")

    assert 1 == run.code
    assert "Stale baseline entries" in run.output


@every_suite
def test_a_failure_without_an_entry_fails_the_run(
    conformance: Conformance, suite: Suite, tmp_path: Path
) -> None:
    """Without its entry, an excused scenario is an unexpected failure."""
    baseline = tmp_path / "empty.yml"
    baseline.write_text("server: []\n")

    run = conformance.run(suite, baseline, "--scenario", "tools-call-image")

    assert 1 == run.code
    assert ["tools-call-image"] == [check.id for check in run.checks if check.failed]


@pytest.mark.parametrize(
    "line",
    [
        "  - ping",
        "  - ping  #",
        "  - ping  # fixture:",
        "  - ping  # fixture: ",
        "  - ping  # somehow: it fails",
        "  - ping: tools  # fixture: a mapping",
        "client:",
    ],
)
def test_an_entry_without_a_reason_is_refused(line: str) -> None:
    """A baseline says why, in words that can be checked, for every single entry."""
    with pytest.raises(ValueError, match="line 2: "):
        entries(f"server:\n{line}\n")
