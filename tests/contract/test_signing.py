"""The tenant-header rule: golden vectors, the table of the real API, and properties."""

import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from toolbridge_contract.signing import Rejection, signature, tenant_headers, verify

SECRET = "0123456789abcdef0123456789abcdef"
NOW_MS = 1_767_225_600_000
NOW_NS = NOW_MS * 1_000_000

secrets = st.text(string.printable, min_size=32, max_size=100)
tenants = st.text([chr(code) for code in range(0x21, 0x7F)], min_size=1, max_size=128)
# 2020 to 2040.
times = st.integers(1_577_836_800_000, 2_208_988_800_000)


@pytest.mark.parametrize(
    ("secret", "tenant", "timestamp", "expected"),
    [
        (
            SECRET,
            "tenant-a",
            "1731974400000",
            "58c3cbb503d1024ef5989bffa9284bc9fa44736fa3db71ce3bc7ae9f8b510af0",
        ),
        (
            SECRET,
            "acme:eu",
            "1731974400123",
            "9a9e01bee53a8dabb21b9324dfd01e8143a5e79b0362afc623615ce9591884a8",
        ),
        (
            "secret with a trailing newline...\n",
            "t1",
            "1700000000000",
            "ab436807ce865475b1db3390810239da712084bebcee7b85fd041f8a76a49da7",
        ),
        (
            "k",
            "té",
            "1700000000000",
            "973447a0551a01b33db58d3f4630ce992de572c999e6fc0e0c56643f906d4312",
        ),
    ],
)
def test_signatures_equal_those_of_openssl(
    secret: str, tenant: str, timestamp: str, expected: str
) -> None:
    """The MAC equals what `openssl dgst -sha256 -hmac` printed for the same message."""
    assert expected == signature(tenant, timestamp, secret)


def judge(tenant: str | None, timestamp: str | None, signed: str | None) -> Rejection | None:
    return verify(tenant, timestamp, signed, SECRET, NOW_NS)


def judge_signed(timestamp: str) -> Rejection | None:
    return judge("t1", timestamp, signature("t1", timestamp, SECRET))


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        (str(NOW_MS), None),
        (f"+{NOW_MS}", None),
        (f"0{NOW_MS}", None),
        (f"000000000{NOW_MS}", None),
        (str(NOW_MS - 299_900), None),
        (str(NOW_MS + 299_900), None),
        (str(NOW_MS - 300_000), None),
        (str(NOW_MS + 300_000), None),
        (str(NOW_MS - 300_001), Rejection.SKEW),
        (str(NOW_MS + 300_001), Rejection.SKEW),
        (str(NOW_MS // 1000), Rejection.SKEW),
        (str(NOW_MS * 1000), Rejection.SKEW),
        ("0", Rejection.SKEW),
        ("-1", Rejection.SKEW),
        ("+5", Rejection.SKEW),
        ("9223372036854775807", Rejection.SKEW),
        ("-9223372036854775808", Rejection.SKEW),
        ("9223372036854775808", Rejection.TIMESTAMP),
        ("-9223372036854775809", Rejection.TIMESTAMP),
        ("9" * 5000, Rejection.TIMESTAMP),
        (f"{NOW_MS}.0", Rejection.TIMESTAMP),
        (f" {NOW_MS}", Rejection.TIMESTAMP),
        (f"{NOW_MS}\n", Rejection.TIMESTAMP),
        ("1_767_225_600_000", Rejection.TIMESTAMP),
        ("0x19b76de0c00", Rejection.TIMESTAMP),
        ("１７６７２２５６０００００", Rejection.TIMESTAMP),
        ("soon", Rejection.TIMESTAMP),
        ("", Rejection.MISSING),
    ],
)
def test_a_correctly_signed_timestamp_is_judged_as_go_does(
    timestamp: str, expected: Rejection | None
) -> None:
    """ParseInt on the raw text, then 300 s of skew either way, the bound included."""
    assert expected == judge_signed(timestamp)


def test_the_skew_is_measured_in_nanoseconds() -> None:
    """One nanosecond past 300 s is refused."""
    signed = tenant_headers("t1", SECRET, NOW_MS)["X-TB-Signature"]

    assert None is verify("t1", str(NOW_MS), signed, SECRET, NOW_NS + 300_000_000_000)
    assert Rejection.SKEW is verify("t1", str(NOW_MS), signed, SECRET, NOW_NS + 300_000_000_001)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"tenant": None}, Rejection.MISSING),
        ({"timestamp": None}, Rejection.MISSING),
        ({"signed": None}, Rejection.MISSING),
        ({"tenant": ""}, Rejection.MISSING),
        ({"signed": ""}, Rejection.MISSING),
        ({"tenant": "t2"}, Rejection.SIGNATURE),
        ({"timestamp": str(NOW_MS + 1)}, Rejection.SIGNATURE),
        ({"signed": "0" * 64}, Rejection.SIGNATURE),
        ({"signed": signature("t1", str(NOW_MS), SECRET).upper()}, Rejection.SIGNATURE),
        ({"signed": signature("t1", str(NOW_MS), SECRET)[:-1]}, Rejection.SIGNATURE),
        ({"signed": "é"}, Rejection.SIGNATURE),
        ({"signed": "\udcff"}, Rejection.SIGNATURE),
        ({"tenant": None, "timestamp": "x"}, Rejection.MISSING),
        ({"timestamp": "x", "signed": "0"}, Rejection.TIMESTAMP),
        ({"timestamp": "1", "signed": "0"}, Rejection.SKEW),
    ],
)
def test_each_fault_has_its_reason_in_gos_order(
    change: dict[str, str | None], expected: Rejection
) -> None:
    """Missing goes before parsing, parsing before skew, skew before the signature."""
    good = {
        "tenant": "t1",
        "timestamp": str(NOW_MS),
        "signed": signature("t1", str(NOW_MS), SECRET),
    }

    assert expected == judge(**(good | change))


@pytest.mark.property
@given(tenants, secrets, times)
def test_what_is_signed_verifies(tenant: str, secret: str, timestamp_ms: int) -> None:
    """A triple is accepted at its own instant, whatever tenant and secret."""
    name, timestamp, signed = tenant_headers(tenant, secret, timestamp_ms).values()

    assert None is verify(name, timestamp, signed, secret, timestamp_ms * 1_000_000)


@pytest.mark.property
@given(tenants, times, st.integers(0, 2), st.data())
def test_a_change_of_one_character_is_refused(
    tenant: str, timestamp_ms: int, which: int, data: st.DataObject
) -> None:
    """No single character of the three values can be another."""
    values = list(tenant_headers(tenant, SECRET, timestamp_ms).values())
    at = data.draw(st.integers(0, len(values[which]) - 1))
    other = data.draw(st.characters(min_codepoint=0x21, max_codepoint=0x7E))
    assume(values[which][at] != other)
    values[which] = values[which][:at] + other + values[which][at + 1 :]

    name, timestamp, signed = values

    assert None is not verify(name, timestamp, signed, SECRET, timestamp_ms * 1_000_000)


@pytest.mark.property
@given(st.text(max_size=40))
def test_any_text_as_timestamp_is_judged_without_an_exception(timestamp: str) -> None:
    """Arbitrary text is refused for a reason, or names an instant inside the window."""
    verdict = judge("t1", timestamp, signature("t1", timestamp, SECRET))

    assert verdict is not None or abs(int(timestamp) - NOW_MS) <= 300_000
