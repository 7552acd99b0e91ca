"""A TLS-terminating relay before the Go API, whose certificate can be another one each time."""

import asyncio
import datetime
import ssl
import warnings
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from toolbridge_harness.fronts.listener import Listener
from toolbridge_harness.fronts.relaying import Address, connected, copy, until_either

GOOD = "a good certificate"
_DAY = datetime.timedelta(days=1)
_STRANGER = "somebody-else.example"


def server_context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """Return a context that serves `certificate`, from TLS 1.2 on."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return context


def outdated(context: ssl.SSLContext) -> ssl.SSLContext:
    """Let `context` speak TLS 1.0 and 1.1 alone."""
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # OpenSSL 3 has none for them at level 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # deprecated is what is wanted
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def _expired(authority: trustme.CA, name: str) -> trustme.LeafCert:
    now = datetime.datetime.now(datetime.UTC)
    return authority.issue_cert(name, not_before=now - 60 * _DAY, not_after=now - _DAY)


def _self_signed(_: trustme.CA, name: str) -> trustme.LeafCert:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + 60 * _DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return trustme.LeafCert(secret, made.public_bytes(pem), [])


# What a client must not accept, by what it is.
_BAD: Mapping[str, Callable[[trustme.CA, str], trustme.LeafCert]] = {
    "an expired certificate": _expired,
    "a self-signed certificate": _self_signed,
    "a certificate for another host": lambda authority, _: authority.issue_cert(_STRANGER),
    "a certificate of another authority": lambda _, name: trustme.CA().issue_cert(name),
}


class TlsRelay:
    """Passes bytes on to `backend`, decrypted; `received` counts those that clients sent."""

    def __init__(self, backend: Address, host: str) -> None:
        # A name where there is one: that is what certificates are usually for.
        self.name = "localhost" if host == "127.0.0.1" else host
        self.received = 0
        self._backend, self._authority = backend, trustme.CA()
        good = self._authority.issue_cert(self.name)
        bad = {what: make(self._authority, self.name) for what, make in _BAD.items()}
        self._contexts = {what: server_context(leaf) for what, leaf in bad.items()}
        self._contexts["TLS 1.0 and 1.1 alone"] = outdated(server_context(good))
        self.bad = tuple(self._contexts)
        """What can be presented that a client must refuse."""
        self._contexts[GOOD] = server_context(good)
        # Plain requests are served too: a client that sends them would never be seen otherwise.
        first = self._contexts[GOOD]
        self.listener = Listener(self._relay, host=host, context=first, either=True)

    @property
    def url(self) -> str:
        """The https URL for the proxy's upstream."""
        return f"https://{self.name}:{self.listener.port}"

    def write_authority(self, path: Path) -> None:
        """Write the certificate of the authority to trust, as PEM."""
        self._authority.cert_pem.write_to_path(str(path))

    async def present(self, what: str) -> None:
        """Cut all connections, and be GOOD or one of `bad` to the next ones."""
        self.listener.context = self._contexts[what]
        await self.listener.drop()

    def _note(self, size: int) -> None:
        self.received += size

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with connected(self._backend) as (answers, requests):
            await until_either(copy(reader, requests, self._note), copy(answers, writer))


@asynccontextmanager
async def tls_relay(backend: Address, host: str) -> AsyncIterator[TlsRelay]:
    """Listen on a free port of `host` with a good certificate, in front of `backend`."""
    relay = TlsRelay(backend, host)
    async with relay.listener:
        yield relay
