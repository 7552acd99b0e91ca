"""Proxies that put a uid, a version or a header value into requests unchecked."""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import quote, unquote

import httpx

from mutants.table import mutant
from support import changed_calls
from support.changed_calls import Arguments
from support.patching import patch
from toolbridge_proxy import entities
from toolbridge_proxy.upstream import ApiRequest

_UID = "123e4567-e89b-42d3-a456-426614174000"


def _any_uid(put: Any) -> None:
    """Accept any text as a uid; `put` makes of it what goes into the path."""

    def take(_: str, given: Arguments) -> Arguments:
        uid = given.get("uid")
        if not isinstance(uid, str):
            return {}
        given["uid"] = _UID
        return {"uid": uid}

    def change(name: str, given: Arguments, request: ApiRequest) -> ApiRequest:
        if "{uid}" not in request.route or "uid" not in given:
            return request
        path = request.route.format_map({"uid": put(given["uid"])})
        # What a client library does with a path: RFC 3986 section 5.2.4.
        resolved = httpx.URL("http://go-api.internal").join(path)
        query = tuple(resolved.params.multi_items())
        return replace(request, path=resolved.path, query=(*request.query, *query))

    changed_calls.arguments(take)
    changed_calls.built(change)


@mutant(
    "M-I01",
    "a uid goes into the path as it is",
    rows="INP-01 INP-02 INP-04",
    cause="tools-uid-closed",
)
def path_by_format() -> None:
    """An f-string, and a client that resolves dots."""
    _any_uid(str)


@mutant(
    "M-I02",
    "a uid is quoted for the path, slashes excepted",
    rows="INP-01",
    cause="tools-uid-closed",
)
def quoted_but_slashes() -> None:
    """quote() as it comes."""
    _any_uid(lambda uid: quote(uid, safe="/"))


@mutant(
    "M-I03",
    "a uid is checked for slashes, and unquoted afterwards",
    rows="INP-03",
    cause="tools-uid-closed",
)
def unquoted() -> None:
    """Decoded once too often."""
    _any_uid(lambda uid: unquote(uid) if "/" not in uid and ".." != uid else quote(uid, safe=""))


@mutant(
    "uid-found",
    "a uid need only contain a UUID",
    rows="INP-01 INP-02 INP-04",
    cause="tools-uid-closed",
)
def uid_found() -> None:
    """search() where fullmatch() is meant, and what was found is used: " <uid>" passes."""
    pattern = entities._UUID

    class Found:
        def fullmatch(self, value: str) -> re.Match[str] | None:
            return pattern.search(value)

    patch(entities, "_UUID", lambda _: Found())
    _quoted_paths()


@mutant(
    "uid-dollar",
    "a uid may end with a line break",
    rows="INP-06",
    cause="tools-uid-characters",
)
def uid_dollar() -> None:
    """A pattern that ends in $, and match()."""
    pattern = re.compile(entities._UUID.pattern + "$")

    class Matched:
        def fullmatch(self, value: str) -> re.Match[str] | None:
            return pattern.match(value)

    patch(entities, "_UUID", lambda _: Matched())
    _quoted_paths()


def _quoted_paths() -> None:
    """Quote what is in a path, so that it is the wrong check that shows and not a crash."""

    def change(name: str, given: Arguments, request: ApiRequest) -> ApiRequest:
        return replace(request, path=quote(request.path))

    changed_calls.built(change)


def _if_match(write: Any) -> None:
    """Write the version in If-Match in another way; None leaves the header out."""

    def change(_: str, given: Arguments, request: ApiRequest) -> ApiRequest:
        if "if_match" not in given:
            return request
        written = write(given["if_match"])
        return replace(request, headers=(("If-Match", written),) if written is not None else ())

    changed_calls.built(change)


@mutant(
    "M-I05",
    "the version is sent as a weak entity tag, which the Go API cannot read",
    rows="INP-10 INP-12",
    cause="tools-update-conflict",
)
def weak_tag() -> None:
    """As HTTP has it; the Go API then writes unconditionally."""
    _if_match(lambda version: f'W/"{version}"')


@mutant(
    "if-match-true",
    "that there is a version is sent, and not which",
    rows="INP-10 INP-12",
    cause="tools-update-conflict",
)
def true_for_version() -> None:
    """str() of a truth value."""
    _if_match(lambda version: str(version is not None))


@mutant(
    "M-I06",
    "updates never send the version that they are given",
    rows="INP-12 SES-15",
    cause="tools-update-conflict",
)
def no_if_match() -> None:
    """The argument is there, and nothing comes of it."""
    _if_match(lambda _: None)


@mutant(
    "if-match-zero",
    "a version of 0 is taken for none",
    rows="INP-11 INP-10",
    cause="tools-update-conflict",
)
def zero_is_none() -> None:
    """`if if_match:`."""
    _if_match(lambda version: str(version) if version else None)


@mutant(
    "if-match-on-put",
    "the version is sent by updates and not by patches",
    rows="INP-10 INP-12",
    cause="tools-update-conflict",
)
def no_version_on_patches() -> None:
    """The second of two like things was forgotten."""

    def change(name: str, given: Arguments, request: ApiRequest) -> ApiRequest:
        return replace(request, headers=()) if name == "patch" else request

    changed_calls.built(change)


@mutant(
    "split-header",
    "lines of a cursor become headers",
    rows="INP-30",
    cause="tools-header-arguments",
)
def split_header() -> None:
    """A header is written as text, line by line."""

    def take(_: str, given: Arguments) -> Arguments:
        cursor = given.get("cursor")
        if not isinstance(cursor, str) or "\r\n" not in cursor:
            return {}
        del given["cursor"]
        return {"cursor": cursor}

    def change(_: str, given: Arguments, request: ApiRequest) -> ApiRequest:
        lines = given.get("cursor", "").splitlines()[1:]
        pairs = tuple((key, value) for key, _, value in (line.partition(": ") for line in lines))
        return replace(request, headers=(*request.headers, *pairs))

    changed_calls.arguments(take)
    changed_calls.built(change)


@mutant(
    "if-match-text",
    "a version may be a text, which goes into the header as it is",
    rows="INP-30",
    cause="tools-header-arguments",
)
def version_as_text() -> None:
    """What the HTTP library refuses in a header then crashes the call."""

    def take(_: str, given: Arguments) -> Arguments:
        version = given.get("if_match")
        if not isinstance(version, str):
            return {}
        del given["if_match"]
        return {"if_match": version}

    changed_calls.arguments(take)


@mutant(
    "named-tenant",
    "a tenant named in additional_fields goes into a header",
    rows="TEN-14",
    cause="tenant-in-arguments",
)
def named_tenant() -> None:
    """Left over from a time with several tenants."""

    def change(_: str, given: Arguments, request: ApiRequest) -> ApiRequest:
        tenant = given.get("additional_fields", {}).get("tenant_id")
        named = (("X-Tenant", tenant),) if tenant else ()
        return replace(request, headers=(*request.headers, *named))

    changed_calls.built(change)
