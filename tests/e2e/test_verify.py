"""`toolbridge verify` on real processes."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from mutants.running import launch_command
from support.command_line import Finished, python_command, read_json, toolbridge
from toolbridge_harness.model import Profile, Vantage
from toolbridge_harness.registry import all_checks, select

pytestmark = pytest.mark.e2e

# A plain-HTTP proxy in one process, whose Go API chooses the ids of sessions.
BY_RIGHT = {"control-lacks", "sessions-id-entropy", "transport-plain-http", "transport-tls"}
# What a proxy that verifies no signature fails, and what it does not fail.
FORGERIES = {
    *("auth-tampered", "auth-both-eras", "auth-challenge", "auth-session-id"),
    *("auth-key-address", "startup-switches", "hygiene-denials-logged"),
}
UNHARMED = {"control-token", "auth-no-token", "auth-expired", "tenant-wrong"}
ANY_TENANT = [
    *("tenant-wrong", "tenant-missing", "tenant-types", "tenant-look-alikes"),
    *("tenant-not-disclosed", "tenant-header-powerless"),
]


def only(*ids: str) -> list[str]:
    """Return the options that choose these checks."""
    return [word for name in ids for word in ("--only", name)]


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Finished, Path]:
    """One embedded run with every report."""
    folder = tmp_path_factory.mktemp("reports")
    done = toolbridge(
        "verify", "--report", f"json:{folder}/run.json", "--report", f"junit:{folder}/run.xml"
    )
    return done, folder


def test_the_reference_proxy_is_green(embedded: tuple[Finished, Path]) -> None:
    """The main job: mock and proxy come up, every check of the gate passes, exit code 0."""
    done, folder = embedded
    document = read_json(folder / "run.json")
    outcomes = {result["check"]: result["outcome"] for result in document["results"]}

    assert (0, "GREEN the bundled reference proxy") == (done.code, done.first_line)
    assert {declared.id for declared in select(Profile.GATE)} == set(outcomes)
    assert BY_RIGHT == {name for name, outcome in outcomes.items() if outcome != "pass"}
    assert {"not applicable"} == {outcomes[name] for name in BY_RIGHT}
    assert BY_RIGHT == {name for group in document["not_verified"] for name in group["checks"]}
    assert [] == document["problems"]


def test_the_summary_counts_what_ran(embedded: tuple[Finished, Path]) -> None:
    """Every check is in one of its numbers."""
    done, folder = embedded
    total = len(read_json(folder / "run.json")["results"])

    assert 0 == done.count("failed") + done.count("could not be tested") + done.count("warned")
    assert (len(BY_RIGHT), total - len(BY_RIGHT)) == (
        done.count("did not apply"),
        done.count("passed"),
    )


def test_progress_goes_to_standard_error(embedded: tuple[Finished, Path]) -> None:
    """The report is the only thing on standard output; a pipe gets plain progress lines."""
    done, _ = embedded

    assert "starting the mock Go API and the proxy" in done.err
    assert "checks done" in done.err
    assert "checks done" not in done.out
    assert "\x1b" not in done.out + done.err


def test_every_report_tells_the_same(embedded: tuple[Finished, Path]) -> None:
    """JSON and JUnit agree with the summary line."""
    done, folder = embedded
    document = read_json(folder / "run.json")
    cases = list(ET.parse(folder / "run.xml").getroot().iter("testcase"))

    assert ("green", done.count("passed")) == (document["verdict"], document["counts"]["pass"])
    assert len(document["results"]) + 1 == len(cases)


def test_no_report_holds_a_secret(embedded: tuple[Finished, Path]) -> None:
    """No token gets into anything printed or written."""
    done, folder = embedded
    written = (folder / "run.json").read_text() + (folder / "run.xml").read_text()

    assert "eyJ" not in done.out + done.err + written


def test_a_launched_proxy_is_seen_as_deeply() -> None:
    """Grey-box: of the same proxy, started by a command, nothing is out of sight either."""
    done = toolbridge(
        *("verify", "--launch", "python -m toolbridge_proxy", "--require", ",".join(Vantage)),
        *only("control-token", "auth-wrong-secret", "signing-recomputed"),
        *only("hygiene-denials-logged", "auth-keys-accepted"),
    )

    assert (0, "GREEN python -m toolbridge_proxy") == (done.code, done.first_line)
    assert (5, 0) == (done.count("passed"), done.count("did not apply"))


@pytest.mark.parametrize(
    ("kind", "first_line"),
    [
        pytest.param(
            "401",
            "RED the target answers 401 to everything, a valid token included",
            id="M-V01-401-to-everything",
        ),
        ("404", "RED the target answers 404 to everything: there is no MCP endpoint at this path"),
        ("canned", "RED the target answers the same canned success to everything, "),
        pytest.param(
            "hangs",
            "RED the target hangs: it accepts connections and answers nothing",
            id="M-V03-hangs",
        ),
        ("never-starts", "RED the proxy never started: it ended with exit code 1: cannot import"),
        ("dies", "RED the target died half-way: its process ended with exit code 137: out of mem"),
    ],
)
def test_a_dead_or_dumb_target_is_named(kind: str, first_line: str) -> None:
    """A target that proves nothing is red, soon, and the first line says which kind it is."""
    done = toolbridge("verify", "--launch", python_command("dumb_server.py", kind))

    assert 1 == done.code
    assert done.first_line.startswith(first_line)


def test_a_broken_proxy_is_red_for_its_bug(tmp_path: Path) -> None:
    """One bug, one cause: it is said first, everything else follows from it, and no more is red."""
    report = tmp_path / "run.json"
    cause = "auth-wrong-secret"

    done = toolbridge(
        *("verify", "--launch", launch_command("any-token"), "--report", f"json:{report}"),
        *only(cause, *FORGERIES, *UNHARMED),
    )

    document = read_json(report)
    assert (1, f"RED {all_checks()[cause].broken}") == (done.code, done.first_line)
    assert [(cause, sorted(FORGERIES))] == [(c["id"], c["explains"]) for c in document["causes"]]
    passed = {r["check"] for r in document["results"] if r["outcome"] == "pass"}
    assert UNHARMED == passed


def test_who_acts_for_the_wrong_user_is_said_once(tmp_path: Path) -> None:
    """Strays are the first cause and the only one, whatever they break, and none of it is ours."""
    report = tmp_path / "run.json"

    done = toolbridge(
        *("verify", "--launch", launch_command("M-E02"), "--report", f"json:{report}"),
        *only("control-token", "control-one-request", "isolation-connection", "sessions-headers"),
        *only("isolation-interleaved", "signing-when-sent", "tools-note-life-cycle"),
        *only("transport-framing", "auth-scheme-case", "auth-two-places", "auth-tampered"),
    )

    causes = read_json(report)["causes"]
    assert 1 == done.code
    assert done.first_line.startswith("RED the proxy acts for the wrong user: ")
    assert ["run-strays"] == [found["id"] for found in causes]
    assert {"isolation-interleaved", "isolation-connection"} <= set(causes[0]["explains"])
    assert 0 == done.count("broke (our bug)")


def test_a_tool_that_fails_is_said_once() -> None:
    """What needs a note follows from the tool that makes none; what needs none is not touched."""
    launch = launch_command("create-note-fails")

    done = toolbridge(
        *("verify", "--launch", launch),
        *only("tools-note-life-cycle", "tools-comment-life-cycle", "tools-answers-unchanged"),
        *only("transport-framing", "isolation-foreign-uid", "errors-own-words"),
        *only("tools-task-life-cycle", "control-token", "auth-tampered"),
    )

    assert 1 == done.code
    assert done.first_line.startswith("RED the tools for notes do not do what their names say")
    assert (0, 0) == (done.out.count("\nalso "), done.count("broke (our bug)"))
    assert done.count("passed") >= 3


def test_a_mock_that_dies_is_not_the_targets_fault() -> None:
    """When the suite loses its own mock, it says so and still reports what it knows."""
    launch = python_command("mock_killer.py")

    done = toolbridge("verify", "--launch", launch)

    assert 1 == done.code
    assert done.first_line.startswith("RED the mock Go API behind the proxy is gone")


def test_a_seed_repeats_one_check() -> None:
    """The replay line of a report runs that check alone."""
    done = toolbridge("verify", "--only", "auth-alg-none", "--seed", "7")

    assert (0, 1) == (done.code, done.count("passed"))
    assert "seed 7" in done.out


def test_a_baseline_accepts_what_it_names(tmp_path: Path) -> None:
    """A known failure with a reason does not make the run red, and is still shown."""
    baseline = tmp_path / "known.toml"
    baseline.write_text(
        "".join(
            f'[[accepted]]\ncheck = "{name}"\nreason = "ticket 7"\nexpires = 2999-01-01\n'
            for name in ANY_TENANT
        )
    )
    done = toolbridge(
        *("verify", "--launch", launch_command("any-tenant"), "--baseline", str(baseline)),
        *only("control-token", *ANY_TENANT),
    )

    assert 0 == done.code
    assert "6 of the failures accepted by the baseline" in done.out


def test_a_port_that_is_taken_is_named() -> None:
    """A mock that cannot listen is a configuration error, not a red target."""
    done = toolbridge("verify", "--launch", "true", "--mock-host", "192.0.2.1")

    assert 4 == done.code
    assert "cannot listen on 192.0.2.1" in done.err
    assert "Traceback" not in done.err
