"""Proxies that let callers name the tenant, or act as the owner of what callers refer to."""

import copy
import dataclasses
import json
from contextvars import ContextVar
from typing import Any
from urllib.parse import parse_qs

from mutants.table import mutant
from support.patching import patch
from toolbridge_proxy import edge, sessions, tokens, upstream

_LOOPBACK = {"127", "localhost"}


def _named(scope: dict[str, Any]) -> str:
    """Return the tenant that the query or the first label of the host names."""
    query: dict[str, list[str]] = parse_qs(scope.get("query_string", b"").decode())
    host: str = dict(scope.get("headers", ())).get(b"host", b"").decode()
    label = host.partition(":")[0].partition(".")[0]
    return query.get("tenant", ["" if label in _LOOPBACK else label])[0]


@mutant(
    "M-T12",
    "the tenant is taken from host and query where they name one",
    rows="TEN-15",
    cause="tenant-in-routing",
)
def tenant_of_the_url() -> None:
    """One deployment for many tenants, told apart by what the caller writes."""
    named: ContextVar[str] = ContextVar("named")

    def make_call(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            named.set(_named(scope))
            await original(self, scope, receive, send)

        return call

    def make_caller(original: Any) -> Any:
        async def caller(self: tokens.TokenVerifier, authorization: str | None) -> tokens.Caller:
            verifier = copy.copy(self)
            if named.get():
                changed = {"tenant_id": named.get()}
                verifier._settings = self._settings.model_copy(update=changed)
            verified: tokens.Caller = await original(verifier, authorization)
            return verified

        return caller

    patch(edge.Edge, "__call__", make_call)
    patch(tokens.TokenVerifier, "caller", make_caller)


@mutant(
    "parents-owner",
    "comments and messages are created as the owner of their parent",
    rows="TEN-22",
    cause="isolation-foreign-parent",
)
def parents_owner() -> None:
    """Whoever made a note or a chat lends their identity to what is put below it."""
    owners: dict[str | None, tokens.Caller] = {}

    def make(original: Any) -> Any:
        async def send(self: Any, request: upstream.ApiRequest, call: upstream.Call) -> Any:
            if request.method != "POST" or request.body is None:
                return await original(self, request, call)
            body = json.loads(request.body)
            owner = owners.get(body.get("parentUid") or body.get("chatUid"), call.caller)
            answer = await original(self, request, dataclasses.replace(call, caller=owner))
            if "uid" in body:
                owners[body["uid"]] = call.caller
            return answer

        return send

    patch(sessions.Sessions, "send", make)
