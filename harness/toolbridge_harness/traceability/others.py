"""What the same pages require of clients, authorization servers and others."""

from toolbridge_harness.traceability.model import Elsewhere

TRANSPORT_OTHERS = (
    Elsewhere(
        "client",
        ("T25 Sending Messages to the Server", "T26 Sending Messages"),
        "one POST per message, an Accept header with both types, support for both kinds of "
        "answer, the reconnection delay; from 2026-07-28 on no responses, and metadata headers",
    ),
    Elsewhere(
        "client",
        ("T25 Listening for Messages from the Server",),
        "an Accept header with text/event-stream on GET",
    ),
    Elsewhere(
        "client",
        ("T25 Session Management",),
        "care for the session id, which goes into every request; a new session after 404",
    ),
    Elsewhere(
        "client",
        ("T25 Protocol Version Header", "T26 Protocol Version Header"),
        "the version header on every request, equal to the version in the body",
    ),
    Elsewhere(
        "client",
        (
            "T26 Standard Request Headers",
            "T26 Custom Headers from Tool Parameters",
            "T26 Value Encoding",
            "T26 Client Behavior",
            "T26 Case Sensitivity",
        ),
        "mirroring of method, name and marked parameters into headers, their encoding, and the "
        "rejection of tools with marks that are not allowed",
    ),
    Elsewhere(
        "intermediary",
        (
            "T26 Server Behavior for Custom Headers",
            "T26 Value Encoding",
            "T26 Server Validation",
        ),
        "forwarding of parameter headers that it does not know, decoding of those that it "
        "inspects, an HTTP error for those that are wrong",
    ),
)

AUTHORIZATION_OTHERS = (
    Elsewhere(
        "other transports",
        ("A25 Protocol Requirements", "A26 Protocol Requirements"),
        "the security practices of their own protocol",
    ),
    Elsewhere(
        "client",
        (
            "A25 Overview",
            "A25 Protected Resource Metadata Discovery Requirements",
            "A25 Authorization Server Metadata Discovery",
            "A26 Overview",
            "A26 Authorization Server Discovery",
            "A26 Scope Selection Strategy",
        ),
        "discovery of the authorization server, in a given order; reading of challenges, whose "
        "scopes are authoritative",
    ),
    Elsewhere(
        "client",
        ("A25 Client ID Metadata Documents", "A26 Client Registration"),
        "a client id, and the document that describes the client",
    ),
    Elsewhere(
        "client",
        (
            "A25 Resource Parameter Implementation",
            "A25 Token Audience Binding and Validation",
            "A25 Access Token Privilege Restriction",
            "A26 Resource Parameter Implementation",
            "S26 Token Audience Binding and Validation",
            "S26 Access Token Privilege Restriction",
        ),
        "the resource parameter, with the server's canonical URI, in every authorization and "
        "token request",
    ),
    Elsewhere(
        "client",
        (
            "A25 Token Requirements",
            "A25 Token Handling",
            "A26 Token Requirements",
            "A26 Token Handling",
            "A26 Refresh Tokens",
        ),
        "the token in the header of every request, and to each server only tokens of its own "
        "authorization server; secrecy of refresh tokens",
    ),
    Elsewhere(
        "client",
        (
            "A25 Authorization Code Protection",
            "A25 Open Redirection",
            "A26 Authorization Response Validation",
            "S26 Authorization Code Protection",
            "S26 Open Redirection",
        ),
        "PKCE with S256, registered redirect URIs, comparison of the issuer in responses",
    ),
    Elsewhere(
        "authorization server",
        (
            "A25 Overview",
            "A25 Client ID Metadata Documents",
            "A25 Token Theft",
            "A25 Communication Security",
            "A25 Authorization Code Protection",
            "A25 Open Redirection",
            "A25 Client ID Metadata Document Security",
            "A26 Overview",
            "A26 Authorization Response Validation",
            "S26 Token Theft",
            "S26 Communication Security",
            "S26 Authorization Code Protection",
            "S26 Open Redirection",
            "S26 Client ID Metadata Document Security",
        ),
        "OAuth 2.1 and its discovery documents, HTTPS, rotation of refresh tokens, exact "
        "redirect URIs, checks of clients' documents, the issuer in responses",
    ),
)

PRACTICES_OTHERS = (
    Elsewhere(
        "JWT library",
        ("J 3.1", "J 3.4"),
        "a parameter for the allowed algorithms; sound inputs of cryptographic operations",
    ),
    Elsewhere(
        "issuer",
        ("J 3.5", "J 3.9", "J 3.11", "J 3.12"),
        "keys with enough entropy, an audience in every token, the type in the inner one of "
        "nested tokens, kinds of token that can be told apart",
    ),
)
