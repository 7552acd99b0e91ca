"""The rate limit: 120 at once, ten each second, one bucket for the five entities."""

from support.contract_caller import START_NS, Caller, TurnedClock, caller_with_session, make_api
from toolbridge_contract.mock.messages import Response
from toolbridge_contract.tools import ENTITIES

NOW = START_NS // 1_000_000_000


def limits(answer: Response) -> dict[str, int]:
    names = ("Limit", "Burst", "Remaining", "Reset")
    return {name: int(answer.header(f"X-Ratelimit-{name}") or -1) for name in names}


def drained(api_clock: TurnedClock | None = None) -> Caller:
    caller = Caller(make_api(api_clock)).begin()
    for _ in range(120):
        caller.send("GET", "/v1/notes")
    return caller


def test_every_entity_answer_counts_down() -> None:
    """Remaining is what is left; Reset is when the bucket is full again."""
    caller = caller_with_session()

    first, second = (limits(caller.send("GET", "/v1/notes")) for _ in range(2))
    assert first == {"Limit": 600, "Burst": 120, "Remaining": 119, "Reset": NOW}
    assert second == {"Limit": 600, "Burst": 120, "Remaining": 118, "Reset": NOW}


def test_request_121_at_one_instant_is_refused() -> None:
    """429 in full: Retry-After always 1, Reset twelve seconds away."""
    answer = drained().send("GET", "/v1/notes", change={"X-Correlation-ID": "c"})

    assert answer.status == 429
    assert limits(answer) == {"Limit": 600, "Burst": 120, "Remaining": 0, "Reset": NOW + 12}
    assert answer.header("Retry-After") == "1"
    text = "Rate limit exceeded. Please retry after 1 seconds."
    assert f'{{"error":"{text}","correlation_id":"c"}}\n' == answer.body.decode()


def test_refused_calls_take_nothing_and_ten_come_back_each_second() -> None:
    """After a second ten calls pass, however many were refused."""
    clock = TurnedClock()
    caller = drained(clock)
    for _ in range(30):
        caller.send("GET", "/v1/notes")
    clock.turn(1.0)
    statuses = [caller.send("GET", "/v1/notes").status for _ in range(12)]

    assert statuses == [200] * 10 + [429] * 2


def test_the_bucket_never_holds_more_than_the_burst() -> None:
    """A long pause fills it to 120."""
    clock = TurnedClock()
    caller = drained(clock)
    clock.turn(1000)

    assert limits(caller.send("GET", "/v1/notes"))["Remaining"] == 119


def test_one_bucket_serves_all_entities_and_tenants_of_a_user() -> None:
    """Another collection or tenant id does not help; another user does."""
    caller = drained()
    other_tenant = Caller(caller.api, caller.subject, "tenant-b").begin()
    other_user = Caller(caller.api).begin()

    assert [caller.send("GET", entity.collection).status for entity in ENTITIES] == [429] * 5
    assert other_tenant.send("GET", "/v1/notes").status == 429
    assert other_user.send("GET", "/v1/notes").status == 200


def test_answers_of_4xx_take_a_token_and_earlier_refusals_do_not() -> None:
    """400, 404 and 409 cost; 404 path, 401, 428 and 403 do not."""
    caller = caller_with_session()
    foreign = Caller(caller.api).begin().session
    caller.send("GET", "/v1/nope")
    caller.send("GET", "/v1/notes", change={"Authorization": None})
    caller.send("GET", "/v1/notes", change={"X-Sync-Session": None})
    caller.send("GET", "/v1/notes", change={"X-Sync-Session": foreign})
    assert limits(caller.send("GET", "/v1/notes/abc"))["Remaining"] == 119
    caller.send("GET", "/v1/notes", change={"X-Sync-Epoch": "0"})
    caller.send("GET", "/v1/notes/11111111-2222-3333-4444-555555555555")

    assert limits(caller.send("GET", "/v1/notes"))["Remaining"] == 116


def test_sessions_state_and_wipe_are_not_limited() -> None:
    """A drained user can still recover, and sees no rate headers there."""
    caller = drained()

    begun = caller.send("POST", "/v1/sync/sessions")
    assert (begun.status, begun.header("X-Ratelimit-Limit")) == (201, None)
    assert caller.send("GET", "/v1/sync/state").status == 200
    assert caller.send("POST", "/v1/sync/wipe", {"confirm": "WIPE"}).status == 200


def test_without_the_limit_the_headers_stay() -> None:
    """`rate_limit=False` never refuses."""
    caller = caller_with_session(rate_limit=False)
    answers = [caller.send("GET", "/v1/notes") for _ in range(150)]

    assert {200} == {answer.status for answer in answers}
    assert limits(answers[-1])["Remaining"] == 119
