"""Whether a domain that was made obeys the rules that ``validate`` would judge it by.

Rules read XML, so the document is written for them. That takes longer than all else in a translation, and
the instances of a cluster are much alike: of those that no rule can tell apart, one is judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from lxml import etree

from virtxlate.domain import model as domain
from virtxlate.domain.elements import DOMAIN
from virtxlate.errors import UnsupportedError
from virtxlate.ganeti.model import Disk, Instance
from virtxlate.ganeti.params import HvParams
from virtxlate.report import Report, Severity
from virtxlate.rules import Fault, Rule, faults, message
from virtxlate.translate.alike import Place, places
from virtxlate.translate.context import Context
from virtxlate.translate.memory import Memory

_LISTS = {"disk": "disks", "hostdev": "disks", "interface": "nics"}
_OF_BACKEND = ("vcpu", "memory", "currentMemory")
_FILES = frozenset({"file", "sharedfile"})
_TYPES = frozenset({"paravirtual", "ide", "scsi-hd"})
_NO_MAC = "00:00:00:00:00:00"
_LOWEST_PORT = 5900


class _Obeying:
    """What machines, and what devices of them, obeyed every rule in one context."""

    def __init__(self) -> None:
        self.kinds: set[tuple[Any, ...]] = set()
        self._numbers: dict[Any, int] = {}

    def __len__(self) -> int:
        return len(self.kinds) + len(self._numbers)

    def number(self, hvparams: HvParams, *more: Any) -> int:
        """Give a number for a machine: that of an equal one is the same."""
        return self._numbers.setdefault((hvparams, *more), len(self._numbers))


_obeying = Memory(_Obeying, most=4096)


def check(made: domain.Domain, instance: Instance, context: Context, report: Report) -> None:
    """Report what a rule warns of. Raises UnsupportedError with path, fix and id of the first broken rule."""
    known = _obeying.of(context)
    disks, nics = places(instance)
    where = disks + nics
    kinds = _kinds(instance, where, known) if _is_ordinary(instance, where) else None
    if kinds is not None and kinds <= known.kinds:
        return
    root = DOMAIN.format(msgspec.structs.replace(made, metadata=None))
    found = [(rule, fault, _subject(fault.element, instance)) for rule, fault in faults(root)]
    judge(found, report)
    if kinds is not None and not found:
        known.kinds |= kinds


def _is_ordinary(instance: Instance, where: tuple[Place | None, ...]) -> bool:
    """Tell whether no rule can be broken by what tells the instance from others of its kind.

    That is names, ids, addresses of NICs, storage and places, which rules want to be unique, and ports.
    """
    disks, nics, hvparams = instance.disks, instance.nics, instance.hvparams
    sources = [_source(disk) for disk in disks]
    images = {hvparams.cdrom_image_path, hvparams.cdrom2_image_path, hvparams.floppy_image_path}
    return (
        hvparams.disk_type in _TYPES
        and all(disk.uri is disk.link is disk.device is None for disk in disks)
        and _differ([place for place in where if place is not None])
        and _differ(sources)
        and _differ([each.mac.lower() for each in nics])
        and _differ([each.uuid for each in disks])
        and _differ([each.uuid for each in nics])
        and images.isdisjoint(sources)
        and all(each.mac != _NO_MAC for each in nics)
        and (instance.network_port or _LOWEST_PORT) >= _LOWEST_PORT
        and instance.oper_ram_mib is None
    )


def _kinds(instance: Instance, where: tuple[Place | None, ...], known: _Obeying) -> set[tuple[Any, ...]]:
    """Give what rules look at: the machine with each of its devices, their places, and how many there are.

    No rule looks at two devices but for what is unique, at a device and the processors, or at the size of the
    memory.
    """
    disks, nics, hvparams = instance.disks, instance.nics, instance.hvparams
    machine = known.number(hvparams, instance.version, instance.balloon_first)
    return {
        (machine, instance.beparams.vcpus),
        (machine, len(disks), len(nics)),
        *((machine, each.template, each.mode, each.params.get("access")) for each in disks),
        *((machine, each.mode, bool(each.link), bool(each.network), each.vlan) for each in nics),
        *((machine, place) for place in where),
    }


def _source(disk: Disk) -> Any:
    return disk.logical_id[1] if disk.template in _FILES and len(disk.logical_id) > 1 else disk.logical_id


def _differ(values: Sequence[Any]) -> bool:
    return len(values) < 2 or len(set(values)) == len(values)  # noqa: PLR2004 - one alone is unique


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
