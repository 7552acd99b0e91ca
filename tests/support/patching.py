"""Replace a part of the reference proxy before it serves."""

from collections.abc import Callable
from typing import Any


def patch(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Set `owner.name` to what `make` returns for the original."""
    setattr(owner, name, make(getattr(owner, name)))
