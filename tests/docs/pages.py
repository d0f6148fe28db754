"""The pages of ``docs/`` that are made of the tables; ``pytest --regenerate`` writes them anew."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import ModuleType
from typing import Any

import msgspec

from tests.docs.losses import BY_PARAMETER, BY_RULE, READING, TO_GANETI, TO_LIBVIRT, Advice, stated
from tests.docs.no_rules import NO_RULES
from virtxlate.bijection import Bijection
from virtxlate.ganeti.params import (
    DEFAULT_NICPARAMS,
    NEWER_HVPARAMS,
    OLDER_HVPARAM_DEFAULTS,
    BeParams,
    HvParams,
)
from virtxlate.ganeti.words import CLUSTER_ONLY_HVPARAMS
from virtxlate.handover.differences import ROWS as DIFFERENCES
from virtxlate.handover.states import Decision, Source, Target
from virtxlate.handover.steps import ACTIONS, WAYS
from virtxlate.handover.verdicts import ROWS
from virtxlate.rules import RULES, Rule
from virtxlate.tables import (
    causes,
    controller,
    cpu,
    disk,
    display,
    effects,
    extra,
    hardware,
    iothreads,
    machine,
    migration,
    nic,
    override,
    params,
    q35,
    removable,
)
from virtxlate.tables.disk import ANY_GANETI

TABLES = (
    disk,
    removable,
    q35,
    nic,
    controller,
    machine,
    cpu,
    extra,
    display,
    iothreads,
    migration,
    override,
    causes,
)
"""Modules of virtxlate.tables in the order of the page; params has a page of its own."""

_MADE = (
    "<!-- Made from the code by tests/docs/pages.py: do not edit; run pytest --regenerate tests/docs. -->\n"
)
_MAPPING = """\
# Where Ganeti and libvirt meet

Every table that the translation reads, in both directions. A term without a row is an error or a reported
loss, never a guess. The hvparams as a whole are in [params.md](params.md).
"""
_PARAMS = """\
# Every hvparam, beparam and nicparam

`virtxlate params NAME` prints a row of this page.

What is carried stands at the named places of the document, below `<domain>`. What is not carried is reported
as a loss where its value is not the default of Ganeti 3.1. In both cases the filled value rides in the
domain's metadata, unless `--no-metadata` is given.
"""
_LOSSES = """\
# Losses

A loss is something that one side says and the other cannot. It has a path, a value, a reason and a severity:

- **guest-visible**: the guest can see it: a device, a name, an address, a speed.
- **host-only**: only the host or its administrator can see it.

`virtxlate translate` prints losses to stderr, `--report FILE` writes them as JSON, `--strict` makes them an
error (exit code 4). Here `N` is an index, `NAME`, `MODE` and `VLAN` are words of your data.
"""
_HARDWARE = """\
# What is not the same hardware

Every difference that is known between the machine of Ganeti's QEMU and that of the QEMU that libvirt starts.
`virtxlate abi` says which of them an instance has; [same hardware](guides/same-hardware.md) tells how they
are known.
What is not here, and is not reported as a loss, is the same.

- **guest-visible**: a guest can notice.
- **host-only**: QEMU, its firmware or the host can; no guest does.

"""
_READING = """
## Reading Ganeti's data

What a source does not tell, and secrets that are left behind on purpose.
"""
_TO_LIBVIRT = """
## From Ganeti to libvirt

What has no equal in the domain XML.
"""
_TO_GANETI = """
## From libvirt to Ganeti

Reported by `to_ganeti` of the library: for a domain without virtxlate's metadata, and for what an edit
brought into one that has it. The advice is always the same: keep the metadata.
"""
_CONSTANT = re.compile("[A-Z][A-Z_]*")
_CODE = re.compile(r"``(.+?)``", re.DOTALL)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Give a Markdown table."""
    head = tuple(head)
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def word(value: object) -> str:
    """Give a value as it stands in a cell: sentences plain, words as code."""
    if value is None or value == ():
        return "none"
    if isinstance(value, tuple | frozenset):
        items = sorted(value) if isinstance(value, frozenset) else value
        return ", ".join(word(item) for item in items if item is not None)
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if value == "":
        return "`''`"
    return value if isinstance(value, str) and " " in value else f"`{value}`"


def prose(text: str) -> str:
    """Give a docstring as Markdown."""
    return _CODE.sub(r"`\1`", inspect.cleandoc(text))


