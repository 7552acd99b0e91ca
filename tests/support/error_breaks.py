"""Proxies that are wrong about errors: the reference proxy with a fault put into its ways.

Each fault sits on the proxy's way to the Go API or in its answers, so that it is the same
whatever the inside looks like.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

import httpx
from starlette.types import ASGIApp

from support.error_bodies import FOREIGN_SESSION, UPSTREAM_ID, nginx
from support.error_edits import (
    down,
    http_401,
    in_error,
    result,
    says,
    sets,
    tells_the_host,
    unknown_if,
)
from support.error_stage import Transport
from support.error_ways import (
    follows,
    gives_up_at,
    in_the_old_session,
    insists,
    insists_after_a_reset,
    mended,
    mistaken,
    never_again,
    never_renews,
    on_the_second,
    quoted,
    replaced,
    taken_for,
    taken_for_good,
    unfolded,
    up,
    with_another_body,
    without_seconds,
)
from support.proxy_app import TENANT_SECRET
from toolbridge_contract.tools import Operation


@dataclass(frozen=True)
class Break:
    """A fault; the row and operation that show it, and the aspect in which they do.

    `session`: it shows where the sync session is made.
    """

    name: str
    row: str
    operation: Operation
    aspect: str
    transport: Transport = lambda inner: inner
    app: Callable[[ASGIApp], ASGIApp] = lambda inner: inner
    session: bool = False


WAY_BREAKS = [
    Break("504 sent again for a create", "504 html", "create", "attempts", up(insists)),
    Break("500 sent again for an archive", "500 json", "archive", "attempts", up(insists)),
    Break("reset sent again", "reset", "process", "attempts", up(insists_after_a_reset)),
    Break("reads never sent again", "503 envoy", "list", "attempts", never_again()),
    Break("500 taken for 502", "500 json", "patch", "code", taken_for(500, 502, "x")),
    Break("502 taken for 500", "502 html", "update", "code", taken_for(502, 500, "x")),
    Break("408 taken for 400", "408 text", "delete", "code", taken_for(408, 400, "x")),
    Break("409 always epoch", "409 json", "get", "sessions", taken_for(409, 409, "epoch_mismatch")),
    Break("409 never epoch", "409 epoch", "update", "code", taken_for(409, 409, "version")),
    Break(
        "403 always session loss", "403 html", "get", "code", taken_for(403, 403, FOREIGN_SESSION)
    ),
    Break(
        "403 never session loss",
        "403 foreign session",
        "create",
        "code",
        taken_for(403, 403, "no"),
    ),
    Break("428 not renewed", "428 json", "create", "sessions", never_renews(428)),
    Break("epoch not renewed", "409 epoch", "delete", "attempts", never_renews(409)),
    Break(
        "401 of the tenant blamed on the token",
        "401 tenant headers",
        "list",
        "code",
        taken_for(401, 401, "unauthorized"),
    ),
    Break("404 taken for gone", "404 empty", "get", "code", taken_for(404, 410, "deleted")),
    Break("404 taken for good", "404 json", "get", "isError", taken_for_good(404)),
    Break("204 taken for good", "204 no body", "delete", "isError", taken_for_good(204)),
    Break("HTML 200 taken for good", "200 html", "create", "isError", taken_for_good(200)),
    Break("redirect followed", "307 elsewhere", "create", "not elsewhere", up(follows)),
    Break("redirect followed at home", "307 other path", "get", "attempts", up(follows)),
    Break(
        "retry_after dropped",
        "429 Retry-After 7",
        "patch",
        "retry_after",
        replaced(lambda r: r.status_code == 429, without_seconds),
    ),
    Break(
        "compressed answer unfolded",
        "200 gzip",
        "get",
        "isError",
        replaced(lambda r: "Content-Encoding" in r.headers, unfolded),
    ),
    Break(
        "truncated answer mended",
        "200 truncated",
        "list",
        "isError",
        replaced(lambda r: r.status_code == 200, mended),
    ),
    Break(
        "page relayed",
        "502 html",
        "get",
        "no leak",
        replaced(lambda r: r.status_code == 502, quoted),
    ),
    Break(
        "refused called lost",
        "refused",
        "create",
        "code",
        mistaken(httpx.ConnectError, httpx.ReadError),
    ),
    Break(
        "reset called refused",
        "reset",
        "patch",
        "attempts",
        mistaken(httpx.ReadError, httpx.ConnectError),
    ),
    Break("hang called refused", "hang", "update", "code", gives_up_at(0.2)),
    Break(
        "no place called lost",
        "pool full",
        "delete",
        "code",
        mistaken(httpx.PoolTimeout, httpx.ReadError),
    ),
    Break(
        "names unresolved called refused",
        "DNS",
        "get",
        "code",
        mistaken(httpx.ConnectError, httpx.ConnectError),
    ),
    Break(
        "another request the second time",
        "428 json",
        "patch",
        "sent alike",
        on_the_second(with_another_body),
    ),
    Break(
        "the lost session again",
        "428 json",
        "create",
        "new session",
        on_the_second(in_the_old_session),
    ),
    Break(
        "session's 404 taken for the object's",
        "404 html",
        "get",
        "code",
        app=sets(code="not_found"),
        session=True,
    ),
]

ANSWER_BREAKS = [
    Break(
        "503 called unknown", "503 html", "create", "code", app=unknown_if("upstream_unavailable")
    ),
    Break("uid null", "404 json", "get", "uid", app=sets(uid=None)),
    Break("a uid that was not sent", "504 html", "create", "uid", app=sets(uid=str(uuid.uuid4()))),
    Break("uid of no version", "500 json", "create", "uid", app=sets(uid=str(uuid.UUID(int=1)))),
    Break("a uid for a list", "500 json", "list", "uid", app=sets(uid=str(uuid.uuid4()))),
    Break("status dropped", "410 json", "get", "status", app=sets(status=None)),
    Break("seconds as text", "429 Retry-After 7", "get", "retry_after", app=sets(retry_after="7")),
    Break("seconds made up", "429 json", "get", "retry_after", app=sets(retry_after=60)),
    Break(
        "upstream's correlation id",
        "500 json",
        "get",
        "correlation id",
        app=sets(correlation_id=UPSTREAM_ID),
    ),
    Break("no correlation id", "reset", "get", "correlation id", app=sets(correlation_id=None)),
    Break(
        "unknown says retry",
        "504 html",
        "patch",
        "read back",
        app=says(lambda m: f"{m} Then retry."),
    ),
    Break(
        "unknown says again",
        "reset",
        "create",
        "read back",
        app=says(lambda m: f"{m} Or call again."),
    ),
    Break(
        "unknown does not say to read",
        "200 html",
        "delete",
        "read back",
        app=says(lambda m: m.replace("Read", "Mind")),
    ),
    Break(
        "unknown names the wrong tool",
        "reset",
        "archive",
        "read back",
        app=says(lambda m: m.replace("get_note", "get_task")),
    ),
    Break(
        "unknown names no uid",
        "408 json",
        "update",
        "read back",
        app=in_error(lambda e: e.update(message=e["message"].replace(str(e["uid"]), "it"))),
    ),
    Break("host told", "refused", "get", "no leak", app=in_error(tells_the_host)),
    Break(
        "secret told",
        "401 tenant headers",
        "get",
        "no leak",
        app=says(lambda m: f"{m} {TENANT_SECRET}"),
    ),
    Break(
        "page told", "503 html", "get", "no leak", app=says(lambda m: m + nginx(503)[0].decode())
    ),
    Break("as long as a page", "503 html", "get", "short", app=says(lambda m: m + "." * 1000)),
    Break(
        "code not first",
        "412 json",
        "patch",
        "begins with the code",
        app=says(lambda m: f"Error: {m}"),
    ),
    Break("a key more", "404 json", "get", "keys", app=sets(detail="x")),
    Break(
        "two blocks",
        "404 json",
        "get",
        "one block",
        app=result(lambda r: r["content"].append(r["content"][0])),
    ),
    Break(
        "success", "500 json", "create", "isError", app=result(lambda r: r.update(isError=False))
    ),
    Break("HTTP 401 for the Go API's", "401 tenant headers", "get", "HTTP 200", app=down(http_401)),
    Break(
        "session's failure called unknown",
        "503 text",
        "create",
        "code",
        app=unknown_if("upstream_unavailable"),
        session=True,
    ),
    Break(
        "session's time-out called unknown",
        "504 html",
        "delete",
        "code",
        app=unknown_if("upstream_timeout"),
        session=True,
    ),
]

BREAKS = [*WAY_BREAKS, *ANSWER_BREAKS]
