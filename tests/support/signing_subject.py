"""What a signing property examines: a signer, a verifier, and the proxy's way of using them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import httpx
from pydantic import SecretStr, ValidationError

from support import signing_model as model
from toolbridge_contract import signing
from toolbridge_proxy.metrics import Metrics
from toolbridge_proxy.settings import Settings
from toolbridge_proxy.signing import Signer
from toolbridge_proxy.upstream import Upstream

Clock = Callable[[], int]
Headers = list[tuple[str, str]]
Verify = Callable[[str | None, str | None, str | None, str, int], signing.Rejection | None]

TENANT, TIMESTAMP, SIGNATURE = "X-TB-Tenant-ID", "X-TB-Timestamp", "X-TB-Signature"
NAMES = (TENANT, TIMESTAMP, SIGNATURE)


class Signs(Protocol):
    """The two ways to get signed headers."""

    def headers(self) -> Headers: ...

    def sign(self, headers: Iterable[tuple[str, str]]) -> Headers: ...


class MakesUpstream(Protocol):
    """Makes the client of the Go API."""

    def __call__(
        self, settings: Settings, metrics: Metrics, transport: httpx.AsyncBaseTransport, /
    ) -> Upstream: ...


def configured(tenant: str, secret: str) -> Settings | None:
    """Return the proxy's settings, None when they refuse the values."""
    try:
        return Settings(
            go_api_base_url="http://go-api.internal:8081",
            tenant_id=tenant,
            tenant_header_secret=secret,  # type: ignore[arg-type] # as the environment gives it
        )
    except ValidationError:
        return None


def unchecked(tenant: str, secret: str) -> Settings:
    """Return settings that hold the values whatever they are."""
    good = configured("t", "s")
    assert good is not None
    return good.model_copy(update={"tenant_id": tenant, "tenant_header_secret": SecretStr(secret)})


@dataclass(frozen=True)
class Subject:
    """An implementation of the signing rules; the parts not given are the reference's."""

    name: str
    signer: Callable[[str, str, Clock], Signs] = Signer
    configure: Callable[[str, str], Settings | None] = configured
    upstream: MakesUpstream = Upstream
    verify: Verify = signing.verify

    def at(self, tenant: str, secret: str, ns: int) -> dict[str, str]:
        """Return the three headers made at one instant, by name."""
        return dict(self.signer(tenant, secret, lambda: ns).headers())

    def verdict(
        self,
        tenant: str | None,
        timestamp: str | None,
        signature: str | None,
        secret: str,
        now_ns: int,
    ) -> str:
        """Return the verifier's verdict in the model's words."""
        reason = self.verify(tenant, timestamp, signature, secret, now_ns)
        return model.ACCEPT if reason is None else reason.name.lower()

    def judge(self, headers: dict[str, str], secret: str, now_ns: int) -> str:
        """Return the verdict on signed headers, on which verifier and model must agree."""
        tenant, timestamp, signature = (headers.get(name) for name in NAMES)
        verdict = self.verdict(tenant, timestamp, signature, secret, now_ns)
        assert verdict == model.verdict(tenant, timestamp, signature, secret, now_ns)
        return verdict


PROXY = Subject("the reference proxy's")