def constants(module: ModuleType) -> dict[str, str]:
    """Give the docstring of each public constant of a module, in its order."""
    body = ast.parse(inspect.getsource(module)).body
    found = {}
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            name = ast.unparse(node.target if isinstance(node, ast.AnnAssign) else node.targets[0])
            if _CONSTANT.fullmatch(name):
                doc = after.value if isinstance(after, ast.Expr) else None
                found[name] = prose(str(doc.value)) if isinstance(doc, ast.Constant) else ""
    return found


def show(value: Any) -> str:
    """Give a table of the code as Markdown, whatever its kind."""
    if isinstance(value, Bijection):
        return _bijection(value)
    if isinstance(value, Mapping):
        return table(("term", "value"), ((word(k), word(v)) for k, v in value.items()))
    if isinstance(value, tuple) and value and isinstance(value[0], msgspec.Struct):
        names = value[0].__struct_fields__
        return f"{prose(type(value[0]).__doc__ or '')}\n\n" + table(
            (f"`{name}`" for name in names), ([_cell(getattr(row, n)) for n in names] for row in value)
        )
    if isinstance(value, tuple) and value and isinstance(value[0], tuple):
        return "".join(f"- {word(row)}\n" for row in value)
    return f"{word(value)}\n"


def _cell(value: object) -> str:
    return "" if value in {"", ()} else word(value)


def _bijection(bijection: Bijection[Any, Any]) -> str:
    text = table(("Ganeti", "libvirt"), ((word(left), word(right)) for left, right in bijection.rows))
    left = dict(bijection.rows)
    right = {term: name for name, term in bijection.rows}
    for term, other in bijection._right.items():
        if term not in left:
            text += f"\nFrom Ganeti only: {word(term)} becomes {word(other)}.\n"
    for term, other in bijection._left.items():
        if term not in right:
            text += f"\nFrom libvirt only: {word(term)} becomes {word(other)}.\n"
    return text


def mapping_page() -> str:
    """Give ``docs/mapping.md``."""
    text = [_MADE, _MAPPING]
    for module in TABLES:
        text.append(f"\n## `{module.__name__}`\n\n{prose(module.__doc__ or '')}\n")
        for name, doc in constants(module).items():
            note = f"\n{doc}\n" if doc else ""
            text.append(f"\n### `{name}`\n\n{show(getattr(module, name))}{note}")
    return "".join(text)


def params_page() -> str:
    """Give ``docs/params.md``."""
    return "".join(
        (
            _MADE,
            _PARAMS,
            *(_older(*row) for row in OLDER_HVPARAM_DEFAULTS),
            *(
                f"\n{word(name)} came with Ganeti {_release(since)}: where the data lacks it there is none.\n"
                for name, since in NEWER_HVPARAMS.items()
            ),
            f"\n{len(params.TRANSLATED)} of {len(HvParams.__struct_fields__)} hvparams are carried. ",
            f"An instance has no say in\n{word(CLUSTER_ONLY_HVPARAMS)}: these are the cluster's.\n",
            "\n## hvparams that are carried\n\n",
            table(("hvparam", "default", "for QEMU", "where"), _carried()),
            "\nBesides, of the host:\n\n",
            *(f"- `{name}`: {text}\n" for name, text in params.HOST_NEEDS.items()),
            "\n## hvparams that libvirt does by another means\n\n",
            "The reason says which, and is reported where the value is not the default.\n\n",
            "Only with: without that other parameter this one does nothing, and nothing is lost.\n\n",
            "What to do is reported with name and value in it; OPTIONS are those of\n",
            "[`virtxlate.tables.migration`](mapping.md#virtxlatetablesmigration).\n\n",
            table(
                ("hvparam", "default", "for QEMU", "severity", "reason", "what to do", "only with"),
                _not_carried(),
            ),
            "\n## beparams\n\n",
            table(("beparam", "default", "for QEMU", "where"), _beparams()),
            "\n## nicparams\n\n",
            table(("nicparam", "default", "for QEMU", "where"), _nicparams()),
        )
    )


def _older(version: int, defaults: Mapping[str, Any]) -> str:
    rows = "".join(f"- `{name}`: {word(value)}\n" for name, value in defaults.items())
    return f"\nA `config.data` older than {_release(version)} has other built-in defaults:\n\n{rows}"


def _defaults(model: type[msgspec.Struct]) -> dict[str, Any]:
    return msgspec.structs.asdict(model())


