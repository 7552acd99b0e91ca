"""Faults of the server around the mock, seen on a socket only."""

import posixpath
import re

from support.contract_breaks_base import Break, Patch, constant
from toolbridge_contract.mock import (
    client,
    connection,
)


def _folded_names(patch: Patch) -> None:
    real = client._head
    name = re.compile(rb"(?<=\n)[^:]+")
    patch.setattr(client, "_head", lambda answer: name.sub(_lower, real(answer)))


def _lower(match: "re.Match[bytes]") -> bytes:
    return match[0].lower()


_EPOCH = b"Thu, 01 Jan 1970 00:00:00 GMT"

WIRE_BREAKS = (
    Break(
        "llhttp alone decides",
        lambda patch: patch.setattr("toolbridge_contract.mock.protocol.repair", lambda _: None),
        (
            "route-405-unknown-method",
            "route-405-lower-case-method",
            "header-content-length-twice-same",
        ),
    ),
    Break(
        "net/http refuses nothing",
        constant(connection, "refuse", lambda _: None),
        (
            "header-host-twice",
            "header-host-missing",
            "route-header-of-1.1-mb",
            "expect-unknown",
        ),
    ),
    Break(
        "nothing left unread closes",
        constant(connection, "closes", lambda _: False),
        ("size-trailing-spaces",),
    ),
    Break(
        "nothing is chunked",
        constant(client, "_CHUNKED_ABOVE", 1 << 30),
        ("text-chunked-from-2-kb", "size-1-mib", "list-default"),
    ),
    Break(
        "everything is chunked",
        constant(client, "_CHUNKED_ABOVE", 0),
        ("text-of-1-kb-has-a-length", "flow-create"),
    ),
    Break(
        "paths are resolved",
        lambda patch: patch.setattr(
            "toolbridge_contract.mock.routes.routing_path", lambda raw: posixpath.normpath(raw)
        ),
        ("uid-dot-dot-not-resolved", "uid-dot-segments", "route-404-trailing-slash"),
    ),
    Break(
        "header names are folded",
        _folded_names,
        ("flow-create", "route-404-unknown-path"),
    ),
    Break("Date is another", constant(client, "_date", lambda _: _EPOCH), ("flow-create",)),
    Break(
        "a 204 has a length",
        constant(client, "_BODILESS", frozenset({304})),
        ("flow-end-session", "session-delete-own"),
    ),
)
