"""Signing vectors: sets of tenant headers and what the Go API makes of them.

`signing.json` beside this file is for every language; its `about` explains the fields.
"""

import json
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from toolbridge_contract.signing import Rejection

HEX = "lower-case hex"
# Milliseconds from 2001 to 2286, without sign or leading zero.
_THIRTEEN_DIGITS = re.compile(r"[1-9][0-9]{12}")


@dataclass(frozen=True)
class Vector:
    """Three header values as the Go API's handler reads them (None: absent), and the verdict.

    `secret` is the Go API's and `now_ms` its clock; `message` was signed with `signed_with`, and
    `form` names how the MAC was spelled. `reason` is None for acceptance; `why` is for people.
    """

    name: str
    why: str
    secret: str
    tenant: str | None
    timestamp: str | None
    message: str
    signed_with: str
    form: str
    signature: str | None
    now_ms: int
    reason: Rejection | None

    @property
    def accept(self) -> bool:
        """Say whether the Go API accepts the headers."""
        return self.reason is None

    @property
    def is_a_proxys(self) -> bool:
        """Say whether a correct proxy sends this, at its instant and with its secret."""
        return (
            bool(self.tenant)
            and _THIRTEEN_DIGITS.fullmatch(self.timestamp or "") is not None
            and self.message == f"{self.tenant}:{self.timestamp}"
            and self.form == HEX
        )


def load() -> tuple[Vector, ...]:
    """Return the vectors in the order of the file."""
    return tuple(_vector(row) for row in document()["vectors"])


def document() -> dict[str, Any]:
    """Return the file as it is: `about`, lines of text, and `vectors`, objects."""
    loaded: dict[str, Any] = json.loads(text())
    return loaded


def text() -> str:
    """Return the file's text."""
    return files(__name__).joinpath("signing.json").read_text("utf-8")


def _vector(row: dict[str, Any]) -> Vector:
    values = {"signed_with": row["secret"], "form": HEX} | row
    accept, reason = values.pop("accept"), values.pop("reason")
    if accept != (reason is None):
        raise ValueError(f"signing vector {row['name']}: accept and reason contradict each other")
    return Vector(**values, reason=None if reason is None else Rejection[reason.upper()])
