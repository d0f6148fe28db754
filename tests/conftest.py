"""Options of the whole test suite."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--regenerate",
        action="store_true",
        help="write fixtures/domain anew from fixtures/ganeti; read the difference before you commit it",
    )
    parser.addoption(
        "--corpus",
        type=Path,
        help="directory with cases-config.json and cases-expected.json of another Ganeti to judge by",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--regenerate") and os.environ.get("CI"):
        raise pytest.UsageError("--regenerate makes every golden right by definition: not where CI is set")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the corpus test, rather than skip it, where no corpus is given."""
    if config.getoption("--corpus") is None:
        without = [item for item in items if item.path.name == "test_corpus.py"]
        config.hook.pytest_deselected(items=without)
        items[:] = [item for item in items if item not in without]
