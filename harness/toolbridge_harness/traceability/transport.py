"""MCP Streamable HTTP, revisions 2025-11-25 and 2026-07-28."""

from toolbridge_harness.traceability.model import Gap, Requirement, Source
from toolbridge_harness.traceability.others import TRANSPORT_OTHERS
from toolbridge_harness.traceability.pages import TRANSPORT_PAGES

_HTTP_ACCESS = "tests/proxy/test_http_access.py::"
_HTTP_MESSAGES = "tests/proxy/test_http_messages.py::"
_HTTP_ROUTES = "tests/proxy/test_http_routes.py::"
_CONFORMANCE = "tests/interop/test_conformance.py::test_what_matters_ran_and_passed"
_CLIENT = "tests/interop/test_fastmcp_client.py::"
_POST_ALONE = f"{_HTTP_ROUTES}test_the_mcp_path_takes_post_alone"

_NO_STREAM = "The proxy answers with one JSON object and opens no stream."
_NO_GET_STREAM = "The proxy opens no stream of its own: GET is answered with 405."
_NO_CUSTOM = "No tool of the contract marks a parameter with x-mcp-header."

_REQUIREMENTS = (
    Requirement(
        "T-01",
        ("T25 Transports",),
        "write and read messages in UTF-8",
        ("tools-text-fidelity", "tools-encodings"),
        (f"{_HTTP_MESSAGES}test_what_is_not_json_is_a_parse_error_in_both_eras",),
    ),
    Requirement(
        "T-02",
        ("T25 Streamable HTTP", "T26 Streamable HTTP"),
        "offer MCP at one path, by POST; 2025-11-25 adds GET, which may be answered with 405",
        ("health-check-public", "transport-methods"),
    ),
    Requirement(
        "T-03",
        ("T25 Security Warning", "T26 Security & Endpoint"),
        "judge the Origin of every connection, so that DNS rebinding gets nowhere",
        ("transport-origin", "transport-origin-listed", "transport-rebinding", "transport-host"),
        (f"{_HTTP_ROUTES}test_foreign_hosts_and_origins_are_refused",),
        reason="methods other than POST, except that a preflight must be granted nothing.",
    ),
    Requirement(
        "T-04",
        ("T25 Security Warning", "T26 Security & Endpoint"),
        "answer 403 to an Origin that is there and not allowed",
        ("transport-origin", "transport-origin-listed"),
    ),
    Requirement(
        "T-05",
        ("T25 Sending Messages to the Server", "T26 Sending Messages"),
        "take one message per POST: a batch, or what is no message, is not processed",
        ("transport-malformed", "transport-no-silent-execution"),
    ),
    Requirement(
        "T-06",
        ("T25 Sending Messages to the Server", "T26 Sending Messages"),
        "answer an accepted notification (2025-11-25: or response) with 202 and no body",
        ("transport-notifications",),
        (f"{_HTTP_ACCESS}test_a_notification_is_accepted_without_a_token",),
    ),
    Requirement(
        "T-07",
        ("T25 Sending Messages to the Server", "T26 Sending Messages"),
        "answer a notification or response that it cannot accept with an HTTP error status",
        ("transport-notifications",),
        reason="notifications that are well formed and unknown, which a server may accept: the "
        "proxy accepts all of them.",
    ),
    Requirement(
        "T-08",
        ("T25 Sending Messages to the Server", "T26 Sending Messages"),
        "answer a request as application/json or as text/event-stream",
        ("transport-accept",),
        (f"{_CLIENT}test_it_lists_the_tools",),
    ),
    Requirement(
        "T-09",
        ("T25 Listening for Messages from the Server",),
        "answer GET with an event stream or with 405",
        ("transport-methods", "transport-methods-token"),
        (_POST_ALONE,),
        reason="which refusal it is: without a token 401 is right as well, and with one any "
        "other 4xx. A stream that is open to everybody is red, although this page allows it.",
    ),
    Requirement(
        "T-10",
        ("T25 Listening for Messages from the Server",),
        "send no response on a stream that GET opened, unless it resumes another one",
        tests=(_POST_ALONE,),
        gap=Gap.ABSENT,
        reason=_NO_GET_STREAM,
    ),
    Requirement(
        "T-11",
        ("T25 Multiple Connections",),
        "send each message on one stream only",
        tests=(_POST_ALONE,),
        gap=Gap.ABSENT,
        reason=_NO_GET_STREAM,
    ),
    Requirement(
        "T-12",
        ("T25 Resumability and Redelivery",),
        "keep event ids unique, and replay on a resumed stream only what belongs to it",
        tests=(_POST_ALONE,),
        gap=Gap.ABSENT,
        reason=f"{_NO_STREAM} There are no event ids, and GET, by which streams resume, is 405.",
    ),
    Requirement(
        "T-13",
        ("T25 Session Management",),
        "make session ids of visible ASCII characters",
        ("sessions-id-entropy",),
        reason="targets that mint no ids, of which the reference proxy is one.",
    ),
    Requirement(
        "T-14",
        ("T25 Session Management",),
        "answer 404 to the id of a session that has ended",
        gap=Gap.ABSENT,
        reason="The proxy is stateless: it mints no MCP session id, and there is nothing to end.",
    ),
    Requirement(
        "T-15",
        ("T25 Protocol Version Header",),
        "answer 400 to an invalid or unsupported MCP-Protocol-Version",
        ("transport-version-header",),
        (f"{_HTTP_MESSAGES}test_an_unknown_protocol_version_is_refused",),
    ),
    Requirement(
        "T-16",
        ("T26 Receiving Messages",),
        "send on a response stream only notifications about its request, and no requests",
        gap=Gap.ABSENT,
        reason=_NO_STREAM,
    ),
    Requirement(
        "T-17",
        ("T26 Cancellation",),
        "take the closing of a response stream for cancellation, and send nothing more for it",
        gap=Gap.ABSENT,
        reason=_NO_STREAM,
    ),
    Requirement(
        "T-18",
        ("T26 Protocol Version Header",),
        "answer 400 and HeaderMismatch when the version in the header is not that in _meta",
        ("transport-version-modern",),
        (_CONFORMANCE,),
        reason="a header that names an older revision, or none, beside a _meta of this one: the "
        "proxy goes by the header, as FastMCP does, and serves the older era.",
    ),
    Requirement(
        "T-19",
        ("T26 Protocol Version Header",),
        "answer 400 and list the supported versions when asked for another one",
        ("transport-version-modern",),
        (_CONFORMANCE,),
    ),
    Requirement(
        "T-20",
        ("T26 Protocol Version Header",),
        "answer 404 and -32601 to a method that it does not have",
        ("transport-method-modern",),
        (_CONFORMANCE,),
    ),
    Requirement(
        "T-21",
        ("T26 Protocol Version Header",),
        "refuse a request without MCP-Protocol-Version, if it serves no client older than "
        "2025-06-18",
        tests=(f"{_HTTP_ACCESS}test_each_handshake_revision_is_served",),
        gap=Gap.ABSENT,
        reason="The proxy serves such clients, so it may take the request for an older one.",
    ),
    Requirement(
        "T-22",
        ("T26 Standard Request Headers", "T26 Server Validation"),
        "refuse a request that lacks a required header",
        ("transport-header-missing",),
        (_CONFORMANCE,),
        reason="a missing MCP-Protocol-Version, which is T-21.",
    ),
    Requirement(
        "T-23",
        ("T26 Custom Headers from Tool Parameters",),
        "mark parameters with x-mcp-header only by unique header names, and only where allowed",
        gap=Gap.ABSENT,
        reason=f"{_NO_CUSTOM} tools-inventory reads names, descriptions and the type of the "
        "schemas, and would not notice a mark.",
    ),
    Requirement(
        "T-24",
        ("T26 Value Encoding", "T26 Server Validation"),
        "decode a value in the Base64 form before comparing it with the body",
        ("transport-header-spelling",),
    ),
    Requirement(
        "T-25",
        ("T26 Server Behavior for Custom Headers",),
        "refuse an Mcp-Param header with invalid characters, or unlike the body, or missing",
        gap=Gap.ABSENT,
        reason=_NO_CUSTOM,
    ),
    Requirement(
        "T-26",
        ("T26 Server Behavior for Custom Headers",),
        "expect no Mcp-Param header for a parameter that is null or absent",
        gap=Gap.ABSENT,
        reason=_NO_CUSTOM,
    ),
    Requirement(
        "T-27",
        ("T26 Case Sensitivity",),
        "compare names of headers without regard to case",
        ("transport-header-spelling",),
        (_CONFORMANCE,),
    ),
    Requirement(
        "T-28",
        ("T26 Server Validation",),
        "refuse a request whose headers say something else than its body",
        ("transport-header-body", "transport-version-modern"),
        (f"{_HTTP_MESSAGES}test_header_and_body_must_name_the_same_tool",),
    ),
    Requirement(
        "T-29",
        ("T26 Server Validation", "T26 Server Behavior for Custom Headers"),
        "answer such a request with 400 and a JSON-RPC error of code -32020",
        (
            "transport-header-body",
            "transport-header-missing",
            "transport-header-spelling",
            "transport-version-modern",
        ),
        (f"{_HTTP_MESSAGES}test_header_and_body_must_name_the_same_tool", _CONFORMANCE),
    ),
)

TRANSPORT = Source(
    "MCP transport: Streamable HTTP", TRANSPORT_PAGES, _REQUIREMENTS, TRANSPORT_OTHERS
)