def places(field: str) -> str:
    """Give the places of the document that a Ganeti field causes."""
    rows = (*causes.CAUSES, *causes.WHOLE_DEVICES.values())
    paths = [row.path for row in rows if field in {each.rstrip("?") for each in _all_fields(row)}]
    return ", ".join(f"`{path}`" for path in dict.fromkeys(paths))


def _all_fields(row: causes.Cause) -> tuple[str, ...]:
    return (*row.fields, *row.placing)


def _carried() -> Iterable[tuple[str, ...]]:
    for name, default in _defaults(HvParams).items():
        if name in params.TRANSLATED:
            yield word(name), word(default), effects.HVPARAM_EFFECTS[name], places(f"hvparams.{name}")


def _not_carried() -> Iterable[tuple[str, ...]]:
    defaults = _defaults(HvParams)
    for row in params.UNTRANSLATED:
        effect = effects.HVPARAM_EFFECTS[row.name]
        remedy = row.remedy.format(name="NAME", value="VALUE", migration="OPTIONS")
        shown = f"`{remedy}`" if remedy else ""
        yield (
            *(word(row.name), word(defaults[row.name]), effect, row.severity),
            *(row.reason, shown, _cell(row.needs)),
        )


def _beparams() -> Iterable[tuple[str, ...]]:
    for name, default in _defaults(BeParams).items():
        where = places(f"beparams.{name}") or params.METADATA_ONLY[f"beparams.{name}"]
        yield word(name), word(default), effects.BEPARAM_EFFECTS[name], where


def _nicparams() -> Iterable[tuple[str, ...]]:
    for name, default in DEFAULT_NICPARAMS.items():
        yield word(name), word(default), effects.NICPARAM_EFFECTS[name], places(f"nics[].{name}")


def hardware_page() -> str:
    """Give ``docs/hardware.md``."""
    rows = (
        (row.name, row.severity, row.effect, row.reason, "; ".join(_needs(row)) or "every instance")
        for row in hardware.KNOWN_DIFFERENCES
    )
    return _MADE + _HARDWARE + table(("what", "severity", "effect", "reason", "which instances"), rows)


def _needs(row: hardware.KnownDifference) -> Iterable[str]:
    if row.board != "any":
        yield f"on a {row.board}"
    if row.since:
        yield f"since Ganeti {_release(row.since)}"
    if row.until != ANY_GANETI:
        yield f"up to Ganeti {_release(row.until)}"
    for need in row.needs:
        yield f"`{need.field}` is {word(need.values) if need.values else 'set'}"


def _release(version: int) -> str:
    return f"{version // 1_000_000}.{version // 10_000 % 100}"


def losses_page() -> str:
    """Give ``docs/losses.md``."""
    return (
        _MADE
        + _LOSSES
        + _part(_READING, READING)
        + _part(_TO_LIBVIRT, TO_LIBVIRT)
        + _part(_TO_GANETI, TO_GANETI)
    )


def _part(intro: str, rows: Mapping[str, Advice]) -> str:
    said = stated()
    advised = any(advice.text for advice in rows.values())
    head = ("reason", "path", "severity", "what to do") if advised else ("reason", "path", "severity")
    body = (
        (_reason(reason), _paths(advice.path), _severity(said[reason].severity), advice.text)[: len(head)]
        for reason, advice in rows.items()
    )
    return f"{intro}\n{table(head, body)}"


def _reason(reason: str) -> str:
    own = {BY_PARAMETER: "*the parameter's own*", BY_RULE: "*the rule's own*"}
    return own.get(reason, reason)


def _severity(severity: str) -> str:
    return severity if "-" in severity else "either"


def _paths(paths: str) -> str:
    return ", ".join(path if " " in path else f"`{path}`" for path in paths.split(", "))


_RULES = """\
# Rules

What holds for a domain beyond its grammar. `virtxlate validate` reports a broken rule beside the violations
of the schema, with line, path, what was found, what to do, and the id of the rule; `virtxlate rules ID`
explains one. Every translation obeys the same rules: one that would not is refused, with the same words.
The source of each is a function of libvirt or QEMU, a define of libvirt's RELAX NG, or a document's section.

libvirt's verdict is that of libvirt 9.0.0 with QEMU 7.2 on a document that breaks the rule:

- **refused**: libvirt does not define the domain;
- **not started**: libvirt defines it, and it cannot start;
- **accepted**: it starts, and is not what was asked for.

A *warning* is reported and leaves the document valid.
"""


_NO_RULES = """
## What is no rule

This was tried, too, with libvirt 9.0.0 and QEMU 7.2:

"""


