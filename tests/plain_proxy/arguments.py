"""The kinds of argument that tools take: their JSON schema, and how a value is read."""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from plain_proxy.failures import Failure

MAX_VERSION = 2**63 - 1  # the Go API writes unconditionally if If-Match is no int64
MAX_CURSOR_CHARACTERS = 512  # a cursor has about 70

# Every spelling of RFC 9562 that the Go API reads too, but no other text of that length.
_UUID = re.compile(
    r"(?:urn:uuid:)?([0-9a-f]{8}(-?)(?:[0-9a-f]{4}\2){3}[0-9a-f]{12})", re.IGNORECASE
)


@dataclass(frozen=True)
class Kind:
    """A kind of value: its schema, and `read`, which raises ValueError with the rule."""

    schema: dict[str, Any]
    read: Callable[[Any], Any]


@dataclass(frozen=True)
class Argument:
    """An argument of a tool; `default` of None means that nothing is sent."""

    kind: Kind
    description: str
    required: bool = False
    default: Any = None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a string")
    return value


def _uid(value: Any) -> str:
    match = _UUID.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("must be a UUID")
    return str(uuid.UUID(match[1]))


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("must be a list of strings")
    return value


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    return value


def _changes(value: Any) -> dict[str, Any]:
    if not _object(value):
        raise ValueError("must not be empty")
    return _object(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _whole(low: int, high: int) -> Kind:
    def read(value: Any) -> int:
        # JSON Schema counts 1.0 among the integers.
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not whole or not low <= value <= high:
            raise ValueError(f"must be an integer from {low} to {high}")
        return int(value)

    return Kind({"type": "integer", "minimum": low, "maximum": high}, read)


def _cursor(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_CURSOR_CHARACTERS:
        raise ValueError("must be the nextCursor of an earlier answer")
    return value


def one_of(*choices: str) -> Kind:
    """Return the kind of a closed set of words."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return value

    return Kind({"type": "string", "enum": list(choices)}, read)


TEXT = Kind({"type": "string"}, _text)
UID = Kind({"type": "string", "format": "uuid"}, _uid)
TEXTS = Kind({"type": "array", "items": {"type": "string"}}, _texts)
OBJECT = Kind({"type": "object"}, _object)
CHANGES = Kind({"type": "object", "minProperties": 1}, _changes)
FLAG = Kind({"type": "boolean"}, _flag)
LIMIT = _whole(1, 1000)
VERSION = _whole(0, MAX_VERSION)
CURSOR = Kind({"type": "string", "minLength": 1, "maxLength": MAX_CURSOR_CHARACTERS}, _cursor)


def schema(arguments: dict[str, Argument]) -> dict[str, Any]:
    """Return the JSON schema (2020-12) of an object of these arguments."""
    properties = {}
    for name, argument in arguments.items():
        described = {**argument.kind.schema, "description": argument.description}
        properties[name] = described | (
            {} if argument.default is None else {"default": argument.default}
        )
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name, argument in arguments.items() if argument.required],
        "additionalProperties": False,
    }


def read(arguments: dict[str, Argument], given: dict[str, Any]) -> dict[str, Any]:
    """Return the values to use; raises Failure that names the bad argument and its rule."""
    for name in given:
        if name not in arguments:
            raise _bad(ascii(name[:64]), "is not an argument of this tool")
    values = {}
    for name, argument in arguments.items():
        value = given.get(name)
        if value is None and (name not in given or not argument.required):
            if argument.required:
                raise _bad(name, "is required")
            value = argument.default
        else:
            try:
                value = argument.kind.read(value)
            except ValueError as rule:
                raise _bad(name, str(rule)) from None
        if value is not None:
            values[name] = value
    return values


def _bad(name: str, rule: str) -> Failure:
    return Failure("invalid_argument", f"{name}: {rule}")


def refuse_keys(name: str, value: dict[str, Any], taken: set[str]) -> None:
    """Raise Failure if the free-form object `value` holds a key that is `taken`."""
    for key in sorted(taken & value.keys()):
        raise _bad(name, f"must not contain {key}")
