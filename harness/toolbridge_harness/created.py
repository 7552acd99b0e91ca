"""What the checks of a run created through the tools, and have not deleted."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolbridge_contract.tools import CHAT_MESSAGE, COMMENT, ENTITIES, Entity
from toolbridge_harness.budget import Budget
from toolbridge_harness.tokens import claims_of
from toolbridge_harness.wire import Reply

NO_ANSWER = "the answer to its creation never came"
_CREATES = {entity.tool("create"): entity for entity in ENTITIES}
_DELETES = {entity.tool("delete"): entity for entity in ENTITIES}
_CHILDREN = (COMMENT, CHAT_MESSAGE)
_UID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Codes of the error contract after which the object may exist, and no code at all.
_UNSURE = frozenset({"", "outcome_unknown", "internal"})
_INTERNAL_ERROR = -32603  # JSON-RPC 2.0 §5.1


@dataclass(eq=False)
class Write:
    """One create or delete on its way to the target, and what is known of it afterwards."""

    entity: Entity
    creates: bool
    token: str | None
    session: str | None
    uid: str = ""
    doubt: str = NO_ANSWER
    """Why it is not known whether the object exists; empty when it does."""

    @property
    def user(self) -> str:
        """The subject whose token was used."""
        return str(claims_of(self.token or "").get("sub", ""))


@dataclass
class Created:
    """Objects that the checks of a run created and have not deleted.

    One that `keeps` nothing is for targets of the harness's own, which end with the run.
    """

    budget: Budget = field(default_factory=Budget)
    keeps: bool = False
    _open: list[Write] = field(default_factory=list)

    @property
    def open(self) -> list[Write]:
        """What may still exist, in the order in which it goes: children first, the latest first."""
        latest_first = self._open[::-1]
        return sorted(latest_first, key=lambda write: write.entity not in _CHILDREN)

    def read(self, headers: Iterable[tuple[str, str]], body: bytes) -> tuple[Write, ...]:
        """Return the writes in the body of a request."""
        if not self.keeps or not (b"create_" in body or b"delete_" in body):
            return ()
        sent = {name.lower(): value for name, value in headers}
        token = sent.get("authorization", "").partition(" ")[2] or None
        session = sent.get("mcp-session-id")
        return tuple(
            Write(_CREATES.get(name) or _DELETES[name], name in _CREATES, token, session, uid)
            for name, uid in _calls(body)
        )

    def sending(self, writes: Sequence[Write]) -> None:
        """Note writes that leave now: whatever happens next, the objects may exist."""
        self._open += [write for write in writes if write.creates]

    def unsent(self, writes: Sequence[Write]) -> None:
        """Note that the target never got these writes."""
        for write in writes:
            self.forget(write)

    def answered(self, writes: Sequence[Write], reply: Reply) -> None:
        """Note what the answer says about these writes."""
        for write in writes:
            if write.creates:
                self._created(write, reply)
            elif reply.ok or reply.code == "gone":
                for made in self._known(write):
                    self.forget(made)

    def forget(self, write: Write) -> None:
        """Strike an object off: it does not exist, or its deletion is sent next."""
        if write in self._open:
            self._open.remove(write)
            self.budget.release()

    def _created(self, write: Write, reply: Reply) -> None:
        if reply.ok:
            write.uid = _uid(reply.data)
            write.doubt = "" if write.uid else "the answer to its creation names no uid"
            if self._known(write):
                self.forget(write)  # written over, not made
        elif _refused(reply):
            self.forget(write)
        else:
            write.uid = _uid(reply.tool_error)
            code = reply.code if _UID.fullmatch(reply.code) else "no code"
            write.doubt = f"the outcome of its creation is unknown (HTTP {reply.status}, {code})"

    def _known(self, write: Write) -> list[Write]:
        """Return the other entries for the same object."""
        same = (write.entity, write.uid)
        return [m for m in self._open if m is not write and m.uid and (m.entity, m.uid) == same]


def _calls(body: bytes) -> Iterator[tuple[str, str]]:
    """Yield (tool, uid) of each create and delete in a JSON-RPC request or batch."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return
    for one in message if isinstance(message, list) else [message]:
        params = one.get("params") if isinstance(one, dict) else None
        name = params.get("name") if isinstance(params, dict) else None
        if not isinstance(params, dict) or not isinstance(name, str):
            continue
        if name in _CREATES:
            yield name, ""
        elif name in _DELETES:
            yield name, _uid(params.get("arguments"))


def _uid(data: Any) -> str:
    """Return the uid in an object; "" where there is none that could be sent and printed."""
    uid = data.get("uid") if isinstance(data, dict) else None
    return uid if isinstance(uid, str) and _UID.fullmatch(uid) else ""


def _refused(reply: Reply) -> bool:
    """Whether an answer says for certain that nothing was created."""
    if reply.rpc_error:
        return reply.rpc_error.get("code") != _INTERNAL_ERROR
    return 400 <= reply.status < 500 or (reply.status == 200 and reply.code not in _UNSURE)
