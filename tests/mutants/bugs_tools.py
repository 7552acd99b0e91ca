"""Proxies whose tools look well, and do not work."""

from typing import Any

from mutants.table import mutant
from support.patching import patch
from toolbridge_proxy import tools
from toolbridge_proxy.errors import Result, ToolFailure


@mutant(
    "create-note-fails",
    "create_note never succeeds",
    rows="MCP-02",
    cause="tools-note-life-cycle",
)
def create_note_fails() -> None:
    """Whatever needs a note has none."""

    def make(original: Any) -> Any:
        def validated(model: Any, arguments: dict[str, Any]) -> Any:
            if model.__name__ == "create_note":
                raise ToolFailure("internal")
            return original(model, arguments)

        return validated

    patch(tools, "_validated", make)


@mutant(
    "M-V04",
    "the first good answer of each tool is recorded and replayed to all further calls",
    rows="INP-22 MCP-03 SES-02",
    cause="control-one-request",
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
