"""`python -m toolbridge_proxy diagnose`: what it sees on the way to the Go API."""

import re
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest

from support.contract_server import CONTROL_TOKEN, ServedMock, fresh_subject, served_mock
from support.contract_threaded import threaded_mock
from support.diagnose_runs import (
    ALL_WELL,
    BAD_TENANT,
    BAD_TOKEN,
    CREATED,
    Answer,
    Diagnose,
    canned,
    in_process,
    token,
)
from toolbridge_contract.control import MockControl
from toolbridge_contract.mock import api
from toolbridge_proxy import diagnose

OTHER_SECRET = "another-secret-of-more-than-32-bytes"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Diagnose]:
    """Run it in this process."""
    with in_process(monkeypatch, capsys) as call:
        yield call


@pytest.fixture(scope="module")
def mock() -> Iterator[ServedMock]:
    """The mock Go API as a process."""
    with served_mock() as served:
        yield served


async def set_clock(mock: ServedMock, seconds: float) -> None:
    async with MockControl(mock.control_url, CONTROL_TOKEN) as control:
        await control.set_clock_offset(seconds)


async def test_when_all_is_well_every_probe_says_what_it_should(
    run: Diagnose, mock: ServedMock
) -> None:
    """Both secrets right and clocks that agree: the window is 300 s, one digit matters."""
    done = run(token(), go_api_base_url=mock.url)

    assert (0, "", ALL_WELL) == (done.code, done.err, done.verdicts)
    assert (200, "ok") == (done.found["healthz"]["status"], done.found["healthz"]["body"])
    assert 200 == done.found["info"]["status"]
    assert '"apiVersion":"1.1"' in done.found["info"]["body"]
    assert ["127.0.0.1"] == done.found["dns"]["addresses"] == list(done.found["tcp"])
    assert {"given", mock.url} == {done.found["token"], done.found["base_url"]}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", done.found["clock"])
    assert done.found["info"]["date"].endswith(" GMT")


@pytest.mark.parametrize("seconds", [600.0, -600.0, 280.0, -3600.0])
async def test_a_skewed_clock_is_measured_and_told_from_a_wrong_secret(
    run: Diagnose, mock: ServedMock, seconds: float
) -> None:
    """Signed at the upstream's time it works; at local time only within the window."""
    await set_clock(mock, seconds)
    try:
        done = run(token(), go_api_base_url=mock.url)
    finally:
        await set_clock(mock, 0)

    skew = done.found["skew"]
    local = CREATED if abs(seconds) < 300 else BAD_TENANT
    assert ALL_WELL | {"local_time": local} == done.verdicts
    # 1 ms: the clock of the document has rounded milliseconds.
    assert abs(skew["seconds"] - seconds) <= skew["uncertainty_seconds"] + 0.001


def test_a_wrong_tenant_secret_fails_at_any_time(run: Diagnose, mock: ServedMock) -> None:
    """The JWT is fine (the tenant gate answers), and no time and no tenant id helps."""
    done = run(token(), go_api_base_url=mock.url, tenant_header_secret=OTHER_SECRET)

    assert dict.fromkeys(ALL_WELL, BAD_TENANT) | {"garbage_token": BAD_TOKEN} == done.verdicts


@pytest.mark.parametrize(
    "bad",
    [token(OTHER_SECRET), token(exp=1), "not-a-token", "aGk="],
    ids=["key", "expired", "text", "base64"],
)
def test_a_token_that_the_upstream_refuses_is_said_to_be_that(
    run: Diagnose, mock: ServedMock, bad: str
) -> None:
    """The JWT gate answers first, whatever the signature."""
    done = run(bad, go_api_base_url=mock.url)

    assert dict.fromkeys(ALL_WELL, BAD_TOKEN) == done.verdicts


