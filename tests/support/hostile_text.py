"""What hostile callers and upstreams send: ids, cursors, JSON values, header values, dates."""

import base64
import math
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from support.signing_strategies import near

# Half surrogates included: JSON text can spell them.
texts = st.text(st.characters())
_FRAGMENTS = st.sampled_from(
    ["/", "..", ".", "?", "#", "&", "=", "%", "%2e", "%2F", "%252e", "\\", ";", "@", ":", "//",
     "\r\n", "\0", " ", "\t", "\u2028", "\uff0e", "limit=1000", "includeDeleted=true", "tasks",
     "sync/wipe", "archive", "http://evil", "X-Evil: 1", "é", "\U0001f600", "\ud800"]
)  # fmt: skip
_uuids = st.integers(0, 2**128 - 1).map(lambda number: str(uuid.UUID(int=number)))


def _around(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Draw `inner` between fragments of paths, queries and header lines."""
    fragments = st.lists(_FRAGMENTS, max_size=3).map("".join)
    return st.builds(lambda a, text, b: a + text + b, fragments, inner, fragments)


_SPELLINGS = st.sampled_from(
    [str.upper, str.title, lambda u: u.replace("-", ""), lambda u: f"{{{u}}}",
     lambda u: f"urn:uuid:{u}", lambda u: u.translate({48: 0xFF10, 49: 0x661}), lambda u: f" {u}",
     lambda u: f"{u}\n", lambda u: u[:-1], lambda u: u.replace("-", "\u2010")]
)  # fmt: skip

uids = st.one_of(
    _uuids,
    st.builds(lambda spell, uid: spell(uid), _SPELLINGS, _uuids),
    _uuids.flatmap(near),
    _around(_uuids),
    _around(st.just("")),
    texts,
)


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


_positions = st.builds(lambda ms, uid: f"{ms}|{uid}", st.integers(0, 10**13), _uuids)
good_cursors = _positions.map(lambda position: _base64url(position.encode()))
cursors = st.one_of(
    good_cursors,
    good_cursors.flatmap(near),
    _around(good_cursors),
    _positions,
    st.binary(max_size=40).map(_base64url),
    _around(st.just("")),
    texts,
)

_whole = st.one_of(
    st.integers(-10, 10),
    st.sampled_from([2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 2**64 + 1, 10**400]),
    st.integers(-(2**70), 2**70),
)
_finite = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([-0.0, 1.0, 0.1 + 0.2, 5e-324]),
)
versions = st.one_of(
    st.integers(0, 2**63 - 1),
    _whole,
    st.integers(0, 9).map(float),
    st.floats(),
    st.booleans(),
    st.sampled_from(["5", '"5"', 'W/"5"', "*", "5\r\nX-Evil: 1", " 5 ", "+5", "5_0", "\uff15", ""]),
    texts,
    st.lists(st.integers(0, 9), max_size=2),
    st.builds(dict, v=st.integers(0, 9)),
)

_clean_text = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    # Two spellings of one letter, a joined emoji, what looks like HTML, a URL, a template.
    st.sampled_from(
        ["e\u0301", "\u00e9", "\U0001f468\u200d\U0001f469", "<b>&amp;%41+", "{x} %(x)s"]
    ),
    st.sampled_from(["\0", "\ufeff", "\u2028\u202e", "[1]", '{"a":1}', "Infinity", "1e999"]),
)
_scalars = st.one_of(st.none(), st.booleans(), _whole, _finite, _clean_text)


def _nested(scalars: st.SearchStrategy[Any], keys: st.SearchStrategy[str]) -> Any:
    return st.recursive(
        scalars,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)
        ),
        max_leaves=8,
    )


def _deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


json_values = _nested(_scalars, _clean_text)
_half = st.builds(
    lambda a, s, b: a + s + b, _clean_text, st.sampled_from("\ud800\udfff"), _clean_text
)
_wrong = st.one_of(st.sampled_from([math.nan, math.inf, -math.inf]), _half)
hostile_json = st.one_of(
    json_values,
    _scalars,
    _whole,
    _nested(st.one_of(_scalars, _wrong), st.one_of(_clean_text, _half)),
    _wrong,
    st.integers(1, 60).map(_deep),
    st.integers(900, 5_000).map(_deep),
)

header_values = st.one_of(
    st.binary(max_size=60), st.text(st.characters(exclude_categories=["Cs"])).map(str.encode)
).map(lambda raw: raw.translate(None, b"\r\n\0").strip(b" \t"))

# RFC 9110 section 5.6.7: what is sent, and the two forms that must be understood as well.
IMF_FIXDATE = "%a, %d %b %Y %H:%M:%S GMT"
RFC_850 = "%A, %d-%b-%y %H:%M:%S GMT"
ASCTIME = "%a %b %e %H:%M:%S %Y"


def http_date(seconds_from_now: int, form: str) -> str:
    """Return the moment as HTTP spells it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds_from_now)).strftime(form)


# Around a day, and so near that a year of two digits means what was meant.
date_offsets = st.one_of(st.integers(-10, 90_000), st.integers(-(10**8), 10**8))
_dates = st.builds(http_date, date_offsets, st.sampled_from([IMF_FIXDATE, RFC_850, ASCTIME]))
retry_after = st.one_of(
    st.integers(-5, 10**12).map(str),
    st.text("0123456789", min_size=1, max_size=5000),
    _dates,
    _dates.flatmap(near),
    _dates.map(lambda text: text.replace("GMT", "-0000")),
    st.sampled_from(["", " ", "+5", "5.5", "1e9", "5, 7", "0x10", "inf", "nan", "\u0665", "-1"]),
    st.sampled_from(
        ["Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 +2359", "Mon, 1 Jan 99999",
         "Sun, 99 Foo 2099 99:99:99 GMT", "Sat, 1 Jan 2000 00:00:00 +999999999"]
    ),
    st.text(st.characters(exclude_categories=["Cs"])),
).map(lambda text: text.encode().translate(None, b"\r\n\0").strip(b" \t"))  # fmt: skip
