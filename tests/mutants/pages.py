"""The pages made from the matrix: Markdown to read, HTML to look around in."""

from pathlib import Path

from mutants import matrix_html, matrix_markdown
from mutants.matrix import Matrix, read
from mutants.paper import Paper
from mutants.table import all_mutants, all_variants
from toolbridge_harness.registry import all_checks


def paper(matrix: Matrix) -> Paper:
    """Return the matrix with the tables that give its rows and columns their words."""
    return Paper(matrix, all_mutants(), all_variants(), all_checks())


def pages(about: Paper, name: str) -> dict[str, str]:
    """Return the pages by file name; `name` is that of the JSON document, without its suffix."""
    return {
        f"{name}.md": matrix_markdown.render(about, name),
        f"{name}.html": matrix_html.render(about),
    }


def write_pages(store: Path) -> None:
    """Write the pages beside the JSON document that they show."""
    for name, text in pages(paper(read(store)), store.stem).items():
        (store.parent / name).write_text(text, encoding="utf-8")
