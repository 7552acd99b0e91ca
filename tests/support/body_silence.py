"""Property 40, the proxy's side: whatever comes in by whatever way, the log shows no secret."""

import logging
import re
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from support.body_leaks import NOTE, Observed
from support.body_secrets import ENCODINGS, parts_of
from support.body_ways import CRASHES, FROM_THE_CALLER, FROM_THE_GO_API, GO_API_IDS, Way
from support.signing_property import Properties

PROPERTIES = Properties()

SECRETS = ("tenant secret", "JWT secret", "note", "token", "another's token", "signature")
_NAMES = list(ENCODINGS)

secrets = st.sampled_from(SECRETS)
# With 13 turns each way has had each encoding.
turns = st.integers(0, len(_NAMES) - 1)
_edge = st.text('abz 019"=:;,.&/{}[]%\\\t', max_size=5)
around = st.tuples(_edge, _edge)

# Repeated to the caller who sent it, by contract: the id by JSON-RPC, the rest so that it is found.
_ECHOED = {"id", "method", "unknown argument"}
# What the Go API says about an object, or about an error, is meant for the caller.
_RELAYED = {"success", "success of a write", "error text 400", "error text 500"}
# A caller's own correlation id is meant to be logged, if it is one.
_AN_ID = re.compile("[A-Za-z0-9._-]{1,64}")


def _stays_out(
    observed: Observed, ways: Mapping[str, Way], secret: str, turn: int, edges: tuple[str, str]
) -> None:
    for place, (name, way) in enumerate(ways.items()):
        encode = ENCODINGS[_NAMES[(turn + place) % len(_NAMES)]]
        text = edges[0] + encode(observed.secrets[secret]) + edges[1]
        if name == "header X-Correlation-ID" and _AN_ID.fullmatch(text.strip(" \t")):
            continue
        outcome = way(observed, text)
        assert [] == observed.leaks(observed.log.take()), name
        if name not in _ECHOED | _RELAYED:
            assert [] == observed.leaks(f"{outcome.text} {outcome.headers}"), name


@PROPERTIES.add(40, share=0.2, secret=secrets, turn=turns, edges=around)
def what_callers_send_is_not_logged(
    observed: Observed, secret: str, turn: int, edges: tuple[str, str]
) -> None:
    """Property 40: not what a caller sends as token, header, URL, argument or broken JSON-RPC."""
    _stays_out(observed, FROM_THE_CALLER, secret, turn, edges)


@PROPERTIES.add(40, share=0.3, secret=secrets, turn=turns, edges=around)
def what_the_go_api_says_is_not_logged(
    observed: Observed, secret: str, turn: int, edges: tuple[str, str]
) -> None:
    """Property 40: not what the Go API answers, good or bad, nor what its connection fails with."""
    _stays_out(observed, FROM_THE_GO_API, secret, turn, edges)


@PROPERTIES.add(40, share=0.5, secret=secrets, turn=turns)
def what_the_go_api_calls_an_id_is_not_logged(observed: Observed, secret: str, turn: int) -> None:
    """Property 40: a correlation id is logged if it is one, not whatever stands in its place."""
    spaced = (" ", " ")  # so that no encoding of a secret has the form of an id
    _stays_out(observed, GO_API_IDS, secret, turn, spaced)


@PROPERTIES.add(40, share=0.5, secret=secrets, turn=turns, edges=around)
def what_a_crash_says_is_not_logged(
    observed: Observed, secret: str, turn: int, edges: tuple[str, str]
) -> None:
    """Property 40: an exception's text quotes what it choked on, which may be a secret."""
    _stays_out(observed, CRASHES, secret, turn, edges)


@PROPERTIES.add(
    40,
    logger=st.sampled_from(
        ["mcp", "mcp.server.streamable_http_manager", "fastmcp", "fastmcp.server.server", "httpx",
         "httpcore.connection", "httpcore.http11", "asyncio"]
    ),
    level=st.sampled_from([logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR]),
    secret=secrets,
    turn=turns,
    failed=st.booleans(),
    structured=st.booleans(),
)  # fmt: skip
def what_libraries_say_is_not_logged(
    observed: Observed,
    logger: str,
    level: int,
    secret: str,
    turn: int,
    failed: bool,
    structured: bool,
) -> None:
    """Property 40: not what the libraries log of a request, in a message, argument or exception."""
    text = ENCODINGS[_NAMES[turn]](observed.secrets[secret])
    extra: dict[str, Any] = {"extra": {"body": text}} if structured else {}
    try:
        raise ValueError(text)
    except ValueError:
        message = f"request was %s {text!r}".replace("%", "%%").replace("%%s", "%s", 1)
        logging.getLogger(logger).log(level, message, text, exc_info=failed, **extra)
    assert [] == parts_of([observed.secrets[secret], NOTE], observed.log.take())
