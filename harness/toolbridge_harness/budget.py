"""How many requests a run may send in all: counted before each, with room kept to clean up."""

import asyncio

from toolbridge_harness.model import Cause
from toolbridge_harness.verdicts import Untestable

CAUSE = "run-budget"
# Measured with minted tokens against a live deployment, clean-up included: a gate sends 1,080
# requests, `full` with everything allowed 1,560. This is nearly twice a gate, and enough for both.
DEFAULT = 2000
# The last question whether the target still lives is seven requests; one to spare.
LAST_QUESTION = 8
# The first and the last conversation take 15, and a check up to 40.
SMALLEST = 60


class BudgetSpent(Untestable):
    """The run may send nothing more."""


class Budget:
    """Counts requests; `limit` None is no limit.

    `reserved` requests are kept back for what has to be sent at the end.
    """

    def __init__(self, limit: int | None = None, reserved: int = 0) -> None:
        self.limit = limit
        self.spent = 0
        self.reserved = reserved
        self.used_up = asyncio.Event()
        """Set when a request was refused."""

    def spend(self, reserve: int = 0) -> None:
        """Count one request, and `reserve` more that it will make necessary at the end.

        Raises BudgetSpent when there is no room for all of them: then none is counted.
        """
        if self.limit is not None and self.spent + self.reserved + 1 + reserve > self.limit:
            self.used_up.set()
            raise BudgetSpent(f"the budget of {self.limit} requests was used up")
        self.spent += 1
        self.reserved += reserve

    def release(self, requests: int = 1) -> None:
        """Give back requests that were reserved: they are sent now, or not needed any more."""
        self.reserved -= requests

    @property
    def cause(self) -> Cause:
        """Why a run ends that has used up its budget."""
        return Cause(
            CAUSE,
            f"the run has used up its budget of {self.limit} requests",
            f"Give more with --budget {2 * (self.limit or DEFAULT)} or `budget` in "
            "toolbridge.toml, or run fewer checks with --only or a smaller --profile.",
            (),
        )
