"""The TLS connection to the issuer: whose certificate is believed when the key set is fetched."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from toolbridge_harness.checks.auth_keys import KEY_SET, NO_KEY_SET
from toolbridge_harness.fronts.tls import GOOD, TlsRelay, tls_relay
from toolbridge_harness.fronts.views import address_of
from toolbridge_harness.issuer import Issuer, key_set
from toolbridge_harness.jwks_server import PATH
from toolbridge_harness.model import Capability, Profile, Severity
from toolbridge_harness.registry import check
from toolbridge_harness.restarts import Settings
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import Untestable, require, require_equal
from toolbridge_harness.wire import Reply

_SELF_SIGNED = "a self-signed certificate"


@dataclass
class _Secured:
    """An issuer whose key set is behind TLS, and what a proxy needs to get it from there."""

    issuer: Issuer
    relay: TlsRelay
    settings: Settings

    async def first_call(self, what: str) -> tuple[Caller, Reply]:
        """Call with a good token through a new proxy, to whose fetches `what` is presented."""
        await self.relay.present(what)
        async with self.issuer.proxy(self.settings) as proxy:
            signer = proxy.caller()
            return signer, await signer.call("list_notes", {"limit": 1})

    async def refuses(self, what: str) -> None:
        """Require that no key comes from a server with that certificate."""
        sent, came = self.relay.received, self.relay.listener.accepted
        signer, reply = await self.first_call(what)
        require_equal(0, self.relay.received - sent, f"bytes sent to an issuer with {what}:")
        refused = reply.status in (401, 503)
        require(refused, f"HTTP 401 or 503 for a key from an issuer with {what}", reply.brief)
        require_equal([], await signer.upstream(), "upstream requests by a key of that issuer:")
        if self.relay.listener.accepted == came:
            raise Untestable(f"the proxy did not connect to the issuer: {reply.brief}")


@asynccontextmanager
async def _secured(target: Target, *, trusted: bool = False) -> AsyncIterator[_Secured]:
    """Put TLS before a key set; with `trusted` the environment names the authority to OpenSSL."""
    async with AsyncExitStack() as stack:
        issuer = await stack.enter_async_context(key_set(target))
        backend = address_of(issuer.server.url)
        relay = await stack.enter_async_context(tls_relay(backend, issuer.server.host))
        settings = {"TOOLBRIDGE_JWT_JWKS_URL": relay.url + PATH}
        if trusted:
            file = target.stack.starter.folder / f"issuer-{relay.listener.port}.pem"
            relay.write_authority(file)
            settings["SSL_CERT_FILE"] = str(file)
        yield _Secured(issuer, relay, settings)


@check(
    "auth-keys-certificate",
    "No key is taken from an issuer whose certificate nobody vouches for",
    severity=Severity.CRITICAL,
    catalogue="AUTH-22",
    source="RFC 8725 §3.10; RFC 9110 §4.3.4; CWE-295",
    remedy="Leave certificate and host name verification on for the key set's address.",
    why="Whoever gets between proxy and issuer could publish a key, and sign for everybody.",
    needs=KEY_SET,
    capability=Capability.KEY_SETS,
    explained_by=(*NO_KEY_SET, "auth-keys-outage"),
    broken="the issuer's key set is taken from a server whose certificate does not hold",
    seconds=60,  # two starts
)
async def unknown_issuer_is_not_believed(target: Target, caller: Caller) -> None:
    """Serves a key set in plain, as a control, and then with a self-signed certificate."""
    async with _secured(target) as secured:
        async with secured.issuer.proxy() as proxy:
            await proxy.caller().control()
        await secured.refuses(_SELF_SIGNED)


@check(
    "auth-keys-certificate-kinds",
    "An issuer's certificate that has expired, or is for another host, is refused",
    severity=Severity.CRITICAL,
    catalogue="AUTH-22",
    source="RFC 8725 §3.10; RFC 9110 §4.3.4; RFC 8996; CWE-295, CWE-297, CWE-298",
    remedy="Verify chain, time and host name; take no TLS below 1.2.",
    why="An old certificate, or one of another host, is what an attacker can get.",
    needs=KEY_SET,
    capability=Capability.KEY_SETS,
    profile=Profile.FULL,
    explained_by=(*NO_KEY_SET, "auth-keys-outage", "auth-keys-certificate"),
    broken="the issuer's key set is taken from a server whose certificate does not hold",
    seconds=180,  # seven starts
)
async def bad_issuer_is_not_believed(target: Target, caller: Caller) -> None:
    """Names an authority in SSL_CERT_FILE, for proxies that heed it, and serves five bad ones.

    A proxy that trusts only the public authorities refuses the good certificate as well, which
    nobody but the operator of a public name can change: then plain HTTP is the control.
    """
    async with _secured(target, trusted=target.stack.starter.takes_any_text) as secured:
        _, reply = await secured.first_call(GOOD)
        if not reply.ok:
            async with secured.issuer.proxy() as proxy:
                await proxy.caller().control()
        for what in secured.relay.bad:
            await secured.refuses(what)
