"""Every broken way of judging tokens, and the property or machine that must notice it."""

from support import (
    token_breaks_claims,
    token_breaks_headers,
    token_breaks_keys,
    token_breaks_signatures,
)
from support.token_breaks_base import Break, Step
from support.token_breaks_headers import choosing, first
from support.token_breaks_keys import Keeping
from support.token_subject import TokenSubject

BREAKS: tuple[Break, ...] = (
    *token_breaks_claims.BREAKS,
    *token_breaks_signatures.BREAKS,
    *token_breaks_headers.BREAKS,
    *token_breaks_keys.BREAKS,
)

# The reference in the clothes of the breaks: nothing in them is what is noticed.
UNBROKEN = TokenSubject(
    "unbroken", verifier=Step, jwks=Keeping, app=choosing(first, lambda _: None)
)
