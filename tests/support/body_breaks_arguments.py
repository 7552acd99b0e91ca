"""Breaks of properties 33 to 37: what happens to arguments on their way."""

import json
import math
import unicodedata
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx

from support.body_break import Break, Given
from support.body_values import GO_INT64, canonical, is_cursor
from support.proxy_upstream import UID

Leaves = Callable[[httpx.Request, Given], httpx.Request]
_PATH, _QUERY, _MATCH = "33-path-closure", "34-query-closure", "35-if-match"
_JSON, _TEXT, _KEYS = "36-json-closure", "36-text-closure", "37-reserved-keys"
# Stands for what the proxy would refuse, until the request leaves.
_MARK = "mark-7f3a9c"


def _with(given: Given, name: str, make: Callable[[Any], Any]) -> Given:
    return given | {name: make(given[name])} if name in given else given


def _without(given: Given, *names: str) -> Given:
    return {name: value for name, value in given.items() if name not in names}


def _changed(
    request: httpx.Request,
    *,
    url: str | None = None,
    content: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> httpx.Request:
    kept = [(n, v) for n, v in request.headers.multi_items() if n != "content-length"]
    return httpx.Request(
        request.method,
        url or request.url,
        headers=[*kept, *(headers or {}).items()],
        content=request.content if content is None else content,
        extensions=request.extensions,
    )


def _uid(name: str, known: Callable[[str], bool], spelt: Callable[[str], str]) -> Break:
    """Return a break that takes the uids of `known` and puts `spelt` into the path."""

    def leaves(request: httpx.Request, given: Given) -> httpx.Request:
        if not known(given.get("uid", "")):
            return request
        return _changed(request, url=str(request.url).replace(UID, spelt(given["uid"])))

    def arguments(given: Given) -> Given:
        return _with(given, "uid", lambda uid: UID if known(uid) else uid)

    return Break(name, (_PATH,), arguments=arguments, leaves=leaves)


def _cursor(name: str, spelt: Callable[[str], str]) -> Break:
    def leaves(request: httpx.Request, given: Given) -> httpx.Request:
        return _changed(request, url=f"{request.url}&cursor={spelt(given['cursor'])}")

    return Break(name, (_QUERY,), arguments=lambda given: _without(given, "cursor"), leaves=leaves)


def _no_limit(request: httpx.Request, given: Given) -> httpx.Request:
    return _changed(request, url=str(request.url.copy_remove_param("limit")))


def _version(name: str, make: Callable[[Any], Any]) -> Break:
    return Break(name, (_MATCH,), arguments=lambda given: _with(given, "if_match", make))


def _whole_text(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


def _zero_dropped(given: Given) -> Given:
    return given if given.get("if_match") else _without(given, "if_match")


def _weak(request: httpx.Request, given: Given) -> httpx.Request:
    if "if-match" in request.headers:
        request.headers["if-match"] = f'W/"{request.headers["if-match"]}"'
    return request


def _is_big(given: Given) -> bool:
    return type(given.get("if_match")) is int and given["if_match"] > GO_INT64


def _big_sent(request: httpx.Request, given: Given) -> httpx.Request:
    sent = {"If-Match": str(given["if_match"])} if _is_big(given) else {}
    return _changed(request, headers=sent)


def _mapped(value: Any, one: Callable[[Any], Any]) -> Any:
    """Return `value` with `one` applied to each key and scalar."""
    if isinstance(value, dict):
        return {one(key): _mapped(inner, one) for key, inner in value.items()}
    if isinstance(value, list):
        return [_mapped(item, one) for item in value] if len(value) != 1 else value
    return one(value)


def _scalars(name: str, one: Callable[[Any], Any], leaves: Leaves = lambda r, _: r) -> Break:
    return Break(name, (_JSON,), arguments=lambda given: _mapped(given, one), leaves=leaves)


def _content(edit: Callable[[bytes], bytes]) -> Leaves:
    return lambda request, _: _changed(request, content=edit(request.content))


def _body(edit: Callable[[Any], Any], **parse: Any) -> Leaves:
    def again(content: bytes) -> bytes:
        if not content:
            return content
        value = edit(json.loads(content, **parse))
        return json.dumps(value, ensure_ascii=False).encode()

    return _content(again)


def _no_number(to: Any) -> Callable[[Any], Any]:
    return lambda value: to if isinstance(value, float) and not math.isfinite(value) else value


def _half(to: str) -> Callable[[Any], Any]:
    table = dict.fromkeys(range(0xD800, 0xE000), to)
    return lambda value: value.translate(table) if isinstance(value, str) else value


def _parsed(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _without_nulls(body: Any) -> Any:
    return {
        key: {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value
        for key, value in body.items()
        if value is not None
    }


def _wins(*names: str) -> Break:
    """Return a break where additional fields win, all or those of `names`."""

    def is_ours(key: str) -> bool:
        return not names or key in names

    def arguments(given: Given) -> Given:
        return _with(
            given,
            "additional_fields",
            lambda fields: {key: value for key, value in fields.items() if not is_ours(key)},
        )

    def leaves(request: httpx.Request, given: Given) -> httpx.Request:
        extra = {k: v for k, v in given.get("additional_fields", {}).items() if is_ours(k)}
        return _body(lambda body: body | extra)(request, given)

    what = ", ".join(names) or "any"
    return Break(f"additional fields win: {what}", (_KEYS,), arguments=arguments, leaves=leaves)


def _anything(_: str) -> bool:
    return True


ARGUMENTS = (
    _uid("uid not validated", _anything, str),
    _uid("uid quoted, not validated", _anything, lambda uid: quote(uid.encode("utf-8", "replace"))),
    _uid("uid not canonical", lambda uid: canonical(uid) is not None, str),
    _uid("uid of 36 characters is enough", lambda uid: len(uid) == len(UID), str),
    _cursor("cursor not encoded", str),
    _cursor("cursor encoded twice", lambda text: quote(quote(text.encode("utf-8", "replace")))),
    Break(
        "bad cursor ignored",
        (_QUERY,),
        arguments=lambda g: g if is_cursor(g.get("cursor", "")) else _without(g, "cursor"),
    ),
    Break("limit lost beside a cursor", (_QUERY,), leaves=_no_limit),
    Break("if_match 0 dropped", (_MATCH,), arguments=_zero_dropped),
    _version("if_match float accepted", lambda v: int(v) if v in (0.0, 1.0, 2.0, 3.0) else v),
    _version("if_match true accepted", lambda v: int(v) if isinstance(v, bool) else v),
    _version("if_match text accepted", _whole_text),
    Break("if_match weak", (_MATCH,), leaves=_weak),
    Break(
        "if_match beyond int64",
        (_MATCH,),
        arguments=lambda given: _without(given, "if_match") if _is_big(given) else given,
        leaves=_big_sent,
    ),
    _scalars("NaN becomes null", _no_number(None)),
    _scalars(
        "NaN accepted",
        _no_number(_MARK),
        _content(lambda content: content.replace(f'"{_MARK}"'.encode(), b"NaN")),
    ),
    _scalars(
        "half surrogates escaped",
        _half(_MARK),
        _content(lambda content: content.replace(_MARK.encode(), rb"\ud800")),
    ),
    _scalars("half surrogates replaced", _half("\ufffd")),
    Break("integers through float", (_JSON,), leaves=_body(lambda b: b, parse_int=float)),
    Break(
        "big integers through float",
        (_JSON,),
        leaves=_body(lambda b: b, parse_int=lambda text: int(float(text))),
    ),
    Break(
        "text normalised",
        (_JSON,),
        leaves=_content(lambda raw: unicodedata.normalize("NFC", raw.decode()).encode()),
    ),
    Break("text that is JSON parsed", (_JSON,), leaves=_body(lambda b: _mapped(b, _parsed))),
    Break("nulls dropped", (_JSON,), leaves=_body(_without_nulls)),
    Break(
        "escapes left by a Latin-1 round trip",
        (_JSON,),
        leaves=_content(lambda raw: raw.decode("latin-1").encode()),
    ),
    Break(
        "empty values dropped",
        (_TEXT,),
        leaves=_body(lambda body: {key: value for key, value in body.items() if value}),
    ),
    _wins(),
    _wins("uid"),
    _wins("sync"),
    _wins("tags", "dueDate", "parentUid", "title"),
)
