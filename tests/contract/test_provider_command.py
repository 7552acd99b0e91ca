"""`verify` on the command line: what it runs, prints, writes and refuses."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from support.contract_provider import InProcess, cases
from toolbridge_contract.provider.cases import GROUPS
from toolbridge_contract.provider.command import Usage, select, verify_command
from toolbridge_contract.provider.report import Report, render
from toolbridge_contract.provider.runner import run

SETTINGS = {
    "JWT_HS256_SECRET": "jwt-secret-that-is-never-printed",
    "TENANT_HEADER_SECRET": "tenant-secret-that-is-never-printed",
    "TOOLBRIDGE_TENANT_ID": "t1",
}
URL = "https://go-api.test"


def call(*arguments: str, **change: str | None) -> tuple[int, Result]:
    settings = {**SETTINGS, **change}
    command = verify_command(settings.get)
    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    if isinstance(result.exception, click.ClickException):
        return result.exception.exit_code, result
    return int(result.return_value), result


def refusal(*arguments: str, **change: str | None) -> str:
    code, result = call(*arguments, **change)
    assert isinstance(result.exception, Usage)
    assert 4 == code
    message = result.exception.format_message()
    assert not [value for value in SETTINGS.values() if len(value) > 9 and value in message]
    return message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--respx", "--url", URL], "--respx and --url exclude each other"),
        (["--url", "ftp://x"], "--url 'ftp://x' is not a URL: it starts with https://"),
        (["--url", "go-api.test"], "--url 'go-api.test' is not a URL: it starts with"),
        (["--url", URL + "/v1"], "has a path: the Go API lives at the root"),
        (["--url", "https://a:b@go-api.test"], "--url holds a user name or password"),
        (["--url", "https://x:y"], "is not a URL"),
        (["--report", "xml:x"], "--report xml:x: give json:FILE"),
        (["--report", "json:"], "--report json:: give json:FILE"),
        (["--report", "json:/no/such/folder/x"], "/no/such/folder/x: cannot be written"),
        (["--only", "jwt-lower"], "did you mean"),
        (["--only", "zzzzzz"], "no case or group has this name; --list shows all"),
    ],
)
def test_wrong_usage_is_one_line(arguments: list[str], message: str) -> None:
    """With exit code 4, before anything is started."""
    found = refusal(*arguments)

    assert message in found
    assert "\n" not in found


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"JWT_HS256_SECRET": None},
            "JWT_HS256_SECRET or TOOLBRIDGE_JWT_SECRET is not set: a real API needs it",
        ),
        (
            {"TENANT_HEADER_SECRET": ""},
            "TENANT_HEADER_SECRET or TOOLBRIDGE_TENANT_HEADER_SECRET is not set",
        ),
        ({"TOOLBRIDGE_TENANT_ID": None}, "TOOLBRIDGE_TENANT_ID is not set"),
        ({"JWT_HS256_SECRET": "x \n"}, "has blanks or line breaks around its value"),
    ],
)
def test_a_missing_or_mistyped_secret_is_named(change: dict[str, str | None], message: str) -> None:
    """By its variable, never by its value."""
    assert message in refusal("--url", URL, **change)


def test_the_proxys_names_of_the_secrets_do_as_well() -> None:
    """So that one environment serves both; the address is then the next thing to be wrong."""
    code, result = call(
        "--url",
        "http://127.0.0.1:1",
        JWT_HS256_SECRET=None,
        TENANT_HEADER_SECRET=None,
        TOOLBRIDGE_JWT_SECRET="x" * 32,
        TOOLBRIDGE_TENANT_HEADER_SECRET="y" * 32,
    )

    assert 1 == code
    assert "http://127.0.0.1:1 cannot be reached" in result.stderr


def test_cases_are_selected_by_id_and_by_group() -> None:
    """In the order of the sections, each once."""
    found = select(["jwt-hs384", "wipe", "jwt-hs384", "wipe-empty-body"])

    assert ["jwt-hs384", *(case.id for case in GROUPS["wipe"])] == [case.id for _, case in found]


def test_cases_can_be_listed() -> None:
    """With their group, and nothing is run."""
    code, result = call("--list", "--only", "jwt-hs384")

    assert (0, "jwt          jwt-hs384\n") == (code, result.stdout)


def test_a_green_run_behind_respx_ends_with_the_count(tmp_path: Path) -> None:
    """The report has every case, and the findings their severity and remedy."""
    file = tmp_path / "report.json"
    code, result = call(
        "--respx", "--only", "headers", "--only", "scope", "--report", f"json:{file}"
    )

    assert 0 == code, result.output
    ran = [case for name in ("headers", "scope") for case in GROUPS[name] if not case.wire]
    wire = len(GROUPS["headers"]) + len(GROUPS["scope"]) - len(ran)
    last = result.stdout.splitlines()[-1]
    assert f"mock behind respx: {len(ran)} of {len(ran)} cases agree, {wire} not run" == last
    assert "finding: [critical] tenants-separate-data (seen in this run)" in result.stdout
    written = json.loads(file.read_text())
    assert (len(ran), 0) == (written["counts"]["agrees"], written["counts"]["differs"])
    assert len(ran) + wire == len(written["cases"])
    assert {"id", "severity", "remedy", "seen"} <= set(written["findings"][0])


def test_nothing_that_could_be_run_is_no_verdict() -> None:
    """A run of cases that need a socket, behind respx, proves nothing."""
    code, result = call("--respx", "--only", "header-host-twice")

    assert 1 == code
    assert result.stdout.endswith("mock behind respx: 0 of 0 cases agree, 1 not run\n")


def test_what_differs_is_shown_with_expected_and_got(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the request that shows it; the run is red."""
    monkeypatch.setattr("toolbridge_contract.mock.lists.DEFAULT_LIMIT", 100)
    report = Report("this mock", run(cases(["list-default", "list-limit-0"]), InProcess()))
    shown = render(report)

    assert report.red
    assert "differs     list-default: GET /v1/notes\n    body\n" in shown
    assert "        expected  Page(count=500, title='n0000'" in shown
    assert "        got       Page(count=100, title='n0000'" in shown
    assert shown.endswith("this mock: 0 of 2 cases agree, 2 differ\n")


def test_verbose_lists_what_agrees() -> None:
    """Line by line."""
    report = Report("this mock", run(cases(["jwt-hs384"]), InProcess()))

    assert "agrees      jwt-hs384\n" in render(report, every=True)
    assert "agrees      jwt-hs384\n" not in render(report)


def test_a_case_without_a_verdict_makes_the_run_red() -> None:
    """And its reason is shown."""
    provider = InProcess()
    provider.secrets = type(provider.secrets)("wrong", provider.secrets.tenant, "t")
    report = Report("this mock", run(cases(["flow-get"]), provider))

    assert report.red
    assert "no verdict  flow-get\n    POST /v1/sync/sessions answered 401" in render(report)
