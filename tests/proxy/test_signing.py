"""The signed tenant headers."""

import hashlib
import hmac
import time

import pytest

from support.captured_log import captured_log
from toolbridge_proxy.signing import Signer

# printf %s 'tenant-a:1732000000123' | openssl dgst -sha256 -hmac 'SECRET' (OpenSSL 3).
VECTORS = [
    (
        "tenant-a",
        "test-secret-123",
        1732000000123,
        "074d27d98108ebe3155416ca33b9f86a0d332926e484f15fa4ba90e73da9e70c",
    ),
    (
        "a:1",
        "0123456789abcdef0123456789abcdef",
        1732000000123,
        "2b6161ca3eef780968a9f1f2722db98c70f2c88855020b813f80685595387237",
    ),
    (
        "t",
        "k" * 200,
        1700000000000,
        "4f5047418bf24ee8cdcc55ad5bb42fdd9e2f7f4d7c54be7f6af37eaf80032942",
    ),
    (
        "tenant-a",
        "ключ +/= with blanks inside",
        1732000000123,
        "efc7aadc1815d915271db6973ed66715228ca9b9bbea8a26ae8dc44dd0aa9fb9",
    ),
]


@pytest.mark.parametrize(("tenant", "secret", "ms", "expected"), VECTORS)
def test_the_signature_is_what_openssl_computes(
    tenant: str, secret: str, ms: int, expected: str
) -> None:
    """HMAC-SHA256 over tenant, colon and milliseconds, in lower-case hex."""
    signer = Signer(tenant, secret, clock=lambda: ms * 1_000_000 + 999_999)
    assert [
        ("X-TB-Tenant-ID", tenant),
        ("X-TB-Timestamp", str(ms)),
        ("X-TB-Signature", expected),
    ] == signer.headers()


def test_the_time_is_now_in_milliseconds() -> None:
    """Without a clock of the test's, the timestamp lies between two readings of the clock."""
    before = time.time_ns() // 1_000_000
    timestamp = dict(Signer("t", "s").headers())["X-TB-Timestamp"]
    assert before <= int(timestamp) <= time.time_ns() // 1_000_000


def test_each_signature_is_fresh_and_follows_the_wall_clock_back() -> None:
    """Headers are never cached, and a clock that steps back is followed."""
    moments = [5_000_000, 6_000_000, 1_000_000]
    clock = iter(moments)
    signer = Signer("t", "s", clock=lambda: next(clock))
    stamps = [dict(signer.headers())["X-TB-Timestamp"] for _ in moments]
    assert stamps == ["5", "6", "1"]


def test_signing_replaces_what_was_there_in_any_case() -> None:
    """A caller's own tenant headers do not survive; other headers keep their order."""
    hostile = [
        ("x-tb-tenant-id", "evil"),
        ("Accept", "a"),
        ("X-TB-SIGNATURE", "00"),
        ("X-Tb-Timestamp", "1"),
        ("X-TB-Tenant-ID", "evil"),
        ("Host", "h"),
    ]
    signer = Signer("t", "s", clock=lambda: 7_000_000)
    mac = hmac.new(b"s", b"t:7", hashlib.sha256).hexdigest()
    assert [
        ("Accept", "a"),
        ("Host", "h"),
        ("X-TB-Tenant-ID", "t"),
        ("X-TB-Timestamp", "7"),
        ("X-TB-Signature", mac),
    ] == signer.sign(hostile)


def test_the_secret_is_not_in_the_signers_text() -> None:
    """Printing the signer shows nothing."""
    assert "canary-secret" not in repr(Signer("t", "canary-secret"))


def test_the_log_shows_what_was_signed_and_eight_digits() -> None:
    """Enough to compare with the other side's reading of the same headers."""
    with captured_log() as lines:
        signature = dict(Signer("t", "s", clock=lambda: 7_000_000).headers())["X-TB-Signature"]
    line = {"event": "signature", "log_level": "debug", "message": "t:7", "timestamp": "7"}
    assert [line | {"signature": signature[:8]}] == lines
