"""The end of a test: judge what the journal holds, write it, print it, set the exit code."""

import json
import sys
from pathlib import Path
from typing import Any

import locust.log
from flask import Response, request
from locust.runners import STATE_INIT, STATE_STOPPED, WorkerRunner

from toolbridge_loadtests import gate, mcp_client, report
from toolbridge_loadtests.gate import Verdict
from toolbridge_loadtests.samples import Rule, Run
from toolbridge_loadtests.users import JOURNAL

_final: list[Verdict] = []


def current(environment: Any) -> Verdict:
    """Return the verdict on what has been measured up to now."""
    chosen = environment.parsed_options
    budget = float(chosen.budget_ms)
    rule = Rule.for_rehearsal(budget) if chosen.rehearsal else Rule(budget_ms=budget)
    total = environment.stats.total
    notes = list(JOURNAL.notes)
    if JOURNAL.left:
        notes.append(f"{JOURNAL.left} items could not be deleted")
    run = Run(
        samples=tuple(JOURNAL.samples),
        target=mcp_client.endpoint(environment.host) if environment.host else "",
        shape=chosen.shape,
        callers=len(JOURNAL.callers),
        missed=JOURNAL.missed,
        lost_workers=JOURNAL.lost_workers,
        unreachable=JOURNAL.unreachable,
        cold_start_ms=JOURNAL.cold_start_ms,
        rounded_p95_ms=total.get_response_time_percentile(0.95) if total.num_requests else None,
        started=JOURNAL.started,
        notes=tuple(notes),
    )
    return gate.judge(run, rule)


def conclude(environment: Any) -> Verdict:
    """Make the current verdict the final one and write the report file."""
    verdict = current(environment)
    _final.append(verdict)
    path = environment.parsed_options.verdict_file
    if path:
        text = json.dumps(report.as_json(verdict), indent=2, ensure_ascii=False)
        Path(path).write_text(f"{text}\n", encoding="utf-8")
    return verdict


def finish(environment: Any, **_: Any) -> None:
    """Judge, and set the exit code explicitly: `--exit-code-on-error` then has no say."""
    runner = environment.runner
    if isinstance(runner, WorkerRunner):
        return
    # Until there is a verdict: Locust would turn a bug in here into a log line.
    environment.process_exit_code = 3
    # After Ctrl-C users still run: their open answers count too.
    if runner.state not in {STATE_INIT, STATE_STOPPED}:
        runner.stop()
    if not JOURNAL.started:
        environment.process_exit_code = 5
        return
    verdict = conclude(environment)
    # A bug of ours may have lost samples: no verdict is better than that one.
    broken = JOURNAL.broken or locust.log.unhandled_greenlet_exception
    if broken:
        sys.stderr.write(f"toolbridge load: internal error, the verdict is void: {broken}\n")
    environment.process_exit_code = 3 if broken else verdict.exit_code


def tell(**_: Any) -> None:
    """Print the final verdict on standard output; Locust's own output goes to standard error."""
    if _final:
        sys.stdout.write(report.as_text(_final[-1]))
        sys.stdout.flush()


def add_page(environment: Any) -> None:
    """Add /verdict to the web UI: text, or JSON with `?format=json`."""
    web_ui = environment.web_ui

    def verdict_page() -> Response:
        verdict = current(environment)
        if request.args.get("format") == "json":
            body = json.dumps(report.as_json(verdict), ensure_ascii=False)
            return Response(body, mimetype="application/json")
        return Response(report.as_text(verdict), mimetype="text/plain")

    guarded = web_ui.auth_required_if_enabled(verdict_page)
    web_ui.app.add_url_rule("/verdict", "toolbridge_verdict", guarded)
