"""The served mock: a thin ASGI application around GoApi that records, faults and streams."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from toolbridge_contract.mock.api import GoApi
from toolbridge_contract.mock.client import Client
from toolbridge_contract.mock.door import Door
from toolbridge_contract.mock.faults import ActiveFault, Faults
from toolbridge_contract.mock.messages import Request, Response
from toolbridge_contract.mock.recording import Entry, Recorder
from toolbridge_contract.mock.routes import find
from toolbridge_contract.mock.violations import repeated, violations

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# A body never finished got its 400 after 15.0 s.
_READ_SECONDS = 15.0


class MockApp:
    """ASGI application; serve it with `protocol.RawProtocol`, which keeps header names as sent."""

    def __init__(self, api: GoApi, recorder: Recorder, faults: Faults) -> None:
        self.api = api
        self.recorder = recorder
        self.faults = faults
        self.door = Door()

    async def __call__(self, scope: Scope, receive: Receive, _send: Send) -> None:
        """Answer one request."""
        request, complete = await _read(scope, receive)
        record = self._record(request)
        if not complete:
            return
        client = Client(scope, receive)
        active = None
        if self.faults:
            path = find(request).raw_path
            active = self.faults.take(record.caller, request.method, path)
        if active is None:
            self._answer(client, record, self.api.respond(request))
        else:
            await self._fault(active, request, record, client)

    def malformed(self, request: Request) -> None:
        """Record what could not be read as HTTP; the server answers 400 itself."""
        found = ["malformed HTTP request", *repeated(request)]
        self.recorder.add(request, found).status = 400

    def _record(self, request: Request) -> Entry:
        found = violations(request, self.api.tenant_secret, self.api.clock.now_ns())
        return self.recorder.add(request, found)

    def _answer(self, client: Client, record: Entry, response: Response) -> None:
        record.status = response.status
        client.answer(response, self.api.clock.now_ns())

    async def _fault(
        self, active: ActiveFault, request: Request, record: Entry, client: Client
    ) -> None:
        fault = active.fault
        answer = self.api.respond(request) if fault.commit else None
        stand_in = Response(
            fault.status,
            [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fault.headers],
            fault.body,
        )
        if fault.kind == "answer":
            self._answer(client, record, stand_in)
        elif fault.kind == "reset":
            await client.reset()
        elif fault.kind == "truncate":
            if answer is not None and not fault.body:
                stand_in = Response(
                    answer.status, answer.headers, answer.body[: len(answer.body) // 2]
                )
            record.status = stand_in.status
            await client.truncate(stand_in)
        elif fault.kind in ("drip", "drip-body"):
            if answer is not None and not fault.body:
                stand_in = answer
            record.status = stand_in.status
            at_once = fault.kind == "drip-body"
            await client.drip(stand_in, fault.seconds, head_at_once=at_once)
        else:
            seconds = fault.seconds if fault.kind == "delay" else None
            if await client.stays(active.cleared, seconds):
                self._answer(client, record, answer or self.api.respond(request))


async def _read(scope: Scope, receive: Receive) -> tuple[Request, bool]:
    """Return the request, and whether the client is still there to be answered."""
    target = scope["toolbridge.target"].decode("utf-8", "surrogateescape")
    headers = scope["toolbridge.headers"]
    request = Request(scope["method"], target, headers, b"", scope["http_version"])
    if not scope["toolbridge.cycle"].more_body:
        return request, await _read_body(request, receive, lambda: None)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_READ_SECONDS) as limit:

            def arrived() -> None:
                # Python takes longer than Go for a large body, so only silence counts.
                limit.reschedule(loop.time() + _READ_SECONDS)

            return request, await _read_body(request, receive, arrived)
    except TimeoutError:
        request.cut = True
        return request, True


async def _read_body(request: Request, receive: Receive, arrived: Callable[[], None]) -> bool:
    parts: list[bytes] = []
    try:
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return False
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                return True
            arrived()
    finally:
        request.body = b"".join(parts)
