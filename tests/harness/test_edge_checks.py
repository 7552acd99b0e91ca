"""The checks of a live edge, on edges with one fault each."""

import datetime
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from support.front_servers import Backend
from support.harness_fakes import a_deployment
from toolbridge_harness.fronts import edge
from toolbridge_harness.fronts.edge import EdgeFront, named_client
from toolbridge_harness.fronts.tls import server_context
from toolbridge_harness.model import Outcome, Result
from toolbridge_harness.registry import all_checks
from toolbridge_harness.runner import run_check

HSTS = "Strict-Transport-Security: max-age=31536000\r\n"


@asynccontextmanager
async def deployed(backend: Backend, **options: Any) -> AsyncIterator[tuple[EdgeFront, Any]]:
    """An edge on loopback as a live deployment."""
    front = EdgeFront(backend.address, **options)
    async with front.listener, named_client(front.listener.address, front.authority) as client:
        origin = f"https://localhost:{front.listener.port}"
        yield front, a_deployment(origin=origin, http=client)


async def judged(name: str, backend: Backend, **options: Any) -> Result:
    async with backend, deployed(backend, **options) as (_, deployment):
        return await run_check(all_checks()[name], deployment, seed=1)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """An authority that this process trusts."""
    made = trustme.CA()
    made.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return made


async def test_a_redirect_to_https_is_right() -> None:
    """As force_https answers; and the token that travelled in clear was a dummy."""
    backend = Backend()
    result = await judged("transport-plain-http", backend)

    assert Outcome.PASS is result.outcome
    assert 1 == len(backend.heads)  # the control, over https


@pytest.mark.parametrize("status", [200, 401])
async def test_plain_http_that_reaches_the_proxy_is_a_violation(status: int) -> None:
    """M-Q13. Also a refusal: the proxy has read a token that came in clear."""
    backend = Backend(status=status)
    result = await judged("transport-plain-http", backend, force_https=False)

    assert Outcome.FAIL is result.outcome
    assert backend.header("X-Forwarded-Proto") == ["http"]


async def test_the_token_sent_over_plain_http_is_nobodys() -> None:
    """Whatever tokens the run has."""
    backend = Backend()
    await judged("transport-plain-http", backend, force_https=False)

    assert ["Bearer dummy.token.only"] == backend.header("Authorization")


async def test_a_port_that_speaks_tls_alone_serves_nothing_in_plain() -> None:
    """No answer is a refusal."""
    async with Backend() as backend, deployed(backend) as (front, deployment):
        front.listener._either = False
        result = await run_check(all_checks()["transport-plain-http"], deployment, seed=1)

    assert Outcome.PASS is result.outcome


@pytest.mark.parametrize("location", ["http://localhost/mcp", "https://evil.example/mcp", "/mcp"])
async def test_a_redirect_to_anywhere_else_is_a_violation(
    location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain http again, or another host."""
    answer = f"HTTP/1.1 301 X\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    monkeypatch.setattr(edge, "_redirect", lambda _: answer.encode())

    assert Outcome.FAIL is (await judged("transport-plain-http", Backend())).outcome


@pytest.mark.parametrize("name", ["transport-plain-http", "transport-tls"])
async def test_a_plain_target_has_no_edge_to_judge(name: str) -> None:
    """The embedded proxy is one."""
    result = await run_check(all_checks()[name], a_deployment(), seed=1)

    assert Outcome.NOT_APPLICABLE is result.outcome


async def test_sound_tls_with_hsts_passes(authority: trustme.CA) -> None:
    """TLS 1.2 or later, a trusted certificate with time left, and the header."""
    result = await judged("transport-tls", Backend(headers=HSTS), authority=authority)

    assert (Outcome.PASS, "") == (result.outcome, result.actual)


async def test_no_hsts_is_a_warning(authority: trustme.CA) -> None:
    """The catalogue grades it INFO."""
    result = await judged("transport-tls", Backend(), authority=authority)

    assert Outcome.WARNING is result.outcome
    assert "Strict-Transport-Security" == result.expected


async def test_a_certificate_with_13_days_left_is_a_violation(authority: trustme.CA) -> None:
    """Its renewal has failed for half a month."""
    ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=13, hours=12)
    leaf = authority.issue_cert("localhost", not_after=ends)
    result = await judged("transport-tls", Backend(), authority=authority, certificate=leaf)

    assert (Outcome.FAIL, "13 days") == (result.outcome, result.actual)


async def test_a_server_that_still_speaks_tls_1_1_is_a_violation(authority: trustme.CA) -> None:
    """Beside TLS 1.3, which the first handshake chooses."""
    context = server_context(authority.issue_cert("localhost"))
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    async with Backend() as backend, deployed(backend, authority=authority) as (front, deployment):
        front.listener.context = context
        result = await run_check(all_checks()["transport-tls"], deployment, seed=1)

    assert (Outcome.FAIL, "a handshake with TLSv1.1") == (result.outcome, result.actual)


async def test_a_certificate_of_a_stranger_is_a_violation(authority: trustme.CA) -> None:
    """In the words of the TLS library."""
    result = await judged("transport-tls", Backend())

    assert Outcome.FAIL is result.outcome
    assert "unable to get local issuer certificate" == result.actual


@pytest.mark.parametrize(
    ("seconds", "outcome"),
    [
        (0, Outcome.PASS),
        (-20, Outcome.PASS),
        (-60, Outcome.WARNING),
        (60, Outcome.WARNING),
        (-300, Outcome.FAIL),
        (300, Outcome.FAIL),
        (None, Outcome.NOT_APPLICABLE),
    ],
)
async def test_the_skew_decides_about_the_clock(seconds: int | None, outcome: Outcome) -> None:
    """Shown from half a minute on, red from four minutes on, either way."""

    def answer(_: httpx.Request) -> httpx.Response:
        date = {} if seconds is None else {"Date": formatdate(time.time() + seconds, usegmt=True)}
        return httpx.Response(200, headers=date)

    result = await run_check(all_checks()["transport-clock"], a_deployment(answer), seed=1)

    assert outcome is result.outcome
