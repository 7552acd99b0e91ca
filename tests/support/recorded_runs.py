"""Runs made up for tests of what reads them: written as `toolbridge verify` writes them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from support.harness_fakes import a_check, a_report
from toolbridge_contract.tools import ENTITIES
from toolbridge_harness.model import (
    Ask,
    Cause,
    Check,
    Exchange,
    LeftBehind,
    NotVerified,
    Outcome,
    Profile,
    Report,
    Result,
    Severity,
    Vantage,
)
from toolbridge_harness.report import json_report
from toolbridge_harness.report.json_reader import Recording


def recording(*results: Result, checks: Mapping[str, Check] | None = None, **run: Any) -> Recording:
    """Return a recording; checks that `checks` does not hold are made up."""
    known = {result.check: a_check(result.check) for result in results} | dict(checks or {})
    return Recording(a_report(*results, **run), known)


def write(path: Path, run: Recording) -> Path:
    """Write the run file."""
    path.write_text(json_report.render(run.report, run.checks), encoding="utf-8")
    return path


def edited(path: Path, run: Recording, **changes: Any) -> Path:
    """Write the run file with top-level keys changed; None takes one out."""
    document = json.loads(json_report.render(run.report, run.checks)) | changes
    kept = {key: value for key, value in document.items() if value is not None}
    path.write_text(json.dumps(kept), encoding="utf-8")
    return path


# A few ids come often, so that two runs have checks in common.
_IDS = st.sampled_from(["demo-a", "demo-b", "other-c"]) | st.from_regex(
    r"[a-z]{1,6}(-[a-z0-9_]{1,6}){1,2}", fullmatch=True
)
_WORDS = st.from_regex(r"[A-Za-z0-9_ .+-]{0,12}", fullmatch=True)
_TEXT = st.text(max_size=20) | st.sampled_from(["[red]x[/]", "\x1b[2J", "two\nlines", "a\\"])
_SECONDS = st.floats(0, 1e4)

_LEFT_BEHIND = st.builds(
    LeftBehind,
    entity=st.sampled_from([entity.singular for entity in ENTITIES]),
    uid=_TEXT,
    user=_TEXT,
    reason=_TEXT,
    certain=st.booleans(),
)


def _checks(name: str) -> st.SearchStrategy[Check]:
    return st.builds(
        Check,
        id=st.just(name),
        claim=_TEXT,
        severity=st.sampled_from(Severity),
        catalogue=st.lists(_WORDS, max_size=2).map(tuple),
        source=_TEXT,
        remedy=_TEXT,
        why=_TEXT,
        needs=st.frozensets(st.sampled_from(Vantage)),
        run=st.just(a_check().run),
        profile=st.sampled_from(Profile),
        alone=st.booleans(),
        explained_by=st.lists(_IDS, max_size=2).map(tuple),
        broken=_TEXT.filter(bool),
        asks=st.none() | st.sampled_from(Ask),
    )


def _results(name: str) -> st.SearchStrategy[Result]:
    exchanges = st.lists(st.builds(Exchange, _TEXT, _TEXT, _SECONDS), max_size=2).map(tuple)
    return st.builds(
        Result,
        check=st.just(name),
        outcome=st.sampled_from(Outcome),
        seconds=_SECONDS,
        expected=_TEXT,
        actual=_TEXT,
        detail=_TEXT,
        exchanges=exchanges,
        unanswered=st.booleans(),
        cause=st.just("") | _IDS,
        accepted=_TEXT,
    )


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    """Any run that could be: every field, every outcome, hostile text where a target's goes."""
    names = draw(st.lists(_IDS, max_size=4, unique=True))
    tuples = st.lists(_TEXT, max_size=2).map(tuple)
    ids = st.lists(_IDS, max_size=2).map(tuple)
    report = Report(
        version=draw(_WORDS),
        target=draw(_TEXT),
        mode=draw(st.sampled_from(["embedded", "grey-box", "black-box"])),
        profile=draw(st.sampled_from(Profile)).value,
        seed=draw(st.integers(0, 2**70)),
        started=draw(_TEXT),
        seconds=draw(_SECONDS),
        results=tuple(draw(_results(name)) for name in names),
        causes=tuple(draw(st.lists(st.builds(Cause, _IDS, _TEXT, _TEXT, ids), max_size=2))),
        not_verified=tuple(draw(st.lists(st.builds(NotVerified, ids, _TEXT, _TEXT), max_size=2))),
        problems=draw(tuples),
        notes=draw(tuples),
        extra=draw(st.dictionaries(_TEXT, _TEXT | st.integers() | st.none(), max_size=2)),
        left_behind=tuple(draw(st.lists(_LEFT_BEHIND, max_size=2))),
    )
    return Recording(report, {name: draw(_checks(name)) for name in names})
