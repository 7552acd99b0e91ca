"""The pages that show the matrix."""

import base64
import hashlib
import re

import pytest

from mutants import alone, matrix_html, matrix_markdown, paper
from mutants.full import STORE
from mutants.matrix import MUTANTS, VARIANTS, Again, Matrix, Row, read
from mutants.matrix_markdown import SHOWN, cell, some
from mutants.pages import pages
from mutants.pages import paper as real_paper
from mutants.paper import Paper, area_of
from mutants.table import all_mutants
from support.html_pages import Page
from support.matrix_samples import (
    BUG,
    CHECKS,
    CONTROL,
    DEEP,
    GATE,
    LATE,
    MEEK,
    OTHER,
    OTHER_BUG,
    SLOWER,
    SPARED,
    SUITE,
    a_row,
)

WRONG = a_row(
    "b-bug",
    red={LATE: {"fail": (LATE,), "untestable": (OTHER,)}},
    quick=OTHER,
    right=False,
    commit="def5678+",
    date="2026-01-03T00:00Z",
    again=Again("fff9999", "2026-02-01T00:00Z", 3),
)
GREEN = Row(
    "slower", "green", frozenset({*GATE, DEEP}), soft={"warning": (MEEK,)}, date="2026-01-04T00:00Z"
)
TABLE = {one.id: one for one in (BUG, OTHER_BUG, SPARED)}


