"""`toolbridge judge`: a recorded run gives the run's own reports again, or another verdict."""

import datetime
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from support.command_line import read_json
from support.harness_fakes import a_check, a_report, failed
from support.recorded_runs import edited, recording, write
from toolbridge_harness import cli
from toolbridge_harness.baseline import ABOUT_ENTRY, Accepted, apply_baseline
from toolbridge_harness.causes import STRAYS
from toolbridge_harness.commands import verify as verify_command
from toolbridge_harness.model import Cause, Exchange, NotVerified, Outcome, Profile, Report, Result
from toolbridge_harness.registry import all_checks
from toolbridge_harness.rejudge import rejudge
from toolbridge_harness.report.json_reader import Recording
from toolbridge_harness.runner import mock_gone
from toolbridge_harness.verify import Options, _Session

RED = recording(
    Result("demo-a", Outcome.PASS, seconds=2.5),
    failed("demo-b", exchanges=(Exchange("POST /mcp", "HTTP 200", 0.1),)),
    failed("demo-c", cause="demo-b"),
    Result("other-d", Outcome.WARNING, expected="this", actual="that"),
    Result("other-e", Outcome.NOT_APPLICABLE, detail="needs logs"),
    causes=(Cause("demo-b", "demo-b is broken", "Fix demo-b.", ("demo-c",)),),
    not_verified=(NotVerified(("other-e",), "needs logs", "use --launch"),),
)
TODAY = datetime.datetime.now(datetime.UTC).date()
LATER = TODAY + datetime.timedelta(days=30)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_run_is_printed_as_verify_printed_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Text, exit code and report files are those of the run, without a target."""
    run = recording(Result("auth-alg-none", Outcome.PASS), failed("auth-expired"))
    run = Recording(run.report, all_checks())
    monkeypatch.setattr(verify_command, "run_options", lambda options: run.report)
    formats = ("json", "junit", "text")
    code = cli.run(["verify", *(f"--report={name}:{name}.1" for name in formats)])
    printed = capsys.readouterr().out

    again = cli.run(["judge", "json.1", *(f"--report={name}:{name}.2" for name in formats)])

    assert (1, printed) == (code, Path("text.1").read_text())
    assert (code, printed) == (again, capsys.readouterr().out)
    for name in formats:
        assert Path(f"{name}.1").read_text() == Path(f"{name}.2").read_text()


def test_checks_that_this_suite_does_not_have_are_presented(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The words are those that the run recorded; nothing is looked up."""
    write(Path("run.json"), RED)

    assert 1 == cli.run(["judge", "run.json"])
    out = capsys.readouterr().out
    assert out.startswith("RED demo-b is broken\n    fix  Fix demo-b.\n")
    assert "fail demo-b (high, ROW-1)\n    The claim of demo-b holds\n" in out
    assert "last exchange\n      > POST /mcp\n      < HTTP 200\n" in out


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (a_report(Result("demo-a", Outcome.PASS)), 0),
        (a_report(failed("demo-a", accepted="known")), 0),
        (a_report(failed("demo-a")), 1),
        (a_report(Result("demo-a", Outcome.PASS), problems=("a stray",)), 1),
        (a_report(Result("demo-a", Outcome.ERROR)), 3),
        (a_report(Result("demo-a", Outcome.NOT_APPLICABLE)), 5),
    ],
)
def test_the_exit_code_is_that_of_the_run(report: Report, code: int) -> None:
    """Every verdict that a run can have is had again."""
    write(Path("run.json"), Recording(report, {"demo-a": a_check("demo-a")}))

    assert code == cli.run(["judge", "run.json"])


