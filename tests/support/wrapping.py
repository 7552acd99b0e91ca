"""Run something in place of one method or function of the reference proxy."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from support.patching import patch

Replacement = TypeVar("Replacement", bound=Callable[..., Any])


def in_place_of(owner: Any, name: str) -> Callable[[Replacement], Replacement]:
    """Run the decorated function in place of `owner.name`, which it is given before all else.

    `@in_place_of(Signer, "headers")` over `def headers(original, self): ...`; a coroutine
    function takes the place of one.
    """

    def decorate(replacement: Replacement) -> Replacement:
        def make(original: Any) -> Any:
            # A partial, not a wrapper: servers ask whether it is a coroutine function, and what
            # arguments are missing.
            instead = functools.partial(replacement, original)
            return _Method(instead) if inspect.isclass(owner) else instead

        patch(owner, name, make)
        return replacement

    return decorate


class _Method:
    """Binds a partial to the instance, as functions do and partials do not."""

    def __init__(self, instead: Callable[..., Any]) -> None:
        self._instead = instead

    def __get__(self, instance: Any, _: type | None = None) -> Any:
        return self._instead if instance is None else functools.partial(self._instead, instance)
