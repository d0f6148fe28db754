"""What ``--help`` shows: every verb, every exit code, and examples that work."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from types import ModuleType

import pytest

from tests.cli.running import Cli
from virtxlate import __version__, errors
from virtxlate.cli.parser import build_parser

VERBS = (
    "translate",
    "validate",
    "rules",
    "schema",
    "explain",
    "abi",
    "hvinfo",
    "params",
    "runtime",
    "inspect",
    "scsi-map",
    "vhba",
    "define",
    "start",
    "hotplug",
    "plan",
    "apply",
    "handover",
)


def help_of(cli: Cli, *verb: str) -> str:
    result = cli(*verb, "--help")
    assert (result.code, result.err) == (0, "")
    return result.out


def examples(text: str) -> list[list[str]]:
    """Give the words of every call of virtxlate in the examples of a help text."""
    lines = text.partition("\nexample:\n")[2].splitlines()
    commands = [part.strip() for line in lines for part in re.split(r"\||&&", line)]
    return [shlex.split(command) for command in commands if command.startswith("virtxlate ")]


@pytest.mark.parametrize("verb", [(), *((verb,) for verb in VERBS)], ids=" ".join)
def test_every_example_parses(cli: Cli, verb: tuple[str, ...]) -> None:
    found = examples(help_of(cli, *verb))
    assert found
    for words in found:
        args = build_parser().parse_args(words[1:])
        assert not verb or args.verb == verb[0]


def test_the_verbs_are_all_there(cli: Cli) -> None:
    (actions,) = [a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction)]
    assert tuple(actions.choices) == VERBS
    text = help_of(cli)
    assert re.findall(r"^    ([a-z-]+)(?: |$)", text, re.MULTILINE) == list(VERBS)


def test_every_exit_code_is_explained(cli: Cli) -> None:
    classes = [each for each in vars(errors).values() if isinstance(each, type)]
    codes = {each.exit_code for each in classes if issubclass(each, errors.VirtxlateError)}
    explained = {int(code) for code in re.findall(r"^  ([0-9]+) +", help_of(cli), re.MULTILINE)}
    assert codes | {0, 1} == explained


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_is_explained(verb: str) -> None:
    (actions,) = [a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction)]
    assert [action.dest for action in actions.choices[verb]._actions if not action.help] == []


def test_the_version_is_told(cli: Cli) -> None:
    assert cli("--version").out == f"virtxlate {__version__}\n"


def test_the_shell_is_answered_before_anything_else(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    answered = []

    def autocomplete(parser: argparse.ArgumentParser) -> None:
        answered.append(parser.prog)
        raise SystemExit(0)

    module = ModuleType("argcomplete")
    vars(module)["autocomplete"] = autocomplete
    monkeypatch.setitem(sys.modules, "argcomplete", module)
    monkeypatch.setenv("_ARGCOMPLETE", "1")
    assert cli("tr") == (0, "", "")
    assert answered == ["virtxlate"]
