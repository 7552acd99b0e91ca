"""What a break of the mock is, and ways to make one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from toolbridge_contract.mock.messages import Response

Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class Break:
    """One fault put into the mock, and the ids of cases that must differ."""

    name: str
    apply: Callable[[Patch], None]
    noticed_by: tuple[str, ...]
    options: tuple[tuple[str, Any], ...] = ()


def constant(module: Any, name: str, value: object) -> Callable[[Patch], None]:
    return lambda patch: patch.setattr(module, name, value)


def status(module: Any, name: str, old: int, new: int) -> Callable[[Patch], None]:
    """Answer `new` where `module` would answer `old` by its function `name`."""
    real = getattr(module, name)

    def answer(status: int, *arguments: Any) -> Response:
        found: Response = real(new if status == old else status, *arguments)
        return found

    return lambda patch: patch.setattr(module, name, answer)


def edited(owner: Any, name: str, edit: Callable[[Response], None]) -> Callable[[Patch], None]:
    """Change what the function or method `name` of `owner` answers."""
    real = getattr(owner, name)

    def answer(*arguments: Any, **named: Any) -> Response:
        found: Response = real(*arguments, **named)
        edit(found)
        return found

    return lambda patch: patch.setattr(owner, name, answer)


def no_newline(answer: Response) -> None:
    answer.body = answer.body.removesuffix(b"\n")


def without(header: bytes) -> Callable[[Response], None]:
    def edit(answer: Response) -> None:
        answer.headers[:] = [pair for pair in answer.headers if pair[0] != header]

    return edit
