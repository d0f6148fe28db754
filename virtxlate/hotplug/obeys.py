"""Whether a domain still obeys the rules with the devices that a plan puts into it: pure, before any call.

Only what a new device brings counts: a domain's own faults are its owner's business. So a plan that attaches
nothing costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from itertools import pairwise

from lxml import etree

from virtxlate.domain import model as domain
from virtxlate.domain.document import parse_document
from virtxlate.domain.live import LiveDomain
from virtxlate.hotplug.look import twin
from virtxlate.hotplug.snapshot import Snapshot
from virtxlate.hotplug.steps import AddController, Attach, Detach, Step
from virtxlate.report import Report
from virtxlate.rules import Fault, Rule, faults
from virtxlate.translate.obeys import judge

_Key = tuple[str, str, str, str | None]
_COLD = ("ide", "sata", "fdc")
_Elements = dict[etree._Element, str]


def check(snapshot: Snapshot, steps: tuple[Step, ...], report: Report) -> None:
    """Report what a rule warns of in the domain as it is after ``steps``, in each document that changes.

    Raises UnsupportedError as a translation does: path, fix and id of the first rule that a device breaks.
    """
    if not any(isinstance(step, Attach) and not _is_refused(step) for step in steps):
        return
    found: dict[_Key, tuple[Rule, Fault, str]] = {}
    for view in snapshot.views:
        for rule, fault, at in _new_faults(view.live, steps):
            found.setdefault(_key(rule, fault, at), (rule, fault, at))
    judge(found.values(), report)


def _is_refused(step: Attach) -> bool:
    """Tell whether the bus of a disk takes none while the guest runs, which is told elsewhere."""
    return isinstance(step.device, domain.Disk) and step.device.bus in _COLD


def _key(rule: Rule, fault: Fault, at: str) -> _Key:
    return rule.id, at, f"{fault.element.tag!s}{fault.below}", fault.found


def _new_faults(live: LiveDomain, steps: tuple[Step, ...]) -> Iterator[tuple[Rule, Fault, str]]:
    """Give what is broken in the devices that come; what one had before it was changed is not new."""
    root = deepcopy(live.root)
    leaving = [(step, element) for step in steps if (element := _leaver(root, live, step)) is not None]
    replaced = _replaced(steps)
    before = {element: step.at for step, element in leaving if any(step is each for each in replaced)}
    known = {_key(*each) for each in _faults_in(root, before)} if before else set()
    devices = root.find("devices")
    if devices is None:
        devices = etree.SubElement(root, "devices")
    for _step, element in leaving:
        devices.remove(element)
    coming: _Elements = {}
    for step in steps:
        if isinstance(step, AddController | Attach):
            element = parse_document(step.xml)
            devices.append(element)
            coming[element] = "hvparams.scsi_controller_type" if isinstance(step, AddController) else step.at
    return (each for each in _faults_in(root, coming) if _key(*each) not in known)


def _leaver(root: etree._Element, live: LiveDomain, step: Step) -> etree._Element | None:
    """Give the device of a copied document that a step takes out."""
    if not isinstance(step, Detach):
        return None
    stands = next((each for each in live.devices if each.path == step.info.path), None)
    if stands is None or stands.part("alias").get("name") != step.info.alias:
        stands = twin(live, step.info)  # it is the other document of the domain
    return None if stands is None else root.find(stands.path.removeprefix("/domain/"))


def _replaced(steps: tuple[Step, ...]) -> list[Detach]:
    """Give the removals of devices that come back at once."""
    return [
        first
        for first, second in pairwise(steps)
        if isinstance(first, Detach)
        and isinstance(second, Attach)
        and first.at == second.at
        and second.alias in {"", first.info.alias}
    ]


def _faults_in(root: etree._Element, devices: _Elements) -> Iterator[tuple[Rule, Fault, str]]:
    for rule, fault in faults(root):
        for each in (fault.element, *fault.element.iterancestors()):
            if each in devices:
                yield rule, fault, devices[each]
                break
