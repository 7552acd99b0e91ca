"""`toolbridge verify` on real processes."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from support.command_line import Finished, python_command, read_json, toolbridge
from toolbridge_harness.registry import all_checks

pytestmark = pytest.mark.e2e

OTHER_KEY = "another-key-of-more-than-32-bytes-length"


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
    done, _ = embedded

    assert (0, "GREEN the bundled reference proxy") == (done.code, done.first_line)
    assert 0 == done.count("failed") + done.count("could not be tested") + done.count("warned")
    assert done.count("passed") >= 30


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


def test_a_launched_proxy_gets_the_same_verdict() -> None:
    """Grey-box: the same proxy, started by a command, is as green."""
    done = toolbridge("verify", "--launch", "python -m toolbridge_proxy")

    assert (0, "GREEN python -m toolbridge_proxy") == (done.code, done.first_line)
    assert 0 == done.count("did not apply")


@pytest.mark.parametrize(
    ("kind", "first_line"),
    [
        ("401", "RED the target answers 401 to everything, a valid token included"),
        ("404", "RED the target answers 404 to everything: there is no MCP endpoint at this path"),
        ("canned", "RED the target answers the same canned success to everything, "),
        ("hangs", "RED the target hangs: it accepts connections and answers nothing"),
        ("never-starts", "RED the proxy never started: it ended with exit code 1: cannot import"),
        ("dies", "RED the target died half-way: its process ended with exit code 137: out of mem"),
    ],
)
def test_a_dead_or_dumb_target_is_named(kind: str, first_line: str) -> None:
    """A target that proves nothing is red, soon, and the first line says which kind it is."""
    done = toolbridge("verify", "--launch", python_command("dumb_server.py", kind))

    assert 1 == done.code
    assert done.first_line.startswith(first_line)


@pytest.mark.parametrize(
    ("bug", "cause", "also_red"),
    [
        ("signature", "signing-recomputed", {"control-token"}),
        ("seconds", "signing-unit", {"control-token", "signing-fresh"}),
        ("shared-session", "sessions-own", {"isolation-interleaved"}),
        ("any-tenant", "tenant-wrong", {"tenant-missing", "tenant-types", "tenant-look-alikes"}),
        ("any-token", "auth-wrong-secret", {"auth-tampered", "auth-expired", "auth-both-eras"}),
    ],
)
def test_a_broken_proxy_is_red_for_its_bug(
    bug: str, cause: str, also_red: set[str], tmp_path: Path
) -> None:
    """One bug, one cause: the first one named is the right one, and the rest follow from it."""
    report = tmp_path / "run.json"
    launch = python_command("broken_proxy.py", bug)

    done = toolbridge("verify", "--launch", launch, "--report", f"json:{report}")

    causes = read_json(report)["causes"]
    assert 1 == done.code
    assert [cause] == [found["id"] for found in causes]
    assert set() == also_red - set(causes[0]["explains"])
    assert done.first_line == f"RED {all_checks()[cause].broken}"


@pytest.mark.parametrize(
    ("bug", "check"),
    [
        ("cached-verdict", "auth-expires-in-use"),
        ("debug-sub", "auth-identity-headers"),
        ("global-flight", "sessions-own"),
        ("health-leak", "health-check-public"),
        ("health-upstream", "errors-health-alone"),
        ("retry-timeout", "errors-write-timeout"),
        ("relay-headers", "hygiene-upstream-headers"),
        ("bool-of-text", "tools-falsy-values"),
        ("raw-log", "hygiene-log-injection"),
        ("cors", "transport-origin"),
        ("late-notification", "transport-no-silent-execution"),
    ],
)
def test_a_check_bites(bug: str, check: str) -> None:
    """The check that claims a bug's row is red on that bug, and on it alone."""
    launch = python_command("broken_proxy.py", bug)

    done = toolbridge("verify", "--launch", launch, "--only", check, "--only", "control-token")

    assert 1 == done.code
    assert done.first_line == f"RED {all_checks()[check].broken}"
    assert (1, 1) == (done.count("failed"), done.count("passed"))


@pytest.mark.parametrize(
    ("bug", "cause"),
    [
        ("first-token", "RED the proxy acts for the wrong user: "),
        ("sticky", "RED the proxy acts for the wrong user: "),
        ("create-note-fails", "RED the tools for notes do not do what their names say"),
    ],
)
def test_what_breaks_everything_is_said_once(bug: str, cause: str) -> None:
    """A bug that fails half of the checks is named first, and none of it is called ours."""
    done = toolbridge("verify", "--launch", python_command("broken_proxy.py", bug))

    assert 1 == done.code
    assert done.first_line.startswith(cause)
    assert 0 == done.count("broke (our bug)")


@pytest.mark.parametrize(
    "variant",
    [
        "event-streams-and-sessions",
        "session-per-request",
        "old-era-only",
        "tenant-as-401",
        "quoted-and-unhurried",
        "text-alone",
    ],
)
def test_a_correct_proxy_built_differently_is_green(variant: str) -> None:
    """Nothing that the contract leaves open makes a run red."""
    done = toolbridge("verify", "--launch", python_command("conformant_proxy.py", variant))

    assert (0, 0) == (done.code, done.count("warned"))


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
    known = ["tenant-wrong", "tenant-missing", "tenant-types", "tenant-look-alikes"]
    known += ["tenant-not-disclosed", "tenant-header-powerless"]
    baseline.write_text(
        "".join(
            f'[[accepted]]\ncheck = "{name}"\nreason = "ticket 7"\nexpires = 2999-01-01\n'
            for name in known
        )
    )
    launch = python_command("broken_proxy.py", "any-tenant")

    done = toolbridge("verify", "--launch", launch, "--only", "tenant", "--baseline", str(baseline))

    assert 0 == done.code
    assert "6 of the failures accepted by the baseline" in done.out


def test_a_port_that_is_taken_is_named() -> None:
    """A mock that cannot listen is a configuration error, not a red target."""
    done = toolbridge("verify", "--launch", "true", "--mock-host", "192.0.2.1")

    assert 4 == done.code
    assert "cannot listen on 192.0.2.1" in done.err
    assert "Traceback" not in done.err
