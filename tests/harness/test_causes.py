"""Which failures explain which."""

import pytest

from support.harness_fakes import a_check, failed
from toolbridge_harness.causes import (
    CHALLENGE,
    CONTROL,
    EVIDENCE,
    STRAYS,
    blame_strays,
    explain,
    strays_headline,
)
from toolbridge_harness.model import Cause, Check, Outcome, Result
from toolbridge_harness.registry import all_checks


def _checks(**explained_by: tuple[str, ...]) -> dict[str, Check]:
    names = {name.replace("_", "-"): by for name, by in explained_by.items()}
    return {name: a_check(name, explained_by=by) for name, by in names.items()}


def _causes(results: list[Result], checks: dict[str, Check]) -> dict[str, tuple[str, ...]]:
    _, causes = explain(results, checks)
    return {cause.id: cause.explains for cause in causes}


def test_a_failure_alone_is_its_own_cause() -> None:
    """One red check is one cause that explains nothing else."""
    checks = _checks(a_one=())

    _, causes = explain([failed("a-one")], checks)

    assert (Cause("a-one", "a-one is broken", "Fix a-one.", ()),) == causes


def test_a_chain_ends_in_its_root() -> None:
    """What explains the explanation is the cause of all."""
    checks = _checks(a_root=(), a_middle=("a-root",), a_leaf=("a-middle",))

    found = _causes([failed("a-leaf"), failed("a-middle"), failed("a-root")], checks)

    assert {"a-root": ("a-leaf", "a-middle")} == found


def test_what_passed_explains_nothing() -> None:
    """A prerequisite that holds is no cause."""
    checks = _checks(a_root=(), a_leaf=("a-root",))

    found = _causes([failed("a-leaf"), Result("a-root", Outcome.PASS)], checks)

    assert {"a-leaf": ()} == found


ABSENT = "WWW-Authenticate: (absent)"


def test_refusals_that_lack_only_the_challenge_have_one_cause() -> None:
    """The check of the challenge itself, though it is explained by what lets tokens in."""
    checks = _checks(auth_x=(), auth_challenge=("auth-x",))
    results = [failed("auth-x", ABSENT), failed(CHALLENGE, ABSENT)]

    assert {CHALLENGE: ("auth-x",)} == _causes(results, checks)


def test_a_wrong_challenge_explains_no_open_door() -> None:
    """Who is let in was not refused with a wrong challenge: that is a second cause."""
    checks = _checks(auth_x=(), auth_open=("auth-x",), auth_challenge=())
    results = [failed("auth-x", ABSENT), failed("auth-open", "HTTP 200"), failed(CHALLENGE, ABSENT)]

    assert {CHALLENGE: ("auth-x",), "auth-open": ()} == _causes(results, checks)


def test_an_untestable_check_follows_from_the_control() -> None:
    """When the control fails, what could not be tested is a consequence of it."""
    checks = _checks(control_token=(), a_leaf=())
    results = [failed(CONTROL), Result("a-leaf", Outcome.UNTESTABLE, detail="control failed")]

    assert {CONTROL: ("a-leaf",)} == _causes(results, checks)


def test_a_circle_ends() -> None:
    """Two checks that explain each other have one of them as the cause."""
    checks = _checks(a_one=("a-two",), a_two=("a-one",))

    assert 2 == len(_causes([failed("a-one"), failed("a-two")], checks))


def test_an_error_of_ours_explains_nothing() -> None:
    """A check that broke is reported as broken, apart from the target's failures."""
    checks = _checks(a_root=(), a_leaf=("a-root",))
    results = [failed("a-leaf"), Result("a-root", Outcome.ERROR, detail="KeyError")]

    _, causes = explain(results, checks)

    assert ["a-leaf", "a-root"] == [cause.id for cause in causes]
    assert "itself broke" in causes[1].headline


