"""Proxies with bugs in the ways to the Go API, and in what they keep of former settings."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx

from mutants.table import mutant
from support import startup_lax
from support.patching import patch
from toolbridge_proxy import app, settings, tokens, upstream


def _base_url(change: Any) -> None:
    """Let `change` make the prefix of every request's URL from the configured address."""

    def make(original: Any) -> Any:
        def init(self: Any, config: settings.Settings, *given: Any) -> None:
            original(self, config, *given)
            self._base_url = change(os.environ["TOOLBRIDGE_GO_API_BASE_URL"])

        return init

    patch(upstream.Upstream, "__init__", make)


@mutant(
    "base-url-slash",
    "a slash at the end of the Go API's address is kept, and one more follows",
    rows="DEP-11",
    cause="startup-base-url",
)
def slash_is_kept() -> None:
    """Routes are appended to the address as it is configured."""
    _base_url(str)


@mutant(
    "base-url-prefix",
    "a path in the Go API's address is lost when the route is joined to it",
    rows="DEP-11 SIG-18",
    cause="startup-base-url",
)
def prefix_is_lost() -> None:
    """An absolute path replaces the configured one, as urljoin does it."""
    _base_url(lambda url: urljoin(url, "/").rstrip("/"))


@mutant(
    "base-url-ipv6",
    "the host of the Go API's address is taken up to the first colon",
    rows="DEP-11 SIG-18",
    cause="startup-base-url",
)
def brackets_are_not_known() -> None:
    """Splits host and port at a colon: an IPv6 literal has several."""

    def change(url: str) -> str:
        scheme, rest = url.rstrip("/").split("://")
        return url.rstrip("/") if rest[0] != "[" else f"{scheme}://{rest.split(':')[0].strip('[')}"

    _base_url(change)


@mutant(
    "base-url-password",
    "a password in the Go API's address is accepted and logged at the start",
    rows="SIG-18",
    cause="startup-url-credentials",
)
def password_is_logged() -> None:
    """Logs the address of the Go API, whole."""

    def with_password(value: str | None) -> bool:
        return "@" in str(value)

    startup_lax.accept("GO_API_BASE_URL", with_password, "http://localhost:1", _logged)


def _logged(url: str) -> str:
    print(f'{{"event": "starting", "go_api": "{url}"}}', flush=True)  # noqa: T201 - the bug
    return url


@mutant(
    "M-Q16",
    "requests to the Go API go through HTTP_PROXY",
    rows="RES-27",
    cause="resilience-proxy-environment",
)
def environment_chooses_the_way() -> None:
    """The pools honour the environment, as a client with trust_env does."""

    def make(original: Any) -> Any:
        def transports(config: settings.Settings) -> list[httpx.AsyncHTTPTransport]:
            proxy = os.environ.get("HTTP_PROXY")
            plain: list[httpx.AsyncHTTPTransport] = original(config)
            return [httpx.AsyncHTTPTransport(proxy=proxy)] if proxy else plain

        return transports

    patch(app, "make_transports", make)


@mutant(
    "dns-as-refused",
    "a name that does not resolve is reported as a refused connection",
    rows="RES-02",
    cause="resilience-dns",
)
def names_are_not_told_apart() -> None:
    """Only TLS failures have a code of their own."""

    def make(original: Any) -> Any:
        def code(error: BaseException) -> str:
            found: str = original(error)
            return "upstream_unreachable" if found == "upstream_dns" else found

        return code

    patch(upstream, "_connect_code", make)


@mutant(
    "no-connect-timeout",
    "connection attempts have no time-out of their own",
    rows="RES-03",
    cause="resilience-connect-timeout",
)
def connecting_takes_the_whole_deadline() -> None:
    """A hole takes the whole deadline of a call, and looks like a slow answer."""

    def make(original: Any) -> Any:
        async def handle(self: Any, request: httpx.Request) -> httpx.Response:
            request.extensions = {}
            answer: httpx.Response = await original(self, request)
            return answer

        return handle

    patch(httpx.AsyncHTTPTransport, "handle_async_request", make)


@mutant(
    "old-secret-kept",
    "the JWT secret is kept on disk, and tokens of former ones go on working",
    rows="AUTH-64",
    cause="auth-rotated-secret",
)
def former_secrets_still_count() -> None:
    """Remembers each secret in a file that all proxies of one run share."""
    # The grandparent is the run: its proxies stand under supervisors of their own.
    run = Path(f"/proc/{os.getppid()}/stat").read_text().rsplit(")", 1)[1].split()[1]
    kept = Path(tempfile.gettempdir()) / f"toolbridge-kept-{run}"

    def make_init(original: Any) -> Any:
        def init(self: Any, config: settings.Settings, jwks: Any) -> None:
            original(self, config, jwks)
            kept.touch(mode=0o600)
            if config.jwt_secret:
                with kept.open("a") as out:
                    out.write(config.jwt_secret.get_secret_value() + "\n")

        return init

    def make_key(original: Any) -> Any:
        def verify(self: Any, token: str, key: Any, algorithm: str) -> None:
            former = kept.read_text().split() if kept.exists() else []
            for other in former:
                try:
                    original(self, token, other, algorithm)
                except tokens.Denied:
                    continue
                return
            original(self, token, key, algorithm)

        return verify

    patch(tokens.TokenVerifier, "__init__", make_init)
    patch(tokens.TokenVerifier, "_verify", make_key)
    if not kept.exists():  # this is the first of them, and the last to end
        _at_the_end(kept.unlink)


def _at_the_end(end: Callable[[], None]) -> None:
    def make(original: Any) -> Any:
        async def close(self: Any) -> None:
            await original(self)
            end()

        return close

    patch(upstream.Upstream, "close", make)
