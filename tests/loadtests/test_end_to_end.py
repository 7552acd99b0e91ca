"""Real Locust against a real server: the verdict, the exit code, and how the load arrives."""

import itertools
import json
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from support.load_runs import (
    CREDENTIALS,
    PATIENCE,
    command,
    finished,
    running,
    stub_server,
    until,
)

pytestmark = pytest.mark.e2e

REHEARSAL = ("--rehearsal", "--rate", "30", "--duration", "5")


@dataclass
class Gate:
    """One whole gate run against a fast server."""

    process: subprocess.CompletedProcess[str]
    report: dict[str, Any]
    arrivals: list[dict[str, Any]]
    left: int


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    folder = tmp_path_factory.mktemp("gate")
    with stub_server() as stub:
        arguments = ("--url", stub.url, "--report", "report.json")
        process = finished(command("load", *arguments), folder, **CREDENTIALS)
        report = json.loads((folder / "report.json").read_text())
        yield Gate(process, report, stub.arrivals(), stub.report()["left"])


def test_a_fast_server_passes_the_gate(gate: Gate) -> None:
    """With defaults: 300 samples over 30 s and exit code 0."""
    assert (gate.process.returncode, gate.report["outcome"]) == (0, "pass"), gate.process.stderr
    assert gate.process.stdout.startswith("PASS: p95 is ")
    assert gate.report["gate"]
    assert gate.report["samples"] >= 300
    assert gate.report["seconds"] >= 30


def test_the_samples_are_the_requests_that_arrived(gate: Gate) -> None:
    """All tools but delete, which cleaning up uses too: none lost, none invented."""
    arrived = Counter(call["tool"] for call in gate.arrivals)
    sampled = Counter({row["tool"]: row["samples"] for row in gate.report["tools"]})
    for tool in ("delete_note", "delete_task"):
        del arrived[tool], sampled[tool]

    assert sampled == arrived


def test_users_are_distinct_callers_with_a_polite_user_agent(gate: Gate) -> None:
    """Ten users, ten subjects, and a name that an operator can look up."""
    assert len({call["caller"] for call in gate.arrivals}) == 10
    assert all(call["agent"].startswith("toolbridge-load/") for call in gate.arrivals)


def test_users_do_not_send_in_lockstep(gate: Gate) -> None:
    """Ten users in step would put ten requests into one tenth of each second."""
    times = [call["at"] for call in gate.arrivals][: gate.report["samples"]]
    tenths = Counter(int(time * 10) % 10 for time in times)
    crowded = Counter(int(time * 20) for time in times)

    assert max(tenths.values()) < len(times) / 2
    # 10 requests/s spread at random: a slice of 50 ms holds 0.5 on average, in step it holds 10.
    assert max(crowded.values()) <= 6


def test_no_user_comes_near_its_rate_limit(gate: Gate) -> None:
    """The API gives each user 10 requests/s and a burst of 120."""
    for _, calls in itertools.groupby(
        sorted(gate.arrivals, key=lambda call: (call["caller"], call["at"])),
        key=lambda call: call["caller"],
    ):
        times = [call["at"] for call in calls]
        assert all(later - time > 1 for time, later in zip(times, times[20:], strict=False))


def test_what_was_created_is_deleted(gate: Gate) -> None:
    """Staging is left as it was."""
    assert gate.left == 0


def run_load(folder: Path, *options: str, flags: tuple[str, ...] = ()) -> tuple[int, str]:
    with stub_server(*options) as stub:
        process = finished(
            command("load", "--url", stub.url, *REHEARSAL, *flags), folder, **CREDENTIALS
        )
    return process.returncode, process.stdout


def test_300_ms_more_fail(tmp_path: Path) -> None:
    """Red, with p95 in the first line."""
    code, text = run_load(tmp_path, "--delay-ms", "300")

    assert code == 1
    assert text.startswith("REHEARSAL, not a gate verdict: FAIL: p95 is 3")


def test_refusing_everybody_is_red_within_seconds(tmp_path: Path) -> None:
    """The first line says that nothing was measured and why; the speed of 401 is no speed."""
    code, text = run_load(tmp_path, "--refuse")

    assert code == 1
    assert "nothing was measured: " in text.splitlines()[0]
    assert "HTTP 401" in text.splitlines()[0]


def test_refusing_all_work_after_the_warm_up_is_red(tmp_path: Path) -> None:
    """Every measured request failed, so nothing was measured."""
    code, text = run_load(tmp_path, "--refuse-work")

    assert code == 1
    assert "nothing was measured: all " in text.splitlines()[0]
    assert "with HTTP 401" in text.splitlines()[0]


def test_forgetting_what_was_written_is_red(tmp_path: Path) -> None:
    """A fast wrong answer fails the run."""
    code, text = run_load(tmp_path, "--forget")

    assert code == 1
    assert "answers did not hold what had been written" in text.splitlines()[0]


