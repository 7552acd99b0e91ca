"""SM-1 and SM-2 of the check catalogue, for any proxy that a World can hold."""

from functools import partial

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from support.session_faults import ANYWHERE, BY_NAME, CONFLICT, FAULTS, Fault
from support.session_model import ALL, LIST, OPERATIONS, Plan, Subject, Violation, World
from support.session_upstream import Operation, Principal, Tracked

ALICE: Principal = ("alice", None)
USERS: tuple[Principal, ...] = (
    ALICE,
    ("Alice", None),
    ("bob", None),
    ("1", None),
    ("alice", "https://other.example"),
)
# No sums of a few of these meet the deadline of 25 s exactly.
QUICK = st.lists(st.sampled_from([0.0011, 0.013, 0.17, 0.7, 1.9]), min_size=1, max_size=4)
SLOW = st.lists(st.sampled_from([0.013, 3.7, 8.3, 12.413, 24.907, 31.1]), min_size=1, max_size=4)
OUTAGE_CALLS = 50
# A fifth more than the calls, and the burst that a quiet proxy may retry.
AMPLIFIED = 1.2 * OUTAGE_CALLS + 5
WELL: st.SearchStrategy[tuple[Fault, ...]] = st.just(())


def _schedule(faults: tuple[Fault, ...]) -> st.SearchStrategy[tuple[Fault, ...]]:
    """Draw one fault after another, or one that stays."""
    one = st.sampled_from(faults)
    return st.one_of(st.lists(one, max_size=3).map(tuple), one.map(lambda fault: (fault,) * 4))


def plans(
    faults: tuple[Fault, ...] = (),
    latencies: st.SearchStrategy[list[float]] = QUICK,
    *,
    staggered: bool = False,
) -> st.SearchStrategy[Plan]:
    """Draw the plan of one call; without `faults` nothing goes wrong."""
    here, making = (_schedule(faults), _schedule(ANYWHERE)) if faults else (WELL, WELL)
    return st.builds(
        Plan,
        operation=st.sampled_from(OPERATIONS),
        faults=here,
        # Mostly well, or no call would get as far as its own faults.
        session_faults=st.one_of(WELL, WELL, making),
        latencies=latencies.map(tuple),
        after=st.sampled_from([0.0, 0.0021, 0.19, 5.3]) if staggered else st.just(0.0),
    )


class Machine(RuleBasedStateMachine):
    """Holds a world; `enforced` letters make it fail."""

    def __init__(self, subject: Subject, enforced: frozenset[str] = ALL) -> None:
        super().__init__()
        self.world = World(subject, enforced)

    def teardown(self) -> None:
        self.world.close()
        self.world.raise_enforced()

    def run_one(self, user: Principal, plan: Plan) -> Tracked:
        """Make one call on its own."""
        return self.world.run([(user, plan)])[0]


class SessionMachine(Machine):
    """SM-1: the session cache."""

    @rule(user=st.sampled_from(USERS), plan=plans(FAULTS))
    def call(self, user: Principal, plan: Plan) -> None:
        """One call, with what goes wrong on its way."""
        self.run_one(user, plan)

    @rule(user=st.sampled_from(USERS), plan=plans())
    def call_when_all_is_well(self, user: Principal, plan: Plan) -> None:
        """Whatever happened before, it succeeds."""
        self.run_one(user, plan)

    @rule(user=st.sampled_from(USERS), operation=st.sampled_from(OPERATIONS))
    def call_that_conflicts(self, user: Principal, operation: Operation) -> None:
        """A 409 about the version is told at once, and the session kept for the next call."""
        self.run_one(user, Plan(operation, (CONFLICT,)))
        self.run_one(user, Plan(operation))

    @rule(user=st.sampled_from(USERS))
    def wipe(self, user: Principal) -> None:
        """Another device wipes: all sessions of the subject are gone, the epoch is raised."""
        self.world.upstream.api.wipe(user[0])

    @rule(user=st.sampled_from(USERS), plan=plans())
    def call_behind_the_epoch(self, user: Principal, plan: Plan) -> None:
        """The session lives, its epoch is behind: 409, and a new session with the new epoch."""
        self.world.upstream.api.users.get(user[0]).epoch += 1
        self.run_one(user, plan)

    @rule(seconds=st.sampled_from([1, 60, 1700, 1799, 1801, 3500]))
    def advance(self, seconds: int) -> None:
        """Time passes."""
        self.world.time.advance(seconds)

    @rule(user=st.sampled_from(USERS), seconds=st.sampled_from([0.3, 3, 28]), plan=plans())
    def call_at_the_brink(self, user: Principal, seconds: float, plan: Plan) -> None:
        """A call shortly before the user's newest session expires."""
        self.run_one(user, Plan())
        mine = [one.expires for one in self.world.upstream.issued.values() if one.owner == user]
        self.world.time.advance(max(mine, default=0) - seconds - self.world.time.time())
        self.run_one(user, plan)

    @rule()
    def restart_upstream(self) -> None:
        """All sessions are gone, the epochs stay."""
        self.world.upstream.api.sessions.drop(None)

    @rule(user=st.sampled_from(USERS))
    def rotate_token(self, user: Principal) -> None:
        """The caller logs in again."""
        self.world.rotate(user)

    @rule(
        user=st.sampled_from(USERS),
        several=st.lists(plans(staggered=True), min_size=2, max_size=8),
        lost=st.booleans(),
    )
    def burst(self, user: Principal, several: list[Plan], lost: bool) -> None:
        """Calls of one user at once make one session at most, also after a restart."""
        if lost:
            self.world.upstream.api.sessions.drop(None)
        calls = self.world.run([(user, plan) for plan in several])
        made = sum(len(call.creates) for call in calls)
        if made > 1:
            self.world.note("e", f"{made} sessions for a burst: {calls}")
        self.world.raise_enforced()

    @rule(
        user=st.sampled_from(USERS),
        several=st.lists(plans(), min_size=2, max_size=4),
        seconds=st.sampled_from([0.0005, 0.02, 0.4]),
    )
    def burst_of_which_the_first_leaves(
        self, user: Principal, several: list[Plan], seconds: float
    ) -> None:
        """Who leaves takes nothing from the others."""
        leaver = Plan(latencies=(0.17,), cancelled_after=seconds)
        self.world.run([(user, plan) for plan in (leaver, *several)])

    @rule(
        calls=st.lists(
            st.tuples(
                st.sampled_from(USERS),
                st.one_of(plans(staggered=True), plans(FAULTS, staggered=True)),
            ),
            min_size=2,
            max_size=6,
        )
    )
    def concurrent_calls(self, calls: list[tuple[Principal, Plan]]) -> None:
        """Calls of several users at once, some of which go wrong."""
        self.world.run(calls)


