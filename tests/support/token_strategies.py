"""What the token properties draw: instants, JSON texts, near tenants, changed tokens, key ids."""

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from support.signing_strategies import near, tenants
from support.token_forging import ALPHABET, b64, good_claims, hmac_signature, packed, unb64

Draw = Callable[[st.SearchStrategy[Any]], Any]

MICRO = 10**6
YEAR = 365 * 86_400
# 2020 to 2040 in microseconds, the resolution of the clock.
instants = st.integers(1_577_836_800 * MICRO, 2_208_988_800 * MICRO)


@st.composite
def moments(draw: Draw, names: tuple[str, ...], *, fractions: bool) -> tuple[int, dict[str, Any]]:
    """Draw a clock in microseconds and NumericDates (RFC 7519 section 2) about it, by claim."""
    now_us = draw(instants)
    now = now_us // MICRO
    whole = st.one_of(
        st.integers(now - 400, now + 400),
        st.sampled_from([now, now + 1, now - 60, now - 61, now + 60, now + 61]),
        st.integers(0, 10 * YEAR).map(lambda later: now + later),
    )
    parts = st.one_of(
        st.integers(-2 * MICRO, 2 * MICRO).map(lambda us: (now_us + us) / MICRO),
        st.just(now_us / MICRO),
    )
    dates = parts if fractions else whole
    # Where a date is whole, a clock that is whole too may be equal to it.
    clock = now_us if fractions or draw(st.booleans()) else now * MICRO
    return clock, {name: draw(dates) for name in names}


any_json = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.integers(-(2**70), 2**70),
        st.floats(),
        st.text(st.characters(), max_size=20),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)

harmless_json = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**40), 10**40),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=20),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)

