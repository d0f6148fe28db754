"""Runtime files of the KVM hypervisor: what QEMU was started with, in every historic form.

A file is a JSON list: command, NICs, hvparams, and since 2.10 disks with their link and userspace URI.
Source: Ganeti 3.2 alpha (c35736d8a), lib/hypervisor/hv_kvm/kvm_runtime.py:57-239.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from virtxlate.errors import GanetiDataError
from virtxlate.ganeti.decode import convert, decode, decode_params
from virtxlate.ganeti.model import Disk, Instance, Nic, template_of
from virtxlate.ganeti.params import HVPARAM_NAMES, BeParams, HvParams, Scalar, builtin_hvparams
from virtxlate.ganeti.uri import without_password
from virtxlate.ganeti.wire import (
    WireDisk,
    WireNic,
    check_name,
    check_uuid,
    make_disk,
    make_nic,
    resolve_hvinfo,
)
from virtxlate.ganeti.words import DISK_DRIVERS, NIC_DRIVERS
from virtxlate.report import Report, Severity

RUNTIME_VERSION = 3010000
"""A runtime file does not tell its version; gaps are filled with the defaults of this one."""

_Word = str | int | float
_Placed = tuple[WireDisk, str | None, str | None]
_FORMS = (3, 4)
_PARTS = msgspec.json.Decoder(list[msgspec.Raw])
_COMMAND = msgspec.json.Decoder(tuple[_Word, ...])
_NICS = msgspec.json.Decoder(tuple[WireNic, ...])
_DISKS = msgspec.json.Decoder(tuple[_Placed, ...])


class Runtime(msgspec.Struct, frozen=True, kw_only=True):
    """A runtime file, typed: the command, the start-time hvparams, and every device with its hvinfo."""

    command: tuple[_Word, ...]
    hvparams: HvParams
    unknown_hvparams: dict[str, Scalar]
    nics: tuple[Nic, ...]
    disks: tuple[Disk, ...]

    def option(self, name: str) -> str | None:
        """Give the word after the first ``-name``, or None."""
        words = [str(word) for word in self.command]
        if name not in words[:-1]:
            return None
        return words[words.index(name) + 1]

    @property
    def balloon_first(self) -> bool:
        """Whether the balloon, without address, is asked for before the SCSI controller."""
        for word in map(str, self.command):
            if _SCSI_CONTROLLER.fullmatch(word):
                return False
            if _BALLOON.fullmatch(word):
                return any(_SCSI_CONTROLLER.fullmatch(str(each)) for each in self.command)
        return False


_BALLOON = re.compile(r"virtio-balloon(?:-pci)?")
_SCSI_CONTROLLER = re.compile(r"[a-z0-9-]+,id=scsi")


def read_runtime(data: bytes, report: Report, version: int = RUNTIME_VERSION) -> Runtime:
    """Give the runtime that a file of a Ganeti version holds.

    Raises GanetiDataError with a path such as ``[3][0][0].size``.
    """
    parts = decode(_PARTS, data)
    if len(parts) not in _FORMS:
        raise GanetiDataError(f"expected a list of 3 or 4 parts, found {len(parts)}")
    stored: dict[str, Scalar] = decode_params(parts[2], "[2]")
    params = {**builtin_hvparams(version), **stored}
    hvparams = convert(params, HvParams, "[2]")
    if len(parts) == _FORMS[0]:
        report.lose(
            "[3]",
            None,
            "a runtime file of 2.9 or older names its disks only in the command",
            Severity.GUEST_VISIBLE,
        )
    return Runtime(
        command=decode(_COMMAND, parts[0], "[0]"),
        hvparams=hvparams,
        unknown_hvparams={name: params[name] for name in sorted(params.keys() - HVPARAM_NAMES)},
        nics=_read_nics(parts[1], hvparams),
        disks=_read_disks(parts[3], hvparams, report) if len(parts) == _FORMS[1] else (),
    )


def _driver(table: dict[str, str], word: str, at: str) -> str:
    if word not in table:
        raise GanetiDataError(f"expected one of {', '.join(table)}, found {word!r}", at=at)
    return table[word]


def _read_nics(raw: msgspec.Raw, hvparams: HvParams) -> tuple[Nic, ...]:
    driver = _driver(NIC_DRIVERS, hvparams.nic_type, "[2].nic_type")
    nics = []
    wires: tuple[WireNic, ...] = decode(_NICS, raw, "[1]")
    for index, wire in enumerate(wires):
        try:
            nics.append(make_nic(wire, wire.nicparams, wire.netinfo, resolve_hvinfo(wire, "nic", driver)))
        except GanetiDataError as exc:
            raise exc.under(f"[1][{index}]") from None
    return tuple(nics)


def _read_disks(raw: msgspec.Raw, hvparams: HvParams, report: Report) -> tuple[Disk, ...]:
    driver = _driver(DISK_DRIVERS, hvparams.disk_type, "[2].disk_type")
    disks = []
    placed: tuple[_Placed, ...] = decode(_DISKS, raw, "[3]")
    for index, (wire, link, uri) in enumerate(placed):
        at = f"[3][{index}][0]"
        try:
            hvinfo = resolve_hvinfo(wire, "disk", driver)
        except GanetiDataError as exc:
            raise exc.under(at) from None
        if without_password(uri) != uri:
            report.lose(f"disks[{index}].uri", None, "the password in a URI stays with Ganeti")
        extra = {"link": link, "uri": uri, "hvinfo": hvinfo}
        disks.append(make_disk(wire, at, report, params=wire.params or {}, extra=extra))
    return tuple(disks)


def runtime_instance(runtime: Runtime, report: Report, version: int = RUNTIME_VERSION) -> Instance:
    """Give the instance that a runtime file describes on its own.

    Name, uuid, memory, vcpus and the resolved machine come from the command; a command without uuid is
    reported. Raises GanetiDataError when the command has no name, memory or vcpus.
    """
    name = _required(runtime, "-name").partition(",")[0]
    memory = _number(_required(runtime, "-m"), "-m")
    vcpus = _number(_required(runtime, "-smp").partition(",")[0], "-smp")
    return Instance(
        name=check_name(name, "[0] -name"),
        uuid=_uuid(runtime, report),
        hvparams=_resolved(runtime),
        unknown_hvparams=runtime.unknown_hvparams,
        beparams=convert({"maxmem": memory, "minmem": memory, "vcpus": vcpus}, BeParams, "[0]"),
        nics=runtime.nics,
        disks=runtime.disks,
        disk_template=template_of(runtime.disks),
        balloon_first=runtime.balloon_first,
        version=version,
    )


def _uuid(runtime: Runtime, report: Report) -> str:
    uuid = runtime.option("-uuid")
    if uuid is None:
        report.lose("uuid", None, "the command has none; libvirt will choose one", Severity.GUEST_VISIBLE)
        return ""
    return check_uuid(uuid, "[0] -uuid")


def _required(runtime: Runtime, option: str) -> str:
    value = runtime.option(option)
    if value is None:
        raise GanetiDataError(f"expected the option {option}, found none", at="[0]")
    return value


def _number(text: str, option: str) -> int:
    if not text.isdecimal() or not text.isascii():
        raise GanetiDataError(f"expected a number after {option}, found {text!r}", at="[0]")
    return int(text)


def _resolved(runtime: Runtime) -> HvParams:
    """Give the hvparams with the machine that QEMU really runs: Ganeti resolves it when it starts QEMU."""
    machine = (runtime.option("-machine") or runtime.option("-M") or "").partition(",")[0]
    return msgspec.structs.replace(
        runtime.hvparams, machine_version=machine or runtime.hvparams.machine_version
    )


def report_unplaced(runtime: Runtime, report: Report) -> None:
    """Report every device whose address the file does not tell: QEMU chose it, and the guest has seen it."""
    reason = "the file does not tell where QEMU put it: it is placed as Ganeti would today"
    for kind, devices in (("disks", runtime.disks), ("nics", runtime.nics)):
        for index, hvinfo in enumerate(device.hvinfo for device in devices):
            if hvinfo is None:
                report.lose(f"{kind}[{index}].hvinfo", None, reason, Severity.GUEST_VISIBLE)


def with_runtime(instance: Instance, runtime: Runtime) -> Instance:
    """Give ``instance`` with what its runtime file knows better: addresses, links and the resolved machine.

    Devices are matched by uuid. The start-time hvparams of the running QEMU win over the config's.
    Raises GanetiDataError when the file is of another instance.
    """
    named = runtime.option("-uuid")
    if named is not None and named != instance.uuid:
        raise GanetiDataError(
            f"expected the runtime file of {instance.uuid}, found that of {named}", at="[0] -uuid"
        )
    disks = {disk.uuid: disk for disk in runtime.disks if disk.uuid}
    nics = {nic.uuid: nic for nic in runtime.nics if nic.uuid}
    return msgspec.structs.replace(
        instance,
        hvparams=_resolved(runtime),
        balloon_first=runtime.balloon_first,
        disks=tuple(_with(disk, disks.get(disk.uuid), ("hvinfo", "link", "uri")) for disk in instance.disks),
        nics=tuple(_with(nic, nics.get(nic.uuid), ("hvinfo",)) for nic in instance.nics),
    )


def _with(device: Any, known: Any, fields: tuple[str, ...]) -> Any:
    if known is None:
        return device
    return msgspec.structs.replace(device, **{name: getattr(known, name) for name in fields})
