"""One sync session per tool call, and a second one where the Go API has lost the first."""

import asyncio
import contextlib
from typing import Any
from urllib.parse import quote

from plain_proxy.failures import Failure
from plain_proxy.go_api import Errand, GoApi, Wish, bad_response

PATH = "/v1/sync/sessions"
MAX_ID_CHARACTERS = 128  # a UUID has 36
END_SECONDS = 0.3  # many times what the Go API takes
MAX_EPOCH = 2**63 - 1  # an int64 in the Go API


async def run(api: GoApi, wish: Wish, errand: Errand) -> Any:
    """Return the answer to `wish`, made in a fresh session; raises Failure."""
    try:
        return await _once(api, wish, errand)
    except Failure as failure:
        if not failure.session_lost:
            raise
    # Refused before it was carried out, so that once more is safe for changes too.
    return await _once(api, wish, errand)


async def _once(api: GoApi, wish: Wish, errand: Errand) -> Any:
    made = await api.ask(Wish("POST", PATH, PATH), errand)
    headers = _headers(made)
    wish.headers.update(headers)
    try:
        return await api.ask(wish, errand)
    finally:
        # The Go API keeps an unended session for half an hour: nobody waits long for its end.
        with contextlib.suppress(Failure, TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                await api.ask(_end(headers["X-Sync-Session"]), errand)


def _end(session: str) -> Wish:
    return Wish("DELETE", f"{PATH}/{{sid}}", f"{PATH}/{quote(session, safe='')}")


def _headers(made: Any) -> dict[str, str]:
    made = made if isinstance(made, dict) else {}
    name, epoch = made.get("id"), made.get("epoch")
    good = isinstance(name, str) and 0 < len(name) <= MAX_ID_CHARACTERS
    good = good and all("!" <= character <= "~" for character in str(name))
    if not good or type(epoch) is not int or not 0 <= epoch <= MAX_EPOCH:
        raise bad_response()
    return {"X-Sync-Session": str(name), "X-Sync-Epoch": str(epoch)}
