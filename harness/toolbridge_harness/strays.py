"""Upstream requests that belong to no caller of the run, or carry another caller's marker.

That is how a proxy that acts under a shared identity, or mixes callers up, is seen even when
no single check looks at the request.
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus

from toolbridge_contract.control import RecordedRequest

# What a readiness probe may ask without an identity.
_ANONYMOUS = ("/healthz", "/v1/sync/info")
_NOBODY = "was sent for nobody"
_REFUSED = ", and refused there"


def strays(requests: Iterable[RecordedRequest], callers: Mapping[str, str]) -> list[str]:
    """Return a line for each stray; `callers` maps each subject of the run to its marker."""
    found = []
    owners = {marker: sub for sub, marker in callers.items() if marker}
    for request in requests:
        path = request.target.partition("?")[0]
        if request.caller not in callers:
            if path not in _ANONYMOUS:
                named = request.caller.strip()
                who = f"was sent for {request.caller!r}" if named else _NOBODY
                refused = _REFUSED if request.status == HTTPStatus.UNAUTHORIZED else ""
                found.append(f"{request.method} {path} {who}{refused}")
            continue
        text = request.body.decode(errors="replace")
        if "mark-" not in text:
            continue
        found.extend(
            f"{request.method} {path} of {request.caller} carries the marker of {sub}"
            for marker, sub in owners.items()
            if sub != request.caller and marker in text
        )
    return found


def unidentified(line: str) -> bool:
    """Whether a text ends in a stray that the Go API knew nobody by.

    That is what a proxy lets through that verifies too little. One that acts under an identity
    of its own, or of another caller, would be served.
    """
    return line.endswith((_NOBODY, _REFUSED))
