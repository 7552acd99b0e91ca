"""What is read of an answer, what its failure is called, and what is noted about it."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from support.captured_log import captured_log
from support.proxy_app import make_settings
from support.scripted_upstream import Planned, Scripted, a_call, a_request, answer, upstream_of
from toolbridge_proxy import upstream
from toolbridge_proxy.errors import ToolFailure
from toolbridge_proxy.metrics import Metrics
from toolbridge_proxy.upstream import Upstream

LARGEST = 8_388_608  # bytes of a good answer
LARGEST_ERROR = 65_536


class Stream(httpx.AsyncByteStream):
    """Yields chunks, raises the last one if it is an error, and remembers that it was closed."""

    def __init__(self, *chunks: bytes | Exception) -> None:
        self.chunks, self.closed = chunks, 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk

    async def aclose(self) -> None:
        self.closed += 1


def streamed(*chunks: bytes | Exception, status: int = 200) -> httpx.Response:
    headers = {"content-type": "application/json"}
    return httpx.Response(status, headers=headers, stream=Stream(*chunks))


async def data(planned: Planned) -> Any:
    return (await upstream_of(Scripted(planned)).send(a_request(), a_call())).data


async def failure(*planned: Planned, **changes: Any) -> ToolFailure:
    with pytest.raises(ToolFailure) as failed:
        await upstream_of(Scripted(*planned)).send(a_request(**changes), a_call(retries=0))
    return failed.value


async def test_an_answer_is_its_chunks_in_order_and_is_closed() -> None:
    """Its connection goes back to the pool, after a failure too."""
    good, bad = Stream(b'{"a":', b" 1}"), Stream(b"{")
    headers = {"content-type": "application/json"}
    assert {"a": 1} == await data(httpx.Response(200, headers=headers, stream=good))
    assert (
        "upstream_bad_response"
        == (await failure(httpx.Response(200, headers=headers, stream=bad))).code
    )
    assert (1, 1) == (good.closed, bad.closed)


async def test_an_answer_has_at_most_8_mib() -> None:
    """The last size that is read, and the first that is not, wherever a chunk ends."""
    text = b'"' + b"x" * (LARGEST - 2) + b'"'
    assert LARGEST - 2 == len(await data(streamed(text)))
    for chunks in ([text + b" "], [text, b" "]):
        told = await failure(streamed(*chunks))
        assert ("response_too_large", 200) == (told.code, told.status)
    told = await failure(streamed(text, b" "), lost="Read it back.")
    assert ("outcome_unknown", "Read it back.") == (told.code, told.message)


async def test_an_error_is_read_for_64_kib() -> None:
    """What fits is told; what is cut off is no JSON any more, and is not."""
    said = b'{"error": "said"}'
    blanks = b" " * (LARGEST_ERROR - len(said))
    fits, beyond = await failure(streamed(blanks + said, status=400)), None
    beyond = await failure(streamed(blanks + b" " + said, status=400))
    assert ("said", None) == (fits.detail, beyond.detail)
    assert ["invalid_argument"] * 2 == [fits.code, beyond.code]


async def test_type_and_retry_after_are_read() -> None:
    """A good answer needs a type; a limit says for how long."""
    untyped = httpx.Response(200, stream=Stream(b"{}"))
    assert "upstream_bad_response" == (await failure(untyped)).code
    limited = await failure(answer(429, retry_after="7"))
    assert ("rate_limited", 7) == (limited.code, limited.retry_after)


async def test_a_failed_mutation_is_told_as_its_request_says() -> None:
    """A gateway's answer leaves it open; an answer of another shape as well."""

    def refuse(_: Any) -> None:
        raise ValueError

    for planned, accept in ((answer(502), dict), (answer(200), refuse)):
        told = await failure(planned, accept=accept, lost="Read it back.")
        assert ("outcome_unknown", "Read it back.") == (told.code, told.message)


def caused(error: Exception, *causes: BaseException, context: bool = False) -> Exception:
    """Return `error` with a chain of causes, or of contexts."""
    last: BaseException = error
    for cause in causes:
        setattr(last, "__context__" if context else "__cause__", cause)
        last = cause
    return error


def deep(number: int) -> Exception:
    """Return a failed connection with a failed lookup after so many other causes."""
    others = [OSError() for _ in range(number)]
    return caused(httpx.ConnectError("x"), *others, socket.gaierror())


