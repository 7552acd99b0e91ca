"""The observations, one module per section of the notes that they were written down in."""

from toolbridge_contract.provider.case import Case
from toolbridge_contract.provider.cases import (
    bodies,
    comments,
    create,
    delta,
    epoch,
    expiry,
    flow,
    further,
    headers,
    if_match,
    jwt,
    left_behind,
    lists,
    messages,
    process,
    rate,
    routing,
    scope,
    sessions,
    sizes,
    tenant,
    uid,
    wipe,
)

# In the order of the sections; the name of a group is what --only takes.
GROUPS: dict[str, tuple[Case, ...]] = {
    "flow": flow.CASES,
    "jwt": jwt.CASES,
    "tenant": tenant.CASES,
    "sessions": sessions.CASES,
    "epoch": epoch.CASES,
    "wipe": wipe.CASES,
    "uid": uid.CASES,
    "bodies": bodies.CASES,
    "process": process.CASES,
    "comments": comments.CASES,
    "messages": messages.CASES,
    "create": create.CASES,
    "if-match": if_match.CASES,
    "delta": delta.CASES,
    "lists": lists.CASES,
    "rate": rate.CASES,
    "scope": scope.CASES,
    "headers": headers.CASES,
    "routing": routing.CASES,
    "sizes": sizes.CASES,
    "expiry": expiry.CASES,
    "further": further.CASES,
    "left-behind": left_behind.CASES,
}


def all_cases() -> list[tuple[str, Case]]:
    """Return every case with its group, in order."""
    return [(group, case) for group, cases in GROUPS.items() for case in cases]
