"""What ``--help`` shows: every verb, every exit code, and examples that work."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from types import ModuleType
from typing import get_args, get_type_hints

import pytest

from tests.cli.parsers import parsers
from tests.cli.running import Cli
from virtxlate import __version__, errors
from virtxlate.cli.parser import build_parser
from virtxlate.cli.runtime import _COMMANDS
from virtxlate.ganeti.runtime_downgrade import VERSIONS
from virtxlate.ganeti.source import FORMATS
from virtxlate.handover.transfer import Method
from virtxlate.translate.context import TABLES, Context

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


PARSERS = list(parsers(build_parser()))[1:]


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.prog)
def test_every_option_is_explained(parser: argparse.ArgumentParser) -> None:
    assert [action.dest for action in parser._actions if not action.help] == []


def parser_of(*verbs: str) -> argparse.ArgumentParser:
    parser = build_parser()
    for verb in verbs:
        (actions,) = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
        parser = actions.choices[verb]
    return parser


def option_of(dest: str, *verbs: str) -> argparse.Action:
    (action,) = [a for a in parser_of(*verbs)._actions if a.dest == dest]
    return action


CONTEXT = get_type_hints(Context)
TAKEN = [
    (("translate",), "form", (*FORMATS, "qmp")),
    (("explain",), "form", FORMATS),
    (("translate",), "domain_type", get_args(CONTEXT["domain_type"])),
    (("translate",), "disk_paths", get_args(CONTEXT["disk_paths"])),
    (("runtime", "downgrade"), "to", tuple(VERSIONS)),
    (("runtime", "write"), "ganeti_version", tuple(_COMMANDS)),
    (("handover",), "method", get_args(Method)),
]


@pytest.mark.parametrize(("verbs", "dest", "words"), TAKEN)
def test_the_words_that_are_offered_are_those_that_are_taken(
    verbs: tuple[str, ...], dest: str, words: tuple[str, ...]
) -> None:
    """The options cannot name the tables: importing those takes longer than a help text may."""
    assert option_of(dest, *verbs).choices == words


@pytest.mark.parametrize("verb", ["translate", "handover"])
def test_the_map_is_offered_with_its_tables(verb: str) -> None:
    told = re.findall(r"\[([a-z.A-Z]+)\]", option_of("map", verb).help or "")
    assert told == [*TABLES, "diskparams.TEMPLATE"]


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
