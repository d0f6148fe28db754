"""Old runtime files in today's form: what Ganeti makes of them when it loads them, its quirks included.

Where Ganeti changes the first of several equal words, or fixes one thing only beside another, so does this.
Source: Ganeti 3.2 alpha (c35736d8a), lib/hypervisor/hv_kvm/kvm_runtime.py:109-239.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from virtxlate.errors import GanetiDataError
from virtxlate.ganeti.hvinfo import legacy_kvm_id
from virtxlate.ganeti.runtime_tree import Device, RuntimeTree, Word
from virtxlate.ganeti.words import PCI_BUS

_DRIVERS = {"nic": "virtio-net-pci", "disk": "virtio-blk-pci"}
"""Of type paravirtual; every other type is its own driver."""
_DISCARDS = ("ignore", "unmap")
"""Since 3.1; ``default`` was a third until then."""


class Change(msgspec.Struct, frozen=True):
    """One thing that an upgrade changed.

    ``Change(path="[3][0][0].pci", reason="slot 4 became hvinfo")``
    """

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


def upgrade(tree: RuntimeTree, new_uuid: Callable[[], str]) -> tuple[RuntimeTree, tuple[Change, ...]]:
    """Give the tree in today's form, and what was changed; ``tree`` itself stays as it is.

    ``new_uuid`` makes the uuid of a NIC that has none (up to 2.7). A file of 2.9, at which Ganeti 3.1 and
    newer break off, gets an empty list of disks.

    Raises GanetiDataError where the command breaks off behind an option, or hvparams lack a type.
    """
    made, changes = tree.copy(), list[Change]()
    for index, nic in enumerate(made.nics):
        if "uuid" not in nic:
            nic["uuid"] = new_uuid()
            changes.append(Change(f"[1][{index}].uuid", f"{nic['uuid']} is new: the NIC had none"))
        _upgrade_device(nic, "nic", f"[1][{index}]", made, changes)
    if made.disks is None:
        made.disks = []
        changes.append(Change("[3]", "an empty list; the disks stand in the command"))
    for index, (disk, _link, _uri) in enumerate(made.disks):
        _upgrade_device(disk, "disk", f"[3][{index}][0]", made, changes)
    _upgrade_command(made, changes)
    return made, tuple(changes)


def _upgrade_device(device: Device, kind: str, at: str, tree: RuntimeTree, changes: list[Change]) -> None:
    """Make hvinfo of the slot that 2.10 to 2.15 kept, and an empty one where there was none."""
    if "hvinfo" in device:
        return
    device["hvinfo"] = {}
    if "pci" not in device:
        changes.append(Change(f"{at}.hvinfo", "empty: the device was never placed"))
        return
    word = tree.hvparams.get(f"{kind}_type")
    if not isinstance(word, str):
        raise GanetiDataError(f"expected a text, found {word!r}", at=f"[2].{kind}_type")
    slot = device.pop("pci")
    device["hvinfo"] = {
        "driver": _DRIVERS[kind] if word == "paravirtual" else word,
        "id": legacy_kvm_id(kind, device["uuid"], slot),
        "addr": hex(slot),
        "bus": PCI_BUS,
    }
    changes.append(Change(f"{at}.pci", f"slot {slot} became hvinfo"))


def _upgrade_command(tree: RuntimeTree, changes: list[Change]) -> None:
    command = tree.command
    if "-localtime" in command:
        at = command.index("-localtime")
        command[at : at + 1] = ["-rtc", "base=localtime"]
        changes.append(Change(f"[0][{at}]", "-localtime became -rtc base=localtime"))
    if "-balloon" in command:
        at = command.index("-balloon")
        _kind, comma, rest = _value(command, at).partition(",")
        command[at : at + 2] = ["-device", f"virtio-balloon{comma}{rest}"]
        changes.append(Change(f"[0][{at}]", "-balloon became -device virtio-balloon"))
    if "-vnc" in command:
        _upgrade_vnc(command, changes)
        _upgrade_beside_vnc(tree, changes)


def _value(command: list[Word], at: int) -> str:
    """Give the text behind an option. Raises GanetiDataError where there is none."""
    value = command[at + 1] if at + 1 < len(command) else None
    if not isinstance(value, str):
        raise GanetiDataError(f"expected a text after {command[at]}, found {value!r}", at=f"[0][{at + 1}]")
    return value


def _upgrade_vnc(command: list[Word], changes: list[Change]) -> None:
    """Turn tls, x509 and x509verify of -vnc into the object that QEMU wants since 2.5."""
    at = command.index("-vnc")
    words: list[str] = []
    kind, options = None, ["id=vnctls0", "endpoint=server"]
    for word in _value(command, at).split(","):
        name, _equals, path = word.partition("=")
        if word == "tls":
            kind = "tls-creds-anon"
            words.append("tls-creds=vnctls0")
        elif word.startswith(("x509=", "x509verify=")):
            kind = "tls-creds-x509"
            options += [f"dir={path}", f"verify-peer={'yes' if name == 'x509verify' else 'no'}"]
        else:
            words.append(word)
    if kind is not None:
        command[at : at + 2] = ["-object", ",".join([kind, *options]), "-vnc", ",".join(words)]
        changes.append(Change(f"[0][{at}]", f"TLS of -vnc became -object {kind}"))


def _upgrade_beside_vnc(tree: RuntimeTree, changes: list[Change]) -> None:
    """Fix what 3.1 fixes, but only in a file with -vnc: that is where Ganeti 3.1 has put the lines."""
    discard = tree.hvparams.get("disk_discard", "ignore")
    if discard not in _DISCARDS:
        tree.hvparams["disk_discard"] = "ignore"
        changes.append(Change("[2].disk_discard", f"{discard!r} became 'ignore'"))
    if "-chroot" in tree.command:
        at = tree.command.index("-chroot")
        del tree.command[at : at + 2]
        changes.append(Change(f"[0][{at}]", "-chroot is no more part of the command"))
