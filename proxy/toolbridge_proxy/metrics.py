"""Prometheus metrics, served on their own port so that the public one does not show them."""

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector

# Around the success criterion of p95 < 200 ms, and up to the call deadline.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2.5, 5, 10, 25)


class Metrics:
    """Counts and durations of tool calls, upstream requests and denials."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._calls = Histogram(
            "toolbridge_tool_call_seconds",
            "Duration of tool calls.",
            ["tool", "outcome"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._upstream = Histogram(
            "toolbridge_upstream_request_seconds",
            "Duration of requests to the Go API.",
            ["method", "route", "status"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._denials = Counter(
            "toolbridge_denials",
            "Requests refused with 401 or 403.",
            ["code"],
            registry=self.registry,
        )

    def call(self, tool: str, outcome: str, seconds: float) -> None:
        """Count one tool call; `outcome` is ok or an error code."""
        self._calls.labels(tool, outcome).observe(seconds)

    def upstream(self, method: str, route: str, status: int | None, seconds: float) -> None:
        """Count one upstream request; `status` is None when no answer came."""
        self._upstream.labels(method, route, str(status or "none")).observe(seconds)

    def denied(self, code: str) -> None:
        """Count one denial."""
        self._denials.labels(code).inc()
