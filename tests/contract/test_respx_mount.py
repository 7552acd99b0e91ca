"""The mock behind respx answers as the mock itself, whichever mocker and kind of client."""

import re
from collections.abc import Iterator

import httpx
import pytest
import respx

from support.contract_caller import JWT_SECRET, TENANT_SECRET, Caller, TurnedClock, make_api
from toolbridge_contract.mock.api import GoApi
from toolbridge_contract.mock.messages import Request, Response
from toolbridge_contract.respx_mount import mount

URL = "http://go-api.test"
UID = "0c0ffee0-0000-4000-8000-000000000001"
# Method, target, body and status: in most of these a single byte decides.
EXCHANGES: list[tuple[str, str, bytes, int]] = [
    ("GET", "/healthz", b"", 200),
    ("POST", "/v1/notes", b'{"uid":"%b","a":9007199254740993}' % UID.encode(), 201),
    ("POST", "/v1/notes", b'{"a":"\xff\xfe"}', 201),
    ("POST", "/v1/notes", b"", 400),
    ("POST", "/v1/notes", b"null", 500),
    ("GET", f"/v1/notes/{UID}", b"", 404),
    ("GET", f"/v1/notes/%7B{UID}%7D", b"", 404),
    ("GET", f"/v1/notes/%30{UID[1:]}", b"", 400),
    ("GET", "/v1/notes/%zz", b"", 400),
    ("GET", "/v1/notes?limit=2&limit=3&cursor=%21%21&x=a%20b+c;d", b"", 200),
    ("GET", "/v1/notes/../tasks", b"", 404),
    ("GET", "/v1//notes", b"", 404),
    ("PATCH", "/v1/notes", b"", 405),
    ("HEAD", f"/v1/notes/{UID}", b"", 405),
    ("DELETE", "/v1/sync/sessions/x", b"", 404),
]
# The first of a repeated header counts; names keep their case, values their bytes.
EXTRA = [(b"x-CORRELATION-id", "é x".encode()), (b"X-Correlation-ID", b"2"), (b"If-Match", b"7")]


class Watched(GoApi):
    """A mock that keeps what reached it, and what it answered."""

    def __init__(self) -> None:
        super().__init__(tenant_secret=TENANT_SECRET, jwt_secret=JWT_SECRET, clock=TurnedClock())
        self.seen: list[tuple[Request, Response]] = []

    def respond(self, request: Request) -> Response:
        answer = super().respond(request)
        copy = Response(answer.status, list(answer.headers), answer.body)
        self.seen.append((request, copy))
        return answer


def _request(caller: Caller, method: str, target: str, body: bytes) -> httpx.Request:
    headers = [(name.encode(), value.encode()) for name, value in caller.headers().items()]
    # httpx's own way to send a target byte for byte: a URL would be normalised.
    raw = {"target": target.encode()}
    return httpx.Request(method, URL, headers=headers + EXTRA, content=body, extensions=raw)


def _assert_unchanged(api: Watched, sent: httpx.Request, target: str, got: httpx.Response) -> None:
    request, answer = api.seen[-1]
    assert (sent.method, target, sent.content) == (request.method, request.target, request.body)
    assert sent.headers.raw == request.headers
    assert (answer.status, answer.headers, answer.body) == (
        got.status_code,
        got.headers.raw,
        got.content,
    )


@pytest.fixture(params=["httpcore", "httpx"])
def router(request: pytest.FixtureRequest) -> Iterator[respx.MockRouter]:
    with respx.mock(using=request.param) as mocked:
        yield mocked


@pytest.mark.parametrize(("method", "target", "body", "status"), EXCHANGES)
def test_request_and_answer_pass_through_respx_unchanged(
    method: str, target: str, body: bytes, status: int, router: respx.MockRouter
) -> None:
    """Target, headers in order and case, body; status, every header of the answer, its body."""
    api = Watched()
    mount(router, api)
    request = _request(Caller(api).begin(), method, target, body)
    with httpx.Client() as client:
        answer = client.send(request)

    assert status == answer.status_code
    _assert_unchanged(api, request, target, answer)


@pytest.mark.parametrize(("method", "target", "body", "status"), EXCHANGES)
async def test_an_async_client_gets_the_same(
    method: str, target: str, body: bytes, status: int, router: respx.MockRouter
) -> None:
    """The same exchanges through httpx.AsyncClient."""
    api = Watched()
    mount(router, api)
    request = _request(Caller(api).begin(), method, target, body)
    async with httpx.AsyncClient() as client:
        answer = await client.send(request)

    assert status == answer.status_code
    _assert_unchanged(api, request, target, answer)


def test_an_ordinary_url_arrives_as_httpx_sends_it(router: respx.MockRouter) -> None:
    """Without the extension: path, query and the base URL's blank path."""
    api = Watched()
    mount(router, api)
    for url in ("/v1/tasks?limit=1&a=%20+b", "/v1/notes/{x}", ""):
        httpx.get(URL + url)

    targets = [request.target for request, _ in api.seen]
    assert ["/v1/tasks?limit=1&a=%20+b", "/v1/notes/%7Bx%7D", "/"] == targets


def test_each_allowed_method_keeps_its_own_line(router: respx.MockRouter) -> None:
    """A 405 carries four Allow lines, not one with commas."""
    mount(router, make_api())
    answer = httpx.post(f"{URL}/v1/notes/{UID}")

    lines = [value for name, value in answer.headers.raw if name == b"Allow"]
    assert [b"DELETE", b"GET", b"PATCH", b"PUT"] == sorted(lines)


@pytest.mark.parametrize(
    "other", ["http://go-api.test:81", "https://go-api.test", "http://go-api.test.example"]
)
def test_another_host_port_or_scheme_stays_unmocked(other: str, router: respx.MockRouter) -> None:
    """Only the base URL is the mock's; its default port may be spelled out."""
    mount(router, make_api())

    assert b"ok" == httpx.get("http://go-api.test:80/healthz").content
    with pytest.raises(AssertionError, match="not mocked"):
        httpx.get(f"{other}/healthz")


def test_two_mocks_live_side_by_side(router: respx.MockRouter) -> None:
    """Each base URL leads to its own mock, whatever its port or address."""
    apis = {url: Watched() for url in ("https://a.test", "http://[::1]:8081", "http://b.test:81/")}
    for url, api in apis.items():
        mount(router, api, url)
        httpx.get(f"{url.rstrip('/')}/healthz")

    assert [1, 1, 1] == [len(api.seen) for api in apis.values()]


@pytest.mark.parametrize("bad", ["http://go-api.test/api", "go-api.test", "ftp://go-api.test", ""])
def test_a_base_url_that_could_not_work_is_refused(bad: str, router: respx.MockRouter) -> None:
    """A path would never match the API's routes; the message says what to give."""
    with pytest.raises(ValueError, match=re.escape(repr(bad)) + ".*no path"):
        mount(router, make_api(), bad)
    assert not router.routes