def rules_page() -> str:
    """Give ``docs/rules.md``."""
    rows = (
        (f"`{rule.id}`" + (" (warning)" if rule.severity == "warning" else ""), rule.says, rule.libvirt)
        for rule in RULES
    )
    head = table(("rule", "says", "libvirt"), rows)
    return "".join(
        (_MADE, _RULES, "\n", head, *map(_rule, RULES), _NO_RULES, table(("what", "why"), NO_RULES))
    )


def _rule(rule: Rule) -> str:
    return (
        f"\n## {rule.id}\n\n{_text(rule.says)}.\n\n- Why: {_text(rule.why)}\n- Fix: {_text(rule.hint)}.\n"
        f"- Source: {_text(rule.source)}\n"
    )


def _text(words: str) -> str:
    """Give a sentence with its first letter capital; what looks like XML stands as code."""
    marked = re.sub(r"<[^<>]+>(?:<[^<>]+>)*", lambda found: f"`{found[0]}`", words)
    return marked[:1].upper() + marked[1:] if marked[:1].isalpha() and " " in marked else marked


_STATES = """\
# Handover: actions and verdicts

What a handover does, and what `--resume` and `--abort` do with one that was cut short.
[handover.md](handover.md) says what for. The engine works by these tables, and the proof searches them.

## Actions

Done only in these states of the two QEMUs; elsewhere it is an error. *moving*: its state is on its way out.
"""
_VERDICTS = """\

## Ways

{ways}
## Verdicts

The first row that fits holds; an empty cell stands for everything.

"""


def states_page() -> str:
    """Give ``docs/handover-states.md``."""
    actions = (
        (
            f"`{name}`",
            row.does,
            "" if row.decides is None else f"*{row.decides}*",
            _some(row.source, Source),
            _some(row.target, Target),
        )
        for name, row in ACTIONS.items()
    )
    verdicts = (
        (
            _some(row.decisions, Decision),
            " ".join(f"`--{wish}`" for wish in sorted(row.wishes)),
            _some(row.sources, Source),
            _some(row.targets, Target),
            f"**{row.verdict.way}**" if row.verdict.way else f"refused: {row.verdict.reason}",
        )
        for row in ROWS
    )
    ways = "".join(
        f"- **{way}**: {', '.join(f'`{name}`' for name in names)}\n" for way, names in WAYS.items()
    )
    return "".join(
        (
            _MADE,
            _STATES,
            "\n",
            table(("action", "what it does", "writes", "old QEMU", "new QEMU"), actions),
            _VERDICTS.format(ways=ways),
            table(("decision", "called with", "old QEMU", "new QEMU", "way"), verdicts),
        )
    )


def _some(chosen: frozenset[StrEnum], kind: type[StrEnum]) -> str:
    """Give the members in their order; nothing for all of them."""
    return (
        "" if chosen in (frozenset(), frozenset(kind)) else ", ".join(each for each in kind if each in chosen)
    )


_DIFFERENCES = """\
# Handover: what a difference means

`virtxlate handover --check` compares the running QEMU with the one that libvirt would start, and judges
each difference by this table; [handover.md](handover.md) says how. The first row that fits holds. What no
row knows is **fatal**.

*Silent*: QEMU itself loads the state without a word, so that only the comparison finds it. *invisible*: no
guest can see it; *harmless*: seen at the next boot at the earliest; *fatal*: the guest must not go on so.

"""


def differences_page() -> str:
    """Give ``docs/handover-differences.md``."""
    rows = (
        (
            row.kind.replace("*", "any"),
            f"`{row.what}`" if row.what != "*" else "any",
            _change(row.before, row.after) + (", with the same features" if row.needs_features else ""),
            f"**{row.meaning}**",
            "yes" if row.silent else "",
            row.reason,
        )
        for row in DIFFERENCES
    )
    heads = ("of", "what", "change", "meaning", "silent", "why")
    return "".join((_MADE, _DIFFERENCES, table(heads, rows)))


def _change(before: str, after: str) -> str:
    words = {"*": "anything", "-": "nothing"}
    if before == after == "*":
        return "any"
    return " becomes ".join(words.get(each, f"`{each}`") for each in (before, after))


PAGES = {
    "handover-differences.md": differences_page,
    "handover-states.md": states_page,
    "mapping.md": mapping_page,
    "params.md": params_page,
    "losses.md": losses_page,
    "rules.md": rules_page,
    "hardware.md": hardware_page,
}
