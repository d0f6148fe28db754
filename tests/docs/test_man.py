"""The manual page names every verb, option and exit code, and a formatter has nothing to say against it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import virtxlate
from tests.cli.parsers import parsers
from virtxlate.cli.parser import build_parser

PAGE = Path(__file__).parents[2] / "docs" / "man" / "virtxlate.1"
SECTIONS = (
    "NAME",
    "SYNOPSIS",
    "DESCRIPTION",
    "OPTIONS",
    "EXIT STATUS",
    "ENVIRONMENT",
    "FILES",
    "EXAMPLES",
    "SEE ALSO",
)
FORMATTERS = {
    "groff": ("groff", "-man", "-Tutf8", "-ww", "-z"),
    "mandoc": ("mandoc", "-Tlint", "-Wwarning"),
}


def source() -> str:
    return PAGE.read_text(encoding="utf-8")


def plain() -> str:
    """Give the words of the page, without its markup."""
    return re.sub(r'\\f[A-Z]|"', "", source().replace(r"\-", "-"))


ACTIONS = [action for parser in parsers(build_parser()) for action in parser._actions]
OPTIONS = sorted({option for action in ACTIONS for option in action.option_strings})
WORDS = sorted(
    {str(word) for action in ACTIONS if not isinstance(action.choices, dict) for word in action.choices or ()}
)
VERBS = sorted(
    parser.prog.removeprefix("virtxlate ") for parser in parsers(build_parser()) if " " in parser.prog
)


def test_the_sections_are_those_of_a_command() -> None:
    assert tuple(re.findall(r"^\.SH (.+)$", source(), re.MULTILINE)) == SECTIONS


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_in_it(verb: str) -> None:
    assert f".SS virtxlate {verb}\n" in source()


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_is_in_it(option: str) -> None:
    options = source().partition(".SH OPTIONS")[2].partition(".SH EXIT STATUS")[0].replace(r"\-", "-")
    assert re.search(rf"(?<![\w-]){option}(?![\w-])", options)


@pytest.mark.parametrize("word", WORDS)
def test_every_word_of_an_option_is_in_it(word: str) -> None:
    assert re.search(rf"\b{word}\b", plain())


def test_no_option_is_in_it_that_is_gone() -> None:
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", plain()))
    assert named <= set(OPTIONS)


def test_every_exit_code_is_in_it() -> None:
    codes = re.findall(r"^  (\d+) +\S", build_parser().epilog or "", re.MULTILINE)
    section = source().partition(".SH EXIT STATUS")[2].partition(".SH ENVIRONMENT")[0]
    assert codes
    assert re.findall(r"^\.B (\d+)$", section, re.MULTILINE) == codes


def test_the_version_is_todays() -> None:
    assert f'"virtxlate {virtxlate.__version__}"' in source().splitlines()[0]


INSTALLED = [name for name in FORMATTERS if shutil.which(name)]


@pytest.mark.parametrize("name", INSTALLED)
def test_a_formatter_warns_of_nothing(name: str) -> None:
    done = subprocess.run([*FORMATTERS[name], str(PAGE)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
