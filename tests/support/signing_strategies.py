"""What the signing properties draw: secrets, tenants, instants, header lines, timestamps."""

import base64
import string
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

NS_PER_MS = 10**6
NS_PER_SECOND = 10**9

_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
# 2020 to 2040: 13 digits in milliseconds, and every clock of a test is in it.
_FIRST_NS, _LAST_NS = 1_577_836_800 * NS_PER_SECOND, 2_208_988_800 * NS_PER_SECOND

instants = st.integers(_FIRST_NS, _LAST_NS)

# The second alternative is dense in what is split, escaped or folded by mistake.
tenants = st.one_of(
    st.text(_PRINTABLE, min_size=1, max_size=128),
    st.text(':%,"Aa1+/', min_size=1, max_size=12),
)

# 32 bytes is the least that is recommended, 64 the block of SHA-256.
secrets = st.one_of(
    st.text(string.printable, min_size=32, max_size=100),
    st.binary(min_size=32, max_size=64).map(lambda raw: base64.b64encode(raw).decode()),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=32, max_size=80),
    st.integers(62, 67).map(lambda size: "k" * size),
)

any_text = st.text()


def near(text: str) -> st.SearchStrategy[str]:
    """Draw texts that differ from `text` by one character put in, taken out or replaced."""
    place = st.integers(0, len(text))
    character = st.one_of(st.sampled_from("0123456789+-_.: \tx\0"), st.characters())
    edits: list[Callable[[int, str], str]] = [
        lambda at, new: text[:at] + new + text[at:],
        lambda at, new: text[:at] + text[at + 1 :],
        lambda at, new: text[:at] + new + text[at + 1 :],
    ]
    return st.builds(lambda edit, at, new: edit(at, new), st.sampled_from(edits), place, character)


def timestamps(now_ms: int) -> st.SearchStrategy[str]:
    """Draw header texts: good, nearly good, far away, beyond int64, and anything."""
    good = st.integers(now_ms - 400_000, now_ms + 400_000).map(str)
    return st.one_of(
        good,
        good.flatmap(near),
        st.builds(lambda sign, zeros, text: sign + "0" * zeros + text, _SIGNS, _ZEROS, good),
        st.integers(-(2**65), 2**65).map(str),
        st.text("0123456789", min_size=1, max_size=45),
        good.map(lambda text: text.translate({48 + n: 0x660 + n for n in range(10)})),
        st.text(),
    )


_SIGNS = st.sampled_from(["", "+", "-", "+-", "--"])
_ZEROS = st.integers(0, 30)


def _any_case(name: str) -> st.SearchStrategy[str]:
    return st.lists(st.booleans(), min_size=len(name), max_size=len(name)).map(
        lambda upper: "".join(
            c.upper() if up else c.lower() for c, up in zip(name, upper, strict=True)
        )
    )


_OWN_NAMES = st.sampled_from(["X-TB-Tenant-ID", "X-TB-Timestamp", "X-TB-Signature"])
_OTHER_NAMES = st.sampled_from(
    ["Accept", "If-Match", "X-TB-Trace", "X-TB-Tenant", "X-Sync-Session", "tenant-id"]
)
_VALUES = st.text(_PRINTABLE, min_size=1, max_size=20)

# A client's headers, among them its own X-TB-*, in any case and repeated.
header_lists: st.SearchStrategy[list[tuple[str, str]]] = st.lists(
    st.tuples(st.one_of(_OWN_NAMES.flatmap(_any_case), _OTHER_NAMES), _VALUES), max_size=8
)


@st.composite
def key_pairs(draw: Callable[[st.SearchStrategy[Any]], Any]) -> tuple[str, str]:
    """Draw two secrets: unrelated, one edit apart, or one with NULs at its end."""
    first = draw(secrets)
    nuls = st.integers(1, 3).map(lambda count: first + "\0" * count)
    edges = st.sampled_from([first + "\n", " " + first, first.swapcase(), first[:64]])
    return first, draw(st.one_of(secrets, near(first).filter(_encodable), nuls, edges))


def _encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
