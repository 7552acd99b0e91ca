"""What a row of the error contract is, and what it means for reads, mutations and sessions."""

from collections.abc import Container
from dataclasses import dataclass
from typing import get_args

from support.error_plans import Plan
from toolbridge_contract.tools import Operation

ALL: tuple[Operation, ...] = get_args(Operation)
READS: tuple[Operation, ...] = ("list", "get")
MUTATIONS: tuple[Operation, ...] = tuple(o for o in ALL if o not in READS)
OBJECTS: tuple[Operation, ...] = tuple(o for o in ALL if o != "list")
WITH_PAYLOAD: tuple[Operation, ...] = tuple(o for o in ALL if o != "delete")


@dataclass(frozen=True)
class Verdict:
    """The codes of a row, how often a read and a mutation are sent, and new sessions made."""

    read: str
    mutation: str
    reads: int = 1
    writes: int = 1
    renewals: int = 0


@dataclass(frozen=True)
class Row:
    """One way to fail; `status` and `retry_after` hold every value that is right.

    `operations` are those that it can happen to. `session`: it is a failure for the request
    that makes the sync session as well. `seconds`: the deadline of a call.
    """

    name: str
    plan: Plan
    verdict: Verdict
    status: Container[int | None] = (None,)
    retry_after: Container[int | None] = (None,)
    operations: tuple[Operation, ...] = ALL
    session: bool = True
    seconds: float = 5


def same(code: str, attempts: int = 1, renewals: int = 0) -> Verdict:
    """A code that reads and mutations share: nothing was done, whatever was asked."""
    return Verdict(code, code, attempts, attempts, renewals)


def lost(code: str, attempts: int = 2) -> Verdict:
    """A read says what happened; a mutation may have been carried out."""
    return Verdict(code, "outcome_unknown", attempts)


# Told of the session's request, these would be taken for the caller's object.
ABOUT_AN_OBJECT = frozenset(
    {
        "invalid_argument",
        "not_found",
        "gone",
        "conflict",
        "precondition_failed",
        "payload_too_large",
        "upstream_rejected",
        "epoch_mismatch",
    }
)


def while_making_the_session(row: Row) -> Verdict:
    """The verdict where the session's own request fails like `row`: definite for everyone."""
    code = row.verdict.read
    attempts = 1 if row.verdict.renewals else row.verdict.reads
    return same("session_unavailable" if code in ABOUT_AN_OBJECT else code, attempts)
