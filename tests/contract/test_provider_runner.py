"""The runner: states, what is not run and why, a provider that fails, and the end of a run."""

from dataclasses import replace

import pytest

from support.contract_caller import TurnedClock, make_api
from support.contract_provider import SECRETS, InProcess, cases
from toolbridge_contract.provider.case import (
    Case,
    Drain,
    Jwt,
    Now,
    Signed,
    Step,
    Then,
    Wait,
    Want,
)
from toolbridge_contract.provider.exchange import Answer, Outgoing
from toolbridge_contract.provider.forge import Secrets, authorization, tenant_headers
from toolbridge_contract.provider.providers import NoAnswer
from toolbridge_contract.provider.runner import Gone, Outcome, not_run, run
from toolbridge_contract.provider.wants import item
from toolbridge_contract.provider.world import World

CREATE = Case("create", "POST", "/v1/notes", item(201), body="{}")


def one(case: Case, provider: InProcess) -> tuple[Outcome, str]:
    (result,) = run([("g", case)], provider)
    return result.outcome, result.reason


class Silent(InProcess):
    def send(self, request: Outgoing) -> Answer:
        raise NoAnswer("no answer: connection refused")


def test_a_case_that_agrees_and_one_that_does_not() -> None:
    """The same request, another expectation; what differs is named."""
    provider = InProcess()
    wrong = Case("wrong", "POST", "/v1/notes", item(200, 2), body="{}")

    assert (Outcome.AGREES, "") == one(CREATE, provider)
    (result,) = run([("g", wrong)], provider)
    assert ["status", "body"] == [d.what for d in result.differences]
    assert ("200", "201") == (result.differences[0].expected, result.differences[0].got)


def test_what_follows_on_a_case_is_judged_too() -> None:
    """By its own request, in order; what differs says where."""
    path = "/v1/notes/{note}"
    then = (Then("GET", path, item(200, uid="{note}", title="n")), Then("GET", path, item(200, 2)))
    case = Case("x", "GET", path, then[0].want, given=("note",), then=then)
    (result,) = run([("g", case)], InProcess())

    assert ["then GET /v1/notes/{note}: body"] == [d.what for d in result.differences]
    assert (Outcome.AGREES, "") == one(replace(case, then=then[:1]), InProcess())


def test_a_user_who_was_never_wiped_is_not_wiped_at_the_end() -> None:
    """So that the next run finds one, too."""
    provider = InProcess()
    world = World(provider)
    run(cases(["epoch-state-before-any-wipe"]), provider, world=world)

    assert (set(), []) == (world.subjects, world.clean_up())


def test_a_state_that_cannot_be_made_gives_no_verdict() -> None:
    """The step and its answer are named."""
    case = Case("x", "GET", "/", Want(404, "Tn"), given=(Step("PUT", "/v1/nope", status=200),))
    outcome, reason = one(case, InProcess())

    assert Outcome.NO_VERDICT is outcome
    assert "PUT /v1/nope answered 404 '404 page not found', not 200" == reason


def test_a_provider_that_is_gone_ends_the_run() -> None:
    """After five cases, by name."""
    with pytest.raises(Gone, match="the API stopped answering at jwt-"):
        run(cases()[15:30], Silent())


@pytest.mark.parametrize(
    ("about", "attributes", "reason"),
    [
        ({"mock": "it cannot"}, {}, "not reproducible by the mock: it cannot"),
        ({"mock": "it cannot"}, {"is_mock": False}, ""),
        ({"wire": True}, {}, "no socket here"),
        ({"wire": True}, {"no_wire": ""}, ""),
        ({"slow": "a body of 8 MiB"}, {}, "slow: a body of 8 MiB (--slow runs it)"),
        ({"given": (Wait(1800),)}, {}, ""),
        ({"given": (Wait(1800),)}, {"turns": False}, "waits 30 minutes (--slow runs it)"),
        (
            {"timing": True, "signed": Signed(shift=1)},
            {"delay": 0.2},
            "the way to the API takes 200 ms, too long for its edge",
        ),
        (
            {"timing": True, "given": (Drain(),)},
            {"delay": 0.06},
            "the way to the API takes 60 ms, too long for its edge",
        ),
        ({"timing": True}, {"delay": 0.2}, ""),
        ({"given": (Drain(),)}, {"delay": 0.2}, ""),
    ],
)
def test_a_case_that_is_not_run_says_why(
    about: dict[str, object], attributes: dict[str, object], reason: str
) -> None:
    """By what the provider is and can."""
    provider = InProcess()
    for name, value in attributes.items():
        setattr(provider, name, value)
    case = Case("x", "GET", "/", Want(200, "J"), **about)  # type: ignore[arg-type]

    assert reason == not_run(case, provider, slow=False)


