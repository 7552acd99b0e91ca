"""The users of a run and the states that cases start from."""

import itertools
import json
import time
import uuid
from dataclasses import dataclass, field, replace

from toolbridge_contract.provider.case import (
    Case,
    Drain,
    Given,
    Refill,
    Seed,
    Step,
    Then,
    Wait,
)
from toolbridge_contract.provider.exchange import Actor, Answer, Outgoing, of_case, of_step
from toolbridge_contract.provider.providers import Provider
from toolbridge_contract.provider.states import BEGIN, SESSIONS, STATES

# Fixed, so that a real API gains no more user rows with every run.
MARK = "toolbridge-contract-"
# A user who is never wiped, as the state of such a one is itself observed; makes no rows.
UNWIPED = f"{MARK}unwiped"
# Cases of one user lie so far apart that their requests stay under its burst.
_POOL = 48
_REAL_BURST, _REAL_PER_SECOND = 120, 10
# Below the real limit; what is left is for another run beside this one.
_BURST, _PER_SECOND = 100.0, 9.0
# A bucket of 120 that refills while it is emptied from far away.
_DRAIN_REQUESTS = 1200
_PUSHED_AT_ONCE = 550
# What a step keeps beside a uid, by the end of its name.
_KEPT = {"epoch": "epoch", "cursor": "nextCursor", "user": "userId", "at": "deletedAt"}
_UNLIMITED = ("/v1/sync/", "/healthz")


class Unprepared(Exception):
    """A state could not be made, so the case has no verdict."""


@dataclass(frozen=True)
class Scene:
    """The state that a case starts from: who asks, and what the steps kept."""

    actors: dict[str, Actor]
    values: dict[str, str]


@dataclass(frozen=True)
class Asked:
    """The answers to a request, and when it was sent and answered (unix s)."""

    answers: list[Answer]
    times: tuple[float, float]


