"""MCP authorization with its security considerations, revisions 2025-11-25 and 2026-07-28."""

from toolbridge_harness.traceability.model import Gap, Requirement, Source
from toolbridge_harness.traceability.others import AUTHORIZATION_OTHERS
from toolbridge_harness.traceability.pages import AUTHORIZATION_PAGES

_HTTP_ACCESS = "tests/proxy/test_http_access.py::"
_HTTP_ROUTES = "tests/proxy/test_http_routes.py::"
_METADATA = f"{_HTTP_ROUTES}test_the_metadata_document_comes_from_configuration"
_CLAIMS = "tests/proxy/test_tokens.py::test_issuer_and_audience_are_checked_when_set"
_BOTH = "tests/proxy/test_settings.py::test_a_key_set_needs_issuer_and_audience"

_SHARED = (
    "targets with a shared secret alone: there is no authorization server to name, and the proxy "
    "serves no document. It does once TOOLBRIDGE_JWT_ISSUER and TOOLBRIDGE_PUBLIC_URL are set, as "
    "the check sets them."
)

_REQUIREMENTS = (
    Requirement(
        "A-01",
        ("A25 Overview", "A25 Authorization Server Location", "A26 Overview"),
        "implement protected resource metadata (RFC 9728)",
        ("auth-resource-metadata",),
        (_METADATA, f"{_HTTP_ROUTES}test_without_an_issuer_there_is_no_metadata"),
        reason=_SHARED,
    ),
    Requirement(
        "A-02",
        ("A25 Authorization Server Location", "A26 Authorization Server Discovery"),
        "name at least one authorization server in that document",
        ("auth-resource-metadata",),
        (_METADATA,),
    ),
    Requirement(
        "A-03",
        (
            "A25 Protected Resource Metadata Discovery Requirements",
            "A26 Authorization Server Discovery",
        ),
        "let the document be found: by the challenge of a 401, or at its well-known address",
        ("auth-resource-metadata",),
        (_METADATA,),
    ),
    Requirement(
        "A-04",
        ("A25 Token Requirements", "A26 Token Requirements"),
        "take the token from the Authorization header of each request, as a Bearer token",
        (
            "control-token",
            "auth-no-token",
            "auth-scheme-case",
            "auth-two-tokens",
            "auth-session-id",
            "isolation-connection",
        ),
    ),
    Requirement(
        "A-05",
        ("A25 Token Requirements", "A26 Token Requirements"),
        "take no token from the query of the URL",
        ("auth-token-elsewhere",),
        (f"{_HTTP_ACCESS}test_a_token_elsewhere_does_not_count",),
    ),
    Requirement(
        "A-06",
        (
            "A25 Token Handling",
            "A25 Access Token Privilege Restriction",
            "A26 Token Handling",
            "S26 Access Token Privilege Restriction",
        ),
        "validate tokens as OAuth 2.1 section 5.2 says: genuine, unaltered, not expired",
        (
            "auth-wrong-secret",
            "auth-tampered",
            "auth-mutated",
            "auth-expired",
            "auth-no-expiry",
            "auth-not-yet-valid",
            "auth-expires-in-use",
            "auth-keys-forged",
            "auth-both-eras",
        ),
    ),
    Requirement(
        "A-07",
        (
            "A25 Token Handling",
            "A25 Token Audience Binding and Validation",
            "A25 Access Token Privilege Restriction",
            "A26 Token Handling",
            "S26 Token Audience Binding and Validation",
            "S26 Access Token Privilege Restriction",
        ),
        "accept only tokens that were issued for it, by the audience claim or by other means",
        (
            "tenant-wrong",
            "tenant-missing",
            "tenant-replayed",
            "auth-issuer-audience",
            "auth-keys-issuer-audience",
        ),
        (_CLAIMS, _BOTH),
        reason="targets without TOOLBRIDGE_JWT_AUDIENCE, which only a key set makes compulsory: "
        "there the tenant claim alone says for which proxy a token is, and another service's "
        "token for the same tenant passes.",
    ),
    Requirement(
        "A-08",
        ("A25 Token Handling", "A26 Token Handling"),
        "answer a failed validation as OAuth 2.1 section 5.3 says: a Bearer challenge, with "
        "invalid_token if a token was sent",
        ("auth-no-token", "auth-garbage-token", "auth-challenge"),
    ),
    Requirement(
        "A-09",
        ("A25 Token Handling", "A26 Token Handling"),
        "answer 401 to an invalid or expired token",
        (
            "auth-garbage-token",
            "auth-wrong-secret",
            "auth-alg-none",
            "auth-expired",
            "auth-expires-in-use",
            "auth-both-eras",
        ),
        (f"{_HTTP_ACCESS}test_an_invalid_token_is_always_401",),
    ),
    Requirement(
        "A-10",
        ("A25 Token Handling", "A26 Token Handling"),
        "neither accept any other token nor send one on",
        ("auth-wrong-secret", "auth-two-tokens", "control-one-request"),
        reason="tokens of the right issuer for another audience, which is A-07.",
    ),
    Requirement(
        "A-11",
        ("A25 Error Handling", "A26 Error Handling"),
        "use 401 for a missing or invalid token, 403 for one that is not enough, 400 for a "
        "malformed request",
        ("auth-no-token", "auth-garbage-token", "tenant-wrong", "auth-two-tokens"),
        (
            f"{_HTTP_ACCESS}test_another_tenant_is_403",
            f"{_HTTP_ACCESS}test_a_repeated_header_is_refused",
        ),
        reason="which of two codes it is: the checks take 401 for 403 and for 400 too, which "
        "the tests do not.",
    ),
    Requirement(
        "A-12",
        ("A26 Step-Up Authorization Flow",),
        "count a broader scope for the narrower ones that it implies",
        gap=Gap.ABSENT,
        reason="The proxy asks for no scope.",
    ),
    Requirement(
        "A-13",
        (
            "A25 Security Considerations",
            "A26 Security Considerations",
            "S26 Security Considerations",
        ),
        "follow the security considerations of OAuth 2.1 section 7",
        gap=Gap.UNSEEN,
        reason="It is a chapter of advice and not one behaviour. What it says of resource "
        "servers is in the rows around.",
    ),
    Requirement(
        "A-14",
        ("A25 Token Theft", "S26 Token Theft"),
        "store tokens safely; what is logged or answered holds none",
        (
            "hygiene-no-secret-in-logs",
            "hygiene-debug-log",
            "hygiene-query-not-logged",
            "hygiene-no-secret-in-answers",
            "auth-challenge",
        ),
        ("tests/proxy/test_logs.py::test_no_secret_is_ever_logged",),
        reason="the memory of the process.",
    ),
    Requirement(
        "A-15",
        ("A25 Communication Security", "S26 Communication Security"),
        "be reached by TLS alone, and reach others so",
        (
            "transport-plain-http",
            "transport-tls",
            "startup-base-url-refused",
            "resilience-upstream-certificate",
        ),
        ("tests/test_deploy_files.py::test_fly_forces_https",),
        reason="targets whose own URL is plain http: the first two checks need one of https.",
    ),
    Requirement(
        "A-16",
        ("A25 Confused Deputy Problem", "S26 Confused Deputy Problem"),
        "ask the user's consent for each dynamically registered client, if it hands them on to "
        "another authorization server under one client id",
        gap=Gap.ABSENT,
        reason="The proxy is no OAuth client: it has no client id and starts no flow.",
    ),
    Requirement(
        "A-17",
        ("A25 Access Token Privilege Restriction", "S26 Access Token Privilege Restriction"),
        "validate the token before processing, and return no data to others than its bearer",
        (
            "auth-no-token",
            "auth-wrong-secret",
            "auth-session-id",
            "isolation-foreign-uid",
            "isolation-interleaved",
            "tenant-wrong",
        ),
        reason="on targets whose upstream traffic is not recorded, whether a refused request "
        "was processed.",
    ),
    Requirement(
        "A-18",
        ("A25 Access Token Privilege Restriction", "S26 Access Token Privilege Restriction"),
        "not pass the client's token on to an upstream API",
        gap=Gap.DEVIATION,
        reason="The Go API knows its users by the token of the same issuer, so the proxy "
        "forwards it by design, and control-one-request requires it. What limits the harm is "
        "checked: other tenants' tokens stay out (tenant-wrong, tenant-missing, tenant-types), "
        "the token goes nowhere else (errors-redirect), and every request is signed "
        "(signing-every-request).",
    ),
)

AUTHORIZATION = Source(
    "MCP authorization", AUTHORIZATION_PAGES, _REQUIREMENTS, AUTHORIZATION_OTHERS
)
