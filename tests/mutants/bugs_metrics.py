"""Proxies whose metrics tell what they should only count."""

from dataclasses import replace
from typing import Any

from mutants.table import mutant
from support.patching import patch
from toolbridge_proxy import gate, upstream


@mutant(
    "metrics-by-path",
    "metrics are labelled by the path that was asked of the Go API, uid and all",
    rows="LOG-09",
    cause="hygiene-metrics",
)
def metrics_by_path() -> None:
    """A time series for each note."""

    def make(original: Any) -> Any:
        async def attempt(self: Any, request: Any, *given: Any) -> Any:
            return await original(self, replace(request, route=request.path), *given)

        return attempt

    patch(upstream.Upstream, "_attempt", make)


@mutant(
    "metrics-by-name",
    "refusals are counted by the name of the tool that was asked for, whoever made it up",
    rows="LOG-09 DEP-06",
    cause="hygiene-metrics",
)
def metrics_by_name() -> None:
    """A label that callers choose."""

    def make(original: Any) -> Any:
        async def admit(self: Any, *given: Any) -> Any:
            said = await original(self, *given)
            if isinstance(said, dict) and isinstance(said.get("params"), dict):
                self._metrics.denials.labels(str(said["params"].get("name"))).inc()
            return said

        return admit

    patch(gate.Gate, "_admit", make)
