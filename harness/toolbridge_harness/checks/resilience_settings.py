"""Ways to the Go API that only settings can break: proxies in the environment, names, holes."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Iterator

from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.starts import BASE_URL, SECONDS, two_at_a_time
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import NotApplicable, require, require_equal

_LOOPBACK = "127.0.0.1"
_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
# The rows' bounds for a tool's answer.
_DNS_SECONDS, _CONNECT_SECONDS = 5.0, 10.0
# A name server that takes longer than this could as well be a dead one for the proxy's deadline.
_NAME_SECONDS = 0.4
# ERR-14: liveness does not wait for the Go API. A busy machine gets the control's multiple.
_ALIVE_SECONDS, _TIMES_THE_CONTROL = 1.0, 5


@contextlib.asynccontextmanager
async def _canary(host: str) -> AsyncIterator[tuple[str, list[str]]]:
    """Listen as an HTTP proxy would; yield its address and the first lines of what arrives."""
    heard: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append("a connection")
        with contextlib.suppress(OSError, ValueError):
            heard[-1] = (await reader.readline()).decode(errors="replace").split("?")[0].strip()
            writer.write(
                b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, host, 0)
    try:
        yield f"{host}:{server.sockets[0].getsockname()[1]}", heard
    finally:
        server.close()


@check(
    "resilience-proxy-environment",
    "HTTP_PROXY, HTTPS_PROXY and ALL_PROXY do not divert the requests to the Go API",
    severity=Severity.MEDIUM,
    catalogue="RES-27",
    source="CWE-441; httpx: trust_env",
    remedy="Create the upstream client with trust_env=False.",
    why="One variable in an image sends every token and signature through somebody's machine.",
    needs={Vantage.MINT, Vantage.UPSTREAM, Vantage.RESTART},
    profile=Profile.FULL,
    seconds=SECONDS,
    explained_by=("control-token",),
    broken="the environment can send all upstream requests through another machine",
)
async def environment_diverts_nothing(target: Target, caller: Caller) -> None:
    """Points all three variables at a listener and calls; the Go API by address and by name."""
    await caller.control()
    address = target.deployment.mock_address
    urls = [f"http://{address}"]
    if address.startswith(f"{_LOOPBACK}:"):
        urls.append(f"http://{address.replace(_LOOPBACK, 'localhost')}")
    host = target.stack.starter.launch.mock_host
    async with _canary(host) as (canary, heard):
        settings = dict.fromkeys(_NAMES, f"http://{canary}")
        settings |= {name.lower(): value for name, value in settings.items()}
        settings |= {"NO_PROXY": "", "no_proxy": ""}

        async def one(url: str) -> None:
            async with target.restarted({**settings, BASE_URL: url}) as other:
                reply = await other.caller().call("list_notes", {"limit": 1})
                require_equal([], heard, "requests at the address in HTTP_PROXY:")
                require(reply.ok, f"a call before {url} to succeed", reply.brief)

        await two_at_a_time(one, [(url,) for url in urls])


async def _fails_as(target: Target, url: str, code: str, seconds: float) -> None:
    """Require `code` for reads and creates within `seconds`, and a proxy that stays alive."""
    control = target.caller()
    usual = (await control.call("health_check", token=None)).seconds
    async with target.restarted({BASE_URL: url}) as other:
        user = other.caller()
        for tool, arguments in (
            ("list_notes", {"limit": 1}),
            ("create_note", {"title": "x", "content": "x"}),
        ):
            started = time.monotonic()
            waiting = asyncio.create_task(user.call(tool, arguments))
            alive = await user.call("health_check", token=None)
            reply = await waiting
            took = time.monotonic() - started
            require_equal(code, reply.code, f"code of {tool}:")
            require(took <= seconds, f"an answer to {tool} within {seconds:g} s", f"{took:.1f} s")
            require(alive.ok, "health_check to succeed meanwhile", alive.brief)
            most = max(_ALIVE_SECONDS, _TIMES_THE_CONTROL * usual)
            soon = alive.seconds <= most
            require(soon, f"health_check within {most:.1f} s", f"{alive.seconds:.1f} s")


@check(
    "resilience-dns",
    "A host name that does not resolve is reported as that",
    severity=Severity.MEDIUM,
    catalogue=("RES-02", "ERR-14"),
    source="DESIGN: error contract",
    remedy="Look for the resolver's error in the chain of causes; answer upstream_dns.",
    why="A mistyped address and a stopped Go API look the same, and the search starts wrong.",
    needs={Vantage.MINT, Vantage.UPSTREAM, Vantage.RESTART},
    profile=Profile.FULL,
    seconds=SECONDS,
    explained_by=("control-token",),
    broken="a name that does not resolve is not told from other failures",
)
async def unknown_names_are_told(target: Target, caller: Caller) -> None:
    """Starts with a name under .invalid, which nobody can own, and calls (RFC 6761 §6.4)."""
    await caller.control()
    name = f"go-api-{target.random.getrandbits(32):08x}.invalid"
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_NAME_SECONDS):
            await loop.getaddrinfo(name, 443)
    except TimeoutError:
        raise NotApplicable("the name server here does not answer soon enough") from None
    except socket.gaierror:
        await _fails_as(target, f"https://{name}", "upstream_dns", _DNS_SECONDS)
        return
    raise NotApplicable("the name server here knows every name")


@contextlib.contextmanager
def _hole() -> Iterator[str]:
    """Yield an address that takes no connection and refuses none: its queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((_LOOPBACK, 0))
        listener.listen(0)
        for _ in range(3):  # one fits; the others make sure
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"{_LOOPBACK}:{listener.getsockname()[1]}"


async def _swallows(address: str) -> bool:
    host, port = address.split(":")
    try:
        async with asyncio.timeout(0.3):
            _, writer = await asyncio.open_connection(host, int(port))
    except TimeoutError:
        return True
    except OSError:
        return False
    writer.close()
    return False


@check(
    "resilience-connect-timeout",
    "A Go API that answers no connection attempt is given up in time, and reported as that",
    severity=Severity.MEDIUM,
    catalogue=("RES-03", "ERR-14"),
    source="DESIGN: error contract; check catalogue RES-03",
    remedy="Set a connect time-out of a few seconds; answer upstream_connect_timeout.",
    why="The kernel's default is two minutes, in which every caller waits.",
    needs={Vantage.MINT, Vantage.UPSTREAM, Vantage.RESTART},
    profile=Profile.FULL,
    seconds=SECONDS,
    explained_by=("control-token",),
    broken="connection attempts that get no answer are not given up, or not reported as such",
)
async def silent_hosts_are_given_up(target: Target, caller: Caller) -> None:
    """Starts before a listener on loopback whose queue is full, and calls."""
    await caller.control()
    if target.stack.starter.launch.mock_host != _LOOPBACK:
        raise NotApplicable("the proxy does not share this machine's loopback")
    with _hole() as address:
        if not await _swallows(address):
            raise NotApplicable("this machine answers connections to a full queue")
        code = "upstream_connect_timeout"
        await _fails_as(target, f"http://{address}", code, _CONNECT_SECONDS)
