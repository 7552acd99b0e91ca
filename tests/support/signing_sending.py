"""Properties 9, 12 to 15, 18 and 25: how the proxy uses the signature, and never shows it."""

import asyncio
import base64
import itertools
import json
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock
from urllib.parse import quote

import httpx
import structlog
from hypothesis import assume
from hypothesis import strategies as st

from support import signing_model as model
from support import signing_wire as wire
from support.signing_property import Properties
from support.signing_strategies import (
    NS_PER_MS,
    NS_PER_SECOND,
    any_text,
    header_lists,
    instants,
    secrets,
    tenants,
)
from support.signing_subject import NAMES, SIGNATURE, TIMESTAMP, Headers, Subject
from toolbridge_proxy import upstream

PROPERTIES = Properties()
_OWN = {name.lower() for name in NAMES}
# What must not reach another host, beside the signature.
_CONFIDENTIAL = _OWN | {"authorization", "x-sync-session", "x-sync-epoch"}


def raw(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers]


@PROPERTIES.add(12, headers=header_lists, tenant=tenants, secret=secrets, ns=instants)
def exactly_once(subject: Subject, headers: Headers, tenant: str, secret: str, ns: int) -> None:
    """Property 12: whatever was there, each name is there once, and the first of each is ours."""
    merged = subject.signer(tenant, secret, lambda: ns).sign(headers)
    names = [name.lower() for name, _ in merged]
    others = [pair for pair in merged if pair[0].lower() not in _OWN]

    assert [1, 1, 1] == [names.count(name.lower()) for name in NAMES]
    assert model.ACCEPT == model.request_verdict(raw(merged), secret, ns)
    assert others == [pair for pair in headers if pair[0].lower() not in _OWN]


@PROPERTIES.add(12, share=0.5, headers=header_lists, ns=instants)
def exactly_once_on_the_wire(subject: Subject, headers: Headers, ns: int) -> None:
    """Property 12, at the transport: no step of sending adds, joins or drops a tenant header."""
    sent: list[httpx.Request] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return wire.answered()

    async def run() -> None:
        async with wire.connected(subject, lambda: ns, answer) as client:
            await wire.send(client, wire.get(headers=tuple(headers)))

    asyncio.run(run())
    (request,) = sent
    names = [name.decode().lower() for name, _ in request.headers.raw]

    assert [1, 1, 1] == [names.count(name.lower()) for name in NAMES]
    assert model.ACCEPT == model.request_verdict(request.headers.raw, wire.SECRET, ns)


@PROPERTIES.add(13, headers=header_lists, ns=instants, pause=st.integers(0, 600 * NS_PER_SECOND))
def idempotent_resign(subject: Subject, headers: Headers, ns: int, pause: int) -> None:
    """Property 13: signed again, as for a retry, there is one triple, the newest."""
    clock = iter([ns, ns + pause])
    signer = subject.signer("tenant-a", "s" * 32, lambda: next(clock))
    twice = signer.sign(signer.sign(headers))
    own = [(name, value) for name, value in twice if name.lower() in _OWN]

    assert len(own) == 3
    assert abs(int(dict(own)[TIMESTAMP]) - (ns + pause) // NS_PER_MS) <= 1
    assert model.ACCEPT == subject.judge(dict(own), "s" * 32, ns + pause)


@PROPERTIES.add(14, tenant=st.one_of(tenants, any_text), secret=st.one_of(secrets, any_text))
def header_safety(subject: Subject, tenant: str, secret: str) -> None:
    """Property 14: what the settings let through makes three values that any HTTP stack keeps."""
    settings = subject.configure(tenant, secret)
    if settings is None:
        assert not (_is_plain(tenant) and _is_plain(secret))
        return
    key = settings.tenant_header_secret.get_secret_value()
    for _, value in subject.signer(settings.tenant_id, key, lambda: NS_PER_MS).headers():
        assert value
        assert all("\x20" <= character <= "\x7e" for character in value)
        assert value == value.strip(" \t")
    assert (tenant, secret) == (settings.tenant_id, key)


def _is_plain(text: str) -> bool:
    """Say whether a value is one that must not be refused."""
    return text.isascii() and text.isalnum() and len(text) <= 128


@contextmanager
def logged() -> Iterator[list[structlog.typing.EventDict]]:
    """Record every event, of any level, whatever logging is configured."""
    before = structlog.get_config()
    everything = structlog.make_filtering_bound_logger(0)
    structlog.configure(processors=[], wrapper_class=everything)
    try:
        with structlog.testing.capture_logs() as events:
            yield events
    finally:
        structlog.configure(**before)


def shown(subject: Subject, tenant: str, secret: str) -> Iterator[str]:
    """Yield every text that signer and settings make of themselves."""

    def broken_clock() -> int:
        raise OSError("no clock")

    signer = subject.signer(tenant, secret, lambda: NS_PER_MS)
    with logged() as events:
        yield repr(signer.sign([("Accept", "*/*")]))
    yield repr(events)
    yield f"{signer!r} {signer}"
    try:
        subject.signer(tenant, secret, broken_clock).headers()
    except OSError as failure:
        yield "".join(traceback.format_exception(failure))
    settings = subject.configure(tenant, secret)
    if settings is not None:
        yield f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"


def spellings(secret: str) -> set[str]:
    """Return the secret as it may stand in a text."""
    key = secret.encode()
    plain = {secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], repr(key)[2:-1]}
    return plain | {key.hex(), base64.b64encode(key).decode(), quote(secret)}


