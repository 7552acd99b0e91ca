"""Tenant headers: who the tenant is, when, and a MAC over both."""

import hashlib
import hmac
import time
from collections.abc import Callable, Iterable

from toolbridge_proxy.logs import log

TENANT, TIMESTAMP, SIGNATURE = "X-TB-Tenant-ID", "X-TB-Timestamp", "X-TB-Signature"
_OWN = frozenset(name.lower() for name in (TENANT, TIMESTAMP, SIGNATURE))


class Signer:
    """Makes the three headers; `clock` returns nanoseconds since the epoch."""

    def __init__(self, tenant_id: str, secret: str, clock: Callable[[], int] = time.time_ns):
        self._tenant_id, self._key, self._clock = tenant_id, secret.encode(), clock

    def headers(self) -> list[tuple[str, str]]:
        """Return the headers for a request that is sent now: they are good for 300 s.

        Signature: lower-case hex of HMAC-SHA256(secret, "<tenant>:<milliseconds>").
        """
        timestamp = str(self._clock() // 1_000_000)
        message = f"{self._tenant_id}:{timestamp}"
        signature = hmac.new(self._key, message.encode(), hashlib.sha256).hexdigest()
        # Eight digits tell two signatures apart and cannot be replayed.
        log.debug("signature", message=message, timestamp=timestamp, signature=signature[:8])
        return [(TENANT, self._tenant_id), (TIMESTAMP, timestamp), (SIGNATURE, signature)]

    def sign(self, headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return `headers` with exactly one of each tenant header, whatever was there."""
        kept = [(name, value) for name, value in headers if name.lower() not in _OWN]
        return kept + self.headers()
