"""The same machine for a moment, with nothing of the guest's: another name, other disks, taps in no bridge.

What the domain's XML says of devices and places stays word for word; what it says of the host goes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import msgspec
from lxml import etree

from virtxlate.domain.document import parse_document, parse_domain
from virtxlate.domain.words import QEMU_NAMESPACE
from virtxlate.hardware.describe import Ask, describe
from virtxlate.hardware.inspect import version_of
from virtxlate.hardware.model import Machine
from virtxlate.translate.running.disks import media
from virtxlate.translate.running.facts import Running

_USUAL_BYTES = 1 << 20
"""Of a throw-away image in place of one that the running QEMU does not have."""
_MOST_NAME = 40
_HOST_ONLY = ("metadata", "memoryBacking", "seclabel", "title", "description", "resource")
_NETWORK_ONLY = (
    "source",
    "script",
    "downscript",
    "target",
    "virtualport",
    "vlan",
    "bandwidth",
    "filterref",
    "ip",
    "route",
    "backend",
    "guest",
)
_SAME_WRITE_CACHE = {"none": "writeback", "directsync": "writethrough"}
"""Cache words that ask the file system for what not all can do, and those that look the same to the guest."""
_SHUT_WORDS = """
-accel -acpitable -boot -cpu -device -fw_cfg -global -icount -k -m -machine -mem-prealloc -no-acpi
-no-fd-bootchk -no-hpet -no-reboot -no-shutdown -no-user-config -numa -object -option-rom -overcommit
-rtc -set -smbios -smp -spice -usb -usbdevice -vga -watchdog -watchdog-action
"""
_SHUT = frozenset(_SHUT_WORDS.split())
"""Words for QEMU that take nothing of the host away: what others open, a second QEMU must not. A socket or
a file that is opened anew is lost to the QEMU that runs."""
_TAKES = {
    "-device": "vfio-* vhost-* usb-host* ivshmem-* virtio-input-host* u2f-passthru scsi-block scsi-generic",
    "-object": "memory-backend-[!r]* input-* filter-* *-vhost-user* cryptodev-* can-* tpm* dbus-* x-* qtest*",
    "-usbdevice": "host* serial* net* disk* braille* bt*",
    "-spice": "*port=* *addr=* unix* ipv* *dir=* *file=*",
}
"""Values of those that do, as patterns; of a device and of an object, the first word."""
_DRIVER = re.compile(r'"(?:driver|qom-type)"\s*:\s*"([^"]+)"')
"""In a value that is JSON."""
_LISTEN = "127.0.0.1"


class RehearsalDomain(Protocol):
    """A domain that was started for a look."""

    def ask(self, command: str, /, **arguments: object) -> object:
        """Give what a QMP command of its QEMU returns. Raises LiveError."""

    def destroy(self) -> None:
        """End its QEMU at once. Raises LiveError."""


class RehearsalHost(Protocol):
    """A connection on which a domain can be tried."""

    def start_paused(self, xml: str) -> RehearsalDomain:
        """Start a domain that has no definition, and leave it paused. Raises LiveError."""


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """A document to try, the images that it needs, and what could not be taken along."""

    xml: str
    images: Mapping[str, int]
    """Name of each file in the scratch directory, and its bytes."""
    left_out: tuple[str, ...] = ()
    """What opens a device of the host that only one QEMU may have: it is not in the document."""
    opens: tuple[str, ...] = ()
    """Words for QEMU that open something of the host: they are in the document, which must not be started."""


def prepare(text: str, running: Running, *, uuid: str, scratch: Path) -> Rehearsal:
    """Give the rehearsal of a domain document. Raises DomainXmlError, UnsupportedError."""
    root, found = parse_document(text), parse_domain(text, [])
    images: dict[str, int] = {}
    left_out = [*_devices_of_the_host(root)]
    held = media(running)
    for at, (element, disk) in enumerate(zip(_all(root, "disk"), found.devices.disks, strict=True)):
        if disk.device == "lun":
            left_out.append(f"disk {disk.target}")
            _drop(element)
        elif element.find("source") is not None:
            medium = held.get((disk.bus or "", disk.address))
            name = f"{at}.img"
            images[name] = medium.size if medium is not None else _USUAL_BYTES
            _redirect(element, scratch / name)
    _rename(root, f"{found.name[:_MOST_NAME]}-rehearsal", uuid)
    for element in _all(root, "interface"):
        _unplug(element)
    for element in _all(root, "graphics"):
        _hide(element)
    for kind in ("serial", "parallel", "console", "channel"):
        for element in _all(root, kind):
            _disconnect(element)
    return Rehearsal(
        xml=etree.tostring(root, encoding="unicode"),
        images=images,
        left_out=tuple(left_out),
        opens=tuple(_words_that_open(root)),
    )


def _all(root: etree._Element, kind: str) -> list[etree._Element]:
    return list(root.iterfind(f"devices/{kind}"))


def _drop(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _without(element: etree._Element, *names: str) -> None:
    for name in names:
        for child in element.findall(name):
            element.remove(child)


def _devices_of_the_host(root: etree._Element) -> Iterator[str]:
    for kind in ("hostdev", "filesystem", "tpm", "redirdev", "shmem", "lease"):
        for element in _all(root, kind):
            yield f"{kind} {element.get('type', '')}".strip()
            _drop(element)


def _words_that_open(root: etree._Element) -> Iterator[str]:
    words = [element.get("value", "") for element in root.iter(f"{{{QEMU_NAMESPACE}}}arg")]
    for word, after in pairwise((*words, "")):
        if word.startswith("-") and (word not in _SHUT or _takes(word, after)):
            yield f"qemu:arg {word}"


def _takes(option: str, value: str) -> bool:
    """Tell whether a value has QEMU open something of the host."""
    told = _DRIVER.search(value)
    first = told[1] if told else value if option == "-spice" else value.partition(",")[0]
    return any(fnmatchcase(first, pattern) for pattern in _TAKES.get(option, "").split())


def _redirect(element: etree._Element, path: Path) -> None:
    """Let a disk have a throw-away file in place of the guest's."""
    element.set("type", "file")
    _without(element, "source", "auth", "backingStore", "mirror", "encryption", "privateData")
    etree.SubElement(element, "source", file=str(path))
    driver = element.find("driver")
    if driver is not None:
        driver.attrib.pop("io", None)
        cache = driver.get("cache", "")
        if cache in _SAME_WRITE_CACHE:
            driver.set("cache", _SAME_WRITE_CACHE[cache])


