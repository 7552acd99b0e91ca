"""Property 40, the harness's side: the redactor lets no secret through, and leaves the rest."""

import re
from collections.abc import Callable, Iterable
from typing import Protocol
from uuid import UUID

from hypothesis import assume
from hypothesis import strategies as st

from support.body_secrets import ENCODINGS
from support.signing_property import Properties
from support.signing_strategies import secrets
from toolbridge_contract.tokens import mint
from toolbridge_harness.redact import Redactor

PROPERTIES = Properties()


class Cleans(Protocol):
    """What takes secrets out of texts."""

    def clean(self, text: str) -> str: ...


Makes = Callable[[Iterable[str]], Cleans]

_text = st.text(st.characters(exclude_categories=["Cs"]))
_edges = st.one_of(
    _text,
    st.sampled_from(
        ["Bearer ", "X-TB-Signature: ", '{"a": "', '"}', "?token=", "&x=1", "\n", "\r\n", "=", "-",
         "'", '"', "\\", "\\n", "%20", "Authorization: Basic ", "https://u:", "@host/", "\x1b[31m"]
    ),
)  # fmt: skip
encodings = st.sampled_from(sorted(ENCODINGS))
# Those that spell each character by itself, so that a secret inside a text is spelt alike.
_BY_CHARACTER = sorted(ENCODINGS.keys() - {"base64", "base64url"})
by_character = st.sampled_from(_BY_CHARACTER)
# For what is not known beforehand only its own look gives it away.
plain_spellings = st.sampled_from(sorted(set(_BY_CHARACTER) - {"hex", "HEX"}))
signatures = st.binary(min_size=32, max_size=32).map(lambda raw: raw.hex())
tokens = st.builds(
    lambda sub, key, jti: mint(sub, "t", key, now=1_700_000_000, jti=jti),
    _text,
    st.binary(min_size=16, max_size=16).map(bytes.hex),
    _text,
)


@PROPERTIES.add(40, secret=secrets, encoding=encodings, before=_edges, after=_edges)
def a_known_secret_is_gone(
    make: Makes, secret: str, encoding: str, before: str, after: str
) -> None:
    """Property 40: in any encoding, and whatever stands around it."""
    spelt = ENCODINGS[encoding](secret)

    assert spelt not in make([secret]).clean(before + spelt + after)


@PROPERTIES.add(40, secret=secrets, encoding=by_character, before=_edges, after=_edges)
def a_text_with_a_secret_may_be_encoded(
    make: Makes, secret: str, encoding: str, before: str, after: str
) -> None:
    """Property 40: nor does a secret survive that was encoded with the text around it."""
    encode = ENCODINGS[encoding]

    assert encode(secret) not in make([secret]).clean(encode(before + secret + after))


@PROPERTIES.add(40, secret=secrets, before=st.integers(0, 5), after=_edges)
def base64_of_more_than_a_secret(make: Makes, secret: str, before: int, after: str) -> None:
    """Property 40: Basic credentials and the like are the base64 of a name and a secret."""
    encode = ENCODINGS["base64"]
    shifted = encode("x" * before + secret + after)

    # Three alignments; the first and the last characters hold parts of the neighbours.
    inner = encode("x" * (before % 3) + secret)[4 * (before % 3 > 0) : -4]
    assert inner not in make([secret]).clean(shifted)


@PROPERTIES.add(40, secret=secrets, encoding=encodings, others=st.lists(secrets, max_size=3))
def several_secrets_are_gone(make: Makes, secret: str, encoding: str, others: list[str]) -> None:
    """Property 40: one secret does not shield another."""
    encode = ENCODINGS[encoding]
    cleaned = make([*others, secret]).clean(" ".join(map(encode, [secret, *others])))

    assert not [known for known in [secret, *others] if encode(known) in cleaned]


@PROPERTIES.add(40, token=tokens, encoding=plain_spellings, before=_edges, after=_edges)
def a_token_is_gone_unknown(
    make: Makes, token: str, encoding: str, before: str, after: str
) -> None:
    """Property 40: a JWT has a look of its own."""
    cleaned = make([]).clean(ENCODINGS[encoding](before + token + after))

    assert token.split(".")[2] not in cleaned
    assert token.split(".")[1] not in cleaned


@PROPERTIES.add(
    40,
    signature=signatures,
    upper=st.booleans(),
    encoding=plain_spellings,
    before=_edges,
    after=_edges,
)
def a_signature_is_gone_unknown(
    make: Makes, signature: str, upper: bool, encoding: str, before: str, after: str
) -> None:
    """Property 40: so have 64 hexadecimal digits, unless they are part of a longer number."""
    assume(not re.search("[0-9a-fA-F]$", before) and not re.match("[0-9a-fA-F]", after))
    shown = signature.upper() if upper else signature

    assert shown not in make([]).clean(ENCODINGS[encoding](before + shown + after))


@PROPERTIES.add(40, text=st.one_of(_text, tokens), secret=secrets, before=_edges)
def cleaning_is_idempotent(make: Makes, text: str, secret: str, before: str) -> None:
    """Property 40: what is clean stays as it is."""
    cleaner = make([secret])
    cleaned = cleaner.clean(before + secret + text)

    assert cleaned == cleaner.clean(cleaned)


_ordinary = st.one_of(
    _text,
    st.uuids().map(str),
    st.binary(max_size=31).map(bytes.hex),
    st.sampled_from(["forbearer", "eyes", "eyJ", "GET /v1/notes 200"]),
)


@PROPERTIES.add(40, pieces=st.lists(_ordinary, max_size=4), secret=secrets)
def other_text_is_left_alone(make: Makes, pieces: list[str], secret: str) -> None:
    """Property 40: ids, digests shorter than a signature, challenges and words stay."""
    text = " | ".join(pieces)
    # What follows the scheme is taken for a token, as it nearly always is.
    assume(not re.search(r"(?i)bearer(\s|%20|\+)", text))
    assume(not any(encode(secret) in text for encode in ENCODINGS.values()))

    assert text == make([secret]).clean(text)


@PROPERTIES.add(
    40,
    parameter=st.sampled_from(["error", "resource_metadata", "realm", "scope"]),
    value=st.uuids(),
)
def a_challenge_is_left_alone(make: Makes, parameter: str, value: UUID) -> None:
    """Property 40: WWW-Authenticate is evidence, and holds no token (RFC 6750 section 3)."""
    text = f'WWW-Authenticate: Bearer {parameter}="{value}"'

    assert text == make([]).clean(text)


def harness(secrets: Iterable[str]) -> Cleans:
    """Make the redactor that the harness uses."""
    return Redactor(secrets)
