"""What a forked process that runs tests tells about them, before it is gone."""

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from multiprocessing.connection import Connection
from typing import NoReturn

import pytest

from mutation.applying import watch

Where = tuple[str, str]


class Fate(StrEnum):
    """What the tests made of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    TIMED_OUT = "timed out"


@dataclass
class Known:
    """What the unchanged proxy shows: each test's seconds, and which tests run which function."""

    failed: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    runs: dict[Where, set[str]] = field(default_factory=dict)


Report = pytest.TestReport | pytest.CollectReport


class FirstFailure:
    """Plugin: tells (fate, test) at the first failure, and leaves the process."""

    def __init__(self, answer: Connection) -> None:
        self._answer = answer

    def tell(self, told: object) -> NoReturn:
        """Send `told`, and end the process as it stands."""
        self._answer.send(told)
        os._exit(0)

    def finish(self, code: int) -> NoReturn:
        """Tell that no test failed; `code` is pytest's, if it ended with one."""
        self.tell((Fate.KILLED, f"pytest ended with {code}") if code else (Fate.SURVIVED, ""))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.note(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.note(report)

    def note(self, report: Report) -> None:
        """Look at one report."""
        if report.failed:
            late = "Failed: Timeout" in report.longreprtext
            self.tell((Fate.TIMED_OUT if late else Fate.KILLED, report.nodeid))


class Watch(FirstFailure):
    """Plugin: tells what is `Known` about the unchanged proxy."""

    def __init__(self, answer: Connection, modules: Iterable[str]) -> None:
        super().__init__(answer)
        self._runs: dict[Where, set[str]] = defaultdict(set)
        self._seconds: dict[str, float] = defaultdict(float)
        self._test = ""
        watch(modules, lambda *where: self._runs[where].add(self._test))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._test = nodeid

    def note(self, report: Report) -> None:
        if report.failed:
            self._end(report.nodeid)
        if isinstance(report, pytest.TestReport):
            self._seconds[report.nodeid] += report.duration

    def finish(self, code: int) -> NoReturn:
        self._end(f"pytest ended with {code}" if code else "")

    def _end(self, failed: str) -> NoReturn:
        self.tell(Known(failed, dict(self._seconds), dict(self._runs)))
