"""JSON nested deeper than Python's recursion allows; Go goes down to 10 000 levels."""

import json
import re
from collections.abc import Callable
from typing import Any

_SPACE = re.compile(r"[ \t\r\n]*")


class _Reader:
    """One pass over the text, with the open containers on an explicit stack."""

    def __init__(self, text: str, scalars: json.JSONDecoder, max_depth: int) -> None:
        self.text = text
        self.at = 0
        self.scalars = scalars
        self.max_depth = max_depth
        self.open: list[dict[str, Any] | list[Any]] = []
        self.keys: list[str] = []

    def read(self) -> Any:
        """Return the first value of the text."""
        while True:
            value, opened = self.value()
            if opened and not self.close_if_empty():
                continue
            if opened:
                value = self.open.pop()
            value, done = self.attach(value)
            if done:
                return value

    def value(self) -> tuple[Any, bool]:
        """Return (scalar, False), or (None, True) after opening a container."""
        self.skip()
        char = self.text[self.at : self.at + 1]
        if char in ("{", "["):
            self.at += 1
            self.open.append({} if char == "{" else [])
            if len(self.open) > self.max_depth:
                raise ValueError("exceeded max depth")
            return None, True
        scalar, self.at = self.scalars.raw_decode(self.text, self.at)
        return scalar, False

    def close_if_empty(self) -> bool:
        """Step over the end of a container just opened, or to its first member."""
        container = self.open[-1]
        if self.take("}" if isinstance(container, dict) else "]"):
            return True
        if isinstance(container, dict):
            self.key()
        return False

    def attach(self, value: Any) -> tuple[Any, bool]:
        """Put a finished value into its container, closing as many containers as end here."""
        while self.open:
            container = self.open[-1]
            if isinstance(container, dict):
                container[self.keys.pop()] = value
            else:
                container.append(value)
            if self.take(","):
                if isinstance(container, dict):
                    self.key()
                return None, False
            if not self.take("}" if isinstance(container, dict) else "]"):
                raise ValueError(f"expected a comma or an end at {self.at}")
            value = self.open.pop()
        return value, True

    def key(self) -> None:
        self.skip()
        if not self.text.startswith('"', self.at):
            raise ValueError(f"expected a key at {self.at}")
        key, self.at = self.scalars.raw_decode(self.text, self.at)
        if not self.take(":"):
            raise ValueError(f"expected a colon at {self.at}")
        self.keys.append(key)

    def take(self, char: str) -> bool:
        self.skip()
        found = self.text.startswith(char, self.at)
        self.at += found
        return found

    def skip(self) -> None:
        match = _SPACE.match(self.text, self.at)
        self.at = match.end() if match is not None else self.at


def decode(text: str, scalars: json.JSONDecoder, max_depth: int) -> tuple[Any, int]:
    """Return the first JSON value of `text` and its end; ValueError if not JSON or too deep.

    `scalars` reads strings, numbers and literals, by its own hooks.
    """
    reader = _Reader(text, scalars, max_depth)
    return reader.read(), reader.at


def encode(value: Any, scalar: Callable[[Any], str]) -> str:
    """Encode with sorted keys and no blanks; `scalar` spells whatever is no container."""
    out: list[str] = []
    todo: list[tuple[bool, Any]] = [(False, value)]
    while todo:
        literal, item = todo.pop()
        if literal:
            out.append(item)
        elif isinstance(item, dict):
            todo.extend(reversed(_members(item, scalar)))
        elif isinstance(item, list):
            todo.extend(reversed(_elements(item)))
        else:
            out.append(scalar(item))
    return "".join(out)


def _members(item: dict[str, Any], scalar: Callable[[Any], str]) -> list[tuple[bool, Any]]:
    parts: list[tuple[bool, Any]] = []
    for key in sorted(item):
        parts += [(True, f"{',' if parts else ''}{scalar(key)}:"), (False, item[key])]
    return [(True, "{"), *parts, (True, "}")]


def _elements(item: list[Any]) -> list[tuple[bool, Any]]:
    parts: list[tuple[bool, Any]] = []
    for element in item:
        parts += [(True, ","), (False, element)] if parts else [(False, element)]
    return [(True, "["), *parts, (True, "]")]