class RetryMachine(Machine):
    """SM-2: what is sent again, what is not, and what the caller is told."""

    @rule(plan=plans(FAULTS))
    def call(self, plan: Plan) -> None:
        """A call at the usual speed."""
        self.run_one(ALICE, plan)

    @rule(plan=plans(FAULTS, SLOW))
    def slow_call(self, plan: Plan) -> None:
        """A call that the deadline may cut at any point."""
        self.run_one(ALICE, plan)

    @rule(
        calls=st.lists(
            st.one_of(plans(FAULTS, staggered=True), plans(FAULTS, SLOW, staggered=True)),
            min_size=2,
            max_size=6,
        ),
        lost=st.booleans(),
    )
    def concurrent_calls(self, calls: list[Plan], lost: bool) -> None:
        """Calls at once, some of them slow, and perhaps after a restart of the Go API."""
        if lost:
            self.world.upstream.api.sessions.drop(None)
        self.world.run([(ALICE, plan) for plan in calls])

    @rule(first=SLOW, making=SLOW)
    def join_a_slow_renewal(self, first: list[float], making: list[float]) -> None:
        """Who learns late that the session is lost finds another call renewing it, slowly."""
        self.run_one(ALICE, Plan())
        self.world.upstream.api.sessions.drop(None)
        second = (0.013, 0.013, *making)
        calls = [Plan(latencies=tuple(first)), Plan(latencies=second, after=5.3)]
        self.world.run([(ALICE, plan) for plan in calls])


class OutageMachine(Machine):
    """SM-2 for as long as nothing works: the calls are not multiplied."""

    @rule(
        name=st.sampled_from(["429(1)", "503(1)", "502", "reset-before", "refuse"]),
        session=st.booleans(),
        together=st.booleans(),
    )
    def outage(self, name: str, session: bool, together: bool) -> None:
        """Fifty calls are at most sixty-five requests, for sessions and for notes."""
        api = self.world.upstream.api
        if session:
            api.sessions.drop(None)
            self.world.time.advance(3600)
        fault = (BY_NAME[name],) * 3
        plan = Plan(LIST, (), fault) if session else Plan(LIST, fault)
        rounds = [OUTAGE_CALLS] if together else [1] * OUTAGE_CALLS
        calls = [c for size in rounds for c in self.world.run([(ALICE, plan)] * size)]
        sent = sum(len(c.creates if session else c.attempts) for c in calls)
        if sent > AMPLIFIED:
            self.world.note("amplification", f"{sent} requests for {len(calls)} calls of {name}")
        self.world.raise_enforced()

    @rule(seconds=st.sampled_from([1, 60]))
    def recover(self, seconds: int) -> None:
        """Time passes, and a call works again."""
        self.world.time.advance(seconds)
        self.run_one(ALICE, Plan())


STEPS = 20
SEARCH = settings(
    phases=[Phase.generate],
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
    max_examples=150,
    stateful_step_count=STEPS,
)


def sized(size: settings, share: float, least: int = 8) -> settings:
    """Take a share of the profile's examples: a step is up to eight calls."""
    examples = max(least, int(size.max_examples * share))
    return settings(size, max_examples=examples, stateful_step_count=STEPS)


def run(kind: type[Machine], subject: Subject, size: settings) -> None:
    """Search for a sequence that violates an invariant."""
    run_state_machine_as_test(partial(kind, subject), settings=size)  # type: ignore[arg-type]


def notices(kind: type[Machine], subject: Subject, letters: frozenset[str], size: settings) -> bool:
    """Say whether the machine finds a violation of one of these invariants."""
    try:
        run_state_machine_as_test(partial(kind, subject, letters), settings=size)  # type: ignore[arg-type]
    except Violation:
        return True
    return False