def _rename(root: etree._Element, name: str, uuid: str) -> None:
    _without(root, *_HOST_ONLY, "name", "uuid", "genid")
    for tag, value in (("uuid", uuid), ("name", name)):
        element = etree.Element(tag)
        element.text = value
        root.insert(0, element)
    for entry in root.iterfind("sysinfo/system/entry[@name='uuid']"):
        entry.text = uuid


def _unplug(element: etree._Element) -> None:
    """Let an interface have a tap of its own that is in no bridge."""
    element.set("type", "ethernet")
    element.attrib.pop("managed", None)
    _without(element, *_NETWORK_ONLY)


def _hide(element: etree._Element) -> None:
    """Let a display have any free port that only this host reaches, and no password."""
    kind = element.get("type", "")
    keymap = element.get("keymap")
    element.attrib.clear()
    element.attrib.update({"type": kind, "autoport": "yes", "listen": _LISTEN})
    if keymap is not None:
        element.set("keymap", keymap)
    _without(element, "listen", "channel")


def _disconnect(element: etree._Element) -> None:
    """Let a port lead nowhere; what is behind it the guest does not see."""
    kind = element.get("type")
    _without(element, "source", "log", "protocol")
    if element.tag != "channel" and kind not in {"pty", "null", "spicevmc"}:
        element.set("type", "null" if element.tag == "parallel" else "pty")


@contextmanager
def images_of(rehearsal: Rehearsal, scratch: Path) -> Iterator[None]:
    """Have the images for the time of a ``with``: of the right size, and empty."""
    try:
        for name, size in rehearsal.images.items():
            with (scratch / name).open("xb") as image:
                image.truncate(size)
        yield
    finally:
        for name in rehearsal.images:
            (scratch / name).unlink(missing_ok=True)


def machine_of(
    host: RehearsalHost, rehearsal: Rehearsal, scratch: Path, uuid: str | None
) -> tuple[Machine, tuple[int, int, int]]:
    """Give the machine that libvirt makes of the document, and the version of its QEMU; the guest never runs.

    ``uuid`` is the one that the document itself has. Raises LiveError where libvirt or QEMU refuses it.
    """
    with images_of(rehearsal, scratch):
        domain = host.start_paused(rehearsal.xml)
        try:
            seen, version = describe(_ask(domain)), version_of(_ask(domain))
        finally:
            domain.destroy()
    return msgspec.structs.replace(seen, uuid=(uuid or seen.uuid).lower()), version


def _ask(domain: RehearsalDomain) -> Ask:
    return domain.ask
