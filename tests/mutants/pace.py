"""How far a long run is: a line for each step, and the time left; a bar on a terminal."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn


class Pace:
    """Counts steps of known weights; time left is what the weights done so far have taken."""

    def __init__(
        self,
        steps: int,
        weight: float,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._steps, self._weight, self._clock = steps, weight, clock
        self._done, self._moved = 0, 0.0
        self._started = clock()
        self._console = console or Console()
        self._bar = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=steps)

    def say(self, text: str) -> None:
        """Write a line, as it is: in a pipe nothing is wrapped, coloured or read as markup."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def done(self, weight: float, text: str) -> None:
        """Count a step and write its line, with the time left."""
        self._done += 1
        self._moved += weight
        left = (self._clock() - self._started) * (self._weight / self._moved - 1)
        more = f"about {spoken(left)} left" if self._done < self._steps else "done"
        self._bar.update(self._task, advance=1, description=more)
        self.say(f"{self._done:>4}/{self._steps}  {text}  ({more})")

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


def spoken(seconds: float) -> str:
    """Return a duration in the largest unit that says something."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
