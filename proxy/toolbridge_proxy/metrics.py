"""Prometheus metrics, served on their own port so that the public one does not show them."""

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector

# Around the success criterion of p95 < 200 ms, and up to the call deadline.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2.5, 5, 10, 25)


class Metrics:
    """Counts and durations of tool calls, upstream requests and denials."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        # An outcome is ok or an error code; a status is none when no answer came.
        name, labels = "toolbridge_tool_call_seconds", ["tool", "outcome"]
        self.calls = Histogram(
            name, "Duration of tool calls.", labels, buckets=BUCKETS, registry=registry
        )
        name, labels = "toolbridge_upstream_request_seconds", ["method", "route", "status"]
        self.upstream = Histogram(
            name, "Duration of requests to the Go API.", labels, buckets=BUCKETS, registry=registry
        )
        self.denials = Counter("toolbridge_denials", "401s and 403s.", ["code"], registry=registry)
