"""The routes of the API and the methods that each has."""

import enum
from dataclasses import dataclass
from typing import NamedTuple

from toolbridge_contract.mock.golang import routing_path, split_target
from toolbridge_contract.mock.messages import Request
from toolbridge_contract.tools import ENTITIES, Entity


class Gate(enum.Enum):
    """Which checks stand before a handler."""

    OPEN = "none"
    SIGNED = "JWT and tenant headers"
    SESSION = "and a session"
    ENTITY = "and the rate limit and the epoch"
    DELTA = "the same, with a rate bucket of its own"


@dataclass(frozen=True, slots=True)
class Route:
    """A path with the operation behind each method; `parameter` is the uid or session id."""

    gate: Gate
    operations: dict[str, str]
    entity: Entity | None = None
    parameter: str = ""


class Routed(NamedTuple):
    """Where a target leads; `path` is None for bad percent-encoding."""

    raw_path: str
    path: str | None
    query: str
    route: Route | None


# chi answers 405 without Allow to any other method, before it looks at the path.
KNOWN_METHODS = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}
)

_FIXED = {
    "/healthz": Route(Gate.OPEN, {"GET": "health"}),
    "/v1/sync/info": Route(Gate.OPEN, {"GET": "info"}),
    "/v1/sync/sessions": Route(Gate.SIGNED, {"POST": "begin_session"}),
    "/v1/sync/state": Route(Gate.SESSION, {"GET": "state"}),
    "/v1/sync/wipe": Route(Gate.SESSION, {"POST": "wipe"}),
}
_COLLECTIONS = {
    entity.collection: Route(Gate.ENTITY, {"GET": "list", "POST": "create"}, entity)
    for entity in ENTITIES
}
_SESSION = {"GET": "get_session", "DELETE": "end_session"}
_ITEM = {"DELETE": "delete", "GET": "get", "PATCH": "patch", "PUT": "update"}
_DELTA = {"push": {"POST": "push"}, "pull": {"GET": "pull"}}
_VERBS = {"": _ITEM, "/archive": {"POST": "archive"}, "/process": {"POST": "process"}}
_BY_PLURAL = {entity.plural: entity for entity in ENTITIES}


def match(path: str) -> Route | None:
    """Return the route of a path as the router sees it, or None."""
    fixed = _FIXED.get(path) or _COLLECTIONS.get(path)
    if fixed is not None:
        return fixed
    parts = path.split("/")
    if len(parts) not in (4, 5) or parts[0] or parts[1] != "v1" or not parts[3]:
        return None
    verb = f"/{parts[4]}" if len(parts) == 5 else ""
    entity = _BY_PLURAL.get(parts[2])
    if entity is not None and verb in _VERBS:
        return Route(Gate.ENTITY, _VERBS[verb], entity, parts[3])
    if parts[2] == "sync" and len(parts) == 5 and parts[4]:
        return _sync_route(parts[3], parts[4])
    return None


def _sync_route(name: str, last: str) -> Route | None:
    """Return the route of `/v1/sync/{name}/{last}`."""
    if name == "sessions":
        return Route(Gate.SIGNED, _SESSION, parameter=last)
    entity = _BY_PLURAL.get(name)
    if entity is not None and last in _DELTA:
        return Route(Gate.DELTA, _DELTA[last], entity)
    return None


def find(request: Request) -> Routed:
    """Return where the request's target leads; looked up once."""
    if request.routed is None:
        raw_path, query = split_target(request.target)
        path = routing_path(raw_path)
        route = match(path) if path is not None else None
        request.routed = Routed(raw_path, path, query, route)
    routed: Routed = request.routed
    return routed
