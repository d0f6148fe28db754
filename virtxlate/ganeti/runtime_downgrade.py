"""A runtime file in the form that an older Ganeti reads, and what that form cannot keep.

What the older version reads as it is stays as it is; its own later upgrade gives back what was not reported.
Source: the release tags of Ganeti, lib/hypervisor/hv_kvm; src/Ganeti/Constants.hs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from virtxlate.errors import UsageError
from virtxlate.ganeti.command import RUN_DIRECTORY
from virtxlate.ganeti.hvinfo import legacy_kvm_id
from virtxlate.ganeti.runtime_tree import Device, RuntimeTree, Word, devices_of, lost
from virtxlate.ganeti.uri import without_password
from virtxlate.ganeti.words import PCI_BUS, PCI_SLOTS, SCSI_BUS
from virtxlate.report import Report

VERSIONS = {"2.9": 2090000, "2.15": 2150000, "3.0": 3000000, "3.1": 3010000}
"""What ``downgrade`` can write, and its number."""

_HVINFO_SINCE, _DISKS_SINCE, _BLOCKDEV_SINCE, _CHROOT_SINCE = 2160000, 2100000, 3010000, 2120000
_ADDR = re.compile(r"0x([0-9a-fA-F]{1,2})|0|[1-9][0-9]?", re.ASCII)
_IF = {"ide-cd": "ide", "virtio-blk-pci": "virtio", "scsi-cd": "scsi-cd"}
_LETTERS = {"cdrom1": "d", "floppy1": "a"}


class NewerParam(NamedTuple):
    """An hvparam, or a value of one, that versions before ``since`` do not read.

    ``instead`` is written in its place; None leaves the value, which is then ignored.
    """

    name: str
    since: int
    is_newer: Callable[[Any], bool]
    instead: str | int | None = None


NEWER_PARAMS = (
    NewerParam("user_shutdown", 2110000, bool),
    NewerParam("disk_aio", 2120000, lambda value: value != "threads"),
    NewerParam("migration_caps", 2120000, bool),
    NewerParam("virtio_net_queues", 2120000, lambda value: value != 1),
    NewerParam("disk_discard", 2160000, lambda value: value == "unmap"),
    NewerParam("kvm_pci_reservations", 2160000, lambda value: value != 12),  # noqa: PLR2004 - its default
    NewerParam("disk_aio", 3010000, lambda value: value == "io_uring", "threads"),
    NewerParam("virtio_net_queues", 3020000, lambda value: value == "auto", 1),
    NewerParam("virtio_disk_iothreads", 3020000, bool),
    NewerParam("boot_type", 3020000, lambda value: value not in ("bios", "direct_kernel")),
)
"""Rows by version; what acts through the stored command alone needs none."""


def downgrade(tree: RuntimeTree, to: str, report: Report) -> RuntimeTree:
    """Give the tree as Ganeti ``to`` (a word of VERSIONS) reads it; ``tree`` itself stays as it is.

    What that form cannot keep is reported by its path in the file. Raises UsageError for another version.
    """
    if to not in VERSIONS:
        raise UsageError(f"expected one of {', '.join(VERSIONS)}, found {to!r}")
    made, version = tree.copy(), VERSIONS[to]
    _name(made, to, report)
    _boot(made, version)
    if version < _BLOCKDEV_SINCE:
        _media(made.command, to, report)
        _chroot(made, version)
    if version < _HVINFO_SINCE:
        _slots(made, to, report)
        _disk_type(made, to, report)
    else:
        _buses(made, to, report)
    for row in NEWER_PARAMS:
        _param(row, made.hvparams, version, to, report)
    if version < _DISKS_SINCE:
        _into_command(made, to, report)
    return made


def _param(row: NewerParam, hvparams: dict[str, Any], version: int, to: str, report: Report) -> None:
    if version < row.since and row.name in hvparams and row.is_newer(hvparams[row.name]):
        value = hvparams[row.name]
        lost(report, f"[2].{row.name}", value, f"{to} does not read it", guest=row.name not in _HOST_PARAMS)
        if row.instead is not None:
            hvparams[row.name] = row.instead


_HOST_PARAMS = frozenset({"user_shutdown", "migration_caps", "disk_aio", "virtio_disk_iothreads"})


def _name(tree: RuntimeTree, to: str, report: Report) -> None:
    at = tree.command.index("-name") + 1
    name, _comma, options = str(tree.command[at]).partition(",")
    if options:
        lost(report, f"[0][{at}]", options, f"{to} names the guest only", guest=False)
        tree.command[at] = name


def _boot(tree: RuntimeTree, version: int) -> None:
    """Say in the command which NIC boots: newer Ganeti says it when it makes the NIC's option."""
    hvparams = tree.hvparams
    if hvparams.get("boot_order") == "network" and not hvparams.get("kernel_path"):
        words: list[Word] = ["-boot", "order=n" if version >= _BLOCKDEV_SINCE else "n"]
        if "-boot" not in tree.command and version >= _DISKS_SINCE:
            at = _behind(tree.command, ("-S", "-machine", "-daemonize"))
            tree.command[at:at] = words


