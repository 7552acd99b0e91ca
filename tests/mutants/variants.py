"""The suite on correct proxies that are built differently: whatever is red here is its own fault.

Verdicts are kept like those of the mutants, and rest on the code of the proxy, of the variant
and of all checks.
"""

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import toolbridge_harness.checks
from mutants.freshness import code_of
from mutants.judging import CONTROL, RED
from mutants.running import RUN_SECONDS, run_suite
from mutants.state import digest
from mutants.table import Variant, all_variants

STATE = Path(".mutants") / "variants.json"
# The profile full starts the proxy a hundred times.
FULL_SECONDS = 1200.0
# What a run that is over its deadline needs to say so.
REPORT_SECONDS = 30.0


@dataclass(frozen=True)
class Stay:
    """What one run said about a variant: nothing, if the suite is fair."""

    variant: str
    red: tuple[str, ...]
    """Per red check its id, what it expected and what it got; the run's own problems."""
    warned: tuple[str, ...]
    seconds: float

    def lines(self) -> str:
        """Return the verdict for people: one line, and one more per red check."""
        told = "red" if self.red else "green"
        warned = f"  (warned: {', '.join(self.warned)})" if self.warned else ""
        difference = all_variants()[self.variant].difference
        head = f"{told:<6} {self.seconds:5.1f} s  {self.variant}: {difference}{warned}"
        return "\n           ".join((head, *self.red))


def judge(variant: str, report: dict[str, Any] | None, seconds: float) -> Stay:
    """Return what a run's JSON report says; `report` is None when the run left none."""
    if report is None:
        return Stay(variant, (f"the run left no report within {seconds:.0f} s",), (), seconds)
    results = report["results"]
    red = [_told(result) for result in results if result["outcome"] in RED]
    passed = any(result["outcome"] == "pass" for result in results)
    red += [] if passed or red else ["no check passed"]
    warned = tuple(result["check"] for result in results if result["outcome"] == "warning")
    return Stay(variant, (*red, *map(str, report["problems"])), warned, seconds)


def _told(result: dict[str, Any]) -> str:
    said = f"expected {result['expected']}, got {result['actual']}"
    return f"{result['check']} ({result['outcome']}): {said}"


async def run_variants(
    chosen: Sequence[Variant],
    only: Sequence[str],
    profile: str,
    jobs: int,
    tell: Callable[[str], None],
) -> list[Stay]:
    """Run each variant, as many at a time as `jobs` says; `tell` is given a line for each.

    Runs of single checks (`only`) are not kept.
    """
    # The control shows that the proxy works where a check does not apply to it.
    named = [word for check in (CONTROL, *only) for word in ("--only", check)]
    limit = RUN_SECONDS if profile == "gate" else FULL_SECONDS
    options = named if only else ["--profile", profile]
    options += ["--deadline", f"{limit - REPORT_SECONDS:g}"]
    free, stays = asyncio.Semaphore(jobs), list[Stay]()
    # Of what the fork servers have read, not of what is edited meanwhile.
    codes = {variant.id: _fingerprint(variant) for variant in chosen}

    async def one(variant: Variant) -> None:
        async with free:
            lacking = [word for lack in sorted(variant.lacks) for word in ("--lacks", lack)]
            stay = judge(variant.id, *await run_suite(variant.id, [*options, *lacking], limit))
            if not only:
                _keep(stay, profile, codes[variant.id])
            stays.append(stay)
            tell(f"{len(stays):>3}/{len(chosen)}  {stay.lines()}")

    async with asyncio.TaskGroup() as group:
        for variant in chosen:
            group.create_task(one(variant))
    return stays


def known_green(chosen: Iterable[Variant], profile: str) -> set[str]:
    """Return the ids of those that an earlier run of this very code left green."""
    kept = _kept()
    return {
        variant.id
        for variant in chosen
        if (known := kept.get(f"{variant.id} {profile}"))
        and known["fingerprint"] == _fingerprint(variant)
        and not known["stay"]["red"]
    }


def _kept() -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(STATE.read_text()) if STATE.exists() else {}
    return kept


def _keep(stay: Stay, profile: str, code: str) -> None:
    entry = {f"{stay.variant} {profile}": {"fingerprint": code, "stay": asdict(stay)}}
    STATE.parent.mkdir(parents=True, exist_ok=True)
    fresh = STATE.with_suffix(".new")
    fresh.write_text(json.dumps(_kept() | entry, indent=1, sort_keys=True))
    fresh.replace(STATE)


def _fingerprint(variant: Variant) -> str:
    checks = Path(toolbridge_harness.checks.__file__).parent.glob("*.py")
    return digest(map(str, checks), variant.id, code_of(variant))