@pytest.fixture(autouse=True)
def _gate(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each made-up mutant against the made-up gate; the real ones against the real."""
    if "real" not in request.node.name:
        for module in (alone, paper):
            monkeypatch.setattr(module, "checks_of_matrix", lambda _: [CHECKS[n] for n in GATE])


def _paper(*rows: Row, variant: Row | None = GREEN) -> Paper:
    matrix = Matrix()
    for row in rows:
        matrix = matrix.with_row(MUTANTS, row, SUITE)
    if variant is not None:
        matrix = matrix.with_row(VARIANTS, variant, SUITE)
    return Paper(matrix, TABLE, {"slower": SLOWER}, CHECKS)


def _line(about: Paper, start: str) -> str:
    text = matrix_markdown.render(about, "mutants")
    return next(line for line in text.splitlines() if line.startswith(f"| {start} |"))


def test_the_real_pages_are_in_step_with_the_matrix() -> None:
    """`python tests/mutate.py --pages` makes them again."""
    made = pages(real_paper(read(STORE)), STORE.stem)

    assert made == {name: (STORE.parent / name).read_text(encoding="utf-8") for name in made}


def test_the_real_mutants_each_have_an_area() -> None:
    """It is in the name of the module that declares them."""
    assert [] == [
        one.id for one in all_mutants().values() if not re.fullmatch("[a-z]+", area_of(one))
    ]


def test_a_mutants_line_says_what_killed_it() -> None:
    """A bar in its sentence does not end the cell."""
    line = "| a-bug | takes a token \\| late | killed | auth-late | auth-late |  |"

    assert line == _line(_paper(a_row()), "a-bug")


def test_a_wrong_cause_is_told_beside_the_right_one() -> None:
    """What is red beyond the checks of its rows stands in the last column."""
    line = _line(_paper(WRONG), "b-bug | takes another")

    assert " | killed |  | auth-late, should be auth-other | auth-late, auth-other |" in line
    assert "## Not as it should be: 1" in matrix_markdown.render(_paper(WRONG), "mutants")
    assert "## Not as it should be" not in matrix_markdown.render(_paper(a_row()), "mutants")


def test_what_was_not_run_is_said_plainly() -> None:
    """A page that is silent about it would look complete."""
    text = matrix_markdown.render(_paper(a_row()), "mutants")

    assert "## Not run yet: 2 mutants\n\nb-bug, c-none.\n" in text
    assert "| mutants run | 1 of 3 |" in text
    assert "## Not run yet: 1 variants" in matrix_markdown.render(_paper(variant=None), "mutants")


def test_a_row_without_a_check_that_is_newer_is_named() -> None:
    """Its fate may be another one with that check."""
    text = matrix_markdown.render(_paper(a_row(ran=frozenset({LATE, CONTROL}))), "mutants")

    assert "## Run in part: 1" in text
    assert "a-bug (2)." in text


def test_the_figures_count_causes_in_both_kinds_of_run() -> None:
    """The gate may name another cause first than the checks of the rows alone."""
    told = dict(_paper(a_row(), WRONG).figures())

    assert "1 of 2 (50.0%)" == told["first cause right, in a gate run"]
    assert "2 of 2 (100.0%)" == told["first cause right, in a run of its rows"]
    assert {"2", "1"} == {told["… killed"], told["… green"]}


def test_the_page_says_when_it_was_run() -> None:
    """From the first row to the last, later runs of some checks included."""
    told = _paper(a_row(), WRONG).when()

    assert told.startswith("Run from 2026-01-02T03:04Z to 2026-02-01T00:00Z (UTC), at 4 commits")
    assert "from abc1234 to fff9999" in told
    assert "Nothing has been run yet." == _paper(variant=None).when()
    assert "Nothing has been run yet." == _paper(a_row("renamed"), variant=None).when()


def test_a_grave_check_without_a_reason_is_named() -> None:
    """So are those on which nothing can be said yet."""
    text = matrix_markdown.render(_paper(a_row()), "mutants")

    assert "| control-token | high | no reason is given yet |" in text
    assert "auth-other.\n" in text.partition("Undecided")[2]


@pytest.mark.parametrize(
    ("count", "end"), [(SHOWN, f"n{SHOWN}"), (SHOWN + 2, f"n{SHOWN} and 2 more")]
)
def test_a_long_list_is_cut_and_counted(count: int, end: str) -> None:
    """A control that is down takes two hundred checks with it."""
    assert some([f"n{number}" for number in range(1, count + 1)]).endswith(end)


def test_markdown_shows_text_as_it_is() -> None:
    """A bug may be about any character."""
    assert r"\<b\> a\|b \*c\* \_d \[e\] \`f\` \& \\" == cell("<b> a|b *c* _d [e] `f` & \\")


def _cells(page: str, name: str) -> list[tuple[str, str, str]]:
    """Return class, title and text of a row's cells."""
    row = page.partition(f"<code>{name}</code>")[2].partition("</tr>")[0]
    found = re.findall(r"<td([^>]*)>(.*?)</td>", row)
    return [(_word("class", told), _word("title", told), text) for told, text in found]


def _word(name: str, attributes: str) -> str:
    found = re.search(f'{name}="([^"]*)"', attributes)
    return found[1] if found else ""


def test_a_cell_says_by_sign_and_words_what_it_is() -> None:
    """Colour is not all: a passed check has an empty cell, and others a sign and a title."""
    page = matrix_html.render(_paper(WRONG))

    # By area, those of the profile full at its end: late, meek, other, deep; then the control.
    assert [
        ("fail", "b-bug, auth-late: fail", "✕"),
        ("not-applicable", "b-bug, auth-meek: not applicable", "·"),
        ("untestable follows", "b-bug, auth-other: untestable, explained by auth-late", "?"),
        ("off", "", ""),
        ("", "", ""),
    ] == _cells(page, "b-bug")


def test_a_wrong_cause_is_said_in_words() -> None:
    """Beside the fate, which is coloured too."""
    page = matrix_html.render(_paper(a_row(), WRONG))

    assert ["killed", "killed, wrong cause"] == re.findall(">(killed[^<]*)</span><small>", page)


def test_a_proxy_that_was_not_run_has_an_empty_row() -> None:
    """It must not look as if all had passed."""
    assert [("off", "", "")] == _cells(matrix_html.render(_paper()), "a-bug")


def test_a_table_of_the_page_has_as_many_columns_in_each_row() -> None:
    """Wide cells are counted with their width."""
    page = matrix_html.render(_paper(a_row(), WRONG))
    widths = set()
    for row in re.findall(r"<tr.*?</tr>", page, re.DOTALL):
        spans = [_word("colspan", told) for told in re.findall(r"<t[dh]([^>]*)>", row)]
        widths.add(sum(int(span or 1) for span in spans))

    assert {1 + len(CHECKS)} == widths


def test_every_header_says_what_it_heads() -> None:
    """Columns, rows and their groups."""
    heads = Page(matrix_html.render(_paper(a_row()))).all("th")

    assert {"col", "row", "colgroup", "rowgroup"} == {head["scope"] for head in heads}
    assert len(CHECKS) == sum(head["scope"] == "col" for head in heads)


def test_the_page_needs_nothing_else() -> None:
    """Its policy allows its own style and script, and nothing from elsewhere."""
    text = matrix_html.render(_paper(a_row()))
    page = Page(text)
    policy = page.all("meta", http_equiv="Content-Security-Policy")[0]["content"]

    for kind in ("style", "script"):
        own = re.findall(f"<{kind}>(.*?)</{kind}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(own[0].encode()).digest()).decode()
        assert 1 == len(own)
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert not re.findall(r"(?:src|href)=\"(?!#)", text)


def test_the_first_row_counts_kills() -> None:
    """By check, how many mutants it kills."""
    page = matrix_html.render(_paper(a_row(), WRONG))
    row = page.partition("how many mutants it kills")[2].partition("</tr>")[0]

    assert ["2", "0", "0", "0", "0"] == re.findall(r"<td>(\d+)</td>", row)
