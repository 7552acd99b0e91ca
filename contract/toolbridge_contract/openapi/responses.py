"""The answers of the Go API: which status carries which headers and which of the body shapes."""

from typing import Any

from toolbridge_contract.openapi.schemas import Schema, ref

_INTEGER: Schema = {"type": "string", "pattern": "^[0-9]+$"}

HEADERS: dict[str, dict[str, Any]] = {
    "X-Correlation-Id": {
        "description": "The client's own X-Correlation-ID, or a generated one.",
        "required": True,
        "schema": {"type": "string"},
    },
    "X-Ratelimit-Limit": {
        "description": "Requests a minute for one user, over all five entities.",
        "required": True,
        "schema": {"const": "600"},
    },
    "X-Ratelimit-Burst": {
        "description": "Requests at once.",
        "required": True,
        "schema": {"const": "120"},
    },
    "X-Ratelimit-Remaining": {
        "description": "Requests left of the burst.",
        "required": True,
        "schema": _INTEGER,
    },
    "X-Ratelimit-Reset": {
        "description": "Unix seconds at which the whole burst is there again.",
        "required": True,
        "schema": _INTEGER,
    },
    "X-Sync-Epoch": {
        "description": "The user's epoch; raised by a wipe.",
        "required": True,
        "schema": _INTEGER,
    },
    "X-Content-Type-Options": {"required": True, "schema": {"const": "nosniff"}},
    "Retry-After": {"description": "Seconds.", "required": True, "schema": {"const": "1"}},
    "Allow": {
        "description": "One line for each method of the path; none for a method unknown to HTTP.",
        "schema": {"type": "string"},
    },
    "Connection": {"required": True, "schema": {"const": "close"}},
}
CORRELATED = ("X-Correlation-Id",)
_RATE = tuple(name for name in HEADERS if name.startswith("X-Ratelimit"))
RATED = (*CORRELATED, *_RATE)
TEXT = (*CORRELATED, "X-Content-Type-Options")

Content = dict[str, dict[str, Any]]


def json_content(schema: str) -> Content:
    """Return the content of a JSON answer."""
    return {"application/json": {"schema": ref(schema)}}


def text_content(*bodies: str) -> Content:
    """Return the content of a text answer that is one of `bodies`."""
    return {"text/plain; charset=utf-8": {"schema": {"enum": list(bodies)}}}


def response(
    description: str,
    headers: tuple[str, ...],
    content: Content | None = None,
    sometimes: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Return a response object; no content means an empty body, `sometimes` optional headers."""
    named: dict[str, Any] = {n: {"$ref": f"#/components/headers/{n}"} for n in headers}
    named |= {name: {**HEADERS[name], "required": False} for name in sometimes}
    found: dict[str, Any] = {"description": description, "headers": named}
    if content is not None:
        found["content"] = content
    return found


_SERVER_ERROR = text_content("server error\n")
_FAILED = json_content("Error") | _SERVER_ERROR

RESPONSES: dict[str, dict[str, Any]] = {
    "Item": response("The object as it is now.", RATED, json_content("Item")),
    "Created": response("Created, or overwritten and undeleted.", RATED, json_content("Item")),
    "Page": response("One page.", RATED, json_content("Page")),
    "Deletion": response("Deleted.", RATED, json_content("Deletion")),
    "Unauthorized": response(
        "The JWT or the tenant headers are refused; no WWW-Authenticate says which.",
        TEXT,
        text_content("unauthorized\n", "Unauthorized: invalid tenant headers\n"),
    ),
    "ForeignSession": response(
        "X-Sync-Session is another user's.", CORRELATED, json_content("Error")
    ),
    "SessionRequired": response(
        "X-Sync-Session is missing, unknown, ended or older than 30 minutes.",
        CORRELATED,
        json_content("Error"),
    ),
    "Throttled": response(
        "120 requests at once and 10 a second are let through for each user.",
        (*RATED, "Retry-After"),
        json_content("Error"),
    ),
    "EpochMismatch": response(
        "X-Sync-Epoch is missing, unreadable or behind; X-Correlation-Id is then blank unless the "
        "client sent one.",
        (*RATED, "X-Sync-Epoch"),
        json_content("EpochMismatch"),
    ),
    "Invalid": response(
        "invalid UID, invalid JSON or invalid action.", RATED, json_content("Error")
    ),
    "NotFound": response("No such object of this user.", RATED, json_content("Error")),
    "Gone": response("The object is deleted.", RATED, json_content("Gone")),
    "PreconditionFailed": response("If-Match names another version.", RATED, json_content("Error")),
    "WipeRefused": response("No JSON, or no confirmation.", CORRELATED, json_content("Error")),
    "Pushed": response(
        "One acknowledgement for each item, refused ones with an error.",
        RATED,
        json_content("Acknowledgements"),
    ),
    "PushInvalid": response(
        "No JSON object, or items that are no objects.", RATED, json_content("Acknowledgements")
    ),
    "PushFailed": response(
        "NUL in any item: nothing is stored; or the user cannot be created (text).",
        CORRELATED,
        json_content("Acknowledgements") | _SERVER_ERROR,
        (*_RATE, *TEXT[1:]),
    ),
    "Pulled": response("What changed past the cursor.", RATED, json_content("Changes")),
    "SessionForbidden": response("Another user's session.", TEXT, text_content("forbidden\n")),
    "SessionUnknown": response(
        "Unknown, ended or expired.", TEXT, text_content("session not found or expired\n")
    ),
    "UserFailed": response(
        "The user cannot be created (a sub with NUL, or of thousands of characters).",
        TEXT,
        _SERVER_ERROR,
    ),
    # `server error`, in text, comes before the rate limit.
    "WriteFailed": response(
        "The write failed: NUL in a text or a key, a parent that is missing, deleted or not named; "
        "or the user cannot be created (text).",
        CORRELATED,
        _FAILED,
        (*_RATE, *TEXT[1:]),
    ),
    "WritePanicked": response(
        "As WriteFailed; or the body is `null`, and the answer empty and without Content-Type.",
        CORRELATED,
        _FAILED,
        (*_RATE, *TEXT[1:]),
    ),
    "BadRequest": response(
        "Bad percent-encoding, no or two Hosts, differing Content-Lengths, or no HTTP at all.",
        ("Connection",),
        text_content("400 Bad Request", "400 Bad Request: missing required Host header"),
    ),
    "NoRoute": response("No such path.", TEXT, text_content("404 page not found\n")),
    "MethodNotAllowed": response("The path has other methods.", (*CORRELATED, "Allow")),
    "ExpectationFailed": response("Expect is not 100-continue.", ("Connection",)),
    "HeadersTooLarge": response(
        "More than 1 MiB of headers.",
        ("Connection",),
        text_content("431 Request Header Fields Too Large"),
    ),
}
# Answers of net/http and the router: before any operation is known, and without credentials.
ANY_REQUEST = {
    "400": "BadRequest",
    "404": "NoRoute",
    "405": "MethodNotAllowed",
    "417": "ExpectationFailed",
    "431": "HeadersTooLarge",
}


def refs(**names: str) -> dict[str, Any]:
    """Return references to component responses; keys are `_` and the status."""
    return {
        status.lstrip("_"): {"$ref": f"#/components/responses/{name}"}
        for status, name in names.items()
    }