@dataclass
class World:
    """Users by role, a fresh session for each case, and what must not be made twice."""

    provider: Provider
    subjects: set[str] = field(default_factory=set)
    correlation_ids: set[str] = field(default_factory=set)
    _turn: "itertools.count[int]" = field(default_factory=itertools.count)
    _seeded: dict[str, Seed] = field(default_factory=dict)
    _buckets: dict[str, tuple[float, float]] = field(default_factory=dict)

    def scene(self, case: Case) -> Scene:
        """Make the state of a case; raises Unprepared and NoAnswer."""
        name = case.user or f"{next(self._turn) % _POOL:02d}"
        me = Actor(f"{MARK}{name}", "session")
        other = Actor(f"{MARK}{name}-other", "other_session")
        values = {
            "tenant": self.provider.secrets.tenant_id,
            "host": self.provider.url.partition("://")[2],
            "unknown": str(uuid.uuid4()),
            **_spellings(),
            "sub": me.subject,
        }
        actors = {"me": me, "other": other}
        for given in (BEGIN, *case.given):
            self._prepare(given, actors, values)
        return Scene(actors, values)

    def ask(self, case: Case, scene: Scene) -> Asked:
        """Send the request of a case; raises NoAnswer."""
        asker = scene.actors[case.who]
        secrets = self.provider.secrets
        request = of_case(case, asker, scene.values, secrets, self.provider.now())
        if self._pace(asker.subject, request):
            request = of_case(case, asker, scene.values, secrets, self.provider.now())
        asked = self.provider.now()
        if case.at_once > 1:
            answers = self.provider.at_once([request] * case.at_once)
        else:
            answers = [self.provider.send(request)]
        return Asked(answers, (asked, self.provider.now()))

    def follow(self, then: Then, scene: Scene) -> Asked:
        """Send a request that follows on a case; raises NoAnswer."""
        case = Case("", then.method, then.path, then.want, body=then.body, change=then.change)
        return self.ask(replace(case, who=then.who), scene)

    def _prepare(self, given: Given, actors: dict[str, Actor], values: dict[str, str]) -> None:
        if isinstance(given, str):
            for step in STATES[given]:
                self._prepare(step, actors, values)
        elif isinstance(given, Step):
            self._step(given, actors[given.who], values)
        elif isinstance(given, Wait):
            self.provider.wait(given.seconds)
        elif isinstance(given, Drain):
            self._drain(given, actors["me"], values)
        elif isinstance(given, Refill):
            answer = self._step(Step("GET", given.path), actors["me"], values)
            left = answer.first("x-ratelimit-remaining") or ""
            if left.isdigit():
                self.provider.wait(max(_REAL_BURST - int(left), 0) / _REAL_PER_SECOND)
        else:
            self._seed(given, actors["me"], values)

    def _step(self, step: Step, actor: Actor, values: dict[str, str]) -> Answer:
        if actor.subject != UNWIPED:
            self.subjects.add(actor.subject)
        request = of_step(step, actor, values, self.provider.secrets, self.provider.now())
        self._pace(actor.subject, request)
        answer = self.provider.send(request)
        if step.status is not None and answer.status != step.status:
            shown = answer.body[:120].decode(errors="replace").strip()
            raise Unprepared(
                f"{step.method} {request.target} answered {answer.status} {shown!r}, "
                f"not {step.status}"
            )
        if step.keep:
            _keep(step, answer, values)
        return answer

    def _drain(self, drain: Drain, actor: Actor, values: dict[str, str]) -> None:
        """Empty a bucket; from far away several requests at a time outrun its refill."""
        step = Step("GET", drain.path)
        secrets = self.provider.secrets
        for _ in range(_DRAIN_REQUESTS):
            request = of_step(step, actor, values, secrets, self.provider.now())
            if any(answer.status == 429 for answer in self._some(request)):
                return
        raise Unprepared("the rate limit was never reached")

    def _some(self, request: Outgoing) -> list[Answer]:
        # 10 tokens/s come back: one at a time is enough below 50 ms.
        if self.provider.delay < 0.05:
            return [self.provider.send(request)]
        return self.provider.at_once([request] * 16)

    def _seed(self, seed: Seed, actor: Actor, values: dict[str, str]) -> None:
        if self._seeded.get(actor.subject) == seed:
            return
        self._prepare("empty", {"me": actor}, values)
        start = int(self.provider.now() * 1000) - 10 * seed.count
        rows = [
            {"uid": str(uuid.uuid4()), "title": f"n{i:04d}", "updatedTs": _stamp(start + i)}
            for i in range(seed.count)
        ]
        for at in range(0, seed.count, _PUSHED_AT_ONCE):
            body = json.dumps({"items": rows[at : at + _PUSHED_AT_ONCE]})
            push = Step("POST", "/v1/sync/notes/push", body.encode(), status=200)
            self._step(push, actor, values)
        for row in rows[seed.count - seed.deleted :]:
            self._step(Step("DELETE", f"/v1/notes/{row['uid']}", status=200), actor, values)
        self._seeded[actor.subject] = seed

    def _pace(self, subject: str, request: Outgoing) -> bool:
        """Stay below the rate limit of a user, as the API counts it; say whether that took time."""
        if request.target.startswith(_UNLIMITED):
            return False
        now = time.monotonic()
        tokens, at = self._buckets.get(subject, (_BURST, now))
        tokens = min(_BURST, tokens + (now - at) * _PER_SECOND) - 1
        if tokens < 0:
            time.sleep(-tokens / _PER_SECOND)
        self._buckets[subject] = (tokens, now)
        return tokens < 0

    def clean_up(self) -> list[str]:
        """Wipe every user of this run; returns the subjects that could not be."""
        left = []
        for subject in sorted(self.subjects):
            values = {"tenant": self.provider.secrets.tenant_id}
            actors = {"me": Actor(subject, "session")}
            try:
                self._prepare(BEGIN, actors, values)
                self._prepare("empty", actors, values)
            except Unprepared:
                left.append(subject)
        return left


def _keep(step: Step, answer: Answer, values: dict[str, str]) -> None:
    try:
        body = json.loads(answer.body)
        uid = str(body.get("uid") or body.get("id") or "")
        values[step.keep] = uid
        values[f"{step.keep}_upper"] = uid.upper()
        values[f"{step.keep}_bare"] = uid.replace("-", "")
        for name, key in _KEPT.items():
            if key in body:
                values[f"{step.keep}_{name}"] = str(body[key])
        values[f"{step.keep}_cut"] = values.get(f"{step.keep}_cursor", "")[:-1]
        if step.path == SESSIONS:
            # Cases count from it.
            int(values[f"{step.keep}_epoch"])
    except (ValueError, AttributeError, KeyError):
        raise Unprepared(f"{step.method} {step.path} answered no such JSON object") from None


def _spellings() -> dict[str, str]:
    uid = str(uuid.uuid4())
    return {"fresh": uid, "fresh_upper": uid.upper(), "fresh_bare": uid.replace("-", "")}


def _stamp(ms: int) -> str:
    # As Go would write it, so that the item's own time is the same text.
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000))
    fraction = f".{ms % 1000:03d}".rstrip("0").rstrip(".")
    return f"{whole}{fraction}Z"
