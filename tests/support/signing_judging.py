"""Property 23: the verifier is the Go API's rule, for whatever text comes."""

from hypothesis import strategies as st

from support import signing_model as model
from support.signing_property import Properties
from support.signing_strategies import NS_PER_MS, near, tenants, timestamps
from support.signing_subject import Subject
from toolbridge_contract import vectors

PROPERTIES = Properties()

SECRET = "0123456789abcdef0123456789abcdef"
NOW_MS = 1_767_225_600_000
EXTREMES = [
    *map(str, (0, -1, 2**31, 2**53, 2**63 - 1, -(2**63) + 1, 2**63, -(2**63) - 1)),
    *("9" * 40, "+5", "００", " 5", "5_0", "0x10", "5\0", "1e12", "-", "+", "∞", "NaN"),
]

_RIGHT = model.mac(SECRET, f"t:{NOW_MS}")

# Header bytes as HTTP allows them, UTF-8 or not.
wild = st.one_of(
    st.text(max_size=20),
    st.binary(max_size=20).map(lambda raw: raw.decode("utf-8", "surrogateescape")),
)
maybe_tenants = st.one_of(tenants, wild, st.none())


def wrong_verdicts(subject: Subject) -> list[str]:
    """Return the names of the vectors that the subject's verifier gets wrong."""
    wrong = []
    for vector in vectors.load():
        expected = model.ACCEPT if vector.reason is None else vector.reason.name.lower()
        values = vector.tenant, vector.timestamp, vector.signature
        try:
            verdict = subject.verdict(*values, vector.secret, vector.now_ms * NS_PER_MS)
        except (ValueError, TypeError) as failure:
            verdict = repr(failure)
        if verdict != expected:
            wrong.append(vector.name)
    return wrong


@PROPERTIES.add(23)
def extremes(subject: Subject) -> None:
    """Property 23: numbers and near-numbers far from now are refused, none with an exception."""
    for timestamp in EXTREMES:
        signature = model.mac(SECRET, f"t:{timestamp}")
        verdict = subject.verdict("t", timestamp, signature, SECRET, NOW_MS * NS_PER_MS)
        parsed = model.parse_int(model.raw(timestamp))
        expected = model.TIMESTAMP if parsed is None else model.SKEW
        assert (timestamp, expected) == (timestamp, verdict)


@PROPERTIES.add(
    23,
    tenant=maybe_tenants,
    timestamp=st.one_of(timestamps(NOW_MS), wild, st.none()),
    part=st.integers(0, NS_PER_MS - 1),
)
def signed_text_is_judged_as_by_go(
    subject: Subject, tenant: str | None, timestamp: str | None, part: int
) -> None:
    """Property 23: for correctly signed texts, verifier and model give the same verdict."""
    signature = model.mac(SECRET, f"{tenant}:{timestamp}")
    now = NOW_MS * NS_PER_MS + part
    expected = model.verdict(tenant, timestamp, signature, SECRET, now)

    assert expected == subject.verdict(tenant, timestamp, signature, SECRET, now)


@PROPERTIES.add(
    23,
    tenant=tenants,
    spelled=st.sampled_from([str(NOW_MS), f"+{NOW_MS}", f"0{NOW_MS}", "soon", "1"]),
    signature=st.one_of(
        near(_RIGHT),
        st.integers(1, 63).map(lambda size: _RIGHT[:size]),
        st.sampled_from([_RIGHT, _RIGHT.upper(), _RIGHT + "0", f" {_RIGHT}", "", None]),
        wild,
    ),
)
def any_signature_is_judged_as_by_go(
    subject: Subject, tenant: str, spelled: str, signature: str | None
) -> None:
    """Property 23: for any text as signature, verifier and model give the same verdict."""
    now = NOW_MS * NS_PER_MS
    for name in ("t", tenant):
        expected = model.verdict(name, spelled, signature, SECRET, now)
        assert expected == subject.verdict(name, spelled, signature, SECRET, now)
