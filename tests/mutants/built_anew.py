"""Correct proxies that share no code with the reference proxy."""

from mutants.table import other_proxy
from toolbridge_harness.model import Capability


@other_proxy("plain", "plain Starlette on Hypercorn, JSON-RPC by hand", lacks=Capability)
def plain() -> int:
    """No FastMCP, no SDK, no uvicorn, no httpx; a sync session for each call."""
    from plain_proxy.__main__ import main

    return main()
