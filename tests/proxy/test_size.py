"""The proxy is read in one sitting: it has a budget of lines."""

import ast
import io
import tokenize
from pathlib import Path

import toolbridge_proxy

BUDGET = 1500  # what people still read before they copy it
TOOL_TABLE = {"entities.py", "operations.py"}  # what each tool takes, sends and gets back
SILENT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def code_lines(source: str) -> int:
    """Count the lines that hold code: no blanks, comments or docstrings."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in SILENT:
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Module() | ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                if ast.get_docstring(node, clean=False) is not None:
                    text = node.body[0]
                    lines -= set(range(text.lineno, (text.end_lineno or text.lineno) + 1))
    return len(lines)


def test_what_is_counted() -> None:
    """Three lines of code among docstrings, comments and blanks."""
    source = (
        '"""Text."""\n\n# Why.\ndef f():\n    """More\n    text."""\n    return (\n        1)\n'
    )
    assert 3 == code_lines(source)


def test_the_proxy_stays_within_its_budget() -> None:
    """All of proxy/ but the tool table."""
    folder = Path(toolbridge_proxy.__file__).parent
    sizes = {
        path.name: code_lines(path.read_text())
        for path in folder.rglob("*.py")
        if path.name not in TOOL_TABLE
    }
    assert sum(sizes.values()) <= BUDGET, sizes
