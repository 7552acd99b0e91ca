"""Proxies whose tools look well, and do not work."""

from typing import Any

from mutants.table import mutant
from support import broken_proxy
from support.patching import patch
from toolbridge_proxy import tools
from toolbridge_proxy.errors import Result


@mutant(
    "create-note-fails",
    "create_note never succeeds",
    rows="MCP-02",
    cause="tools-note-life-cycle",
)
def create_note_fails() -> None:
    """Whatever needs a note has none."""
    broken_proxy.create_note_fails()


@mutant(
    "M-V04",
    "the first good answer of each tool is recorded and replayed to all further calls",
    rows="INP-22 MCP-03",
    cause="tools-text-fidelity",
)
def replays() -> None:
    """Tokens are verified and ids answered as ever: only what the tools say is canned."""
    recorded: dict[str, Result] = {}

    def make(original: Any) -> Any:
        async def call(self: tools.Operate, *given: Any) -> Result:
            name = self.model.__name__
            if name in recorded:
                return recorded[name]
            result: Result = await original(self, *given)
            return recorded.setdefault(name, result) if result.outcome == "ok" else result

        return call

    patch(tools.Operate, "__call__", make)