def test_an_upstream_that_enforces_no_signature_is_seen(
    run: Diagnose, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sessions without and with spoiled tenant headers are created."""
    monkeypatch.setattr(api, "judge", lambda *_: None)
    with threaded_mock() as url:
        done = run(token(), go_api_base_url=url)

    assert dict.fromkeys(ALL_WELL, CREATED) | {"garbage_token": BAD_TOKEN} == done.verdicts


def test_the_generation_without_signatures_is_seen(run: Diagnose) -> None:
    """`missing tenant header` is reported as such; without a server time nothing is shifted."""
    with canned(lambda _: (401, {}, b"Unauthorized: missing tenant header\n")) as url:
        done = run(token(), go_api_base_url=url)

    missing = (401, "missing tenant header")
    assert dict.fromkeys(list(ALL_WELL)[:3], missing) == done.verdicts
    assert {"error", "kind"} <= set(done.found["skew"])


async def test_sessions_are_closed_again_and_requests_break_no_rule(
    run: Diagnose, mock: ServedMock
) -> None:
    """Every session that was created is ended by the caller who made it."""
    subject = fresh_subject()
    done = run(token(subject=subject), go_api_base_url=mock.url, tenant_id="Tenant-A")
    async with MockControl(mock.control_url, CONTROL_TOKEN) as control:
        recorded = await control.requests(subject)
        left = await control.drop_sessions(subject)

    created = [verdict for verdict in done.verdicts.values() if verdict == CREATED]
    assert (6, 6, 0) == (len(created), [r.status for r in recorded].count(204), left)
    assert {"POST", "DELETE"} == {request.method for request in recorded}
    tenants = {request.header("X-TB-Tenant-ID") for request in recorded}
    assert {"Tenant-A", "tenant-a", None} < tenants
    assert 4 == len(tenants)  # and the random one


async def test_without_a_token_nothing_is_signed(run: Diagnose, mock: ServedMock) -> None:
    """Two requests go out, neither with a token nor with tenant headers."""
    async with MockControl(mock.control_url, CONTROL_TOKEN) as control:
        before = (await control.stats())["recorded"]
        done = run("", go_api_base_url=mock.url)
        recorded = await control.requests(after=before)

    assert ["/healthz", "/v1/sync/info"] == [request.target for request in recorded]
    names = {name.lower() for request in recorded for name, _ in request.headers}
    assert set() == {name for name in names if name.startswith(("authorization", "x-"))}
    assert ("none", None) == (done.found["token"], done.found.get("signed"))


@pytest.mark.parametrize("given", ["{}\n", "Bearer {}", "  {}  \r\n", "\n{}"])
def test_a_token_may_come_with_what_people_paste_around_it(
    run: Diagnose, mock: ServedMock, given: str
) -> None:
    """The scheme, blanks and line ends are taken off."""
    done = run(given.format(token()), go_api_base_url=mock.url)

    assert CREATED == done.verdicts["local_time"]


def test_a_name_that_does_not_resolve_is_a_dns_error(run: Diagnose) -> None:
    """RFC 6761 keeps .invalid without addresses."""
    done = run(token(), go_api_base_url="https://go-api.invalid")

    assert "gaierror" == done.found["dns"]["kind"]
    assert ({}, None) == (done.found["tcp"], done.found.get("signed"))
    assert "ConnectError" == done.found["healthz"]["kind"] == done.found["info"]["kind"]


def test_a_refused_port_is_a_tcp_error(run: Diagnose) -> None:
    """The address is named, and nothing after it is tried with the token."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = run(token(), go_api_base_url=f"http://127.0.0.1:{port}")

    assert "ConnectionRefusedError" == done.found["tcp"]["127.0.0.1"]["kind"]
    assert done.found.get("signed") is None


def test_tls_is_described_when_it_works(run: Diagnose, tmp_path: Path) -> None:
    """Version, names and end of the certificate that the authority of the settings vouches for."""
    with threaded_mock(tmp_path) as url:
        done = run(token(), go_api_base_url=url, upstream_ca_file=str(tmp_path / "ca.pem"))

    tls = done.found["healthz"]["tls"]
    assert ("TLSv1.3", [["DNS", "localhost"]]) == (tls["version"], tls["subjectAltName"])
    assert {"issuer", "subject", "notAfter"} <= set(tls)
    assert ALL_WELL == done.verdicts


@pytest.mark.parametrize(
    ("host", "with_authority", "reason"),
    [("localhost", False, "unable to get local issuer"), ("127.0.0.1", True, "mismatch")],
)
def test_a_certificate_that_is_not_right_is_a_tls_error(
    run: Diagnose, tmp_path: Path, host: str, with_authority: bool, reason: str
) -> None:
    """An unknown authority and a wrong name are named; TCP was fine, and the token stays here."""
    with threaded_mock(tmp_path) as url:
        authority = str(tmp_path / "ca.pem") if with_authority else None
        done = run(
            token(), go_api_base_url=url.replace("localhost", host), upstream_ca_file=authority
        )

    assert "ConnectError" == done.found["healthz"]["kind"]
    assert reason in done.found["healthz"]["error"]
    assert "error" not in done.found["tcp"]["127.0.0.1"]
    assert done.found.get("signed") is None


def test_https_to_a_plain_port_is_a_tls_error(run: Diagnose, mock: ServedMock) -> None:
    """The handshake's own words are kept."""
    done = run(go_api_base_url=mock.url.replace("http", "https"))

    assert "SSL" in done.found["healthz"]["error"]


def test_a_redirect_is_reported_and_not_followed(run: Diagnose) -> None:
    """One request per probe, and the token is not carried elsewhere."""
    seen: list[str] = []

    def redirect(request: BaseHTTPRequestHandler) -> Answer:
        seen.append(request.path)
        return 308, {"Location": "http://127.0.0.1:9/elsewhere"}, b""

    with canned(redirect) as url:
        done = run(token(), go_api_base_url=url)

    assert (308, "http://127.0.0.1:9/elsewhere") == (
        done.found["healthz"]["status"], done.found["healthz"]["location"],
    )  # fmt: skip
    assert dict.fromkeys(list(ALL_WELL)[:3], (308, "other")) == done.verdicts
    assert {"/healthz", "/v1/sync/info", "/v1/sync/sessions"} == set(seen)


def test_the_environments_proxies_are_ignored(
    run: Diagnose, mock: ServedMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTP_PROXY would carry the token to somebody else."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert ALL_WELL == run(token(), go_api_base_url=mock.url).verdicts


def test_a_look_up_that_hangs_is_left_behind(
    run: Diagnose, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The document is printed when the time is up, with what was found by then."""
    release = threading.Event()
    monkeypatch.setattr(diagnose, "getaddrinfo", lambda *_: release.wait(30) and [])
    monkeypatch.setattr(diagnose, "TOTAL_SECONDS", 0.2)
    done = run(token(), go_api_base_url="http://go-api.internal")
    release.set()

    assert (0, "given") == (done.code, done.found["token"])
    assert set() == {"dns", "tcp", "total"} & set(done.found)


def test_an_upstream_that_never_answers_costs_one_time_out_per_probe(
    run: Diagnose, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It accepts, and is silent."""
    monkeypatch.setattr(diagnose, "TIMEOUT", httpx.Timeout(0.2))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        done = run(token(), go_api_base_url=f"http://127.0.0.1:{silent.getsockname()[1]}")

    assert "ReadTimeout" == done.found["healthz"]["kind"] == done.found["info"]["kind"]
    assert "error" not in done.found["tcp"]["127.0.0.1"]
    assert done.found.get("signed") is None


def test_an_answer_is_asked_for_as_it_is(run: Diagnose, mock: ServedMock) -> None:
    """An ingress that compresses would hide what the Go API says."""
    asked: set[str | None] = set()

    def note(request: BaseHTTPRequestHandler) -> Answer:
        asked.add(request.headers["Accept-Encoding"])
        return 200, {}, b""

    with canned(note) as url:
        run(token(), go_api_base_url=url)

    assert {"identity"} == asked


def test_an_answer_without_end_is_read_only_in_part(run: Diagnose) -> None:
    """A service that is not the Go API may send anything."""
    with canned(lambda _: (200, {}, b"<html>" * 100_000)) as url:
        done = run(go_api_base_url=url)

    assert 2048 == len(done.found["healthz"]["body"])
    assert {"kind", "error"} <= set(done.found["skew"])