# What Python's parser takes and others do not, or the other way round, or neither.
ODD_TEXTS = (
    *("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "-0", "1.0", "1e3", "0e999", "1e-999"),
    *("9" * 5000, "1" + "0" * 400, "-" + "9" * 400, "9" * 400 + ".5", "9007199254740993"),
    *('"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\ude00"', '"\\u0000"', '"a\\r\\nX: 1"', '"\\x"'),
    *('""', '"   "', '"\\u00a0"', '"\\u2003"', '"\t"', '"9999999999"', '"１２３"', "'x'", '"x'),
    *(
        "null",
        "true",
        "false",
        "0",
        "5",
        "-1",
        "1.5",
        '"x"',
        '"t1"',
        "[]",
        '["x"]',
        "{}",
        "[5]",
        '["b64"]',
    ),
    *('"toolbridge-evil"', '"xtoolbridge"', '["toolbridge",5]', '["toolbridge-evil"]'),
    *('{"a":1,"a":2}', "[,]", "[1,]", "nul", "", "01", "+1", "1_000", "0x10", ".5", "1.", "//"),
    *("[" * 10 + "]" * 10, "[" * 40 + "]" * 40, "[" * 4000 + "]" * 4000, '{"a":' * 3000),
    "[" * 30_000,
)
json_texts = st.one_of(
    st.sampled_from(ODD_TEXTS),
    st.sampled_from(ODD_TEXTS),
    any_json.map(json.dumps),
    any_json.map(lambda value: json.dumps(value, ensure_ascii=False)),
)

CLAIM_NAMES = ("sub", "tenant_id", "exp", "nbf", "iat", "iss", "aud", "jti", "x", "", "__class__")
HEADER_NAMES = ("alg", "typ", "kid", "crit", "b64", "jku", "jwk", "x5u", "x5c", "cty", "zip", "x")


def _object(members: list[tuple[str, str]]) -> str:
    return "{" + ",".join(f"{name}:{value}" for name, value in members) + "}"


def _escaped(text: str) -> str:
    """Spell a JSON string with nothing but escapes."""
    units = text.encode("utf-16-be", "surrogatepass")
    codes = (units[at : at + 2].hex() for at in range(0, len(units), 2))
    return '"' + "".join(f"\\u{code}" for code in codes) + '"'


Spell = Callable[[str], str]
json_spellings: st.SearchStrategy[Spell] = st.sampled_from(
    [json.dumps, _escaped, lambda text: json.dumps(text, ensure_ascii=False)]
)


WAYS = ("in its place", "after it", "before it")


def altered(good: dict[str, Any], name: str, value: str, way: str, spell: Spell) -> bytes:
    """Return `good` as JSON with the text `value` under one name, perhaps beside the good one."""
    others = [(json.dumps(n), json.dumps(v)) for n, v in good.items()]
    without = [(json.dumps(n), json.dumps(v)) for n, v in good.items() if n != name]
    members = {
        "in its place": [*without, (spell(name), value)],
        "after it": [*others, (spell(name), value)],
        "before it": [(spell(name), value), *others],
        "missing": without,
    }
    return _object(members[way]).encode("utf-8", "surrogatepass")


_ENCODINGS: tuple[Callable[[bytes], bytes], ...] = (
    lambda raw: raw,
    lambda raw: b"\xef\xbb\xbf" + raw,
    *(
        lambda raw, name=name: raw.decode("utf-8", "surrogateescape").encode(name, "surrogatepass")
        for name in ("utf-16-le", "utf-16-be", "utf-16", "utf-32-le", "utf-32")
    ),
    lambda raw: raw.replace(b"a", b"\xc1\xa1"),  # overlong
    lambda raw: raw.replace(b'":"', b'":"\xed\xa0\x80', 1),  # half a surrogate pair
    lambda raw: raw.replace(b'":"', b'":"\xff', 1),
    lambda raw: raw[:-1],
    lambda raw: raw + b"\0",
    lambda raw: b" \n" + raw + b"\t",
)
encodings = st.sampled_from(_ENCODINGS)

tenant_ids = st.one_of(
    tenants,
    st.sampled_from(["t1", "Tenant-A", "5", "12", "True", "None", "null", "K", "ss", "fi", "*"]),
    st.text("KkSsIifF1", min_size=1, max_size=4),
).filter(lambda text: not (text[0] == "<" and text[-1] == ">"))

EDGES = (
    *(" ", "\t", "\n", "\r", "\x0b", "\x1c", "\x85", "\u00a0", "\u2003", "\u200b", "\ufeff"),
    *("\0", "\0evil", "\x1b[0m", "\u00ad", "\u202e", "\u0301", "\ufe0f", "-evil", "evil-"),
    *(",t2", ";", "*", "|t2", "/", "\\", "%00", "="),
)
# Letters that fold, decompose or look like ASCII ones.
_TWINS = dict(
    zip(
        "aeocp-kKsSiI152tf",
        "\u0430\u0435\u043e\u0441\u0440\u2010\u212a\u212a\u017f\u017f\u0131\u0130"
        "\u0661\u06f5\u00b2\U0001d42d\U0001d41f",
        strict=True,
    )
)


def _folds(text: str) -> list[str]:
    """Return spellings that some comparison takes for `text`: by case, width, look or code."""
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
    joined = text.replace("ss", "\u00df").replace("ff", "\ufb00").replace("fi", "\ufb01")
    twins = [text.replace(c, twin, 1) for c, twin in _TWINS.items()]
    cased = [text.upper(), text.lower(), text.swapcase(), text.title(), text.casefold()]
    coded = [quote(text, ""), json.dumps(text), b64(text.encode()), text.encode().hex()]
    bits = [text + bits for bits in ("\u0301", "\u0307")]
    return [*cased, wide, joined, *twins, *coded, *bits, text[::-1], "*", ".*", "%", "_", ""]


def _holders(text: str) -> list[Any]:
    """Return values that hold `text`, or whose text it is."""
    numbers: list[Any] = [int(text)] if text.isascii() and text.isdigit() else []
    pairs = [{"id": text}, {text: 1}, {text: text}, {"tenant_id": text}]
    return [[text], [text, "t2"], ["t2", text], [[text]], *pairs, list(text), *numbers]


def near_tenants(configured: str, cut: int) -> list[Any]:
    """Return claims: `configured`, what may be mistaken for it, and none (`...`)."""
    edged = [pair for edge in EDGES for pair in (configured + edge, edge + configured)]
    parts = [configured[:cut], configured[cut:], configured * 2, configured[:-1]]
    others: list[Any] = [..., None, True, False, 0, 1, 5, "", " ", [], {}]
    return [configured, *edged, *parts, *others, *_folds(configured), *_holders(configured)]


def respelled(segment: str) -> st.SearchStrategy[str]:
    """Draw other spellings that a lenient decoder takes for the same bytes."""
    padded = segment + "=" * (-len(segment) % 4)
    spare = {2: range(1, 16), 3: range(1, 4)}.get(len(segment) % 4, range(0))
    last = ALPHABET.index(segment[-1])
    places = st.integers(0, len(segment))
    junk = st.sampled_from([" ", "\n", "\r\n", "\t", "!", "=", "\0", "\u00a0", "%", "\x0b", ","])
    fixed = [
        padded,
        segment + "=",
        segment + "==",
        base64.b64encode(unb64(segment)).decode(),
        base64.b64encode(unb64(segment)).decode().rstrip("="),
        quote(padded, ""),
        *(f"{segment[:-1]}{ALPHABET[last ^ bits]}" for bits in spare),
    ]
    put_in = st.builds(lambda at, char: segment[:at] + char + segment[at:], places, junk)
    return st.one_of(st.sampled_from(fixed), put_in)


def _flipped(segment: str, bit: int) -> str:
    raw = bytearray(unb64(segment))
    bit %= len(raw) * 8
    raw[bit // 8] ^= 1 << bit % 8
    return b64(bytes(raw))


def _reserialised(segment: str, indent: int | None) -> str:
    members = json.loads(unb64(segment))
    return b64(json.dumps(dict(reversed(members.items())), indent=indent).encode())


@st.composite
def changed_tokens(draw: Draw, good: str, other: str) -> str:
    """Draw `good` with one change; `other` is another good token, to take segments from."""
    parts, others = good.split("."), other.split(".")
    at = draw(st.integers(0, 2))
    part = parts[at]
    cut = draw(st.integers(0, len(part)))
    segment = draw(
        st.one_of(
            near(part),
            respelled(part),
            st.integers(0, 2**14).map(lambda bit: _flipped(part, bit)),
            st.sampled_from([part[:cut], part[cut:], part + part, "", others[at]]),
            st.binary(max_size=40).map(b64),
            st.sampled_from([None, 1]).map(lambda indent: _reserialised(parts[at % 2], indent)),
        )
    )
    changed = ".".join([*parts[:at], segment, *parts[at + 1 :]])
    around = [good + end for end in (".", "=", "\n", " ", "\0", "." + parts[2], ", Bearer x")]
    moved = [".".join(parts[:2]), ".".join(parts[::-1]), f"{parts[0]}..{parts[2]}", f"\n{good}"]
    whole = packed(dict(zip(("protected", "payload", "signature"), parts, strict=True))).decode()
    return str(draw(st.one_of(st.just(changed), st.sampled_from([*around, *moved, whole]))))


@st.composite
def respelled_and_signed(draw: Draw, secret: bytes) -> tuple[str, bool]:
    """Draw a token signed as it is spelled, and whether that is canonical base64url."""
    subject = draw(st.text("abc", min_size=1, max_size=4))
    issued = good_claims(sub=subject)
    segments = [b64(packed({"alg": "HS256"})), b64(packed(issued))]
    at = draw(st.integers(0, 2))
    good = segments[0:2]
    if at < 2:
        segments[at] = draw(respelled(segments[at]))
    signature = b64(hmac_signature(".".join(segments), secret))
    spelled = draw(respelled(signature)) if at == 2 else signature
    return ".".join([*segments, spelled]), [*good, signature] == [*segments, spelled]


ODD_KEY_IDS = (
    *("../../../../dev/null", "/dev/null", "/proc/sys/kernel/ostype", "/etc/hostname", "."),
    *("https://evil.example/jwks", "http://169.254.169.254/", "http://127.0.0.1:1/", "file:///x"),
    *("x' UNION SELECT 'k'-- -", "*)(uid=*", "|sleep 5", "$(sleep 5)", "`id`", "a\r\nb", "\0"),
    *("k" * 4096, "", " ", "1", "null", "K1", "k1 ", " k1", "k1\0", "k1/../k2", "*", "oct", "enc"),
)
key_ids = st.one_of(
    st.sampled_from(["k1", "k2"]), st.sampled_from(ODD_KEY_IDS), st.text(max_size=20)
)