def test_the_answer_names_the_cause() -> None:
    """A code in the answer leads to the check that tests the thing itself."""
    checks = _checks(signing_unit=(), tools_x=())
    results = [failed("tools-x", "tool error tenant_headers_rejected"), failed("signing-unit")]

    assert {"signing-unit": ("tools-x",)} == _causes(results, checks)


def test_a_shared_session_explains_whatever_goes_wrong_for_several_users() -> None:
    """One user's fault turns up with another; only what must be refused fails by itself."""
    checks = _checks(sessions_own=(), tools_x=(), auth_x=())
    results = [failed("sessions-own"), failed("tools-x", "3 requests"), failed("auth-x", "200")]

    assert {"sessions-own": ("tools-x",), "auth-x": ()} == _causes(results, checks)


def test_an_accepted_failure_is_no_cause() -> None:
    """What the baseline accepts explains nothing and is not explained."""
    checks = _checks(a_root=(), a_leaf=("a-root",))

    found = _causes([failed("a-root", accepted="known"), failed("a-leaf")], checks)

    assert {"a-leaf": ()} == found


def test_the_weightiest_cause_comes_first() -> None:
    """The cause that explains most is said first."""
    checks = _checks(a_alone=(), b_root=(), b_leaf=("b-root",))

    found = _causes([failed("a-alone"), failed("b-root"), failed("b-leaf")], checks)

    assert ["b-root", "a-alone"] == list(found)


def test_evidence_names_checks_that_exist() -> None:
    """The table of evidence points at real checks."""
    named = {name for _, names in EVIDENCE for name in names}

    assert set() == named - set(all_checks())


FORGED = "POST /v1/notes was sent for 'x', and refused there"
NOBODY = "POST /v1/notes was sent for nobody"
SHARED = "POST /v1/notes was sent for 'service'"
STRAY_CHECKS = _checks(auth_x=(), tenant_x=(), tools_x=(), control_token=())


@pytest.mark.parametrize("lines", [[FORGED], [NOBODY], [NOBODY, FORGED]])
@pytest.mark.parametrize("name", ["auth-x", "tenant-x"])
def test_a_refusal_that_fails_explains_requests_for_nobody(name: str, lines: list[str]) -> None:
    """Whom the proxy should have refused, the Go API refuses: that check is the cause."""
    results = [failed(name), failed("tools-x")]

    settled, mixed = blame_strays(results, STRAY_CHECKS, lines)

    assert ((), tuple(results)) == (mixed, settled)


@pytest.mark.parametrize(
    ("results", "lines"),
    [
        # Served there: the proxy has an identity of its own.
        ([failed("auth-x")], [SHARED]),
        ([failed("auth-x")], [FORGED, SHARED]),
        # No refusal failed, or the baseline accepts it, or it could not be tested.
        ([failed("tools-x")], [FORGED]),
        ([failed("auth-x", accepted="known")], [FORGED]),
        ([Result("auth-x", Outcome.UNTESTABLE)], [FORGED]),
        # The caller's own token is not sent.
        ([failed("auth-x"), failed(CONTROL)], [NOBODY]),
    ],
)
def test_any_other_stray_is_the_first_cause(results: list[Result], lines: list[str]) -> None:
    """The proxy acts for the wrong user, whatever else is wrong with it."""
    _, mixed = blame_strays(results, STRAY_CHECKS, lines)

    assert [STRAYS] == [cause.id for cause in mixed]


def test_what_follows_from_mixed_identities_is_no_cause_of_its_own() -> None:
    """A failure whose check names one that strays explain is explained by them, any other not."""
    checks = _checks(tools_x=(), transport_x=("tools-x",), auth_x=())
    results = [failed("tools-x"), failed("transport-x"), failed("auth-x", "HTTP 200")]

    _, mixed = blame_strays(results, checks, [SHARED])

    assert ("tools-x", "transport-x") == mixed[0].explains


def test_the_first_stray_said_is_the_one_that_nothing_explains() -> None:
    """What a recorded run keeps of its strays is enough to judge it again."""
    assert strays_headline([FORGED, SHARED]) == (
        f"the proxy acts for the wrong user: 2 upstream requests belong to another caller or to "
        f"none; first, {SHARED}"
    )
    assert strays_headline([NOBODY]).endswith(f"1 upstream request belongs to another caller or "
                                              f"to none; first, {NOBODY}")  # fmt: skip


