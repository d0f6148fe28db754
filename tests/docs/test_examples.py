"""What README.md and the pages show is what happens: commands are run, programs too, links lead to files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.consoles import blocks, differs, parse, run, typed

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@each_page
def test_examples_do_what_the_page_says(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    (tmp_path / "config.data").symlink_to(ROOT / "fixtures" / "ganeti" / "cluster.json")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    code = 0
    for block in blocks(page):
        at = f"{page.relative_to(ROOT)}:{block.line}"
        if block.file is not None:
            Path(block.file).write_text(block.body, encoding="utf-8")
        elif block.kind == "python":
            exec(compile(block.body, at, "exec"), {"__name__": "example"})
        elif block.kind == "console":
            for each in typed(block):
                if each.command == "echo $?":
                    assert each.answer == f"{code}\n", at
                elif each.runs_here:
                    code, found = run(each.words[1:])
                    if difference := differs(each.answer, found):
                        pytest.fail(f"{at}: {each.command}\n{difference}", pytrace=False)
                elif each.words[0] == "virtxlate" and "|" not in each.words:
                    parse(each.words[1:])


@each_page
def test_links_lead_to_files(page: Path) -> None:
    links = [link for link in _LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_readme_shows_every_verb() -> None:
    shown = {
        each.words[1]
        for block in blocks(ROOT / "README.md")
        if block.kind == "console"
        for each in typed(block)
        if each.words[0] == "virtxlate"
    }
    assert {"translate", "validate", "explain", "define", "start", "hotplug", "plan", "apply"} <= shown