def _behind(command: list[Word], options: tuple[str, ...]) -> int:
    """Give the place behind the first of the options that is there, and its value."""
    for option in options:
        if option in command:
            at = command.index(option) + 1
            while at < len(command) and not str(command[at]).startswith("-"):
                at += 1
            return at
    return len(command)


def _media(command: list[Word], to: str, report: Report) -> None:
    """Turn the CD-ROMs and the floppy of 3.1 into -drive."""
    at = 0
    while "-blockdev" in command[at:]:
        at = command.index("-blockdev", at)
        drive = _drive(command[at : at + 4])
        if drive is None:
            lost(
                report,
                f"[0][{at}]",
                str(command[at + 1 : at + 2]),
                f"{to} writes no -blockdev: left as it is",
            )
            at += 1
            continue
        lost(report, f"[0][{at}]", command[at + 1], f"{to} writes -drive, which names no node", guest=False)
        command[at : at + 4] = drive


def _drive(words: list[Word]) -> list[Word] | None:
    """Give -drive for -blockdev and its -device as Ganeti writes them; None for others."""
    if len(words) < 4 or words[2] != "-device":  # noqa: PLR2004 - two options with their values
        return None
    node = dict(part.partition("=")[::2] for part in str(words[1]).split(","))
    driver, *options = str(words[3]).split(",")
    name = node.get("node-name", "")
    place = node.get("file.filename") or node.get("file.url")
    if place is None or f"drive={name}" not in options:
        return None
    boots = "bootindex=1" in options
    letter: list[Word] = ["-boot", _LETTERS[name]] if boots and name in _LETTERS else []
    if driver == "floppy":
        return [
            *letter,
            "-drive",
            f"file={place},format=raw,media=disk{',boot=on' if boots else ''},if=floppy",
        ]
    if driver not in _IF:
        return None
    form = ",format=raw" if "file.filename" in node else ""
    return [*letter, "-drive", f"file={place},media=cdrom{form},if={'ide' if boots else _IF[driver]}"]


def _chroot(tree: RuntimeTree, version: int) -> None:
    """Put -chroot where 2.12 to 3.0 keep it."""
    if tree.hvparams.get("use_chroot") is True and "-chroot" not in tree.command and version >= _CHROOT_SINCE:
        name = str(tree.option("-name"))
        at = _behind(tree.command, ("-rtc", "-display", "-vnc", "-spice", "-serial"))
        tree.command[at:at] = ["-chroot", f"{RUN_DIRECTORY}/chroot/{name}"]