def test_a_transport_that_is_gone_explains_the_path_on_which_it_is_served() -> None:
    """The HTTP+SSE transport of before opens GET and /sse: one cause, and its remedy."""
    results = [failed("transport-methods"), failed("transport-no-old-sse")]

    assert {"transport-no-old-sse": ("transport-methods",)} == _causes(results, all_checks())


def test_a_control_that_is_turned_away_explains_what_lies_behind_the_door() -> None:
    """Nothing that needs to get in is the cause when a good token is refused, whatever it says."""
    checks = _checks(control_token=("sessions-x",), sessions_x=(), tenant_x=())
    lost = Result("tenant-x", Outcome.UNTESTABLE, detail="precondition create_note did not succeed")
    results = [failed(CONTROL, "HTTP 403"), failed("sessions-x", "no session"), lost]

    assert {CONTROL: ("sessions-x", "tenant-x")} == _causes(results, checks)


def test_what_found_out_nothing_explains_nothing() -> None:
    """A check that could not be tested says nothing about the target."""
    checks = _checks(tools_a=("tools-b",), tools_b=())
    results = [
        failed("tools-a", "it went wrong"),
        Result("tools-b", Outcome.UNTESTABLE, detail="the precondition failed"),
    ]

    assert {"tools-a": (), "tools-b": ()} == _causes(results, checks)


def test_a_signature_that_was_found_wrong_was_sent_by_somebody_let_in() -> None:
    """A proxy that passes on the 401 of the Go API has let the caller in: signing is the cause."""
    checks = _checks(control_token=("signing-unit",), signing_unit=())
    results = [failed(CONTROL, "HTTP 401"), failed("signing-unit", "1700000000, 10 digits")]

    assert {"signing-unit": (CONTROL,)} == _causes(results, checks)


def test_a_status_in_the_text_of_an_answer_is_no_door() -> None:
    """What the Go API said is quoted in answers that came through the door."""
    checks = _checks(control_token=(), sessions_x=())
    quoted = "HTTP 200, tool error upstream_error: it said HTTP 401"
    results = [failed(CONTROL, quoted), failed("sessions-x", "no session")]

    assert {CONTROL: (), "sessions-x": ()} == _causes(results, checks)


def test_a_check_that_broke_is_a_cause_of_its_own() -> None:
    """A bug of the suite is not put under one of the target's."""
    checks = _checks(control_token=(), sessions_x=(CONTROL,))
    broke = Result("sessions-x", Outcome.ERROR, detail="KeyError")

    assert {CONTROL: (), "sessions-x": ()} == _causes([failed(CONTROL, "HTTP 403"), broke], checks)


@pytest.mark.parametrize("order", [1, -1])
def test_the_control_and_what_it_rests_on_have_one_cause(order: int) -> None:
    """Where each is declared to explain the other, what the answers say decides."""
    checks = _checks(
        control_token=("signing-concurrent",), signing_concurrent=(CONTROL,), tools_x=(CONTROL,)
    )
    rejected = "HTTP 200, tool error tenant_headers_rejected"
    names = (CONTROL, "signing-concurrent", "tools-x")
    results = [failed(name, rejected) for name in names][::order]

    found = _causes(results, checks)

    assert {"signing-concurrent": {CONTROL, "tools-x"}} == {k: {*v} for k, v in found.items()}


def test_whoever_blocks_one_caller_blocks_all() -> None:
    """Answers that do not come are explained by the check of just that."""
    checks = _checks(auth_x=(), errors_upstream_silent=())
    late = "none: ReadTimeout after 10.0 s"
    results = [failed("auth-x", late), failed("errors-upstream-silent", "8.1 s")]

    assert {"errors-upstream-silent": ("auth-x",)} == _causes(results, checks)