def test_slow_cases_run_when_asked_for() -> None:
    """But not those that the mock cannot show."""
    slow = Case("x", "GET", "/", Want(200, "J"), slow="x")

    assert "" == not_run(slow, InProcess(), slow=True)


def test_a_case_that_hangs_on_milliseconds_is_tried_again() -> None:
    """A provider that is right at the third try agrees; without `timing` it differs."""

    class Hasty(InProcess):
        left = 2

        def send(self, request: Outgoing) -> Answer:
            answer = super().send(request)
            if request.target == "/v1/notes" and self.left:
                self.left -= 1
                answer.status = 599
            return answer

    timed = Case("timed", "POST", "/v1/notes", item(201), body="{}", timing=True)
    assert (Outcome.AGREES, "") == one(timed, Hasty())
    assert Outcome.DIFFERS is one(CREATE, Hasty())[0]


def test_users_are_marked_and_a_real_api_gets_no_more_of_them() -> None:
    """All subs of the steps of two runs are the same ones."""
    subjects = []
    for _ in range(2):
        world = World(InProcess())
        run(
            cases(["flow-list", "uid-of-other-user", "rate-exhausted"]), world.provider, world=world
        )
        subjects.append(world.subjects)

    assert subjects[0] == subjects[1]
    assert all(subject.startswith("toolbridge-contract-") for subject in subjects[0])


def test_the_end_of_a_run_wipes_its_users() -> None:
    """Nothing is left of what they made."""
    provider = InProcess()
    world = World(provider)
    run(cases(["flow-create", "uid-of-other-user"]), provider, world=world)

    assert [] == world.clean_up()
    for subject in world.subjects:
        user = provider.api.users.known(subject)
        assert user is not None
        assert 0 == sum(provider.api._store.wipe(user).values())


def test_users_that_cannot_be_wiped_are_named() -> None:
    """One by one."""
    clock = TurnedClock()
    provider = InProcess(make_api(clock), clock)
    world = World(provider)
    run(cases(["flow-create"]), provider, world=world)
    provider.secrets = Secrets(SECRETS.jwt, "wrong", SECRETS.tenant_id)

    assert sorted(world.subjects) == world.clean_up()


def test_a_user_is_paced_below_the_rate_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """100 at once, then nine a second; routes without a limit are not counted."""
    slept: list[float] = []
    monkeypatch.setattr("time.monotonic", lambda: 5.0 + sum(slept))
    monkeypatch.setattr("time.sleep", slept.append)
    world = World(InProcess())
    for _ in range(200):
        world._pace("a", Outgoing("GET", "/v1/sync/state", [], b""))
    assert [] == slept
    for _ in range(118):
        world._pace("a", Outgoing("GET", "/v1/notes", [], b""))
    world._pace("b", Outgoing("GET", "/v1/notes", [], b""))

    assert 2.0 == pytest.approx(sum(slept), abs=0.2)


def test_secrets_do_not_show() -> None:
    """Wherever their object is printed."""
    assert "Secrets(tenant_id='tenant-a')" == repr(SECRETS)


def test_forged_tokens_and_signatures_are_what_they_say() -> None:
    """Times beside the API's clock, other secrets, altered stamps."""
    now = 1_767_225_600.25
    first = authorization(Jwt(claims={"exp": Now(60)}), "a", SECRETS, now)
    plain = dict(tenant_headers(Signed(), {"tenant": "t"}, SECRETS, now))
    other = dict(tenant_headers(Signed(mac="{forged}"), {"tenant": "t"}, SECRETS, now))
    late = dict(tenant_headers(Signed(sent="{ms+1}"), {"tenant": "t"}, SECRETS, now))

    assert first != authorization(Jwt(claims={"exp": Now(61)}), "a", SECRETS, now)
    assert authorization(Jwt("{jwt}"), "a", SECRETS, now).count(".") == 2
    assert plain["X-TB-Timestamp"] == "1767225600250"
    assert late["X-TB-Timestamp"] == "1767225600251"
    assert plain["X-TB-Signature"] == late["X-TB-Signature"] != other["X-TB-Signature"]
