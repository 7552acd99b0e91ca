"""A pytest session that has collected its tests, and forks a process for each mutant."""

import multiprocessing
import os
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from typing import NoReturn

import pytest

from mutation.applying import TESTS, imported_anew, swapped
from mutation.source_mutants import SourceMutant
from mutation.telling import Fate, FirstFailure, Known, Watch, Where

# The slowest test takes twenty seconds on a very busy machine.
TEST_SECONDS = 60
# How much slower than it was on the unchanged proxy a test may be: another process runs beside it.
SLOWER = 10
# All tests that may judge one mutant take two minutes on a busy machine.
MUTANT_SECONDS = 400
# This process has imported the proxy before pytest, and a second session pytest's plugins as well.
IMPORTED = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
OPTIONS = ["-x", "-qq", "-s", "-p", "no:cacheprovider", f"--timeout={TEST_SECONDS}", *IMPORTED]


@dataclass(frozen=True)
class Verdict:
    """The fate, the test that decided it (empty when none failed), and the seconds it took."""

    mutant: SourceMutant
    fate: Fate
    test: str
    seconds: float


@dataclass(frozen=True)
class _Running:
    mutant: SourceMutant
    pid: int
    since: float


class Bench:
    """Collects `tests` once; `work` is called with the bench, to judge as many as it likes."""

    def __init__(
        self, tests: Sequence[str], modules: Sequence[str], work: Callable[["Bench"], None]
    ) -> None:
        self._tests, self._modules, self._work = tests, modules, work
        self.known = Known()
        self._killers: dict[Where, Counter[str]] = defaultdict(Counter)
        self._session: pytest.Session
        self._forked = False

    def open(self) -> int:
        """Collect, watch the tests on the unchanged proxy, and work; returns pytest's code."""
        os.chdir(TESTS.parent)
        return int(pytest.main([*OPTIONS, *self._tests], plugins=[self]))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        if self._forked:
            return None  # to pytest's own loop
        if not session.items:
            self.known = Known(failed="no test was collected")
            return True
        self._session = session
        pid, answer = self._fork(self._watch)
        self.known = answer.recv()
        os.waitpid(pid, 0)
        if not self.known.failed:
            self._work(self)
        return True

    def judge(self, mutants: Sequence[SourceMutant], jobs: int) -> Iterator[Verdict]:
        """Yield a verdict for each mutant, `jobs` at a time."""
        todo, running = list(reversed(mutants)), dict[Connection, _Running]()
        while todo or running:
            while todo and len(running) < jobs:
                mutant = todo.pop()
                pid, answer = self._fork(partial(self._try, mutant))
                running[answer] = _Running(mutant, pid, time.monotonic())
            for ready in wait(list(running), timeout=1):
                assert isinstance(ready, Connection)
                yield self._verdict(running.pop(ready), ready)
            self._stop_late(list(running.values()))

    def _verdict(self, ran: _Running, answer: Connection) -> Verdict:
        try:
            fate, test = answer.recv()
        except EOFError:
            fate, test = Fate.TIMED_OUT, "no answer"
        answer.close()
        os.waitpid(ran.pid, 0)
        if fate is Fate.KILLED:
            self._killers[ran.mutant.key.module, ran.mutant.key.place][test] += 1
        return Verdict(ran.mutant, fate, test, time.monotonic() - ran.since)

    def _stop_late(self, running: Sequence[_Running]) -> None:
        for one in running:
            if time.monotonic() - one.since > MUTANT_SECONDS:
                os.kill(one.pid, signal.SIGKILL)

    def _fork(self, body: Callable[[Connection], NoReturn]) -> tuple[int, Connection]:
        """Return the new process's id and where it answers; the process does `body`."""
        theirs, ours = multiprocessing.Pipe(duplex=False)
        pid = os.fork()
        if pid:
            ours.close()
            return pid, theirs
        self._forked = True
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        try:
            body(ours)
        finally:
            os._exit(1)  # whatever goes wrong, a second bench must not go on from here

    def _watch(self, answer: Connection) -> NoReturn:
        for item in self._session.items:
            item.add_marker(pytest.mark.timeout(0))
        self._run(Watch(answer, self._modules))

    def _try(self, mutant: SourceMutant, answer: Connection) -> NoReturn:
        told = FirstFailure(answer)
        if swapped(mutant):
            self._choose(mutant)
            self._run(told)
        files = self._files(mutant)
        if not files:
            told.finish(0)
        try:
            imported_anew(mutant)
        except Exception as broken:  # noqa: BLE001 - whatever a mutant may raise
            told.tell((Fate.KILLED, f"import: {broken!r}"))
        told.finish(int(pytest.main([*OPTIONS, *files], plugins=[told])))

    def _run(self, told: FirstFailure) -> NoReturn:
        self._session.config.pluginmanager.register(told)
        self._session.config.hook.pytest_runtestloop(session=self._session)
        told.finish(0)

    def _choose(self, mutant: SourceMutant) -> None:
        """Leave the tests that run the changed function: likely killers first, then quick ones."""
        where = mutant.key.module, mutant.key.place
        runs, killers = self.known.runs.get(where, set()), self._killers[where]
        chosen = [item for item in self._session.items if item.nodeid in runs]
        seconds = self.known.seconds
        chosen.sort(key=lambda item: (-killers[item.nodeid], seconds[item.nodeid]))
        for item in chosen:
            item.add_marker(pytest.mark.timeout(SLOWER * (1 + seconds[item.nodeid])))
        self._session.items[:] = chosen

    def _files(self, mutant: SourceMutant) -> list[str]:
        """Return the files whose tests run the mutant's module, most of its tests first."""
        tests = set[str]().union(
            *(tests for where, tests in self.known.runs.items() if where[0] == mutant.key.module)
        )
        files = Counter(test.partition("::")[0] for test in tests)
        return [file for file, _ in files.most_common()]