DISCONNECTED = "Server disconnected without sending a response."
# What is raised, the code of a read, and whether a mutation's outcome is unknown then.
BROKEN: dict[str, tuple[Planned, str, bool]] = {
    "no connection of the pool": (httpx.PoolTimeout("x"), "busy", False),
    "connect time-out": (httpx.ConnectTimeout("x"), "upstream_connect_timeout", False),
    "refused": (httpx.ConnectError("x"), "upstream_unreachable", False),
    "lookup": (deep(0), "upstream_dns", False),
    "lookup, ninth cause": (deep(8), "upstream_dns", False),
    "lookup, tenth cause": (deep(9), "upstream_unreachable", False),
    "handshake": (
        caused(httpx.ConnectError("x"), OSError(), ssl.SSLError(), context=True),
        "upstream_tls",
        False,
    ),
    "reset": (httpx.ReadError("reset"), "upstream_unreachable", True),
    "nothing": (httpx.RemoteProtocolError(DISCONNECTED), "upstream_unreachable", True),
    "garbage": (httpx.RemoteProtocolError("illegal"), "upstream_bad_response", True),
    "time-out": (TimeoutError(), "upstream_timeout", True),
    "cut off": (streamed(b"{", httpx.ReadError("reset")), "upstream_bad_response", True),
    "body time-out": (streamed(b"{", TimeoutError()), "upstream_timeout", True),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_exchange_has_its_code(name: str) -> None:
    """All but the proxy's own queue may be tried again; a mutation only if nothing was sent."""
    planned, code, unknown = BROKEN[name]
    read, write = await failure(planned), await failure(planned, lost="Read it back.")
    assert (code, code != "busy") == (read.code, read.repeatable)
    assert "outcome_unknown" if unknown else code == write.code
    assert (not unknown and code != "busy") is write.repeatable


METHOD_AND_ROUTE = {"method": "GET", "route": "/v1/{x}"}


async def noted(planned: Planned, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, float | None]:
    """Send a request that takes 123.46 ms; return the log line and the seconds in the metrics."""
    metrics, call, readings = Metrics(), a_call(retries=0), iter([10.0, 10.12346])
    monkeypatch.setattr(call, "remaining", lambda: 5.0)
    monkeypatch.setattr(upstream, "time", SimpleNamespace(monotonic=lambda: next(readings)))
    with captured_log() as lines:
        results = await asyncio.gather(
            Upstream(make_settings(), metrics, Scripted(planned)).send(a_request(), call),
            return_exceptions=True,
        )
    assert 1 == len(results)
    (line,) = [line for line in lines if line["event"] != "signature"]
    labels = METHOD_AND_ROUTE | {"status": str(line.get("status") or "none")}
    sum_name = "toolbridge_upstream_request_seconds_sum"
    return line, metrics.registry.get_sample_value(sum_name, labels)


@pytest.mark.parametrize(
    ("planned", "expected"),
    [
        (answer(201), {"log_level": "info", "status": 201}),
        (
            answer(500, b'{"error": "x", "correlation_id": "theirs"}'),
            {
                "log_level": "warning", "status": 500, "failure": "upstream_error",
                "upstream_correlation_id": "theirs",
            },
        ),
        (
            answer(500, b'{"error": "x", "correlation_id": "the-correlation-id"}'),
            {"log_level": "warning", "status": 500, "failure": "upstream_error"},
        ),
        (
            httpx.ReadError("reset"),
            {"log_level": "warning", "status": None, "failure": "upstream_unreachable"},
        ),
        (
            asyncio.CancelledError(),
            {"log_level": "warning", "status": None, "failure": "cancelled"},
        ),
    ],
    ids=["good", "error", "error with our id", "no answer", "cancelled"],
)  # fmt: skip
async def test_each_request_is_one_line_and_one_observation(
    planned: Any, expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Go API's correlation id is there when it is another one."""
    line, seconds = await noted(planned, monkeypatch)
    usual = {"event": "upstream_request", "tenant_id": "tenant-a", "ms": 123.5}
    usual |= METHOD_AND_ROUTE | {"correlation_id": "the-correlation-id"}
    assert usual | expected == line
    assert pytest.approx(0.12346) == seconds


def test_what_a_call_took_is_summed_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of the same name add up; the deadline is that many seconds away."""
    call = a_call()
    readings = iter([1.0, 1.5, 2.0, 2.25, 3.0, 4.0])
    monkeypatch.setattr(upstream, "time", SimpleNamespace(monotonic=lambda: next(readings)))
    for name in ("session", "session", "upstream"):
        with call.timed(name):
            pass
    assert ({"session": 0.75, "upstream": 1.0}, 1) == (call.seconds, call.retries)
    monkeypatch.setattr(upstream, "time", SimpleNamespace(monotonic=lambda: 10.0))
    call.deadline = 12.5
    assert 2.5 == call.remaining()
