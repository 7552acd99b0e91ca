"""Upstream requests that belong to no caller of the run, or carry another caller's marker.

That is how a proxy that acts under a shared identity, or mixes callers up, is seen even when
no single check looks at the request.
"""

from collections.abc import Iterable, Mapping

from toolbridge_contract.control import RecordedRequest

# What a readiness probe may ask without an identity.
_ANONYMOUS = ("/healthz", "/v1/sync/info")


def strays(requests: Iterable[RecordedRequest], callers: Mapping[str, str]) -> list[str]:
    """Return a line for each stray; `callers` maps each subject of the run to its marker."""
    found = []
    owners = {marker: sub for sub, marker in callers.items() if marker}
    for request in requests:
        path = request.target.partition("?")[0]
        if request.caller not in callers:
            if path not in _ANONYMOUS:
                who = repr(request.caller) if request.caller else "nobody"
                found.append(f"{request.method} {path} was sent for {who}")
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
