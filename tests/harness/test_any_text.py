"""Every report survives any text that a target may send, and lets none of it act on a reader."""

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import example, given

from support.report_samples import CHECKS, hostile_reports, told
from toolbridge_harness.model import Exchange, Report
from toolbridge_harness.report import terminal
from toolbridge_harness.report.files import FORMATS

MEGABYTE = 1_000_000
# What moves a cursor, colours a line, turns the direction of reading, or is no text at all.
ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028-\u202e\u2066-\u2069]")
WORST = "\x00\x1b]0;title\x07\x1b[2J\u202eabc\u2066\ud800\x9b31m\r\x85[red]x[/]\\"
# For programs: their own escapes carry what was sent, and the parser gives it back.
PARSED = {"json", "sarif"}
FOR_PEOPLE = sorted(FORMATS.keys() - PARSED - {"junit"})


def with_exchanges(report: Report, text: str) -> Report:
    """Return the run with an exchange of this text in each result."""
    exchange = Exchange(text, text, 0.1)
    results = tuple(replace(result, exchanges=(exchange,)) for result in report.results)
    return replace(report, results=results, notes=(text,))


@given(report=hostile_reports)
@example(told([WORST] * 11))
def test_every_report_can_be_written_and_read(report: Report) -> None:
    """UTF-8 holds it, JSON and XML parse, and what people read holds nothing that acts."""
    report = with_exchanges(report, report.results[0].actual)
    written = {name: render(report, CHECKS).encode() for name, render in FORMATS.items()}

    for name in PARSED:
        assert isinstance(json.loads(written[name]), dict), name
    assert "testsuites" == ET.fromstring(written["junit"]).tag
    for name in FOR_PEOPLE:
        assert ACTING.findall(written[name].decode()) == [], name


@given(report=hostile_reports)
@example(told([WORST] * 11))
def test_colours_are_the_reports_own(report: Report) -> None:
    """In a terminal, every escape sequence is one that sets a colour, and the lines are as many."""
    report = with_exchanges(report, report.results[0].actual)
    plain = terminal.render(report, CHECKS)
    coloured = terminal.render(report, CHECKS, colour=True)
    bare = re.sub(r"\x1b\[[0-9;]*m", "", coloured)

    assert ACTING.findall(bare) == []
    assert len(plain.splitlines()) == len(bare.splitlines())


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("piece", ["word ", "x", "\n", "\ud800", WORST], ids=repr)
def test_a_megabyte_is_survived(name: str, piece: str) -> None:
    """An answer that is far too long is cut where people read, and breaks nothing."""
    text = piece * (MEGABYTE // len(piece))
    report = replace(with_exchanges(told([text] * 11), text), target="https://proxy.test")

    written = FORMATS[name](report, CHECKS).encode()

    if name in FOR_PEOPLE:
        assert len(written) < MEGABYTE
