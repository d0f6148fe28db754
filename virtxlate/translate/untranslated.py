"""What an instance is told of and no domain can hold: reported, with what has the same effect."""

from __future__ import annotations

import shlex
from operator import attrgetter
from typing import Any

from virtxlate.errors import UnsupportedError
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.params import HvParams
from virtxlate.report import Report, Severity
from virtxlate.tables.params import UNTRANSLATED, Untranslated
from virtxlate.translate.context import Context
from virtxlate.translate.migration import migration_parameters, unsaid_capabilities

_untranslated = attrgetter(*(row.name for row in UNTRANSLATED))
_DEFAULTS = _untranslated(HvParams())
_MIGRATION = "{migration}"


def report_untranslated(instance: Instance, context: Context, report: Report) -> None:
    """Report every hvparam that is set and has no place in the XML."""
    hvparams = instance.hvparams
    values = _untranslated(hvparams)
    if values != _DEFAULTS:
        for row, value, default in zip(UNTRANSLATED, values, _DEFAULTS, strict=True):
            if value == default or not _acts(row, hvparams):
                continue
            if (value, context.domain_type) != row.agrees:
                remedy = _remedy(row, value, instance)
                report.lose(f"hvparams.{row.name}", value, row.reason, row.severity, remedy=remedy)
        for word in unsaid_capabilities(hvparams.migration_caps):
            reason = "libvirt's migration has no word for this capability of QEMU"
            report.lose("hvparams.migration_caps", word, reason)
    for name, value in instance.unknown_hvparams.items():
        report.lose(
            f"hvparams.{name}", value, "not a KVM hypervisor parameter that is known", Severity.GUEST_VISIBLE
        )


def _acts(row: Untranslated, hvparams: HvParams) -> bool:
    """Tell whether Ganeti looks at a parameter: not without the one that it needs, nor on a socket."""
    needed = getattr(hvparams, row.needs) if row.needs else True
    return bool(needed) and not str(needed).startswith("/")


def _remedy(row: Untranslated, value: Any, instance: Instance) -> str:
    """Give a row's remedy with the values of an instance in it, none where a value is no word of Ganeti's."""
    options: tuple[str, ...] = ()
    if _MIGRATION in row.remedy:
        try:
            options = migration_parameters(instance).options()
        except UnsupportedError:
            return ""
    return row.remedy.format(name=shlex.quote(instance.name), value=value, migration=" ".join(options))
