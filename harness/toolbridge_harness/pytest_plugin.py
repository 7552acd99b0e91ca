"""pytest plugin: `pytest --proxy-url URL` or `--proxy-launch CMD` runs the checks as tests.

It imports nothing of the suite until one of its options is given: it is loaded into every
pytest of the environment, whether the harness extra is installed or not.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from toolbridge_harness.model import Report, Result

_SUITE = Path(__file__).parent / "suite" / "test_checks.py"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; their names are prefixed so that they collide with nobody's."""
    group = parser.getgroup("toolbridge", "verify a ToolBridge MCP proxy")
    group.addoption("--proxy-url", metavar="URL", help="verify this live deployment")
    group.addoption("--proxy-launch", metavar="CMD", help="start this proxy and verify it")
    group.addoption(
        "--proxy-profile",
        metavar="NAME",
        default="gate",
        help="which checks: smoke, gate, full or soak (default: gate)",
    )
    group.addoption(
        "--proxy-lacks",
        metavar="NAME",
        action="append",
        default=[],
        help="the proxy does without key-sets, metrics or session-cache",
    )


def _active(config: pytest.Config) -> bool:
    return bool(config.getoption("--proxy-url") or config.getoption("--proxy-launch"))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Refuse wrong options; collect the suite instead of the folder when no path was given."""
    if not _active(config):
        return
    from toolbridge_harness.config import split_url
    from toolbridge_harness.errors import UsageProblem

    url = config.getoption("--proxy-url")
    if url and config.getoption("--proxy-launch"):
        raise pytest.UsageError("--proxy-url and --proxy-launch exclude each other")
    try:
        if url:
            split_url(url)
    except UsageProblem as problem:
        raise pytest.UsageError(f"--proxy-url: {problem.message}") from None
    _profile(config)
    _lacks(config)
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args = [str(_SUITE)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test per check of the profile."""
    if "toolbridge_check" not in metafunc.fixturenames:
        return
    from toolbridge_harness.registry import select

    names = [declared.id for declared in select(_profile(metafunc.config))]
    metafunc.parametrize("toolbridge_check", names, ids=names)


def _profile(config: pytest.Config) -> Any:
    from toolbridge_harness.model import Profile

    name = config.getoption("--proxy-profile")
    if name not in set(Profile):
        known = ", ".join(Profile)
        raise pytest.UsageError(f"--proxy-profile {name}: there is {known}")
    return Profile(name)


def _lacks(config: pytest.Config) -> frozenset[Any]:
    from toolbridge_harness.model import Capability

    names = config.getoption("--proxy-lacks")
    for name in names:
        if name not in set(Capability):
            known = ", ".join(Capability)
            raise pytest.UsageError(f"--proxy-lacks {name}: there is {known}")
    return frozenset(map(Capability, names))


@pytest.fixture(scope="session")
def toolbridge_report(request: pytest.FixtureRequest) -> "Report":
    """Run the collected checks once, concurrently, and return the report."""
    import asyncio

    from toolbridge_harness.config import TENANT_ID, setting
    from toolbridge_harness.errors import UsageProblem
    from toolbridge_harness.progress import PlainProgress
    from toolbridge_harness.registry import all_checks
    from toolbridge_harness.stack import Launch
    from toolbridge_harness.verify import Options, verify

    config = request.config
    if not _active(config):
        pytest.skip("needs --proxy-url or --proxy-launch")
    url, command = config.getoption("--proxy-url"), config.getoption("--proxy-launch")
    try:
        options = Options(
            checks=[all_checks()[name] for name in _collected(request.session)],
            profile=_profile(config),
            url=url,
            launch=Launch(command=command) if command else None,
            tenant=setting(TENANT_ID) if url else None,
            lacks=_lacks(config),
        )
        return asyncio.run(verify(options, PlainProgress()))
    except UsageProblem as problem:
        pytest.exit(problem.message, returncode=pytest.ExitCode.USAGE_ERROR)


def _collected(session: pytest.Session) -> list[str]:
    chosen = (
        item.callspec.params.get("toolbridge_check")
        for item in session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
    )
    return sorted({name for name in chosen if isinstance(name, str)})


def explanation(result: "Result", report: "Report") -> str:
    """Return what a failed test prints: the same facts as the terminal report."""
    from toolbridge_harness.registry import all_checks
    from toolbridge_harness.report.terminal import replay

    declared = all_checks()[result.check]
    rows = (
        ("claim", declared.claim),
        ("expected", result.expected),
        ("actual", result.actual),
        ("detail", result.detail),
        ("follows from", result.cause),
        ("fix", declared.remedy),
        ("replay", replay(report, result.check)),
    )
    return "\n".join(f"{label:>12}: {text}" for label, text in rows if text)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Nothing ran is not success: a session whose checks were all skipped ends with 5."""
    if not _active(session.config) or exitstatus != pytest.ExitCode.OK:
        return
    reporter = session.config.pluginmanager.getplugin("terminalreporter")
    ran = [r for r in reporter.stats.get("passed", []) if "test_check[" in r.nodeid]
    if not ran:
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED
