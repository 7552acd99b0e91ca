"""Progress on standard error: a live bar on a terminal, plain lines in a pipe."""

import sys
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from toolbridge_harness.model import Outcome, Result

# In a pipe: often enough to see that something happens, seldom enough to read.
LINES_PER_RUN = 5


class Progress(Protocol):
    """Is told how far a run is."""

    def say(self, text: str) -> None:
        """Report a step."""

    def start(self, total: int) -> None:
        """Report that `total` checks are about to run."""

    def done(self, result: Result) -> None:
        """Report one finished check."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def progress_for_stderr() -> Progress:
    """Return the kind of progress that suits where standard error goes."""
    return LiveProgress() if sys.stderr.isatty() else PlainProgress()


class PlainProgress:
    """Lines of plain text."""

    def __init__(self) -> None:
        self._total = self._done = 0

    def say(self, text: str) -> None:
        """Write the step as a line."""
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

    def start(self, total: int) -> None:
        """Begin counting."""
        self._total, self._done = total, 0
        self.say(f"running {total} checks")

    def done(self, result: Result) -> None:
        """Write a line for every red result and, now and then, how far it is."""
        self._done += 1
        if result.outcome.red:
            self.say(f"{result.outcome.value}: {result.check}")
        every = max(1, self._total // LINES_PER_RUN)
        if self._done % every == 0 or self._done == self._total:
            self.say(f"{self._done} of {self._total} checks done")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return


class LiveProgress:
    """A bar that counts checks and shows the last one."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task("starting", total=None)

    def say(self, text: str) -> None:
        """Show the step beside the bar."""
        self._bar.update(self._task, description=text)

    def start(self, total: int) -> None:
        """Begin counting."""
        self._bar.reset(self._task, total=total, description="checks")

    def done(self, result: Result) -> None:
        """Move the bar, and keep a line for every red result."""
        self._bar.update(self._task, advance=1, description=result.check)
        if result.outcome.red:
            colour = "yellow" if result.outcome is Outcome.UNTESTABLE else "red"
            self._bar.print(f"[{colour}]{result.outcome.value}[/] {result.check}")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()
