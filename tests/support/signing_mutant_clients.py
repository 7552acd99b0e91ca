"""Clients of the Go API that use a correct signer wrongly."""

import itertools
from dataclasses import replace
from email.utils import parsedate_to_datetime

import httpx

from support.signing_strategies import NS_PER_SECOND
from support.signing_subject import Headers
from toolbridge_proxy.answers import Answer
from toolbridge_proxy.metrics import Metrics
from toolbridge_proxy.settings import Settings
from toolbridge_proxy.upstream import ApiRequest, Call, Upstream


class _AsBuilt:
    """Stands in for the signer of a client that signs elsewhere."""

    def sign(self, headers: Headers) -> Headers:
        return headers


class Through(httpx.AsyncBaseTransport):
    """Sends through a client, with its hooks and redirects."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._client.send(request, stream=True)


class SignsWhenBuilt(Upstream):
    """M-S04: signed when the request is built, not when it goes."""

    def __init__(
        self, settings: Settings, metrics: Metrics, transport: httpx.AsyncBaseTransport
    ) -> None:
        super().__init__(settings, metrics, transport)
        self._early, self._signer = self._signer, _AsBuilt()  # type: ignore[assignment]

    async def send(
        self, request: ApiRequest, call: Call, session: tuple[tuple[str, str], ...] = ()
    ) -> Answer:
        built = self._early.sign(request.headers)
        return await super().send(replace(request, headers=tuple(built)), call, session)


class SignsForAnyHost(Upstream):
    """M-S12: a hook of the client signs, and the client follows redirects."""

    def __init__(
        self, settings: Settings, metrics: Metrics, transport: httpx.AsyncBaseTransport
    ) -> None:
        super().__init__(settings, metrics, transport)
        signer = self._signer

        async def hook(request: httpx.Request) -> None:
            request.headers.update(signer.headers())

        client = httpx.AsyncClient(
            transport=transport,
            trust_env=False,
            follow_redirects=True,
            max_redirects=2,
            event_hooks={"request": [hook]},
        )
        self._turns = itertools.cycle([Through(client)])


class CorrectsItsClock(Upstream):
    """The clock that is signed is set by the Date of the last answer."""

    def __init__(
        self, settings: Settings, metrics: Metrics, transport: httpx.AsyncBaseTransport
    ) -> None:
        super().__init__(settings, metrics, transport)
        wall, correction = self._signer._clock, 0

        async def hook(response: httpx.Response) -> None:
            nonlocal correction
            try:
                server = parsedate_to_datetime(response.headers["Date"])
                correction = int(server.timestamp()) * NS_PER_SECOND - wall()
            except (KeyError, ValueError):
                return

        self._signer._clock = lambda: wall() + correction
        client = httpx.AsyncClient(
            transport=transport, trust_env=False, event_hooks={"response": [hook]}
        )
        self._turns = itertools.cycle([Through(client)])


class SignsFirst(Upstream):
    """The caller's headers are merged over the signed ones."""

    def __init__(
        self, settings: Settings, metrics: Metrics, transport: httpx.AsyncBaseTransport
    ) -> None:
        super().__init__(settings, metrics, transport)
        signer = self._signer

        class Under:
            def sign(self, headers: Headers) -> Headers:
                return signer.headers() + list(headers)

        self._signer = Under()  # type: ignore[assignment]
