"""A provider that is the mock in this process, on a clock that is turned, and cases by id."""

from collections.abc import Iterable

from support.contract_caller import JWT_SECRET, TENANT, TENANT_SECRET, TurnedClock, make_api
from toolbridge_contract.mock.api import GoApi
from toolbridge_contract.mock.messages import Request
from toolbridge_contract.provider.case import Case
from toolbridge_contract.provider.cases import all_cases
from toolbridge_contract.provider.exchange import Answer, Outgoing
from toolbridge_contract.provider.forge import Secrets
from toolbridge_contract.provider.runner import Outcome, Result, run

NS = 1_000_000_000
SECRETS = Secrets(JWT_SECRET, TENANT_SECRET, TENANT)


class InProcess:
    """The mock asked without any transport: a break of it shows at once."""

    url = "http://api.test"
    secrets = SECRETS
    frames = False
    no_wire = "no socket here"
    is_mock = True
    turns = True
    delay = 0.0

    def __init__(self, api: GoApi | None = None, clock: TurnedClock | None = None) -> None:
        self.clock = clock or TurnedClock()
        self.api = api or make_api(self.clock)
        self.asked: list[Outgoing] = []

    def send(self, request: Outgoing) -> Answer:
        self.asked.append(request)
        pairs = [("Host", "api.test"), *request.headers]
        headers = [(n.encode(), v.encode("utf-8", "surrogateescape")) for n, v in pairs]
        found = self.api.respond(Request(request.method, request.target, headers, request.body))
        shown = [(n.decode(), v.decode("utf-8", "surrogateescape")) for n, v in found.headers]
        return Answer(found.status, shown, found.body)

    def at_once(self, requests: list[Outgoing]) -> list[Answer]:
        return [self.send(request) for request in requests]

    def now(self) -> float:
        return self.clock.ns / NS

    def wait(self, seconds: float) -> None:
        self.clock.turn(seconds)


def cases(ids: Iterable[str] = ()) -> list[tuple[str, Case]]:
    """Return all cases, or those with these ids; an unknown id is an error of the test."""
    found = all_cases()
    wanted = set(ids)
    missing = wanted - {case.id for _, case in found}
    assert not missing, f"no such case: {sorted(missing)}"
    return [(group, case) for group, case in found if not wanted or case.id in wanted]


def by_outcome(results: list[Result], outcome: Outcome) -> list[str]:
    return [result.case.id for result in results if result.outcome is outcome]


def verdicts(provider: InProcess, ids: Iterable[str] = ()) -> dict[str, Outcome]:
    return {result.case.id: result.outcome for result in run(cases(ids), provider)}
