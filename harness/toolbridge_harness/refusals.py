"""What counts as a refusal: the right status, the right challenge, and nothing sent upstream."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from toolbridge_harness.target import Caller
from toolbridge_harness.verdicts import Violation, require
from toolbridge_harness.wire import Call, Reply

# A parameter, its value quoted or not, or else the scheme that begins the next challenge.
_NAME = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_PART = re.compile(rf'({_NAME})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))|({_NAME})')


def challenge(reply: Reply) -> tuple[str, dict[str, str]]:
    """Return scheme and parameters of the challenge (RFC 9110 §11.6.1); ("", {}) without.

    Of several it is the one for Bearer, wherever it stands.
    """
    found: list[tuple[str, dict[str, str]]] = []
    for name, quoted, bare, scheme in _PART.findall(reply.headers.get("www-authenticate", "")):
        if scheme:
            found.append((scheme.lower(), {}))
        elif found:
            found[-1][1].setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted) or bare)
    return next((one for one in found if one[0] == "bearer"), found[0] if found else ("", {}))


def require_invalid_token(reply: Reply, what: str) -> None:
    """Require the refusal of a token that was sent: 401 and error="invalid_token"."""
    require(reply.status == 401, f"HTTP 401 for {what}", reply.brief)
    scheme, parameters = challenge(reply)
    require(scheme == "bearer", f"WWW-Authenticate: Bearer for {what}", _shown(reply))
    require(
        parameters.get("error") == "invalid_token",
        f'a challenge with error="invalid_token" for {what}',
        _shown(reply),
    )


def require_unauthenticated(reply: Reply, what: str) -> None:
    """Require the refusal of a request without a token: 401, a challenge, and no error in it."""
    require(reply.status == 401, f"HTTP 401 for {what}", reply.brief)
    scheme, parameters = challenge(reply)
    good = scheme == "bearer" and "error" not in parameters
    require(good, f"WWW-Authenticate: Bearer, without error=, for {what}", _shown(reply))


def require_forbidden(reply: Reply, what: str, statuses: Collection[int] = (401, 403)) -> None:
    """Require the refusal of a tenant: 403, or 401 where the tenant is part of the token."""
    require(reply.status in statuses, f"HTTP 403 or 401 for {what}", reply.brief)


def _shown(reply: Reply) -> str:
    return f"WWW-Authenticate: {reply.headers.get('www-authenticate', '(absent)')}"


async def refused_tokens(
    caller: Caller, tokens: Sequence[tuple[str, str]], call: Call | None = None
) -> None:
    """Require that each (what it is, token) is refused and sends nothing upstream.

    The call is one that the same caller's good token makes succeed, so the token is the only
    thing that changes. The control runs before and after.
    """
    await caller.control()
    before = await caller.mark()
    base = call or caller.request("list_notes", {"limit": 1})
    for what, token in tokens:
        reply = await caller.target.send(replace(base, token=token))
        require_invalid_token(reply, what)
    await nothing_reached_upstream(caller, before)
    await caller.control()


async def nothing_reached_upstream(caller: Caller, after: int) -> None:
    """Require that the proxy itself refused; only where upstream traffic can be seen."""
    if not caller.target.has_upstream:
        return
    leaked = await caller.upstream(after)
    if leaked:
        first = leaked[0]
        raise Violation(
            "a refused request to send nothing upstream",
            f"{len(leaked)} upstream requests, first {first.method} {first.target}",
        )
