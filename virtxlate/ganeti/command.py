"""The fixed part of QEMU's command line that a runtime file keeps, word for word as Ganeti makes it.

Disks, NICs, monitors for Ganeti's own use, keymap and passwords are never in it. What only the node knows is
reported and left out. Ganeti 3.0 is checked against its own code, 3.2 against its output; 3.1 is 3.2 but for
the name and the boot order.
Source: Ganeti 3.0.2 and 3.2 alpha (c35736d8a), lib/hypervisor/hv_kvm/__init__.py:1260-1612.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import msgspec

from virtxlate.ganeti import q35
from virtxlate.ganeti.console import display
from virtxlate.ganeti.machines import qemu_of
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.params import HvParams
from virtxlate.ganeti.runtime_tree import Word, lost
from virtxlate.ganeti.words import SCSI_DISK_TYPES, URL_SCHEMES
from virtxlate.report import Report

V3_0, V3_1, V3_2 = 3000000, 3010000, 3020000
"""Versions whose commands differ."""
RUN_DIRECTORY = "/var/run/ganeti/kvm-hypervisor"
_LOG_DIRECTORY = "/var/log/ganeti/kvm"
_CDROM_DRIVERS = {"ide": "ide-cd", "paravirtual": "virtio-blk-pci", "scsi-cd": "scsi-cd"}
_BOOT_LETTERS = {"cdrom": "d", "floppy": "a", "network": "n"}
_URL = re.compile(rf"({'|'.join(URL_SCHEMES)})://", re.ASCII)
_AUDIO_SINCE, _NO_ACPI_UNTIL = (7, 1), (9, 0)
"""Versions of QEMU: -audio instead of -soundhw; acpi=off instead of -no-acpi."""


def build_command(instance: Instance, report: Report, version: int | None = None) -> list[Word]:
    """Give the stored command of an instance, as Ganeti ``version`` makes it (default: the instance's own).

    The word after ``-m`` is a number, MiB. What cannot be known is reported under ``[0]``.
    """
    release = _release(instance.version if version is None else version, report)
    hvparams = instance.hvparams
    is_q35 = release >= V3_2 and q35.Q35 in hvparams.machine_version
    words: list[Word] = [hvparams.kvm_path, "-name", instance.name]
    if release >= V3_2:
        words[-1] = f"{instance.name},debug-threads=on"
    words += ["-m", instance.beparams.maxmem, "-smp", _smp(instance)]
    words += ["-pidfile", f"{RUN_DIRECTORY}/pid/{instance.name}"]
    if hvparams.soundhw and release < V3_1:
        words += ["-soundhw", hvparams.soundhw]
    words += _always(instance, release, is_q35=is_q35)
    words += ["-daemonize", "-D", f"{_LOG_DIRECTORY}/{instance.name}.log"]
    words += _machine(hvparams, release, report)
    words += _media(hvparams, release, report, is_q35=is_q35)
    words += _kernel(hvparams)
    words += _control(instance)
    words += display(instance, report, is_q35=is_q35)
    words += _sound(hvparams, release, report, is_q35=is_q35)
    words += _late(instance, release, report, is_q35=is_q35)
    return words


def _release(version: int, report: Report) -> int:
    """Give the newest of the known releases that is not newer than ``version``."""
    if version < V3_0:
        lost(report, "[0]", version, "commands older than 3.0 are made as 3.0 makes them", guest=False)
        return V3_0
    return max(known for known in (V3_0, V3_1, V3_2) if known <= version)


def _smp(instance: Instance) -> str:
    hvparams = instance.hvparams
    parts = {"cores": hvparams.cpu_cores, "threads": hvparams.cpu_threads, "sockets": hvparams.cpu_sockets}
    return ",".join([str(instance.beparams.vcpus), *(f"{name}={n}" for name, n in parts.items() if n)])


def _always(instance: Instance, release: int, *, is_q35: bool) -> list[str]:
    """Give the SCSI controller, where there is one, and the balloon; on a q35 the root ports, too."""
    hvparams = instance.hvparams
    types = {hvparams.disk_type}
    if release >= V3_1:
        types.add(hvparams.cdrom_disk_type)
    scsi = f"{hvparams.scsi_controller_type},id=scsi"
    if is_q35:
        balloon = "virtio-balloon-pci" + q35.static_place("memory balloon")
        scsi += q35.static_place("hvparams.scsi_controller_type")
        words = [*q35.root_port_words(), "-device", balloon]
        return [*words, "-device", scsi] if types & SCSI_DISK_TYPES else words
    words = ["-device", "virtio-balloon"]
    if not types & SCSI_DISK_TYPES:
        return words
    return [*words, "-device", scsi] if instance.balloon_first else ["-device", scsi, *words]


def _qemu_at_least(hvparams: HvParams) -> tuple[int, int]:
    """Give the oldest QEMU that has the instance's machine type; (0, 0) where that does not tell."""
    return qemu_of(hvparams.machine_version) or (0, 0)


def _machine(hvparams: HvParams, release: int, report: Report) -> list[str]:
    switches, options = [], ""
    if hvparams.reboot_behavior == "exit":
        switches.append("-no-reboot")
    if not hvparams.acpi:
        if release >= V3_1 and _qemu_at_least(hvparams) >= _NO_ACPI_UNTIL:
            options += ",acpi=off"
        else:
            switches.append("-no-acpi")
            if release >= V3_1:
                lost(report, "[0] -no-acpi", None, "QEMU 9 and newer want acpi=off instead", guest=False)
    if release < V3_1:
        switches.sort()
    if not hvparams.machine_version:
        lost(report, "[0] -machine", None, "the node's default machine type is not known")
        return switches
    if hvparams.kvm_flag == "enabled":
        options += ",accel=kvm"
    return [*switches, "-machine", hvparams.machine_version + options]


def _media(hvparams: HvParams, release: int, report: Report, *, is_q35: bool) -> list[str]:
    """Give the boot order, CD-ROMs and floppy."""
    boot = "disk" if hvparams.kernel_path else hvparams.boot_order
    letter = _BOOT_LETTERS.get(boot, "")
    words = ["-boot", letter if release < V3_1 else f"order={letter}"]
    images = {"cdrom": hvparams.cdrom_image_path, "floppy": hvparams.floppy_image_path, "network": "yes"}
    before = words if letter and release < V3_2 and images[boot] else []
    media = list[str]()
    make = _old_cdrom if release < V3_1 else _cdrom_of_q35 if is_q35 else _cdrom
    for number, image in ((1, hvparams.cdrom_image_path), (2, hvparams.cdrom2_image_path)):
        if image:
            first = boot == "cdrom" and number == 1
            media += before if first else []
            media += make(hvparams, image, number, report, boots=first, indexed=release >= V3_2)
    if hvparams.floppy_image_path:
        media += before if boot == "floppy" else []
        media += _floppy(hvparams.floppy_image_path, release, boots=boot == "floppy")
    return [*before, *media] if boot == "network" else media


def _old_cdrom(
    hvparams: HvParams, image: str, _number: int, _report: Report, *, boots: bool, indexed: bool
) -> list[str]:
    """Give a CD-ROM as -drive; one that boots is always on IDE."""
    del indexed
    word = hvparams.cdrom_disk_type or hvparams.disk_type
    interface = "ide" if boots else "virtio" if word == "paravirtual" else word
    form = "" if _URL.match(image) else ",format=raw"
    return ["-drive", f"file={image},media=cdrom{form},if={interface}"]


def _cdrom(
    hvparams: HvParams, image: str, number: int, report: Report, *, boots: bool, indexed: bool
) -> list[str]:
    """Give a CD-ROM as -blockdev and -device."""
    word = hvparams.cdrom_disk_type or hvparams.disk_type
    if word not in _CDROM_DRIVERS:
        lost(
            report, f"[0] cdrom{number}", image, "Ganeti starts CD-ROMs of ide, paravirtual and scsi-cd only"
        )
        return []
    place = f"file.driver=file,file.filename={image}"
    if _URL.match(image):
        place = f"file.driver={'https' if image.startswith('https') else 'http'},file.url={image}"
    node = f"driver=raw,cache.direct=off,cache.no-flush=on,read-only=on,node-name=cdrom{number},{place}"
    index = ",bootindex=1" if boots and indexed else ""
    return ["-blockdev", node, "-device", f"{_CDROM_DRIVERS[word]},drive=cdrom{number}{index}"]


def _cdrom_of_q35(
    hvparams: HvParams, image: str, number: int, report: Report, *, boots: bool, indexed: bool
) -> list[str]:
    """Give a CD-ROM, which is on AHCI where nothing else is said: each has a port of its own."""
    word = hvparams.cdrom_disk_type or "ide"
    of_that = msgspec.structs.replace(hvparams, cdrom_disk_type=word)
    words = _cdrom(of_that, image, number, report, boots=boots, indexed=indexed)
    if word == "ide":
        words[-1] = words[-1].replace("ide-cd,", f"ide-cd,bus=ide.{number - 1},")
    return words


def _floppy(image: str, release: int, *, boots: bool) -> list[str]:
    if release < V3_1:
        return ["-drive", f"file={image},format=raw,media=disk{',boot=on' if boots else ''},if=floppy"]
    node = f"driver=raw,node-name=floppy1,file.driver=file,file.filename={image}"
    index = ",bootindex=1" if boots and release >= V3_2 else ""
    return ["-blockdev", node, "-device", f"floppy,drive=floppy1{index}"]


def _kernel(hvparams: HvParams) -> Iterator[str]:
    if hvparams.kernel_path:
        yield from ("-kernel", hvparams.kernel_path)
        if hvparams.initrd_path:
            yield from ("-initrd", hvparams.initrd_path)
        arguments = [f"root={hvparams.root_path or ''}", hvparams.kernel_args]
        if hvparams.serial_console:
            arguments.append(f"console=ttyS0,{hvparams.serial_speed}")
        yield from ("-append", " ".join(arguments))
    if hvparams.mem_path:
        yield from ("-mem-path", hvparams.mem_path, "-mem-prealloc")


def _control(instance: Instance) -> list[str]:
    """Give monitor and serial port."""
    base = f"unix:{RUN_DIRECTORY}/ctrl/{instance.name}"
    serial = f"{base}.serial,server,nowait" if instance.hvparams.serial_console else "none"
    return ["-monitor", f"{base}.monitor,server,nowait", "-serial", serial]


def _sound(hvparams: HvParams, release: int, report: Report, *, is_q35: bool) -> list[str]:
    if not hvparams.soundhw or release < V3_1:
        return []
    driver = "spice" if hvparams.spice_bind else "none"
    if is_q35:
        return _sound_of_q35(hvparams.soundhw, driver)
    if _qemu_at_least(hvparams) < _AUDIO_SINCE:
        reason = "QEMU before 7.1 wants -soundhw, and newer ones -audio: which it is, is not known"
        lost(report, "[0] -soundhw", hvparams.soundhw, reason)
        return []
    return ["-audio", f"driver={driver},model={hvparams.soundhw},id=soundhw"]


def _sound_of_q35(word: str, driver: str) -> list[str]:
    place = q35.static_place("hvparams.soundhw")
    words = ["-audiodev", f"{driver},id=soundhw-dev", "-device"]
    if word == "hda":
        return [
            *words,
            f"intel-hda,id=soundhw{place}",
            "-device",
            "hda-duplex,bus=soundhw.0,audiodev=soundhw-dev",
        ]
    return [*words, f"AC97,id=soundhw,audiodev=soundhw-dev{place}"]


def _late(instance: Instance, release: int, report: Report, *, is_q35: bool) -> Iterator[str]:
    """Give what stands behind the display."""
    hvparams = instance.hvparams
    if hvparams.use_localtime:
        yield from ("-rtc", "base=localtime")
    if hvparams.use_chroot and release < V3_1:
        yield from ("-chroot", f"{RUN_DIRECTORY}/chroot/{instance.name}")
    if hvparams.cpu_type:
        yield from ("-cpu", hvparams.cpu_type)
    if hvparams.vga or hvparams.spice_bind:
        yield from ("-vga", hvparams.vga or "qxl")
    for device in hvparams.usb_devices.split(",") if hvparams.usb_devices else ():
        yield from ("-usbdevice", device)
    if instance.uuid:
        yield from ("-uuid", instance.uuid)
    else:
        lost(report, "[0] -uuid", None, "the instance has none")
    if hvparams.use_guest_agent:
        socket = f"socket,path={RUN_DIRECTORY}/ctrl/{instance.name}.qga,server,nowait,id=qga0"
        place = q35.static_place("hvparams.use_guest_agent") if is_q35 else ""
        yield from ("-chardev", socket, "-device", f"virtio-serial,id=qga0{place}")
        yield from ("-device", "virtserialport,chardev=qga0,name=org.qemu.guest_agent.0")
    if hvparams.kvm_extra:
        yield from _extra(hvparams.kvm_extra, release, report)


def _extra(text: str, release: int, report: Report) -> list[str]:
    """Give the words of kvm_extra: cut at single blanks in 3.0, as a shell does since."""
    if release < V3_1:
        return text.split(" ")
    try:
        return shlex.split(text)
    except ValueError as exc:
        lost(report, "[0] kvm_extra", text, f"no shell could split it: {exc}")
        return []
