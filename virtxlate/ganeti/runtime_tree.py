"""A runtime file as the JSON tree that it is: what the typed reader does not know stays in it.

Shape: ``[command, NICs, hvparams, [[disk, link, uri], ...]]``; up to 2.9 without the last.
Source: Ganeti 3.2 alpha (c35736d8a), lib/hypervisor/hv_kvm/kvm_runtime.py:57-106.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

import msgspec

from virtxlate.errors import GanetiDataError
from virtxlate.ganeti.decode import convert, decode
from virtxlate.ganeti.uri import conceal
from virtxlate.ganeti.words import PCI_SLOTS
from virtxlate.report import Loss, Report, Severity

Word = str | int | float
Device = dict[str, Any]
"""A NIC's or a disk's own object."""
DiskEntry = tuple[Device, str | None, str | None]
"""Disk, its link or None, its userspace URI or None."""

_PARTS = msgspec.json.Decoder(list[Any])
_FORMS = (3, 4)


class _Checked(msgspec.Struct):
    """The keys of a device that are looked into without a typed reader."""

    uuid: str | None = None
    hvinfo: dict[str, Any] | None = None
    params: dict[str, Any] | None = None
    children: list[dict[str, Any]] | None = None


class _Slotted(msgspec.Struct):
    pci: Annotated[int, msgspec.Meta(ge=0, lt=PCI_SLOTS)]


class RuntimeTree(msgspec.Struct, kw_only=True):
    """The parts of a runtime file; ``disks`` is None where the file has three parts only."""

    command: list[Word]
    nics: list[Device]
    hvparams: dict[str, Any]
    disks: list[DiskEntry] | None = None

    def option(self, name: str) -> Word | None:
        """Give the word after the first ``-name``, or None."""
        if name not in self.command[:-1]:
            return None
        return self.command[self.command.index(name) + 1]

    def copy(self) -> RuntimeTree:
        """Give a tree of its own: nothing that is changed in it changes this one."""
        return msgspec.convert(json.loads(json.dumps(msgspec.to_builtins(self))), RuntimeTree)


def parse_tree(data: bytes) -> RuntimeTree:
    """Give the tree of a runtime file. Raises GanetiDataError, with a path, for anything else."""
    parts: list[Any] = decode(_PARTS, data)
    if len(parts) not in _FORMS:
        raise GanetiDataError(f"expected a list of 3 or 4 parts, found {len(parts)}")
    tree = RuntimeTree(
        command=convert(parts[0], list[Word], "[0]"),
        nics=convert(parts[1], list[Device], "[1]"),
        hvparams=convert(parts[2], dict[str, Any], "[2]"),
        disks=convert(parts[3], list[DiskEntry], "[3]") if len(parts) == _FORMS[1] else None,
    )
    if not isinstance(tree.option("-name"), str):
        raise GanetiDataError("expected the option -name, found none", at="[0]")
    for at, device in devices_of(tree):
        _check(device, at)
    return tree


def devices_of(tree: RuntimeTree) -> list[tuple[str, Device]]:
    """Give every NIC and disk with its path: ``[1][0]``, ``[3][0][0]``."""
    nics = [(f"[1][{index}]", nic) for index, nic in enumerate(tree.nics)]
    return nics + [(f"[3][{index}][0]", entry[0]) for index, entry in enumerate(tree.disks or ())]


def _check(device: Device, at: str) -> None:
    convert(device, _Checked, at)
    if "hvinfo" not in device and "pci" in device:
        convert(device, _Slotted, at)
        if "uuid" not in device:
            raise GanetiDataError("expected a uuid, of which the device's id is made", at=at)


def format_tree(tree: RuntimeTree) -> bytes:
    """Give the bytes of a runtime file, spelled as Ganeti spells them."""
    parts: list[Any] = [tree.command, tree.nics, tree.hvparams]
    if tree.disks is not None:
        parts.append(tree.disks)
    return json.dumps(parts).encode() + b"\n"


def lost(report: Report, path: str, value: object, reason: str, *, guest: bool = True) -> None:
    """Report what a runtime file cannot say, without passwords; these losses stand in docs/runtime.md."""
    shown = value if isinstance(value, int | float | bool | None) else conceal(str(value))
    severity = Severity.GUEST_VISIBLE if guest else Severity.HOST_ONLY
    report.extend((Loss(path=path, value=shown, reason=reason, severity=severity),))


def form_of(tree: RuntimeTree) -> str:
    """Give the name of the form, with the versions that write it: ``2.10-2.15: pci slots``."""
    if tree.disks is None:
        return "up to 2.9: disks only in the command"
    devices = [device for _at, device in devices_of(tree)]
    if any(device.get("hvinfo") for device in devices):
        newest = str(tree.option("-name")).endswith(",debug-threads=on")
        return "3.2 and newer: hvinfo" if newest else "2.16 and newer: hvinfo"
    if any("pci" in device for device in devices):
        return "2.10-2.15: pci slots"
    if any("hvinfo" in device for device in devices):
        return "upgraded: hvinfo is empty"
    return "2.10-2.15: no slots" if devices else "2.10 and newer: no devices"
