"""A wrong address, clock or secret is named in one line before any case is run."""

import contextlib
import re
import socket

import pytest

from support.contract_breaks_relay import relay
from support.contract_canned import HEALTHY, Canned, canned_server, info
from support.contract_provider import SECRETS, cases
from support.contract_threaded import threaded_mock
from toolbridge_contract.provider.exchange import Outgoing
from toolbridge_contract.provider.preflight import Stopped, preflight
from toolbridge_contract.provider.providers import Served
from toolbridge_contract.provider.runner import Outcome, run

SESSIONS = "/v1/sync/sessions"
BEGUN = Canned(201, '{"id":"s1","epoch":1}')


def stopped(answers: dict[str, Canned]) -> tuple[str, int]:
    with canned_server(answers) as url, contextlib.closing(Served(url, SECRETS)) as api:
        with pytest.raises(Stopped) as raised:
            preflight(api)
        return str(raised.value).replace(url, "URL"), raised.value.code


def api_with(session: Canned, offset: float = 0.0) -> dict[str, Canned]:
    return {"/healthz": HEALTHY, "/v1/sync/info": info(offset), SESSIONS: session}


def test_nobody_listens() -> None:
    """The address and the system's reason; no verdict."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Stopped, match=r"cannot be reached: .*refused") as raised:
        preflight(Served(f"http://127.0.0.1:{port}", SECRETS))

    assert 1 == raised.value.code


@pytest.mark.parametrize(
    ("answers", "shown"),
    [
        ({}, "GET /healthz answered 404 '404 page not found'"),
        ({"/healthz": Canned(200, '{"status":"ok"}')}, "GET /healthz answered 200"),
        ({"/healthz": HEALTHY}, "GET /v1/sync/info answered 404"),
        (
            {"/healthz": HEALTHY, "/v1/sync/info": Canned(200, '{"serverTime":"noon"}')},
            "GET /v1/sync/info answered 200",
        ),
        ({"/healthz": HEALTHY, "/v1/sync/info": Canned(200, "[]")}, "GET /v1/sync/info"),
    ],
)
def test_a_server_that_is_not_the_api(answers: dict[str, Canned], shown: str) -> None:
    """What it answered, and that the proxy's address is not the API's; configuration."""
    message, code = stopped(answers)

    assert message.startswith(f"URL is not a ToolBridge Go API: {shown}")
    assert message.endswith("(--url takes the Go API's own address, not the MCP proxy's)")
    assert 4 == code


def test_a_redirect_is_not_followed() -> None:
    """The address that it leads to is the one to give."""
    answers = {"/healthz": Canned(308, "", {"Location": "https://elsewhere.test/"})}

    expected = "URL redirects to https://elsewhere.test/: give the address it leads to"
    assert (expected, 4) == stopped(answers)


@pytest.mark.parametrize(
    ("status", "text", "named", "code"),
    [
        (401, "unauthorized\n", "the JWT secret is wrong", 4),
        (401, "Unauthorized: invalid tenant headers\n", "the tenant secret is wrong", 4),
        (401, "Unauthorized: missing tenant header\n", "this API is of a later generation", 4),
        (
            403,
            "Unauthorized: not authorized for requested tenant\n",
            "this API is of a later generation",
            4,
        ),
        (
            500,
            "server error\n",
            "sessions cannot be begun: POST /v1/sync/sessions answered 500 'server error'",
            1,
        ),
        *(
            (
                201,
                text,
                f"sessions cannot be begun: POST /v1/sync/sessions answered 201 {text!r}",
                1,
            )
            for text in ("{}", "[]", "ok", '{"id":"s"}', '{"id":"s","epoch":"1"}')
        ),
    ],
)
def test_what_refuses_a_session_is_named(status: int, text: str, named: str, code: int) -> None:
    """The two 401 texts tell the two secrets apart."""
    message, found = stopped(api_with(Canned(status, text)))

    assert message.startswith(named)
    assert code == found
    assert not [s for s in (SECRETS.jwt, SECRETS.tenant) if s in message]


@pytest.mark.parametrize(("offset", "where"), [(3600, "ahead of"), (-3600, "behind")])
def test_clocks_that_differ_are_named_before_any_secret(offset: float, where: str) -> None:
    """By how much and in which direction; no verdict."""
    message, code = stopped(api_with(Canned(401, "unauthorized\n"), offset))

    assert message.startswith("the clocks differ: the API's runs 3")
    assert f"s {where} this machine's, and signatures more than 300 s off are refused" in message
    assert 1 == code


def test_a_small_skew_is_signed_for() -> None:
    """Stamps follow the API's clock, so that the edges of its window can be tried."""
    with canned_server(api_with(BEGUN, offset=-100)) as url:
        api = Served(url, SECRETS)
        with contextlib.closing(api):
            preflight(api)

    # serverTime has whole seconds here.
    assert -101.5 < api.offset < -99
    assert 0 < api.delay < 1
    assert ("", True) == (api.no_wire, api.frames)


def test_something_in_between_is_noticed() -> None:
    """An ingress answers odd bytes itself, so they say nothing about the API."""
    answers = api_with(BEGUN) | {"/healthz": Canned(200, "ok", {"Server": "x", "Via": "1.1 y"})}
    with canned_server(answers) as url, contextlib.closing(Served(url, SECRETS)) as api:
        preflight(api)

    assert "something in between adds headers (server, via) and reads first" == api.no_wire
    assert api.frames is False
    assert {"server", "via"} == api.between


def test_what_something_in_between_adds_is_no_difference() -> None:
    """Exactly that; a name that only an answer of the API's own has is still one."""
    added = b"Via: 1.1 edge\r\nVary: Origin\r\n"
    with (
        threaded_mock() as url,
        relay(url, added) as between,
        contextlib.closing(Served(between, SECRETS)) as api,
    ):
        preflight(api)
        results = run(cases(["flow-create", "tenant-all-missing", "rate-exhausted"]), api)
        api.between = frozenset({"via"})
        (strict,) = run(cases(["flow-create"]), api)

    assert {Outcome.AGREES} == {result.outcome for result in results}
    assert ["vary"] == [difference.what for difference in strict.differences]


def test_nothing_of_one_user_goes_along_with_the_next() -> None:
    """Cookies are dropped, and nothing is packed unless a case asks."""
    answers = {"/healthz": Canned(200, "ok", {"Set-Cookie": "a=b"})}
    seen: list[str] = []
    with (
        canned_server(answers) as url,
        relay(url, b"", seen.append) as between,
        contextlib.closing(Served(between, SECRETS)) as api,
    ):
        for headers in ([], [("Accept-Encoding", "gzip")]):
            api.send(Outgoing("GET", "/healthz", headers, b""))

    sent = "".join(seen).lower()
    assert "cookie" not in sent
    assert ["identity", "gzip"] == re.findall(r"accept-encoding: (\S+)", sent)
