"""What came of the files of one ``validate``, as text and as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from virtxlate.domain.unchecked import Unchecked
from virtxlate.domain.violations import Violation
from virtxlate.live.opinion import Opinion

_LONGEST = 400
_MOST_NAMED = 8
_SECRETS = ("/@passwd",)
_INDEX = re.compile(r"\[\d+\]")


class NotChecked(msgspec.Struct, frozen=True):
    """Elements of one kind that no schema looked at."""

    path: str
    """Of the first, without the indices."""
    line: int
    count: int


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one file; the shape of the JSON."""

    file: str
    valid: bool
    violations: tuple[Violation, ...]
    more: int = 0
    """Violations beside these."""
    unchecked: tuple[NotChecked, ...] = ()
    libvirt: Opinion | None = None

    @property
    def is_good(self) -> bool:
        """Whether nobody has something against the document."""
        return self.valid and (self.libvirt is None or self.libvirt.is_good)


def limited(violations: tuple[Violation, ...], limit: int) -> tuple[tuple[Violation, ...], int]:
    """Give the first violations, cut where they are too long to read, and how many more there are."""
    shown = violations[:limit] if limit else violations
    return tuple(map(_clipped, shown)), len(violations) - len(shown)


def _clipped(violation: Violation) -> Violation:
    return msgspec.structs.replace(
        violation,
        path=_cut(violation.path),
        message=_cut(violation.message),
        found=None if violation.found is None or _is_secret(violation) else _cut(violation.found),
    )


def _is_secret(violation: Violation) -> bool:
    return violation.path.endswith(_SECRETS)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text)} characters)"


def grouped(found: Iterable[Unchecked]) -> tuple[NotChecked, ...]:
    """Give what was not checked, kind by kind."""
    kinds: dict[str, NotChecked] = {}
    for each in found:
        path = _INDEX.sub("", each.path)
        first = kinds.get(path)
        line, count = (each.line, 1) if first is None else (first.line, first.count + 1)
        kinds[path] = NotChecked(path, line, count)
    return tuple(kinds.values())


def lines(verdict: Verdict, libvirt: str) -> Iterator[str]:
    """Give the lines about one file; ``libvirt`` names the one that was asked."""
    for each in verdict.violations:
        kind = "warning: " if each.severity == "warning" else ""
        hint = f"; {each.hint}" if each.hint else ""
        yield f"{verdict.file}:{each.line}: {each.path}: {kind}{each.message}{hint} [{each.rule}]"
    if verdict.more:
        yield f"{verdict.file}: {more(verdict)}, not shown; --limit 0 shows all"
    if verdict.unchecked:
        yield f"{verdict.file}: not checked: {', '.join(_not_checked(verdict.unchecked))}"
    if verdict.libvirt is not None:
        yield f"{verdict.file}: {said(verdict.libvirt, libvirt)}"
    yield f"{verdict.file} {'validates' if verdict.is_good else 'fails to validate'}"


def more(verdict: Verdict) -> str:
    """Give how many violations are left out."""
    return f"{verdict.more} more problem{'s' if verdict.more > 1 else ''}"


def _not_checked(found: tuple[NotChecked, ...]) -> Iterator[str]:
    for each in found[:_MOST_NAMED]:
        times = f"{each.count} times, first in line" if each.count > 1 else "line"
        yield f"<{each.path.rpartition('/')[2]}> ({times} {each.line})"
    if len(found) > _MOST_NAMED:
        yield f"and {len(found) - _MOST_NAMED} other elements"


def said(opinion: Opinion, libvirt: str) -> str:
    """Give libvirt's opinion in one sentence."""
    start = {
        "defines": "defines it",
        "defines unvalidated": "defines it only without validation, and drops what its grammar refuses",
        "makes no command": "defines it, but cannot start it",
        "refuses": "refuses it",
        "not asked": "was not asked",
    }[opinion.verdict]
    return f"{libvirt} {start}{f': {_cut(opinion.says)}' if opinion.says else ''}"
