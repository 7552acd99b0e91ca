"""Property 32: whatever Authorization lines come, the token verified is the token sent on."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest import mock

from fastmcp.utilities.asgi_transport import run_asgi_lifespan
from hypothesis import strategies as st

from support.proxy_app import make_settings
from support.signing_property import Properties
from support.token_asgi import Answer, GoApi, post
from support.token_forging import good_claims, hs256
from support.token_subject import TokenSubject
from toolbridge_proxy.tokens import Caller, TokenVerifier

PROPERTIES = Properties()


@contextmanager
def recorded() -> Iterator[dict[str, list[str]]]:
    """Record the tokens that are found good, by the request that brought them."""
    real: Callable[..., Any] = TokenVerifier.caller
    good: dict[str, list[str]] = {}

    async def caller(self: TokenVerifier, authorization: str | None) -> Caller:
        found: Caller = await real(self, authorization)
        task = asyncio.current_task()
        assert task is not None
        good.setdefault(task.get_name(), []).append(found.token)
        return found

    with mock.patch.object(TokenVerifier, "caller", caller):
        yield good


@cache
def _tokens() -> dict[str, str]:
    claims = good_claims()
    return {
        "alice": hs256(claims | {"sub": "alice"}),
        "bob": hs256(claims | {"sub": "bob"}),
        "expired": hs256(claims | {"exp": claims["iat"] + 1}),
        "foreign": hs256(claims | {"tenant_id": "t2"}),
        "forged": hs256(claims | {"sub": "mallory"}, secret=b"x" * 32),
        "junk": "a.b.c",
    }


_WAYS = ("Bearer {}", "Bearer {}", "bearer {}", "BEARER {}", "Bearer {} ", "\tBearer {}")
_ODD_WAYS = ("Bearer  {}", "Basic {}", "{}", "Bearer {}=", "Bearer {}, Bearer {}", "Bearer\t{}")
_TOKENS = st.deferred(lambda: st.sampled_from(["alice", "bob", "alice", "bob", *_tokens()]))
_VALUES = st.one_of(
    st.builds(
        lambda way, name: way.replace("{}", _tokens()[name]), st.sampled_from(_WAYS), _TOKENS
    ),
    st.builds(
        lambda way, name: way.replace("{}", _tokens()[name]), st.sampled_from(_ODD_WAYS), _TOKENS
    ),
    st.builds(
        lambda one, two, glue: f"Bearer {_tokens()[one]}{glue}Bearer {_tokens()[two]}",
        _TOKENS,
        _TOKENS,
        st.sampled_from([", ", ",", " ", "\n"]),
    ),
    st.sampled_from(["", "Bearer", "Bearer ", "Basic YTpi"]),
)
_DECOYS = ("proxy-authorization", "x-forwarded-authorization", "x-access-token", "x-authorization")
# What one request has: Authorization lines, few or none of them, and others that look alike.
AUTHORIZATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("authorization"), _VALUES),
        st.tuples(st.just("authorization"), _VALUES),
        st.tuples(st.sampled_from(_DECOYS), _VALUES),
    ),
    max_size=4,
)


def check_resolution(sent: list[tuple[str, str]], answer: Answer, good: list[str]) -> None:
    """Fail unless the request was refused, or its one verified token is what went upstream."""
    lines = [value.strip(" \t") for name, value in sent if name == "authorization"]
    if answer.status == 200:
        (verified,) = set(good)
        assert verified in (_tokens()["alice"], _tokens()["bob"])
        assert any(verified in line for line in lines)
        assert answer.forwarded
        assert {(f"Bearer {verified}",)} == set(answer.forwarded)
    else:
        assert answer.status in (400, 401, 403)
        assert [] == answer.forwarded
    if len(lines) == 1 and lines[0].lower() in [f"bearer {_tokens()[n]}" for n in ("alice", "bob")]:
        assert answer.status == 200


@PROPERTIES.add(32, share=0.5, requests=st.lists(AUTHORIZATIONS, min_size=1, max_size=4))
def the_verified_token_is_forwarded(
    subject: TokenSubject, requests: list[list[tuple[str, str]]]
) -> None:
    """Property 32: whatever Authorization lines there are, the token verified is the one sent on.

    The requests of one example are served at the same time, so a mix-up between them shows too.
    """
    go_api = GoApi()
    app = subject.app(make_settings(), None, go_api.transport)

    async def run(good: dict[str, list[str]]) -> None:
        async with run_asgi_lifespan(app):
            numbered = list(enumerate(requests))
            tasks = [
                asyncio.create_task(post(app, go_api, number, sent), name=str(number))
                for number, sent in numbered
            ]
            answers = await asyncio.gather(*tasks)
        go_api.check_sessions({token for found in good.values() for token in found})
        for number, sent in numbered:
            check_resolution(sent, answers[number], good.get(str(number), []))

    with recorded() as good:
        asyncio.run(run(good))
