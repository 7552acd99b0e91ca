"""Users of the API: one per `sub`, made at first sight, each with an epoch."""

import uuid
import zlib
from dataclasses import dataclass, field

from toolbridge_contract.mock.messages import Refused, text_answer

# A B-tree entry of PostgreSQL holds at most a third of a page, after compression.
_MAX_INDEXED_BYTES = 2691


@dataclass(slots=True, eq=False)
class User:
    """A person known by the `sub` of their token."""

    subject: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    epoch: int = 1
    wiped_ns: int | None = None


class Users:
    """All users by subject; subjects are case-sensitive."""

    def __init__(self) -> None:
        self._by_subject: dict[str, User] = {}

    def known(self, subject: str) -> User | None:
        """Return the user if the API has seen them."""
        return self._by_subject.get(subject)

    def get(self, subject: str) -> User:
        """Return the user, made at first sight; Refused with 500 when PostgreSQL would not."""
        user = self._by_subject.get(subject)
        if user is None:
            if "\0" in subject or _too_long(subject):
                raise Refused(text_answer(500, "server error"))
            user = self._by_subject[subject] = User(subject)
        return user


def _too_long(subject: str) -> bool:
    raw = subject.encode("utf-8", "replace")
    return len(raw) > _MAX_INDEXED_BYTES and len(zlib.compress(raw)) > _MAX_INDEXED_BYTES