def _buses(tree: RuntimeTree, to: str, report: Report) -> None:
    for at, device in devices_of(tree):
        bus = (device.get("hvinfo") or {}).get("bus")
        if bus not in (None, PCI_BUS, SCSI_BUS):
            reason = f"{to} places devices on {PCI_BUS} and {SCSI_BUS} only; it is left as it is"
            lost(report, f"{at}.hvinfo.bus", bus, reason)


def _slots(tree: RuntimeTree, to: str, report: Report) -> None:
    """Turn hvinfo into the slot of paravirtual devices; others had no place in a file."""
    for at, device in devices_of(tree):
        hvinfo = device.pop("hvinfo", None)
        if not hvinfo:
            continue
        kind = "nic" if at.startswith("[1]") else "disk"
        slot = _slot(hvinfo, tree.hvparams.get(f"{kind}_type"))
        if slot is None:
            real = tree.hvparams.get(f"{kind}_type") != "ide" or kind == "nic"
            reason = f"{to} keeps the slots of paravirtual devices on {PCI_BUS} only"
            lost(report, f"{at}.hvinfo", _shown(hvinfo), reason, guest=real)
        elif "uuid" not in device:
            lost(report, f"{at}.hvinfo", _shown(hvinfo), "a slot without uuid makes no device id")
        else:
            device["pci"] = slot
            _report_rest(device, hvinfo, kind, at, to, report)


def _slot(hvinfo: dict[str, Any], word: object) -> int | None:
    match = _ADDR.fullmatch(str(hvinfo.get("addr")))
    if match is None or word != "paravirtual" or hvinfo.get("bus") != PCI_BUS:
        return None
    slot = int(match[0], 0)
    return slot if slot < PCI_SLOTS else None


def _shown(hvinfo: dict[str, Any]) -> str:
    return ",".join(f"{key}={value}" for key, value in hvinfo.items())


def _report_rest(device: Device, hvinfo: dict[str, Any], kind: str, at: str, to: str, report: Report) -> None:
    """Report every key of hvinfo that an upgrade of the slot would give another value."""
    back = {
        "driver": "virtio-net-pci" if kind == "nic" else "virtio-blk-pci",
        "id": legacy_kvm_id(kind, str(device["uuid"]), device["pci"]),
        "bus": PCI_BUS,
        "addr": hex(device["pci"]),
    }
    for key, value in hvinfo.items():
        if back.get(key) != value:
            reason = f"{to} makes it of the uuid and the slot" if key == "id" else f"{to} keeps the slot only"
            lost(report, f"{at}.hvinfo.{key}", value, reason, guest=key != "id")


def _disk_type(tree: RuntimeTree, to: str, report: Report) -> None:
    word = tree.hvparams.get("disk_type")
    if isinstance(word, str) and word.startswith("scsi-"):
        lost(report, "[2].disk_type", word, f"{to} knows scsi only, whose controller QEMU chooses")
        tree.hvparams["disk_type"] = "scsi"


def _into_command(tree: RuntimeTree, to: str, report: Report) -> None:
    """Put the disks into the command, as Ganeti up to 2.9 kept them."""
    for index, nic in enumerate(tree.nics):
        if "pci" in nic:
            lost(report, f"[1][{index}].pci", nic.pop("pci"), f"{to} lets QEMU choose every slot")
    if tree.disks is None:
        return
    word = tree.hvparams.get("disk_type")
    interface = "virtio" if word == "paravirtual" else word
    cache = tree.hvparams.get("disk_cache", "default")
    words: list[Word] = []
    for index, (disk, link, uri) in enumerate(tree.disks):
        userspace = (disk.get("params") or {}).get("access") == "userspace"
        place = uri if uri and userspace else link
        reason = f"{to} keeps the place and the type of a disk only, in the command"
        lost(report, f"[3][{index}]", without_password(place), reason)
        if place is not None:
            option = f",cache={cache}" if cache != "default" else ""
            words += ["-drive", f"file={place},format=raw,if={interface}{option}"]
    at = _behind(tree.command, ("-S", "-machine", "-daemonize"))
    tree.command[at:at] = words
    tree.disks = None
