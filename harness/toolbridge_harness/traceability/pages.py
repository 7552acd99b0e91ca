"""The pages whose requirements are traced, and their sections."""

from toolbridge_harness.traceability.model import Page

_MCP = "https://modelcontextprotocol.io/specification"

TRANSPORT_PAGES = {
    "T25": Page(
        "MCP 2025-11-25, transports",
        f"{_MCP}/2025-11-25/basic/transports",
        (
            "Transports",
            "Streamable HTTP",
            "Security Warning",
            "Sending Messages to the Server",
            "Listening for Messages from the Server",
            "Multiple Connections",
            "Resumability and Redelivery",
            "Session Management",
            "Protocol Version Header",
        ),
        ("Backwards Compatibility",),
    ),
    "T26": Page(
        "MCP 2026-07-28, transports, Streamable HTTP",
        f"{_MCP}/2026-07-28/basic/transports/streamable-http",
        (
            "Streamable HTTP",
            "Security & Endpoint",
            "Sending Messages",
            "Receiving Messages",
            "Cancellation",
            "Protocol Version Header",
            "Standard Request Headers",
            "Custom Headers from Tool Parameters",
            "Value Encoding",
            "Client Behavior",
            "Server Behavior for Custom Headers",
            "Case Sensitivity",
            "Server Validation",
        ),
        ("Message Flow", "Backward Compatibility"),
    ),
}

AUTHORIZATION_PAGES = {
    "A25": Page(
        "MCP 2025-11-25, authorization",
        f"{_MCP}/2025-11-25/basic/authorization",
        (
            "Protocol Requirements",
            "Overview",
            "Authorization Server Location",
            "Protected Resource Metadata Discovery Requirements",
            "Authorization Server Metadata Discovery",
            "Client ID Metadata Documents",
            "Resource Parameter Implementation",
            "Token Requirements",
            "Token Handling",
            "Error Handling",
            "Security Considerations",
            "Token Audience Binding and Validation",
            "Token Theft",
            "Communication Security",
            "Authorization Code Protection",
            "Open Redirection",
            "Client ID Metadata Document Security",
            "Confused Deputy Problem",
            "Access Token Privilege Restriction",
        ),
        ("Scope Selection Strategy", "Authorization Flow Steps", "Scope Challenge Handling"),
    ),
    "A26": Page(
        "MCP 2026-07-28, authorization",
        f"{_MCP}/2026-07-28/basic/authorization",
        (
            "Protocol Requirements",
            "Overview",
            "Authorization Server Discovery",
            "Client Registration",
            "Scope Selection Strategy",
            "Authorization Response Validation",
            "Resource Parameter Implementation",
            "Token Requirements",
            "Token Handling",
            "Refresh Tokens",
            "Error Handling",
            "Step-Up Authorization Flow",
            "Security Considerations",
        ),
        ("Authorization Flow Steps", "Scope Challenge Handling"),
    ),
    "S26": Page(
        "MCP 2026-07-28, authorization, security considerations",
        f"{_MCP}/2026-07-28/basic/authorization/security-considerations",
        (
            "Security Considerations",
            "Token Audience Binding and Validation",
            "Token Theft",
            "Communication Security",
            "Authorization Code Protection",
            "Open Redirection",
            "Client ID Metadata Document Security",
            "Confused Deputy Problem",
            "Access Token Privilege Restriction",
        ),
        ("Mix-Up Attacks",),
    ),
}

PRACTICES_PAGES = {
    "J": Page(
        "RFC 8725, JSON Web Token Best Current Practices",
        "https://www.rfc-editor.org/rfc/rfc8725",
        ("3.1", "3.2", "3.3", "3.4", "3.5", "3.7", "3.8", "3.9", "3.11", "3.12"),
        ("3.6", "3.10"),
    ),
}
