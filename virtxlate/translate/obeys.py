"""Whether a domain that was made obeys the rules that ``validate`` would judge it by.

Rules read XML, so the document is written for them.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from lxml import etree

from virtxlate.domain import model as domain
from virtxlate.domain.elements import DOMAIN
from virtxlate.errors import UnsupportedError
from virtxlate.ganeti.model import Instance
from virtxlate.report import Report, Severity
from virtxlate.rules import Fault, Rule, faults, message

_LISTS = {"disk": "disks", "hostdev": "disks", "interface": "nics"}
_OF_BACKEND = ("vcpu", "memory", "currentMemory")


def check(made: domain.Domain, instance: Instance, report: Report) -> None:
    """Report what a rule warns of. Raises UnsupportedError with path, fix and id of the first broken rule."""
    root = DOMAIN.format(msgspec.structs.replace(made, metadata=None))
    judge(((rule, fault, _subject(fault.element, instance)) for rule, fault in faults(root)), report)


def judge(found: Iterable[tuple[Rule, Fault, str]], report: Report) -> None:
    """Report the warnings among broken rules, each with Ganeti's path of what breaks it.

    Raises UnsupportedError with path, fix and id of the first that is none.
    """
    errors = []
    for rule, fault, at in found:
        if rule.severity == "warning":
            report.lose(at, fault.found, _reason(rule, fault), Severity.GUEST_VISIBLE)
        else:
            errors.append((at, _reason(rule, fault)))
    if errors:
        at, first = errors[0]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise UnsupportedError(f"{first}{more}", at=at)


def _reason(rule: Rule, fault: Fault) -> str:
    return f"{message(rule, fault)}; {rule.hint} [{rule.id}]"


def _subject(element: etree._Element, instance: Instance) -> str:
    """Give the Ganeti object that an element was made of: its disks and NICs come first, in their order."""
    for each in (element, *element.iterancestors()):
        name = _LISTS.get(str(each.tag))
        if name is not None:
            index = sum(1 for _one in each.itersiblings(str(each.tag), preceding=True))
            return f"{name}[{index}]" if index < len(getattr(instance, name)) else "devices"
        if each.tag == "controller":
            return "hvparams.scsi_controller_type" if each.get("type") == "scsi" else "devices"
    return "beparams" if element.tag in _OF_BACKEND else "devices"
