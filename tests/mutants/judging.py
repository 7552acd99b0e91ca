"""What a run says about a mutant. Pure functions over the suite's JSON report."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mutants.table import Mutant

RED = frozenset({"fail", "untestable", "error"})
CONTROL = "control-token"
BESIDE = "passed alone, not beside the others"


class Fate(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    """A check that names its rows failed, beside a control that passed."""
    SURVIVED = "survived"
    """No check of its rows failed."""
    UNPROVEN = "unproven"
    """Something was red, but not a check of its rows beside a passing control."""
    CRASHED = "crashed"
    """The run broke or did not end: nothing was learnt."""
    SPARED = "spared"
    """Nothing can notice it, and nothing did."""
    FLAGGED = "flagged"
    """Nothing can notice it by right, yet something was red."""


@dataclass(frozen=True)
class Verdict:
    """One mutant's fate, and the evidence."""

    mutant: str
    fate: Fate
    killers: tuple[str, ...] = ()
    """The failed checks that name its rows."""
    red: tuple[str, ...] = ()
    """Everything that was red."""
    cause: str = ""
    """What the report names first."""
    cause_right: bool = False
    seconds: float = 0.0

    @property
    def as_it_should_be(self) -> bool:
        """Killed or spared, and its cause, where it has one, named first."""
        return self.fate is Fate.SPARED or (self.fate is Fate.KILLED and self.cause_right)


def judge(mutant: Mutant, report: dict[str, Any] | None, seconds: float) -> Verdict:
    """Return the fate of a mutant; `report` is None when the run left none."""
    if report is None:
        return Verdict(mutant.id, Fate.CRASHED, seconds=seconds)
    results = {result["check"]: result for result in report["results"]}
    red = tuple(sorted(name for name, result in results.items() if result["outcome"] in RED))
    cause = report["causes"][0]["id"] if report["causes"] else ""
    killers = tuple(name for name in red if _kills(mutant, results[name]))
    return Verdict(
        mutant.id,
        _fate(mutant, report, results, red, killers),
        killers,
        red,
        cause,
        bool(cause) and cause == mutant.cause,
        seconds,
    )


def control_failed(report: dict[str, Any]) -> bool:
    """Whether the control failed beside another check, so that it may suffer from the same bug."""
    failed = {result["check"] for result in report["results"] if result["outcome"] == "fail"}
    return CONTROL in failed and len(failed) > 1


def beside(report: dict[str, Any], alone: dict[str, Any] | None) -> dict[str, Any]:
    """Return the report of a run with the control's outcome from a run of its own, if it passed."""
    again = alone["results"] if alone else []
    if ["pass"] != [result["outcome"] for result in again if result["check"] == CONTROL]:
        return report
    results = [
        result | {"outcome": "pass", "detail": BESIDE, "beside": result["outcome"]}
        if result["check"] == CONTROL
        else result
        for result in report["results"]
    ]
    return report | {"results": results}


def _kills(mutant: Mutant, result: dict[str, Any]) -> bool:
    return result["outcome"] == "fail" and bool(set(mutant.rows) & set(result["catalogue"]))


def _fate(
    mutant: Mutant,
    report: dict[str, Any],
    results: dict[str, Any],
    red: tuple[str, ...],
    killers: tuple[str, ...],
) -> Fate:
    if mutant.spared:
        if red or report["problems"]:
            return Fate.FLAGGED
        return Fate.SPARED if results.get(CONTROL, {}).get("outcome") == "pass" else Fate.UNPROVEN
    if mutant.cause.startswith("run-") and report["problems"]:
        # Strays, and a proxy that does not start, are noticed by the run as a whole.
        return Fate.KILLED if report["causes"][0]["id"] == mutant.cause else Fate.UNPROVEN
    control = results.get(CONTROL, {}).get("outcome")
    if killers and (control == "pass" or CONTROL in killers):
        return Fate.KILLED
    if any(results[name]["outcome"] == "error" for name in red):
        return Fate.CRASHED
    return Fate.UNPROVEN if red or report["problems"] else Fate.SURVIVED
