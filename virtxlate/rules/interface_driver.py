"""The driver of an interface: queues, and options that only virtio has."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from virtxlate.rules.interface import TAPS, VIRTIO, kind_of, model_of, unfit
from virtxlate.rules.rule import Document, Fault, Rule, child, number

Element = etree._Element
_VIRTIO_OPTIONS = ("iommu", "ats", "packed", "page_per_vq")
_WITH_QUEUES = (*TAPS, "direct", "vhostuser", "vdpa", "hostdev")
_SHORTEST_QUEUE, _LONGEST_QUEUE = 256, 1024


def _drivers(document: Document) -> Iterator[tuple[Element, Element, bool]]:
    for interface in document.of("interface"):
        driver = child(interface, "driver")
        if driver is not None:
            yield interface, driver, model_of(interface) in VIRTIO


def _queues(document: Document) -> Iterator[Fault]:
    for interface, driver, is_virtio in _drivers(document):
        queues = number(driver.get("queues"))
        if is_virtio and queues is not None and queues > 1 and kind_of(interface) not in _WITH_QUEUES:
            says = unfit(interface, "more than one queue", _WITH_QUEUES)
            yield Fault(driver, "/@queues", str(queues), (), says)


def _lengths(document: Document) -> Iterator[tuple[Element, str, int]]:
    for _interface, driver, is_virtio in _drivers(document):
        for name in ("rx_queue_size", "tx_queue_size") if is_virtio else ():
            length = number(driver.get(name))
            if length:
                yield driver, name, length


def _length(document: Document) -> Iterator[Fault]:
    for driver, name, length in _lengths(document):
        if length & (length - 1):
            yield Fault(driver, f"/@{name}", str(length), ("256", "512", "1024"))


def _length_range(document: Document) -> Iterator[Fault]:
    for driver, name, length in _lengths(document):
        if not length & (length - 1) and not _SHORTEST_QUEUE <= length <= _LONGEST_QUEUE:
            yield Fault(driver, f"/@{name}", str(length), ("256", "512", "1024"))


def _virtio_options(document: Document) -> Iterator[Fault]:
    for interface, driver, is_virtio in _drivers(document):
        for name in _VIRTIO_OPTIONS:
            if name in driver.attrib and not is_virtio:
                says = f"{model_of(interface) or 'an interface without a model'} has no {name}"
                yield Fault(driver, f"/@{name}", driver.get(name), (), f"{says}; only virtio has")


RULES: tuple[Rule, ...] = (
    Rule(
        id="interface-queues",
        says="more than one queue is for interfaces on a tap or a device of the host",
        why="QEMU's own user network has one queue; libvirt looks when the domain starts.",
        source="libvirt 9.0.0, src/qemu/qemu_domain.c, qemuDomainValidateActualNetDef",
        hint="leave queues out",
        about=("@queues",),
        libvirt="not started",
        check=_queues,
    ),
    Rule(
        id="interface-queue-size",
        says="the length of a virtio queue is a power of two",
        why="It is a ring whose end is found by its bits.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefNetwork",
        hint="use one of the lengths that are allowed",
        about=("@rx_queue_size", "@tx_queue_size"),
        libvirt="refused",
        check=_length,
    ),
    Rule(
        id="interface-queue-range",
        says="a virtio queue is 256 to 1024 long",
        why="libvirt does not compare it with that; QEMU does not start.",
        source="QEMU 7.2, hw/net/virtio-net.c, virtio_net_device_realize",
        hint="use one of the lengths that are allowed",
        about=("@rx_queue_size", "@tx_queue_size"),
        libvirt="not started",
        check=_length_range,
    ),
    Rule(
        id="interface-virtio-options",
        says="iommu, ats, packed and page_per_vq are options of virtio",
        why="They are properties of virtio-net; no other card has them.",
        source="libvirt 9.0.0, src/conf/domain_validate.c, virDomainCheckVirtioOptionsAreAbsent",
        hint="leave the option out, or use model='virtio'",
        about=("@iommu", "@ats", "@packed", "@page_per_vq"),
        libvirt="refused",
        check=_virtio_options,
    ),
)
