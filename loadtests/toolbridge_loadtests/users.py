"""The simulated users: distinct callers of the MCP endpoint, each on an open-loop timetable."""

import itertools
import os
import random
import time
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import gevent  # type: ignore[import-untyped]
from gevent.pool import Group  # type: ignore[import-untyped]
from locust import FastHttpUser, task
from locust.exception import StopTest
from locust.user.task import LOCUST_STATE_STOPPING

from toolbridge_contract.tools import NOTE, TASK
from toolbridge_loadtests import callers, mcp_client
from toolbridge_loadtests.answers import AnswerError
from toolbridge_loadtests.journal import Journal
from toolbridge_loadtests.mcp_client import CLEAN_UP, TIMEOUT_SECONDS, WARM_UP, McpClient
from toolbridge_loadtests.samples import Sample
from toolbridge_loadtests.schedule import Timetable
from toolbridge_loadtests.workload import Notebook, Result

JOURNAL = Journal()
"""What this process has measured."""

# The Go API refills 10 tokens/s per user, and an update may cost two requests upstream.
MAX_CALLER_RATE = 5.0

# Eight deletes at two seconds each; a target slower than that keeps what was created.
CLEAN_UP_SECONDS = 16.0


class McpUser(FastHttpUser):
    """A caller who lists, reads, creates, changes and deletes its own notes and tasks.

    Open loop: Locust's task only starts a request and never waits for its answer, so the load
    does not fall when the target slows down. A closed loop would need as many users as the rate
    times the time-out (200 for 20 requests/s) to be as honest. The number of users is the load:
    each sends `--caller-rate` requests per second.
    """

    insecure = False
    ssl_context_factory = staticmethod(mcp_client.tls_context)
    network_timeout = TIMEOUT_SECONDS
    connection_timeout = TIMEOUT_SECONDS
    max_redirects = 0
    max_retries = 0
    # All requests of one caller that can be open at once, so that none waits for a connection.
    concurrency = int(MAX_CALLER_RATE * TIMEOUT_SECONDS) + 14

    _numbers: ClassVar[Any] = itertools.count()
    _running: ClassVar[set["McpUser"]] = set()

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        worker = getattr(environment.runner, "worker_index", 0)
        try:
            source = callers.from_environment(os.environ, worker)
            url = mcp_client.endpoint(str(self.host))
        except callers.ConfigurationError as problem:
            # A host typed into the web UI is seen here first; Locust shows this as one line.
            raise StopTest(str(problem)) from None
        self._caller = source.caller(next(self._numbers))
        self._mcp = McpClient(self.client, url, self._caller)
        self._dice = random.Random()
        self._notebook = Notebook(self._dice)
        self._open = Group()
        self._timetable: Timetable | None = None

    @classmethod
    def renumber(cls) -> None:
        """Give the next test the callers of the last one."""
        cls._numbers = itertools.count()

    @classmethod
    def stop_departures(cls) -> None:
        """Send nothing new from now on, and count what was due and not sent."""
        for user in cls._running:
            user._close_timetable()

    @classmethod
    def clean_up_all(cls) -> None:
        """Delete what the users of this process have created, all at once."""
        gevent.joinall([gevent.spawn(user._clean_up) for user in cls._running])

    def _close_timetable(self) -> None:
        if self._timetable:
            JOURNAL.missed += self._timetable.missed(time.perf_counter())
            self._timetable = None

    def on_start(self) -> None:
        """Open the connection, the MCP session and the upstream session, outside the samples."""
        JOURNAL.callers.add(self._caller.name)
        try:
            self._mcp.open(WARM_UP)
            for entity in (NOTE, TASK):
                self._mcp.call(entity.tool("list"), {"limit": 1}, lambda _: "", prefix=WARM_UP)
        except AnswerError as refused:
            # The measured requests will meet it too, and there it counts.
            JOURNAL.note(f"a warm-up failed with {refused.kind}")
        rate = float(self.environment.parsed_options.caller_rate)
        self._timetable = Timetable(time.perf_counter(), 1 / rate, self._dice)
        self._running.add(self)

    def wait_time(self) -> float:
        """Return the seconds until the next departure; 0 when it is overdue."""
        if self._timetable is None:
            return 1.0  # closed: only the end of the test is waited for
        return max(0.0, self._timetable.due - time.perf_counter())

    @task
    def depart(self) -> None:
        """Start the request that is due; the first call and an early wake-up start none."""
        timetable = self._timetable
        if timetable and time.perf_counter() >= timetable.due:
            self._open.spawn(self._act, timetable.depart()).link_exception(_broke)

    def _act(self, due: float) -> None:
        JOURNAL.in_flight += 1
        try:
            self._notebook.act(partial(self._mcp.call, due=due))
        except AnswerError:
            pass  # already counted as a failed sample, by the request event
        except gevent.GreenletExit:
            elapsed = time.perf_counter() - due
            JOURNAL.samples.append(
                Sample("(unfinished)", time.time() - elapsed, elapsed * 1000, 0.0, "unfinished")
            )
        finally:
            JOURNAL.in_flight -= 1

    def on_stop(self) -> None:
        """Wait for the answers that are still open, then delete what was created."""
        # A ramp-down looks for users to stop once a second: this one is stopping already.
        self._state = LOCUST_STATE_STOPPING
        self._close_timetable()
        self._running.discard(self)
        self._open.join(timeout=TIMEOUT_SECONDS + 1)
        self._open.kill()
        self._clean_up()

    def _clean_up(self) -> None:
        deadline = time.perf_counter() + CLEAN_UP_SECONDS

        def call(tool: str, arguments: dict[str, Any], check: Callable[[Result], str]) -> str:
            if time.perf_counter() > deadline:
                raise AnswerError("no time left")
            return self._mcp.call(tool, arguments, check, prefix=CLEAN_UP)

        JOURNAL.left += self._notebook.clean_up(call)


def _broke(greenlet: Any) -> None:
    JOURNAL.broken = repr(greenlet.exception)
