"""No verdict says more than its run: about today's code, and with a control that stood."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click import ClickException

from mutants import alone, rows, state, variants
from mutants.alone import standing
from mutants.freshness import sources
from mutants.judging import Fate, beside, judge
from mutants.matrix import MUTANTS, Matrix, Row
from mutants.matrix_command import run, show
from mutants.rows import merged, row_of
from mutants.table import Variant, all_mutants, all_variants
from support.matrix_samples import (
    BUG,
    CHECKS,
    CONTROL,
    GATE,
    LATE,
    OTHER,
    OTHER_BUG,
    SLOWER,
    SPARED,
    SUITE,
    a_row,
    a_run,
)
from toolbridge_harness.model import Result

BUGS = {"a-bug": BUG, "b-bug": OTHER_BUG}


@pytest.fixture(autouse=True)
def _made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alone, "checks_of_matrix", lambda _: [CHECKS[name] for name in GATE])
    monkeypatch.setattr(rows, "checks_for", lambda _: [*CHECKS.values()])


@pytest.mark.parametrize(
    "row",
    [
        a_row(fate=Fate.FLAGGED),
        a_row(fate=Fate.UNPROVEN),
        # Killed by a check that does not name its rows.
        a_row("b-bug"),
    ],
)
def test_only_a_kill_by_a_check_of_its_rows_is_a_kill_alone(row: Row) -> None:
    """A false alarm on a proxy without a bug, or beside another kill, is no merit."""
    assert {} == standing(Matrix().with_row(MUTANTS, row, SUITE), BUGS, CHECKS).alone


@pytest.mark.parametrize("outcome", ["not applicable", "warning"])
def test_a_mutant_is_spared_by_a_suite_that_looked(outcome: str) -> None:
    """Where not even the control passed, nothing was looked at."""
    assert Fate.SPARED == judge(SPARED, a_run(), 1.0).fate
    assert Fate.UNPROVEN == judge(SPARED, a_run({CONTROL: outcome}), 1.0).fate
    assert Fate.UNPROVEN == judge(SPARED, a_run(ran=(LATE,)), 1.0).fate


def test_a_control_that_suffered_counts_among_the_causes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second run of the control proves the kill; causes are found as the first one had it."""
    seen: list[str] = []

    def explain(results: Sequence[Result], _: object) -> tuple[Sequence[Result], list[Any]]:
        seen.extend(result.outcome for result in results)
        return results, []

    monkeypatch.setattr(rows, "explain", explain)
    suffered = a_run({CONTROL: "fail", LATE: "fail"})

    row = row_of(BUG, beside(suffered, a_run()), 1.0, CHECKS)

    assert (Fate.KILLED, ["fail", "fail"]) == (row.fate, sorted(seen)[:2])


def test_a_red_check_that_is_run_no_more_is_not_red_for_ever() -> None:
    """It left the gate: what it said before is nothing that a later run could take back."""
    before = a_row(red={LATE: {"fail": (LATE,)}, OTHER: {"fail": (OTHER,)}})
    again = a_run({LATE: "fail"}, {LATE: ()}, ran=(CONTROL, LATE))

    assert {LATE} == merged(BUG, before, again, 1.0, CHECKS).reds


def test_a_mutant_rests_on_the_helpers_that_make_it() -> None:
    """What tests/support changes is changed for every mutant that is made with it."""
    found = {Path(name).name for name in sources(all_mutants()["M-E08"].apply)}

    assert {"bugs_sessions_cache.py", "changed_calls.py", "patching.py"} <= found


def test_a_first_cause_rests_on_the_rules_for_causes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Which cause is named first is decided there."""
    rules = tmp_path / "causes.py"
    monkeypatch.setattr(state, "causes", SimpleNamespace(__file__=str(rules)))
    mutant, checks = all_mutants()["M-E08"], [CHECKS[LATE]]
    digests = set()
    for text in ("one", "another", "one"):
        rules.write_text(text)
        digests.add(state.fingerprint(mutant, checks))

    assert 2 == len(digests)


def test_another_proxy_rests_on_all_of_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """A green of yesterday says nothing about what was edited since."""
    plain = all_variants()["plain"]
    before = variants._fingerprint(plain)
    monkeypatch.setattr("mutants.freshness.OTHER_PROXY", [Path(__file__)])

    assert before != variants._fingerprint(plain)


async def test_a_verdict_is_kept_under_the_code_that_was_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An edit during the run is not what the forks have read."""
    code = ["as it was at the start"]
    kept: list[str] = []

    async def run(name: str, *_: Any) -> tuple[dict[str, Any], float]:
        code[0] = f"edited while {name} ran"
        return a_run(), 1.0

    def keep(_: Any, __: str, fingerprint: str) -> None:
        kept.append(fingerprint)

    monkeypatch.setattr(variants, "_fingerprint", lambda _: code[0])
    monkeypatch.setattr(variants, "run_suite", run)
    monkeypatch.setattr(variants, "_keep", keep)
    monkeypatch.setattr(variants, "all_variants", lambda: {SLOWER.id: SLOWER})
    chosen: Sequence[Variant] = [SLOWER, SLOWER]

    await variants.run_variants(chosen, (), "gate", 1, print)

    assert ["as it was at the start"] * 2 == kept


@pytest.mark.parametrize("text", ["nonsense", '{"schema": 99}', "[]", "\udcff"])
def test_a_file_that_is_no_matrix_is_told_in_a_line(tmp_path: Path, text: str) -> None:
    """It is left as it is, and nothing is run."""
    store = tmp_path / "m.json"
    store.write_bytes(text.encode(errors="surrogateescape"))
    before = store.read_bytes()

    with pytest.raises(ClickException, match=r"m\.json: no matrix that this can read"):
        show(store, pages=True)
    with pytest.raises(ClickException, match=r"m\.json: no matrix that this can read"):
        run(store, ["M-A01"], False, False, 1)

    assert (before, [store]) == (store.read_bytes(), [*tmp_path.iterdir()])
