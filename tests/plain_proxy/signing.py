"""The signed tenant headers of the Go API."""

import hashlib
import hmac
import time

from plain_proxy import journal


def tenant_headers(tenant: str, secret: bytes) -> dict[str, str]:
    """Return X-TB-Tenant-ID, X-TB-Timestamp (milliseconds) and X-TB-Signature, for now."""
    timestamp = str(time.time_ns() // 1_000_000)
    message = f"{tenant}:{timestamp}"
    signature = hmac.new(secret, message.encode(), hashlib.sha256).hexdigest()
    journal.debug("signed", message=message, timestamp=timestamp, signature=signature[:8])
    return {
        "X-TB-Tenant-ID": tenant,
        "X-TB-Timestamp": timestamp,
        "X-TB-Signature": signature,
    }
