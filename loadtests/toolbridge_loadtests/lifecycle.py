"""Locust's events, wired. Importing this module registers the listeners, once per process."""

import os
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import gevent  # type: ignore[import-untyped]
from locust import events
from locust.runners import STATE_STOPPED, MasterRunner, WorkerRunner

from toolbridge_loadtests import callers, closing, distributed, mcp_client, options, preflight
from toolbridge_loadtests.callers import ConfigurationError
from toolbridge_loadtests.mcp_client import EXCLUDED
from toolbridge_loadtests.samples import Sample
from toolbridge_loadtests.shapes import SHAPES
from toolbridge_loadtests.users import JOURNAL, McpUser

_PROGRESS_SECONDS = 5.0


def prepare(environment: Any, **_: Any) -> None:
    """Check options, target and identities before anything is sent; exit 4 with one line."""
    distributed.register(environment.runner)
    try:
        if isinstance(environment.runner, WorkerRunner):
            callers.from_environment(os.environ)
            return
        options.complete(environment)
        shape = SHAPES[environment.parsed_options.shape]
        if shape:
            environment.shape_class = shape()
            environment.shape_class.runner = environment.runner
        if environment.web_ui:
            closing.add_page(environment)
        if options.starts_alone(environment):
            _look_before(environment)
    except ConfigurationError as problem:
        sys.stderr.write(f"toolbridge load: {problem}\n")
        sys.exit(4)


def _look_before(environment: Any) -> None:
    """Run the preflight; when it fails, the verdict is final."""
    try:
        source = callers.from_environment(os.environ)
    except ConfigurationError:
        # A master sends nothing itself: only its workers need to be somebody.
        if isinstance(environment.runner, MasterRunner):
            return
        raise
    found = preflight.run(mcp_client.endpoint(environment.host), source.caller(0))
    JOURNAL.cold_start_ms = found.first_answer_ms
    JOURNAL.unreachable = found.unreachable
    if found.unreachable:
        verdict = closing.conclude(environment)
        closing.tell()
        sys.exit(verdict.exit_code)


def begin(environment: Any, **_: Any) -> None:
    """Forget the last test, and report progress on standard error when nobody watches a page."""
    JOURNAL.reset(datetime.now(UTC).isoformat(timespec="seconds"))
    McpUser.renumber()
    distributed.begin()
    if environment.web_ui is None and not isinstance(environment.runner, WorkerRunner):
        gevent.spawn(_progress, environment)


def _progress(environment: Any) -> None:
    began = time.monotonic()
    while environment.runner.state != STATE_STOPPED:
        gevent.sleep(_PROGRESS_SECONDS)
        failed = sum(bool(sample.error) for sample in JOURNAL.samples)
        sys.stderr.write(
            f"{time.monotonic() - began:4.0f} s: {environment.runner.user_count} users, "
            f"{len(JOURNAL.samples)} samples, {failed} failed\n"
        )


def forget(**_: Any) -> None:
    """Reset the samples with the statistics (a button of the web UI)."""
    JOURNAL.reset(JOURNAL.started)


def record(
    name: str,
    response_time: float,
    exception: BaseException | None,
    start_time: float,
    context: Mapping[str, Any],
    response: Any = None,
    **_: Any,
) -> None:
    """Keep every request as a raw sample, unless it only warmed up or cleaned up."""
    if name.startswith(EXCLUDED):
        return
    headers = getattr(response, "headers", None) or {}
    JOURNAL.samples.append(
        Sample(
            tool=name,
            at=context.get("at", start_time),
            milliseconds=response_time,
            lateness=context.get("lateness", 0.0),
            error=str(exception) if exception else "",
            detail=context.get("detail", ""),
            # Long enough for three metrics, too short to fill a report.
            server_timing=str(headers.get("server-timing", ""))[:200],
        )
    )


def strained(cpu_usage: float, **_: Any) -> None:
    """Tell that the generator itself was short of time."""
    JOURNAL.note(f"the load generator used {cpu_usage:.0f} % of a processor")


LISTENERS: Mapping[str, Callable[..., None]] = {
    "init_command_line_parser": options.add_options,
    "init": prepare,
    "test_start": begin,
    "reset_stats": forget,
    "request": record,
    "cpu_warning": strained,
    "report_to_master": distributed.hand_over,
    "worker_report": distributed.receive,
    "test_stopping": distributed.drain,
    "quitting": closing.finish,
    "quit": closing.tell,
}

for _event, _listener in LISTENERS.items():
    getattr(events, _event).add_listener(_listener)
