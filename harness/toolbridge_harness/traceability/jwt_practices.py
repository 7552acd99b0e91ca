"""RFC 8725, JSON Web Token Best Current Practices."""

from toolbridge_harness.traceability.model import Gap, Requirement, Source
from toolbridge_harness.traceability.others import PRACTICES_OTHERS
from toolbridge_harness.traceability.pages import PRACTICES_PAGES

_TOKENS = "tests/proxy/test_tokens.py::"
_JWKS = "tests/proxy/test_jwks.py::"
_SETTINGS = "tests/proxy/test_settings.py::"
_CLAIMS = f"{_TOKENS}test_issuer_and_audience_are_checked_when_set"
_BOTH = f"{_SETTINGS}test_a_key_set_needs_issuer_and_audience"

_REQUIREMENTS = (
    Requirement(
        "J-01",
        ("J 3.1",),
        "use the configured algorithms and no others",
        ("auth-alg-other", "auth-alg-none", "auth-keys-purpose"),
        (f"{_TOKENS}test_another_algorithm_is_refused",),
    ),
    Requirement(
        "J-02",
        ("J 3.1",),
        "see that the header names the algorithm that is really used",
        ("auth-alg-other", "auth-public-key-as-secret", "auth-keys-forged"),
    ),
    Requirement(
        "J-03",
        ("J 3.1",),
        "use each key with one algorithm, and check that when it is used",
        ("auth-alg-other", "auth-keys-purpose", "auth-keys-forged"),
        (
            f"{_JWKS}test_the_public_key_is_no_hmac_secret",
            f"{_JWKS}test_keys_for_other_purposes_are_not_used",
        ),
    ),
    Requirement(
        "J-04",
        ("J 3.2",),
        "allow only algorithms that are current: neither none nor a broken one",
        ("auth-alg-none", "auth-alg-other"),
    ),
    Requirement(
        "J-05",
        ("J 3.2",),
        "be built so that algorithms can be exchanged",
        ("control-token", "auth-keys-accepted"),
        reason="algorithms but HS256 and RS256, between which the settings choose.",
    ),
    Requirement(
        "J-06",
        ("J 3.3",),
        "validate every cryptographic operation, and refuse the whole token if one fails",
        (
            "auth-wrong-secret",
            "auth-tampered",
            "auth-mutated",
            "auth-foreign-rsa-key",
            "auth-keys-forged",
        ),
    ),
    Requirement(
        "J-07",
        ("J 3.3",),
        "validate a nested token on both levels",
        tests=(f"{_TOKENS}test_a_malformed_token_is_refused",),
        gap=Gap.ABSENT,
        reason="The proxy reads no nested tokens: it refuses what is encrypted before it looks "
        "inside (auth-encrypted), and a signed payload that is not an object of claims.",
    ),
    Requirement(
        "J-08",
        ("J 3.4",),
        "validate the points of elliptic curves in key agreement",
        tests=(f"{_TOKENS}test_a_malformed_token_is_refused",),
        gap=Gap.ABSENT,
        reason="The proxy agrees on no keys: it refuses tokens of five parts, and its "
        "algorithms, HS256 and RS256, use no curves.",
    ),
    Requirement(
        "J-09",
        ("J 3.5",),
        "use keys with enough entropy, and no password as an HMAC key",
        ("auth-wrong-secret",),
        (f"{_SETTINGS}test_a_bad_value_is_one_line_with_the_name_and_without_the_value",),
        reason="any key but the few well-known ones that the check tries. The proxy does not "
        "start with a secret under 32 bytes, as the test shows.",
    ),
    Requirement(
        "J-10",
        ("J 3.7",),
        "decode header and claims as UTF-8 and as nothing else",
        ("auth-encodings",),
        (f"{_TOKENS}test_a_malformed_token_is_refused",),
    ),
    Requirement(
        "J-11",
        ("J 3.8",),
        "refuse a token whose issuer does not own the key that it was verified with",
        (
            "auth-keys-forged",
            "auth-keys-leftover-secret",
            "auth-issuer-audience",
            "auth-keys-issuer-audience",
        ),
        (_CLAIMS, _BOTH),
    ),
    Requirement(
        "J-12",
        ("J 3.8",),
        "refuse a token whose subject is not valid",
        ("auth-subject", "auth-odd-subjects"),
        reason="whether the subject exists, as the proxy has no list of users and the Go API "
        "takes any.",
    ),
    Requirement(
        "J-13",
        ("J 3.9",),
        "refuse a token without its audience, where the issuer serves several parties",
        ("auth-issuer-audience", "auth-keys-issuer-audience"),
        (_CLAIMS, _BOTH),
    ),
    Requirement(
        "J-14",
        ("J 3.12",),
        "have rules for access tokens that no other kind of token satisfies",
        ("auth-token-kinds", "auth-issuer-audience", "auth-keys-issuer-audience"),
        (f"{_TOKENS}test_a_header_that_changes_the_meaning_is_refused",),
        reason="tokens of another kind that are accepted are a warning, and one that calls "
        "itself JWT, as ID tokens do, is told apart by its audience alone.",
    ),
)

PRACTICES = Source("RFC 8725", PRACTICES_PAGES, _REQUIREMENTS, PRACTICES_OTHERS)
