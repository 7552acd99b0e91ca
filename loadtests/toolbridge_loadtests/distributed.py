"""How the raw samples of workers reach the master, all of them.

Workers send them along with Locust's own reports. At the end Locust gives workers half a second
for the last one, so the slowest requests, those that decide, would be missing: here the master
waits until every worker has waited for its open answers.
"""

from collections.abc import Mapping
from typing import Any

import gevent  # type: ignore[import-untyped]
from locust.runners import MasterRunner, WorkerRunner

from toolbridge_loadtests.mcp_client import TIMEOUT_SECONDS
from toolbridge_loadtests.users import CLEAN_UP_SECONDS, JOURNAL, McpUser

DRAIN = "toolbridge-drain"
"""Master to workers: send nothing new, and hand over what is left."""
DRAINED = "toolbridge-drained"
"""Worker to master, twice: the last samples, and that everything is cleaned up."""

_drained: set[str] = set()


def register(runner: Any) -> None:
    """Let master and workers understand each other's messages."""
    if isinstance(runner, MasterRunner):
        runner.register_message(DRAINED, receive_last_samples)
    elif isinstance(runner, WorkerRunner):
        # Concurrent, because it waits: the worker goes on listening meanwhile.
        runner.register_message(DRAIN, drain_worker, concurrent=True)
        # Added after Locust's own listener, so called before it says goodbye to the master.
        quitting: Any = runner.environment.events.quitting
        quitting.add_listener(leave)


def begin() -> None:
    """Forget who had finished the last test."""
    _drained.clear()


def leave(environment: Any, **_: Any) -> None:
    """On a worker that quits by itself, as by Ctrl-C: finish as if the master had asked."""
    if isinstance(environment.runner, WorkerRunner) and environment.runner.user_count:
        drain_worker(environment)


def hand_over(data: dict[str, Any], **_: Any) -> None:
    """On a worker: send the samples along with Locust's own statistics."""
    data["toolbridge"] = JOURNAL.take()


def receive(data: Mapping[str, Any], **_: Any) -> None:
    """On the master: add what a worker handed over."""
    if "toolbridge" in data:
        JOURNAL.merge(data["toolbridge"])


def drain(environment: Any, **_: Any) -> None:
    """On the master, when the test stops: wait until every worker is done."""
    runner = environment.runner
    if not isinstance(runner, MasterRunner):
        return
    expected = {client.id for client in runner.clients.all}
    runner.send_message(DRAIN)
    # A worker waits for open requests, then deletes, its last request included; 5 s for the way.
    with gevent.Timeout(2 * TIMEOUT_SECONDS + CLEAN_UP_SECONDS + 5, False):
        # A worker that has gone (Ctrl-C reaches all of them) has nothing more to say.
        while (expected - _drained) & {client.id for client in runner.clients.all}:
            gevent.sleep(0.05)
    JOURNAL.lost_workers = len(expected - _drained)


def drain_worker(environment: Any, **_: Any) -> None:
    """On a worker: send nothing new, wait for open answers, hand them over, clean up."""
    McpUser.stop_departures()
    with gevent.Timeout(TIMEOUT_SECONDS + 1, False):
        while JOURNAL.in_flight:
            gevent.sleep(0.02)
    environment.runner.send_message(DRAINED, JOURNAL.take() | {"done": False})
    McpUser.clean_up_all()
    environment.runner.send_message(DRAINED, JOURNAL.take() | {"done": True})


def receive_last_samples(msg: Any, **_: Any) -> None:
    """On the master: the last samples of one worker, or that it has finished."""
    JOURNAL.merge(msg.data)
    if msg.data["done"]:
        _drained.add(msg.node_id)
