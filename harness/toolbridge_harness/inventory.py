"""The target's list of tools, read to its end."""

from typing import Any

from toolbridge_harness.target import Caller
from toolbridge_harness.verdicts import Violation
from toolbridge_harness.wire import Call, Reply

_PAGES = 50  # more than there are tools


async def list_tools(caller: Caller, token: str | None) -> tuple[list[Any], Reply]:
    """Return the tools of all pages (MCP 2025-11-25 server/utilities/pagination), and an answer.

    The tools are none when a page did not come: the answer is that page's then.
    """
    tools: list[Any] = []
    params: dict[str, Any] = {}
    for _ in range(_PAGES):
        reply = await caller.send(Call("tools/list", params, token=token))
        page = reply.result.get("tools")
        if not isinstance(page, list):
            return [], reply
        tools += page
        cursor = reply.result.get("nextCursor")
        if cursor is None:
            return tools, reply
        params = {"cursor": cursor}
    raise Violation("a list of tools that ends", f"{_PAGES} pages and a cursor for more")