@PROPERTIES.add(15, tenant=tenants, secret=secrets)
def no_disclosure(subject: Subject, tenant: str, secret: str) -> None:
    """Property 15: no text of signer, settings, headers, errors or logs shows the secret.

    Nor do the logs show a whole signature: it can be replayed for 300 s.
    """
    assume(not any(spelling in tenant for spelling in spellings(secret)))
    signature = subject.at(tenant, secret, NS_PER_MS)[SIGNATURE]
    headers, events, *others = shown(subject, tenant, secret)

    assert signature in headers
    assert signature not in events
    for text in (headers, events, *others):
        assert not any(spelling in text for spelling in spellings(secret))


hosts = st.sampled_from(
    [
        "go-api.internal",
        "GO-API.internal",
        "go-api.internal.evil.test",
        "go-api.internal:8081@evil.test",
        "evil.test",
        "127.0.0.1",
        "[::1]",
    ]
)
locations = st.builds(
    lambda scheme, host, port, path: f"{scheme}//{host}{port}/{path}",
    st.sampled_from(["http:", "https:", ""]),
    hosts,
    st.sampled_from(["", ":80", ":443", ":8081", ":8082"]),
    st.sampled_from(["", "v1/notes", "?x=1"]),
)


@PROPERTIES.add(
    18,
    share=0.5,
    location=locations,
    status=st.sampled_from([201, 300, 301, 302, 303, 307, 308, 401, 503]),
)
def host_scoping(subject: Subject, location: str, status: int) -> None:
    """Property 18: no answer of the Go API gets its secrets, or a caller's, sent elsewhere."""
    sent: list[httpx.Request] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        if len(sent) > 1:
            return wire.answered()
        return wire.answered(status, Location=location, Content_Location=location)

    async def run() -> None:
        async with wire.connected(subject, lambda: NS_PER_MS, answer) as client:
            await wire.send(client, wire.get())
            await client.alive(5)

    asyncio.run(run())
    strangers = [r for r in sent if wire.origin(r.url) != wire.origin(wire.BASE)]

    assert sent[0].headers.keys() >= _CONFIDENTIAL
    assert [] == [r.url for r in strangers if r.headers.keys() & _CONFIDENTIAL]


@PROPERTIES.add(
    25,
    share=0.5,
    ns=instants,
    dates=st.lists(
        st.one_of(
            st.integers(0, 9999).map(lambda year: f"Thu, 01 Jan {year:04} 00:00:00 GMT"),
            st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=30),
        ),
        min_size=1,
        max_size=4,
    ),
    status=st.sampled_from([200, 401, 500]),
)
def no_correction(subject: Subject, ns: int, dates: list[str], status: int) -> None:
    """Property 25: no Date of an answer moves the clock that is signed."""
    stamps: list[str] = []
    answers = itertools.chain(dates, itertools.repeat(""))

    async def answer(request: httpx.Request) -> httpx.Response:
        stamps.append(request.headers[TIMESTAMP])
        date = next(answers)
        return wire.answered(status, Date=date)

    async def run() -> None:
        async with wire.connected(subject, lambda: ns, answer) as client:
            for _ in range(len(dates) + 1):
                await wire.send(client, wire.get())

    asyncio.run(run())

    assert len(stamps) == len(dates) + 1
    assert all(abs(int(stamp) - ns // NS_PER_MS) <= 1 for stamp in stamps)


@PROPERTIES.add(9, share=0.2, ns=instants, wait=st.integers(0, 600).map(lambda s: s * 10**9))
def freshness_at_sending(subject: Subject, ns: int, wait: int) -> None:
    """Property 9, at the transport: a request that waits for its turn is signed when it goes."""
    now = ns
    stamps: list[tuple[int, int]] = []
    first_is_out, first_may_end = asyncio.Event(), asyncio.Event()

    async def answer(request: httpx.Request) -> httpx.Response:
        first_is_out.set()
        stamps.append((int(request.headers[TIMESTAMP]), now // NS_PER_MS))
        await first_may_end.wait()
        return wire.answered()

    async def run() -> None:
        nonlocal now
        async with wire.connected(subject, lambda: now, answer) as client:
            first = asyncio.create_task(wire.send(client, wire.get()))
            async with asyncio.timeout(10):  # it is out at once, or never
                await first_is_out.wait()
            second = asyncio.create_task(wire.send(client, wire.get()))
            for _ in range(5):  # far more turns than it takes to reach the queue
                await asyncio.sleep(0)
            now += wait
            first_may_end.set()
            await asyncio.gather(first, second)

    with mock.patch.object(upstream, "POOL_SIZE", 1):
        asyncio.run(run())

    assert len(stamps) == 2
    assert all(abs(stamp - arrived) <= 1 for stamp, arrived in stamps)
