"""A property of the signing rules as a value: the reference must have it, a mutant must lack it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

from support.signing_subject import Subject

Body = Callable[..., None]

# For mutants: a counterexample need not be small, and the verdict must be the same on every run.
SEARCH = settings(
    max_examples=100,
    phases=[Phase.generate],
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
# A property that is blind to a bug is so for every example: a few show it.
GLANCE = settings(SEARCH, max_examples=15)


@dataclass(frozen=True)
class Property:
    """A property of the check catalogue's section 5.

    `body` takes a subject and what the strategies draw, and fails if the property does not hold.
    `share` is the part of the profile's examples that an expensive body gets.
    """

    number: int
    body: Body
    strategies: Mapping[str, SearchStrategy[Any]]
    share: float

    def __str__(self) -> str:
        return f"{self.number:02}-{self.body.__name__.replace('_', '-')}"

    def check(self, subject: Subject, size: settings | None = None) -> None:
        """Look for a counterexample among the profile's number of examples, or that of `size`."""
        if not self.strategies:
            self.body(subject)
            return
        size = size or settings()
        examples = max(1, int(size.max_examples * self.share))

        @settings(size, max_examples=examples)
        @given(**self.strategies)
        def examine(**drawn: Any) -> None:
            self.body(subject, **drawn)

        examine()

    def is_contradicted(self, subject: Subject, size: settings = SEARCH) -> bool:
        """Say whether there is a counterexample; a crash is one."""
        try:
            self.check(subject, size)
        except Exception:  # noqa: BLE001 - whatever it is, it is noticed
            return True
        return False


class Properties(list[Property]):
    """The properties of one module, in order of definition."""

    def add(
        self, number: int, share: float = 1.0, **strategies: SearchStrategy[Any]
    ) -> Callable[[Body], Body]:
        """Register the decorated function as the body of property `number`."""

        def register(body: Body) -> Body:
            self.append(Property(number, body, strategies, share))
            return body

        return register
