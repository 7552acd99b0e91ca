"""All probes, from the caller outwards; nothing more is sent once an outer layer has failed."""

import secrets
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from toolbridge_harness.doctor.answers import Answer, Asker
from toolbridge_harness.doctor.application import handshake, health
from toolbridge_harness.doctor.calls import Caller, ladder, real_calls
from toolbridge_harness.doctor.canary import canary
from toolbridge_harness.doctor.inside import fingerprint, inside_probes, tenant_inside
from toolbridge_harness.doctor.model import ORDER, Probe
from toolbridge_harness.doctor.network import clock, connect, edge, resolve
from toolbridge_harness.doctor.network import handshake as tls_handshake
from toolbridge_harness.doctor.token import token_probe
from toolbridge_harness.tokens import Minted, TokenSource

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Patient:
    """What is examined, and with what.

    `token` is the person's own, `document` the parsed output of diagnose, `api_fingerprint` that
    of the Go API's tenant secret; each None where it was not given. `write` allows the canary.
    """

    origin: str
    mcp_path: str
    source: TokenSource
    token: str | None = None
    tenant: str | None = None
    document: Mapping[str, Any] | None = None
    api_fingerprint: str | None = None
    write: bool = False

    def caller(self) -> Caller | None:
        """Return whose token is used: the given one, else one from the source."""
        tenant = self.tenant or (self.document and tenant_inside(self.document)) or ""
        if self.token is not None:
            return Caller(self.token, True, self.source, tenant)
        found = self.source.identity(f"doctor-{secrets.token_hex(4)}")
        return Caller(found[1], False, self.source, tenant) if found else None


def examine(patient: Patient) -> list[Probe]:
    """Make the probes and return them in the order in which they are judged."""
    with _client() as client:
        probes = list(_outside(patient, client))
    if patient.document is not None:
        probes += inside_probes(
            patient.document,
            patient.api_fingerprint,
            fingerprint(patient.source.secret) if isinstance(patient.source, Minted) else None,
        )
    return sorted(probes, key=lambda probe: ORDER.index(probe.name))


def _client() -> httpx.Client:
    # The environment's HTTP proxies would be one more thing between; tokens stay away from them.
    # The trust store is that of the TLS probe: without it, httpx brings one of its own.
    trusted = ssl.create_default_context()
    return httpx.Client(verify=trusted, trust_env=False, follow_redirects=False)


def _outside(patient: Patient, client: httpx.Client) -> Iterator[Probe]:
    target = httpx.URL(patient.origin)
    port = target.port or _PORTS[target.scheme]
    found, addresses = resolve(target.host, port)
    yield found
    caller = patient.caller()
    skew: float | None = None
    if found.ok:
        reachable = connect(addresses, port)
        yield reachable
        secured = target.scheme == "http"
        if reachable.ok and target.scheme == "https":
            shaken = tls_handshake(target.host, port)
            yield shaken
            secured = shaken.ok
        if reachable.ok and secured:
            first, skew = edge(client, patient.origin)
            yield first
            if skew is not None:
                yield clock(skew)
            yield from _application(patient, client, caller, skew or 0.0)
            return
    if caller is not None:
        yield _judged(patient, caller, 0.0)


def _judged(patient: Patient, caller: Caller, skew: float) -> Probe:
    inside = tenant_inside(patient.document) if patient.document else None
    return token_probe(caller.token, time.time() + skew, inside, patient.tenant)


def _application(
    patient: Patient, client: httpx.Client, caller: Caller | None, skew: float
) -> Iterator[Probe]:
    asker = Asker(client, patient.origin + patient.mcp_path)
    alive, steady = health(asker)
    yield from (alive, steady)
    greeted = handshake(asker)
    yield greeted
    if caller is None:
        return
    judged = _judged(patient, caller, skew)
    yield judged
    if not (alive.ok and greeted.ok and judged.ok):
        return
    yield from ladder(asker, caller)
    works = False
    for probe in real_calls(asker, caller, lambda: _again(asker, caller)):
        works = works or (probe.name == "call" and probe.ok)
        yield probe
    if patient.write and works:
        yield canary(asker, caller.token)


def _again(asker: Asker, caller: Caller) -> Answer:
    """Make the real call on a connection of its own."""
    with _client() as client:
        fresh = Asker(client, asker.url)
        fresh.session = asker.session
        return fresh.notes(caller.token)
