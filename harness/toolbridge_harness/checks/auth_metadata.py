"""What an OAuth client learns: the protected resource's metadata (RFC 9728)."""

import json
from typing import Any
from urllib.parse import urlsplit

from toolbridge_harness.checks.auth_keys import KEY_SET, NO_KEY_SET
from toolbridge_harness.issuer import key_set
from toolbridge_harness.model import Capability, Profile, Severity
from toolbridge_harness.refusals import challenge
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import ControlFailed, Violation, require
from toolbridge_harness.wire import Reply

_PUBLIC = "toolbridge.verify.invalid"
# Also allowed, but not the name that clients know: it must not show.
_ALSO = "also.verify.invalid"
_SETTINGS = {
    "TOOLBRIDGE_PUBLIC_URL": f"https://{_PUBLIC}",
    "TOOLBRIDGE_ALLOWED_HOSTS": f"{_ALSO},127.0.0.1",
}
_PATH = "/.well-known/oauth-protected-resource"
_CANONICAL = [("Host", _PUBLIC)]
_MISLEADING: tuple[tuple[str, list[tuple[str, str]]], ...] = (
    ("another allowed Host", [("Host", _ALSO)]),
    ("a foreign Host", [("Host", "evil.verify.invalid")]),
    ("X-Forwarded-Host", [*_CANONICAL, ("X-Forwarded-Host", "evil.verify.invalid")]),
    ("X-Forwarded-Proto", [*_CANONICAL, ("X-Forwarded-Proto", "http")]),
    ("Forwarded", [*_CANONICAL, ("Forwarded", "host=evil.verify.invalid;proto=http")]),
)


def _document(reply: Reply, what: str) -> dict[str, Any]:
    """Return the metadata; a Violation unless it is JSON with what RFC 9728 §2 asks for."""
    require(reply.status == 200, f"HTTP 200 for {what}", reply.brief)
    try:
        found = json.loads(reply.text)
    except ValueError:
        found = None
    servers = found.get("authorization_servers") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(servers, list) or not servers:
        raise Violation(f"a JSON object with authorization_servers for {what}", reply.brief)
    return found


async def _named_by_the_challenge(signer: Caller) -> str:
    """Return the path of the metadata that a refusal names, an https address of the public name."""
    reply = await signer.call("list_notes", {"limit": 1}, token=None, headers=(*_CANONICAL,))
    require(reply.status == 401, "HTTP 401 without a token", reply.brief)
    url = challenge(reply)[1].get("resource_metadata", "")
    parts = urlsplit(url)
    good = (parts.scheme, parts.netloc) == ("https", _PUBLIC) and parts.path.startswith(_PATH)
    require(good, f"resource_metadata=https://{_PUBLIC}{_PATH}… in the challenge", url or "none")
    return parts.path


@check(
    "auth-resource-metadata",
    "OAuth clients are told the canonical https address of this server, whatever Host they send",
    severity=Severity.MEDIUM,
    catalogue="AUTH-55",
    source="RFC 9728 §2, §3, §5.1; MCP 2025-11-25 authorization",
    remedy="Build resource and resource_metadata from TOOLBRIDGE_PUBLIC_URL, never from a request.",
    why="Clients ask for tokens for this address: a wrong one gets tokens for somebody else.",
    needs=KEY_SET,
    capability=Capability.KEY_SETS,
    profile=Profile.FULL,
    explained_by=NO_KEY_SET,
    broken="the OAuth metadata is missing, or names an address that a request chose",
)
async def resource_is_canonical(target: Target, caller: Caller) -> None:
    """Follows the challenge to the metadata, and asks for it under other hosts and forwardings."""
    async with key_set(target) as issuer, issuer.proxy(_SETTINGS) as proxy:
        endpoint = proxy.deployment.mcp_path
        signer = proxy.caller()
        control = await signer.call("list_notes", {"limit": 1}, headers=(*_CANONICAL,))
        if not control.ok:
            raise ControlFailed(f"a valid call under the public name failed: {control.brief}")
        named = await _named_by_the_challenge(signer)
        for path in dict.fromkeys([named, _PATH + endpoint, _PATH]):
            right = {f"https://{_PUBLIC}{endpoint}"}
            if path == _PATH:  # RFC 9728 §3.1 would have it name the whole host
                right |= {f"https://{_PUBLIC}", f"https://{_PUBLIC}/"}
            url = proxy.origin + path
            reply = await proxy.http("GET", url, _CANONICAL)
            if reply.status == 404 and path != named:
                continue
            resource = _document(reply, path).get("resource")
            require(resource in right, f"resource to be one of {sorted(right)} at {path}", resource)
            for what, headers in _MISLEADING:
                reply = await proxy.http("GET", url, headers)
                said = _document(reply, what).get("resource") if reply.status == 200 else resource
                require(said == resource, f"resource {resource} with {what}", said)
