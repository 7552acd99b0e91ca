"""What a case can be asked of: a served API, the served mock, and the mock behind respx."""

import contextlib
import secrets as random_secrets
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import httpx

from toolbridge_contract.provider import wire
from toolbridge_contract.provider.exchange import Answer, Outgoing
from toolbridge_contract.provider.forge import Secrets

# The read timeout of the API is 15 s, and the slowest body took 11 s.
TIMEOUT_SECONDS = 60.0
_AT_ONCE = 16


class NoAnswer(Exception):
    """The provider could not be asked; one line that says why."""


class Provider(Protocol):
    """Something that answers like the Go API.

    `frames`: the framing of answers can be seen; `speaks_wire`: raw bytes can be sent, or why
    not; `is_mock`; `delay` is a round trip in seconds; `turns`: waiting costs no time.
    """

    url: str
    secrets: Secrets
    frames: bool
    no_wire: str
    is_mock: bool
    turns: bool
    delay: float

    def send(self, request: Outgoing) -> Answer:
        """Ask once; raises NoAnswer."""

    def at_once(self, requests: list[Outgoing]) -> list[Answer]:
        """Ask several times at the same moment."""

    def now(self) -> float:
        """Return the API's clock, unix seconds."""

    def wait(self, seconds: float) -> None:
        """Let time pass on the API's clock."""


class Served:
    """An API that listens on a URL: httpx, and a raw socket for `wire` requests.

    `turn` shifts the API's clock, where someone can; otherwise waiting is waiting.
    """

    frames = True

    def __init__(
        self,
        url: str,
        secrets: Secrets,
        *,
        is_mock: bool = False,
        turn: Callable[[float], None] | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.secrets = secrets
        self.is_mock = is_mock
        self.no_wire = ""
        self.turns = turn is not None
        self.delay = 0.0
        self.offset = 0.0
        self._turn = turn
        self._turned = 0.0
        # Names that something in between adds to every answer; they are no part of the API's.
        self.between: frozenset[str] = frozenset()
        # As on the raw socket: the system's store, or SSL_CERT_FILE.
        trusted = ssl.create_default_context()
        self._client = httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False, verify=trusted)

    def send(self, request: Outgoing) -> Answer:
        """Ask once; raises NoAnswer."""
        try:
            if request.wire:
                answer = wire.exchange(self.url, request, TIMEOUT_SECONDS)
            else:
                answer = ask(self._client, self.url, request)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, wire.NotHttp) as error:
            raise NoAnswer(f"no answer: {_words(error)}") from None
        pairs = [(n, v) for n, v in answer.headers if n.lower() not in self.between]
        return Answer(answer.status, pairs, answer.body)

    def at_once(self, requests: list[Outgoing]) -> list[Answer]:
        """Ask several times at the same moment."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(self.send, requests))

    def now(self) -> float:
        """Return the API's clock, unix seconds."""
        return time.time() + self.offset

    def wait(self, seconds: float) -> None:
        """Let time pass, on the mock's clock alone where that can be turned."""
        if self._turn is None:
            time.sleep(seconds)
            return
        self._turned += seconds
        self._turn(self._turned)
        self.offset += seconds

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class Mounted:
    """The mock behind respx: httpx's own requests, no server and no framing."""

    url = "http://go-api.test"
    frames = False
    no_wire = "needs raw bytes on a socket, and respx has none"
    is_mock = True
    turns = True
    delay = 0.0

    def __init__(self, client: httpx.Client, secrets: Secrets, turn: Callable[[float], None]):
        self.secrets = secrets
        self._client = client
        self._turn = turn
        self._turned = 0.0

    def send(self, request: Outgoing) -> Answer:
        """Ask once; raises NoAnswer."""
        try:
            return ask(self._client, self.url, request)
        except httpx.HTTPError as error:
            raise NoAnswer(f"no answer: {_words(error)}") from None

    def at_once(self, requests: list[Outgoing]) -> list[Answer]:
        """Ask one after the other: the mock has one thread."""
        return [self.send(request) for request in requests]

    def now(self) -> float:
        """Return the mock's clock, unix seconds."""
        return time.time() + self._turned

    def wait(self, seconds: float) -> None:
        """Turn the mock's clock."""
        self._turned += seconds
        self._turn(self._turned)


@contextlib.contextmanager
def mounted() -> Iterator[Mounted]:
    """Mount a fresh mock into a respx router and return a client of it."""
    # respx is no dependency of the contract itself.
    import respx

    from toolbridge_contract.mock.api import GoApi
    from toolbridge_contract.respx_mount import mount

    secrets = fresh_secrets()
    api = GoApi(tenant_secret=secrets.tenant, jwt_secret=secrets.jwt)
    with respx.mock(assert_all_called=False) as router, httpx.Client(trust_env=False) as client:
        mount(router, api, Mounted.url)
        yield Mounted(client, secrets, api.clock.set_offset)


def fresh_secrets() -> Secrets:
    """Return random secrets for a mock of this run."""
    first, second = random_secrets.token_hex(32), random_secrets.token_hex(32)
    return Secrets(first, second, "toolbridge-contract")


def ask(client: httpx.Client, url: str, request: Outgoing) -> Answer:
    """Send a request by httpx, which neither retries nor follows."""
    # What one user's answer set is not for the next one's request.
    client.cookies.clear()
    headers = [(n.encode(), v.encode("utf-8", "surrogateescape")) for n, v in request.headers]
    if not any(n.lower() == "accept-encoding" for n, _ in request.headers):
        # What is packed on the way could not be judged byte by byte.
        headers.append((b"Accept-Encoding", b"identity"))
    answer = client.request(
        request.method, url + request.target, headers=headers, content=request.body or None
    )
    pairs = [(n.decode("latin-1"), _text(v)) for n, v in answer.headers.raw]
    return Answer(answer.status_code, pairs, answer.content)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _words(error: Exception) -> str:
    reason = str(error) or type(error).__name__
    return " ".join(reason.split())
