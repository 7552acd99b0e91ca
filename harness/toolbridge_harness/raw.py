"""HTTP/1.1 on a socket of its own, for what an HTTP client would not send, or not read."""

import asyncio
import re
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.request import getproxies, proxy_bypass

import httpx

from toolbridge_harness.model import Exchange
from toolbridge_harness.target import KEPT_EXCHANGES, Target
from toolbridge_harness.verdicts import NotApplicable, Unreachable
from toolbridge_harness.wire import Call, identified

# The gate waits for nothing longer than this.
ANSWER_SECONDS = 2.0
# A second answer follows the first at once, if it comes: both requests were sent together.
QUIET_SECONDS = 0.2
_SHOWN = 2000  # as much of a request or an answer as the report keeps
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})\b")

Headers = Iterable[tuple[str, str]]


@dataclass(frozen=True)
class RawAnswer:
    """What came back on one connection until it was closed or fell silent."""

    data: bytes
    closed: bool
    """Whether the server closed the connection."""
    unsent: bool
    """Whether the answer came, or the connection ended, before everything was sent."""
    seconds: float
    """Until the first byte came, or the connection ended."""

    @property
    def statuses(self) -> list[int]:
        """The status of each HTTP answer."""
        return [int(status) for status in _STATUS.findall(self.data)]

    @property
    def head(self) -> str:
        """Status line and headers of the first answer."""
        return self.data.partition(b"\r\n\r\n")[0].decode("latin-1")

    @property
    def brief(self) -> str:
        """One line that says what came back."""
        end = "closed" if self.closed else "left open"
        return f"HTTP {self.statuses}, connection {end}" if self.data else f"no answer, {end}"


class _Conversation(asyncio.Protocol):
    """Keeps what was received even when sending fails, which asyncio's streams do not."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.first: float | None = None
        self.closed, self.news, self.writable = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.writable.set()

    def data_received(self, data: bytes) -> None:
        self.data += data
        self._note()

    def connection_lost(self, _: Exception | None) -> None:
        self.closed.set()
        self.writable.set()
        self._note()

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def _note(self) -> None:
        self.first = self.first or time.monotonic()
        self.news.set()


def request(
    target: Target, call: Call, framing: bytes = b"", *, headers: Headers = (), path: str = ""
) -> bytes:
    """Return the head of a POST of `call`, with `framing` (whole header lines) at its end."""
    host = httpx.URL(target.origin).netloc.decode()
    lines = [f"POST {path or target.deployment.mcp_path} HTTP/1.1", f"Host: {host}"]
    named = identified([*call.header_list(), *headers], target.deployment.run_id)
    lines += [f"{name}: {value}" for name, value in named]
    return "\r\n".join([*lines, ""]).encode("latin-1") + framing + b"\r\n"


async def exchange(
    target: Target, parts: Iterable[bytes], *, seconds: float = ANSWER_SECONDS
) -> RawAnswer:
    """Send `parts` on a new connection until they end or an answer begins; return what came.

    Waits `seconds` for the first byte. Raises Unreachable when there is no connection.
    """
    await target.admitted()
    transport, conversation = await _connect(target)
    started, sent, unsent = time.monotonic(), bytearray(), False
    try:
        async with asyncio.timeout(seconds):
            for part in parts:
                await asyncio.sleep(0)  # so that an answer is seen before more is sent
                await conversation.writable.wait()
                unsent = conversation.news.is_set()
                if unsent:
                    break
                transport.write(part)
                sent += part[: max(0, _SHOWN - len(sent))]
            await conversation.news.wait()
        await _until_quiet(conversation)
    except TimeoutError:
        pass
    finally:
        transport.abort()
    elapsed = (conversation.first or time.monotonic()) - started
    answer = RawAnswer(bytes(conversation.data), conversation.closed.is_set(), unsent, elapsed)
    _keep(target, bytes(sent), answer)
    return answer


async def _connect(target: Target) -> tuple[asyncio.Transport, _Conversation]:
    url = httpx.URL(target.origin)
    proxied = target.deployment.http.trust_env and url.scheme in getproxies()
    if proxied and not proxy_bypass(url.host):
        raise NotApplicable("a raw socket does not go through this environment's HTTP proxy")
    secure = url.scheme == "https"
    port = url.port or (443 if secure else 80)
    context = ssl.create_default_context() if secure else None
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await loop.create_connection(_Conversation, url.host, port, ssl=context)
    except (OSError, TimeoutError) as error:
        what = getattr(error, "strerror", None) or type(error).__name__
        raise Unreachable(f"the target cannot be reached: {what}") from error


async def _until_quiet(conversation: _Conversation) -> None:
    seen = -1
    async with asyncio.timeout(ANSWER_SECONDS):
        while seen != len(conversation.data) and not conversation.closed.is_set():
            seen = len(conversation.data)
            try:
                await asyncio.wait_for(conversation.closed.wait(), QUIET_SECONDS)
            except TimeoutError:
                continue


def _keep(target: Target, sent: bytes, answer: RawAnswer) -> None:
    clean = target.deployment.redactor.clean
    shown = [raw.decode(errors="replace")[:_SHOWN] for raw in (sent, answer.data)]
    end = f"(connection {'closed' if answer.closed else 'left open'})"
    exchanged = Exchange(clean(shown[0]), clean(f"{shown[1]}\n{end}"), answer.seconds)
    target.exchanges.append(exchanged)
    del target.exchanges[:-KEPT_EXCHANGES]
