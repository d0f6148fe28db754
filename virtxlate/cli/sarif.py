"""Verdicts as SARIF 2.1.0, in the part of it that code scanning reads.

Source: OASIS, Static Analysis Results Interchange Format 2.1.0, sections 3.13 to 3.52.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

from virtxlate._version import __version__
from virtxlate.cli.verdicts import NotChecked, Verdict, more, said
from virtxlate.domain.violations import SchemaRule, Violation
from virtxlate.errors import TableError
from virtxlate.rules import RULES

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_OF_LIBVIRT, _NOT_CHECKED = "libvirt", "not-checked"
_OF_SCHEMA = {
    "malformed": "The file is no XML document.",
    "unknown-element": "The schema has no such element here.",
    "unknown-attribute": "The schema has no such attribute here.",
    "missing-element": "An element is missing.",
    "missing-attribute": "An attribute is missing.",
    "repeated-element": "An element stands more often than it may.",
    "enumeration": "The value is none of the words that may stand here.",
    "type": "The value is not of its type.",
    "duplicate": "A value that must be unique stands twice.",
    "content": "The content is not of its type.",
    "co-occurrence": "These attributes and elements do not go together.",
    "too-large": "The document is too large to be explained whole.",
}
if set(_OF_SCHEMA) != set(get_args(SchemaRule)):
    raise TableError(
        f"sarif: {sorted(set(_OF_SCHEMA) ^ set(get_args(SchemaRule)))}: in one of two tables only"
    )
_TEXTS = {
    **_OF_SCHEMA,
    "xmlschema": "xmlschema has something against the document.",
    _OF_LIBVIRT: "libvirt itself refuses the document.",
    _NOT_CHECKED: "The schema leaves this element open.",
}
_RULES = {rule.id: rule for rule in RULES}


def sarif(verdicts: list[Verdict], *, is_whole: bool) -> dict[str, Any]:
    """Give the log of one run; ``is_whole`` says that every file could be read."""
    results = [result for verdict in verdicts for result in _results(verdict)]
    used = list(dict.fromkeys(result["ruleId"] for result in results))
    for result in results:
        result["ruleIndex"] = used.index(result["ruleId"])
    driver = {"name": "virtxlate", "version": __version__, "rules": [_rule(each) for each in used]}
    run = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": is_whole}],
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(word: str) -> dict[str, Any]:
    rule = _RULES.get(word)
    if rule is None:
        return {"id": word, "shortDescription": {"text": _TEXTS[word]}}
    return {
        "id": word,
        "shortDescription": {"text": f"{rule.says[0].upper()}{rule.says[1:]}."},
        "fullDescription": {"text": rule.why},
        "help": {"text": f"Fix: {rule.hint}."},
        "defaultConfiguration": {"level": rule.severity},
    }


def _results(verdict: Verdict) -> Iterator[dict[str, Any]]:
    for each in verdict.violations:
        yield _result(each.rule, each.severity, _words(each), verdict.file, each.line, each.path)
    if verdict.more:
        text = f"{more(verdict)}, not listed"
        yield _result("too-large", "note", text, verdict.file, 0, "/")
    for kind in verdict.unchecked:
        yield _result(_NOT_CHECKED, "note", _note(kind), verdict.file, kind.line, kind.path)
    if verdict.libvirt is not None and not verdict.libvirt.is_good:
        yield _result(_OF_LIBVIRT, "error", said(verdict.libvirt, "libvirt"), verdict.file, 0, "/")


def _words(violation: Violation) -> str:
    return f"{violation.message}; {violation.hint}" if violation.hint else violation.message


def _note(kind: NotChecked) -> str:
    times = f", here and {kind.count - 1} times more" if kind.count > 1 else ""
    return f"the schema leaves <{kind.path.rpartition('/')[2]}> open{times}"


def _result(rule: str, level: str, text: str, file: str, line: int, path: str) -> dict[str, Any]:
    place = {"artifactLocation": {"uri": _uri(file)}, "region": {"startLine": max(line, 1)}}
    return {
        "ruleId": rule,
        "level": level,
        "message": {"text": text},
        "locations": [
            {
                "physicalLocation": place,
                "logicalLocations": [{"fullyQualifiedName": path, "kind": "element"}],
            }
        ],
    }


def _uri(file: str) -> str:
    """Give a relative file as such, so that a repository finds it, an absolute one as file:.

    Its name need not be UTF-8: a URI holds bytes.
    """
    return Path(file).as_uri() if Path(file).is_absolute() else quote(os.fsencode(Path(file)))