def test_the_verdict_follows_from_the_results() -> None:
    """A verdict edited into the file changes nothing: only what was observed counts."""
    edited(Path("run.json"), RED, verdict="green", exit_code=0)

    assert 1 == cli.run(["judge", "run.json"])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("<testsuites/>", "run.json: not a recorded run: it is not JSON"),
        ('{"schema": 9, "results": []}', "run.json: a run of format 9"),
        ('{"schema": 1, "results": []}', "run.json: not a recorded run: version"),
    ],
)
def test_what_is_no_run_is_one_line(
    content: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 4, a line on standard error, nothing on standard output."""
    Path("run.json").write_text(content)

    assert 4 == cli.run(["judge", "run.json"])
    captured = capsys.readouterr()
    assert ("", 1) == (captured.out, len(captured.err.splitlines()))
    assert problem in captured.err


def test_a_report_never_replaces_the_recording(capsys: pytest.CaptureFixture[str]) -> None:
    """The one thing that cannot be made again is not overwritten, whatever it is called."""
    write(Path("run.json"), RED)
    Path("link.json").symlink_to("run.json")
    before = Path("run.json").read_text()

    for name in ("run.json", "link.json"):
        assert 4 == cli.run(["judge", "run.json", "--report", f"json:{name}"])
        assert "would overwrite run.json" in capsys.readouterr().err
    assert before == Path("run.json").read_text()


def test_a_baseline_given_now_is_applied(capsys: pytest.CaptureFixture[str]) -> None:
    """An accepted failure turns the verdict, and the cause that it was is none any more."""
    run = recording(
        failed("auth-expired"),
        causes=(Cause("auth-expired", "expired tokens are taken", "Check exp.", ()),),
    )
    write(Path("run.json"), Recording(run.report, all_checks()))
    Path("known.toml").write_text(
        f'[[accepted]]\ncheck = "auth-expired"\nreason = "ticket 7"\nexpires = {LATER}\n'
    )
    options = ["--baseline", "known.toml", "--report", "json:now.json"]

    assert 0 == cli.run(["judge", "run.json", *options])
    assert capsys.readouterr().out.startswith("GREEN ")
    now = read_json(Path("now.json"))
    assert ([], "ticket 7") == (now["causes"], now["results"][0]["accepted"])


def test_a_bad_baseline_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The baseline's mistakes are named as verify names them."""
    write(Path("run.json"), RED)

    assert 4 == cli.run(["judge", "run.json", "--baseline", "none.toml"])
    assert "baseline none.toml: cannot be read" in capsys.readouterr().err


FOUND = (
    Result("auth-alg-none", Outcome.PASS),
    failed("auth-expired"),
    Result("auth-tampered", Outcome.UNTESTABLE, detail="control failed"),
    failed("signing-unit"),
    failed("signing-every-request", "tenant_headers_rejected"),
    failed("tools-note-life-cycle", "tenant_headers_rejected", unanswered=True),
)
BASELINES: tuple[Sequence[Accepted], ...] = (
    (),
    (Accepted("signing-unit", "known", LATER),),
    (Accepted("signing-every-request", "known", LATER), Accepted("auth-expired", "x", LATER)),
    (Accepted("auth-alg-none", "passes again", LATER), Accepted("auth-tampered", "x", LATER)),
    (Accepted("auth-expired", "old", TODAY - datetime.timedelta(days=1)),),
    (Accepted("tools-note-life-cycle", "known", LATER),),
    (Accepted("auth-renamed", "known", LATER),),
)


SHARED = ["POST /v1/notes was sent for 'service'", "another"]
FORGED = ["GET /v1/notes was sent for 'x', and refused there"]


def verified(accepted: Sequence[Accepted], *, strays: Sequence[str], cut: bool) -> Report:
    """What verify reports about FOUND under a baseline."""
    checks = [all_checks()[result.check] for result in FOUND]
    session = _Session(Options(checks=checks, profile=Profile.GATE, seed=7), accepted)
    session.run.results = {result.check: result for result in FOUND}
    session.stray_lines = list(strays)
    if cut:
        del session.run.results["auth-expired"]
        session.run.finish(mock_gone("it ended"))
    return replace(session.report(), seconds=1.0, started="then")


@pytest.mark.parametrize("strays", [[], SHARED, FORGED], ids=["none", "shared", "forged"])
@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize("now", BASELINES)
@pytest.mark.parametrize("then", BASELINES)
def test_a_run_is_judged_as_if_it_had_had_the_baseline(
    then: Sequence[Accepted], now: Sequence[Accepted], cut: bool, strays: Sequence[str]
) -> None:
    """Whatever baseline the run was given, the one of now gives what verify would have said."""
    recorded = verified(then, strays=strays, cut=cut)

    assert verified(now, strays=strays, cut=cut) == rejudge(recorded, all_checks(), now, TODAY)


def test_what_the_run_lacked_stays_said() -> None:
    """A missing vantage is no matter of the baseline."""
    report = a_report(failed("auth-expired"), problems=("the vantage mint is required",))

    assert report.problems == rejudge(report, all_checks(), (), TODAY).problems


def test_problems_of_a_baseline_are_known_by_their_beginning() -> None:
    """Both problems that a baseline can make go with it."""
    stale = [Accepted("auth-alg-none", "x", LATER)]
    expired = [Accepted("auth-alg-none", "x", TODAY - datetime.timedelta(days=1))]
    for entries in (stale, expired):
        _, problems = apply_baseline([Result("auth-alg-none", Outcome.PASS)], entries, TODAY)

        assert [True] == [problem.startswith(ABOUT_ENTRY) for problem in problems]


def test_strays_are_known_by_their_id() -> None:
    """The cause that strays are has the id by which a recorded one is found."""
    assert STRAYS == verified((), strays=SHARED, cut=False).causes[0].id


def test_what_a_target_sent_is_no_workflow_command(capsys: pytest.CaptureFixture[str]) -> None:
    """As verify does, judge prints the text after `github:-` with commands switched off."""
    run = recording(failed("demo-b", "x\n::error::forged"))
    write(Path("run.json"), run)

    cli.run(["judge", "run.json", "--report", "github:-"])

    lines = capsys.readouterr().out.splitlines()
    stop = next(n for n, line in enumerate(lines) if line.startswith("::stop-commands::"))
    assert lines[-1] == f"::{lines[stop].removeprefix('::stop-commands::')}::"
    assert stop < next(n for n, line in enumerate(lines) if line.strip() == "::error::forged")


def test_an_accepted_check_that_the_suite_no_longer_has_is_known_from_the_run() -> None:
    """A recording brings its checks along; a baseline of then still names them."""
    write(Path("run.json"), recording(failed("demo-old")))
    Path("known.toml").write_text(
        f'[[accepted]]\ncheck = "demo-old"\nreason = "ticket 7"\nexpires = {LATER}\n'
    )

    assert 0 == cli.run(["judge", "run.json", "--baseline", "known.toml"])