def test_a_dead_port_is_red_within_seconds(tmp_path: Path) -> None:
    """The preflight finds it; nothing waits for the duration of the test."""
    with stub_server() as stub:
        pass

    process = finished(command("load", "--url", stub.url), tmp_path, **CREDENTIALS)

    assert process.returncode == 1
    assert process.stdout.startswith(
        f"FAIL: nothing was measured: {stub.url}/mcp: connection refused"
    )


def test_a_certificate_that_nobody_vouches_for_is_red(tmp_path: Path) -> None:
    """Locust's fast client accepts any by default; a gate on staging must not."""
    certificate = trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem
    certificate.write_to_path(tmp_path / "server.pem")
    with stub_server("--certificate", str(tmp_path / "server.pem")) as stub:
        url = stub.url.replace("http:", "https:")
        process = finished(command("load", "--url", url), tmp_path, **CREDENTIALS)

    assert process.returncode == 1
    assert process.stdout.startswith(f"FAIL: nothing was measured: {url}/mcp: TLS failure")


@pytest.mark.parametrize(
    ("arguments", "settings", "named"),
    [
        ((), CREDENTIALS, "no target: give its URL with -H or in TOOLBRIDGE_MCP_URL"),
        (("-H", "http://127.0.0.1:9"), {}, "TOOLBRIDGE_JWT_SECRET and TOOLBRIDGE_TENANT_ID not"),
    ],
)
def test_plain_locust_names_what_is_missing(
    tmp_path: Path, arguments: tuple[str, ...], settings: dict[str, str], named: str
) -> None:
    """One line and exit code 4, no traceback."""
    process = finished(command("locust", "--headless", *arguments), tmp_path, **settings)

    assert process.returncode == 4
    assert f"toolbridge load: {named}" in process.stderr
    assert "Traceback" not in process.stderr


def test_the_slowest_answers_of_workers_are_not_lost(tmp_path: Path) -> None:
    """They arrive after Locust has stopped waiting for its workers (half a second)."""
    with stub_server("--delay-ms", "800") as stub:
        arguments = ("--headless", "--processes", "2", "-u", "40", "-t", "7", "--rehearsal")
        process = finished(
            command("locust", *arguments, "--verdict-file", "report.json"),
            tmp_path,
            TOOLBRIDGE_MCP_URL=stub.url,
            **CREDENTIALS,
        )
        arrivals = stub.arrivals()
        left = stub.report()["left"]
    report = json.loads((tmp_path / "report.json").read_text())
    arrived = Counter(call["tool"] for call in arrivals if not call["tool"].startswith("delete"))
    sampled = {r["tool"]: r["samples"] for r in report["tools"] if "delete" not in r["tool"]}

    assert (process.returncode, report["outcome"]) == (1, "fail"), process.stderr
    assert sampled == arrived
    assert len({call["caller"] for call in arrivals}) == 40
    assert left == 0


def test_the_web_ui_shows_the_verdict(tmp_path: Path) -> None:
    """As text and as JSON; when Locust is ended, its exit code is the verdict's."""
    # With the port given as 0, Locust would not tell which one it took.
    with stub_server() as unused:
        port = unused.url.rpartition(":")[2]
    page = f"http://127.0.0.1:{port}/verdict"
    arguments = ("--autostart", "--web-host", "127.0.0.1", "--web-port", port, "--rehearsal")

    def passed() -> bool:
        try:
            return httpx.get(page).text.startswith("REHEARSAL, not a gate verdict: PASS")
        except httpx.TransportError:
            return False

    with (
        stub_server() as stub,
        running(
            command("locust", *arguments, "-H", stub.url, "-u", "40"), tmp_path, **CREDENTIALS
        ) as process,
    ):
        until(passed)
        report = httpx.get(f"{page}?format=json").json()
        process.terminate()
        text, _ = process.communicate(timeout=PATIENCE)

    assert (report["outcome"], report["target"]) == ("pass", f"{stub.url}/mcp")
    assert process.returncode == 0
    assert text.startswith("REHEARSAL, not a gate verdict: PASS")


def test_ctrl_c_prints_what_is_known(tmp_path: Path) -> None:
    """Exit code 130, and Locust has cleaned up after itself."""
    with (
        stub_server() as stub,
        running(
            command("load", "--url", stub.url, "--rate", "20"), tmp_path, **CREDENTIALS
        ) as process,
    ):
        until(lambda: len(stub.arrivals()) >= 30)
        process.send_signal(signal.SIGINT)
        text, _ = process.communicate(timeout=PATIENCE)
        left = stub.report()["left"]

    assert process.returncode == 130
    assert text.startswith("NO VERDICT: ")
    assert left == 0


def test_without_a_url_the_bundled_proxy_is_tested(tmp_path: Path) -> None:
    """The whole way: users, proxy, mock API, and Server-Timing beside the slowest requests."""
    process = finished(command("load", *REHEARSAL, "--budget-ms", "2000"), tmp_path)

    assert process.returncode == 0, process.stderr
    assert process.stdout.startswith("REHEARSAL, not a gate verdict: PASS: p95 is ")
    assert "upstream;dur=" in process.stdout
