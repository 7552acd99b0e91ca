"""Requests and answers as the runner sees them, and how a case becomes a request."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from toolbridge_contract.provider.case import Case, Jwt, Signed, Step, Text
from toolbridge_contract.provider.forge import Secrets, authorization, tenant_headers
from toolbridge_contract.provider.template import fill

Pairs = list[tuple[str, str]]


@dataclass
class Outgoing:
    """A request to send; `wire` asks for a socket of its own and the bytes as they stand."""

    method: str
    target: str
    headers: Pairs
    body: bytes
    wire: bool = False
    http: str = "1.1"


@dataclass
class Answer:
    """An answer: header pairs in order with their case, whole body."""

    status: int
    headers: Pairs
    body: bytes
    names: dict[str, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.names = {}
        for name, value in self.headers:
            self.names.setdefault(name.lower(), []).append(value)

    def first(self, name: str) -> str | None:
        """Return the first value of a header, in any case, or None."""
        return next(iter(self.names.get(name.lower(), [])), None)


@dataclass
class Actor:
    """A user of the API."""

    subject: str
    session: str = ""


def of_step(
    step: Step, actor: Actor, values: Mapping[str, str], secrets: Secrets, now: float
) -> Outgoing:
    """Return the request of a step, correct in every header."""
    headers = [("Authorization", authorization(Jwt(), actor.subject, secrets, now))]
    headers += tenant_headers(Signed(tenant=step.tenant), values, secrets, now)
    headers += _session(actor, values)
    return Outgoing(step.method, fill(step.path, values), headers, _body(step.body, values))


def of_case(
    case: Case, actor: Actor, values: Mapping[str, str], secrets: Secrets, now: float
) -> Outgoing:
    """Return the request of a case."""
    headers: Pairs = [("Host", values["host"])] if case.wire else []
    if case.jwt is not None:
        headers.append(("Authorization", authorization(case.jwt, actor.subject, secrets, now)))
    if case.signed is not None:
        headers += tenant_headers(case.signed, values, secrets, now)
    if case.session:
        headers += _session(actor, values)
    changed = {name.lower() for name in case.change}
    headers = [(name, value) for name, value in headers if name.lower() not in changed]
    headers += [(name, value) for name, value in case.change.items() if value is not None]
    headers = [*case.first, *headers, *case.extra]
    body = _body(case.body, values)
    if (
        case.wire
        and body
        and not {"content-length", "transfer-encoding"} & {name.lower() for name, _ in headers}
    ):
        headers.append(("Content-Length", str(len(body))))
    filled = [(n.lower() if case.lower else n, fill(v, values)) for n, v in headers]
    return Outgoing(case.method, fill(case.path, values), filled, body, case.wire, case.http)


def _session(actor: Actor, values: Mapping[str, str]) -> Pairs:
    if not actor.session or actor.session not in values:
        return []
    epoch = values[f"{actor.session}_epoch"]
    return [("X-Sync-Session", values[actor.session]), ("X-Sync-Epoch", epoch)]


def _body(text: Text, values: Mapping[str, str]) -> bytes:
    if isinstance(text, str):
        return fill(text, values).encode()
    return text if isinstance(text, bytes) else text()
