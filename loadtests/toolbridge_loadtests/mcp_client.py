"""MCP over Locust's fast HTTP client: JSON-RPC by POST, timed, and every answer judged.

The FastMCP client is of no use here: it needs an asyncio loop, and Locust runs on gevent.
"""

import functools
import itertools
import socket
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from ssl import SSLError
from typing import Any
from urllib.parse import urlsplit

import gevent.ssl  # type: ignore[import-untyped]
from locust.contrib.fasthttp import FastHttpSession, ResponseContextManager

from toolbridge_loadtests import answers
from toolbridge_loadtests.answers import AnswerError
from toolbridge_loadtests.callers import Caller, ConfigurationError

# Fifty times the budget: whoever waits longer has given up, and it bounds the end of a test.
TIMEOUT_SECONDS = 10.0

USER_AGENT = f"toolbridge-load/{version('toolbridge-mcp')}"
REVISION = "2025-11-25"

WARM_UP = "warm-up: "
CLEAN_UP = "clean-up: "
EXCLUDED = (WARM_UP, CLEAN_UP)
"""Requests under these names never count as samples."""


def endpoint(url: str) -> str:
    """Return the MCP endpoint of a base URL; one that has a path already is kept as it is."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError(f"{url!r} is not a URL: give one like https://staging.example")
    if parts.username or parts.password:
        raise ConfigurationError("the URL holds a user name or password: give it without")
    return url.rstrip("/") if parts.path.strip("/") else f"{url.rstrip('/')}/mcp"


@functools.cache
def tls_context(cafile: str | None = None) -> Any:
    """Return the one TLS context of this process: building one takes 20 ms of every user's time."""
    return gevent.ssl.create_default_context(cafile=cafile)


# What every session is made with, the users' and the preflight's.
SESSION_OPTIONS: Mapping[str, Any] = {
    "insecure": False,
    "ssl_context_factory": tls_context,
    "network_timeout": TIMEOUT_SECONDS,
    "connection_timeout": TIMEOUT_SECONDS,
    # A redirect would send the token elsewhere.
    "max_redirects": 0,
    "max_retries": 0,
}


class McpClient:
    """One caller's MCP session over one HTTP session."""

    def __init__(self, http: FastHttpSession, url: str, caller: Caller) -> None:
        self._http = http
        self._url = url
        self._caller = caller
        self._ids = itertools.count(1)
        self._session_headers: dict[str, str] = {}

    def open(self, prefix: str) -> None:
        """Connect and initialize, under names that begin with `prefix`; AnswerError on failure."""
        parameters = {
            "protocolVersion": REVISION,
            "capabilities": {},
            "clientInfo": {"name": "toolbridge-load", "version": version("toolbridge-mcp")},
        }

        def keep_session(response: ResponseContextManager, result: Mapping[str, Any]) -> str:
            self._session_headers["MCP-Protocol-Version"] = str(result.get("protocolVersion"))
            if session := _header(response, "mcp-session-id"):
                self._session_headers["Mcp-Session-Id"] = session
            return ""

        self._request("initialize", parameters, keep_session, name=f"{prefix}initialize")
        self._notify("notifications/initialized", name=f"{prefix}initialized")

    def call(
        self,
        tool: str,
        arguments: dict[str, Any],
        check: Callable[[Mapping[str, Any]], str],
        *,
        prefix: str = "",
        due: float | None = None,
    ) -> str:
        """Call a tool and return what `check` makes of its content; AnswerError on any failure.

        `due` is when the timetable wanted it sent (`time.perf_counter`): it is timed from there.
        """
        return self._request(
            "tools/call",
            {"name": tool, "arguments": arguments},
            lambda _, result: check(answers.tool_content(result)),
            name=f"{prefix}{tool}",
            due=due,
        )

    def _request(
        self,
        method: str,
        parameters: dict[str, Any],
        read: Callable[[ResponseContextManager, Mapping[str, Any]], str],
        *,
        name: str,
        due: float | None = None,
    ) -> str:
        number = next(self._ids)
        message = {"jsonrpc": "2.0", "id": number, "method": method, "params": parameters}

        def judge(response: ResponseContextManager) -> str:
            kind = _header(response, "content-type")
            return read(
                response, answers.result(response.status_code, kind, response.text or "", number)
            )

        return self._exchange(message, judge, name, due)

    def _notify(self, method: str, *, name: str) -> None:
        def judge(response: ResponseContextManager) -> str:
            # 202 is the rule; 200 and 204 come from servers that are not strict about it.
            if response.status_code not in {200, 202, 204}:
                raise AnswerError(
                    f"HTTP {response.status_code}", answers.excerpt(response.text or "")
                )
            return ""

        self._exchange({"jsonrpc": "2.0", "method": method}, judge, name, None)

    def _exchange(
        self,
        message: Mapping[str, Any],
        judge: Callable[[ResponseContextManager], str],
        name: str,
        due: float | None,
    ) -> str:
        late = 0.0 if due is None else time.perf_counter() - due
        post = self._http.request(
            "POST",
            self._url,
            name=name,
            json=message,
            headers=self._headers(),
            catch_response=True,
            context={"at": time.time() - late, "lateness": late * 1000},
        )
        with post as response:
            response.request_meta["response_time"] += late * 1000
            try:
                outcome = self._judged(response, judge)
            except AnswerError as refused:
                response.request_meta["context"]["detail"] = self._safe(refused.detail)
                response.failure(refused.kind)
                raise
            response.success()
            return outcome

    def _judged(
        self, response: ResponseContextManager, judge: Callable[[ResponseContextManager], str]
    ) -> str:
        if not response.status_code:
            raise transport_failure(getattr(response, "error", None))
        try:
            return judge(response)
        except (AttributeError, KeyError, TypeError, ValueError) as problem:
            raise AnswerError("unexpected answer", answers.excerpt(repr(problem))) from problem

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self._caller.token()}",
            "Accept": "application/json, text/event-stream",
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
            **self._session_headers,
        }

    def _safe(self, text: str) -> str:
        return text.replace(self._caller.token(), "[token]")


def _header(response: ResponseContextManager, name: str) -> str:
    return str(response.headers.get(name, "")) if response.headers else ""


def transport_failure(error: object) -> AnswerError:
    """Name what kept an answer from coming at all."""
    # geventhttpclient wraps a time-out into a "retries exceeded" although none is allowed.
    error = getattr(error, "original", None) or error
    detail = answers.excerpt(str(error or ""))
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (ConnectionRefusedError, "connection refused"),
        (ConnectionResetError, "connection reset"),
        ((TimeoutError, gevent.Timeout), f"no answer within {TIMEOUT_SECONDS:g} s"),
        (SSLError, "TLS failure"),
        (socket.gaierror, "host name not found"),
    )
    for classes, kind in kinds:
        if isinstance(error, classes):
            return AnswerError(kind, detail)
    return AnswerError(f"no answer ({type(error).__name__})", detail)
