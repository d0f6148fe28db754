"""Nothing grows past what a reader holds in mind."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "virtxlate"
FILES = sorted(PACKAGE.rglob("*.py"))
MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 40


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_and_its_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    functions = [
        n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    lengths = [(n.name, (n.end_lineno or n.lineno) - n.lineno + 1) for n in functions]
    assert len(text.splitlines()) <= MOST_LINES_OF_A_FILE
    assert [(name, lines) for name, lines in lengths if lines > MOST_LINES_OF_A_FUNCTION] == []


def test_the_package_was_found() -> None:
    assert PACKAGE / "translate" / "instance.py" in FILES
