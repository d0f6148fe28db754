"""SCSI controllers: models that exist, and options that only some of them have."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from virtxlate.rules.rule import (
    LUN,
    SCSI_CONTROLLER,
    Document,
    Fault,
    Rule,
    about,
    bus_of,
    child,
    has_thread,
    number,
    place_of,
)
from virtxlate.tables.qemu import SCSI_BY_MODEL

_NEVER_STARTS = ("dc390",)
_NOT_ON_A_PC = ("ibmvscsi", "ncr53c90")
_STARTS_ON_A_PC = tuple(
    row.libvirt for row in SCSI_BY_MODEL.values() if row.libvirt not in (*_NEVER_STARTS, *_NOT_ON_A_PC)
)
_STOPS_FIRMWARE = ("am53c974", "dc390")
_VIRTIO = tuple(row.libvirt for row in SCSI_BY_MODEL.values() if row.virtio)
_OPTIONS = ("queues", "cmd_per_lun", "max_sectors", "ioeventfd", "iothread")


def _modelled(document: Document) -> Iterator[tuple[etree._Element, str]]:
    for controller in document.scsi_controllers:
        model = document.model_of(controller)
        if model:
            yield controller, model


def _known(document: Document) -> Iterator[Fault]:
    for controller, model in _modelled(document):
        if model not in SCSI_BY_MODEL:
            yield Fault(controller, "/@model", model, _STARTS_ON_A_PC)


def _starts(document: Document) -> Iterator[Fault]:
    for controller, model in _modelled(document):
        if model in _NEVER_STARTS:
            yield Fault(controller, "/@model", model, _STARTS_ON_A_PC)


def _of_a_pc(document: Document) -> Iterator[Fault]:
    for controller, model in _modelled(document):
        if document.is_pc and model in _NOT_ON_A_PC:
            yield Fault(controller, "/@model", model, _STARTS_ON_A_PC)


def _options(document: Document) -> Iterator[Fault]:
    for controller, model in _modelled(document):
        driver = child(controller, "driver")
        if driver is None or model in _VIRTIO:
            continue
        for name in _OPTIONS:
            if name in driver.attrib:
                says = f"{model} has no {name}; only the virtio-scsi models have"
                yield Fault(driver, f"/@{name}", driver.get(name), (), says)


def _iothread(document: Document) -> Iterator[Fault]:
    if not document.is_domain:
        return
    for controller in document.scsi_controllers:
        driver = child(controller, "driver")
        found = None if driver is None else number(driver.get("iothread"))
        if driver is not None and found is not None and not has_thread(document.root, found):
            yield Fault(driver, "/@iothread", str(found))


def _index(document: Document) -> Iterator[Fault]:
    seen = set()
    for controller in document.scsi_controllers:
        index = controller.get("index")
        if index is not None and number(index) in seen:
            yield Fault(controller, "/@index", index)
        seen.add(number(index))


def _passes(document: Document) -> Iterator[Fault]:
    passed = (*(each for each in document.luns if bus_of(each) == "scsi"), *document.hostdevs("scsi"))
    for device in passed:
        place = place_of(device)
        model = "" if place is None else document.scsi_models.get(place.controller, "")
        if model in _STOPS_FIRMWARE:
            yield Fault(device, "/address/@controller", model)


RULES: tuple[Rule, ...] = about(
    (SCSI_CONTROLLER,),
    Rule(
        id="scsi-model",
        says="the model is one that QEMU has",
        why="buslogic is VMware's and VirtualBox's.",
        source="libvirt 9.0.0, src/qemu/qemu_command.c, qemuBuildControllerSCSIDevProps",
        hint="use one of the models that are allowed; virtio-scsi where the guest has its driver",
        libvirt="refused",
        check=_known,
    ),
    Rule(
        id="scsi-model-dc390",
        says="libvirt's dc390 never starts",
        why="libvirt asks QEMU for 'dc-390', but QEMU's device is called dc390; up to libvirt 11.3 at least.",
        source="libvirt 9.0.0, src/qemu/qemu_command.c, qemuBuildControllerSCSIDevProps; "
        "QEMU 7.2, hw/scsi/esp-pci.c",
        hint="use am53c974, the same chip without the EEPROM of the DC-390 board",
        libvirt="not started",
        check=_starts,
    ),
    Rule(
        id="scsi-model-firmware",
        about=(LUN, "hostdev"),
        says="a guest with a passed-through device on am53c974 stops before it boots",
        why="Its firmware waits for the device without end: tried with QEMU 7.2 and its SeaBIOS, scsi-block "
        "and scsi-generic. Ganeti's dc390 is the same chip.",
        source="tried: QEMU 7.2 with SeaBIOS 1.16.2",
        hint="use lsilogic, lsisas1078 or virtio-scsi",
        libvirt="accepted",
        check=_passes,
        severity="warning",
    ),
    Rule(
        id="scsi-model-board",
        says="the model is one that a PC can have",
        why="ncr53c90 is built into SPARC and m68k boards, ibmvscsi is that of pSeries; no PC has them.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateCheckSCSIControllerModel",
        hint="use one of the models that are allowed; virtio-scsi where the guest has its driver",
        libvirt="refused",
        check=_of_a_pc,
    ),
    Rule(
        id="scsi-driver",
        says="queues, cmd_per_lun, max_sectors, ioeventfd and iothread are options of virtio-scsi",
        why="They are properties of QEMU's virtio-scsi-pci; no other model has them.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefControllerAttributes",
        hint="leave the option out, or use model='virtio-scsi' where the guest has its driver",
        libvirt="refused",
        check=_options,
    ),
    Rule(
        id="scsi-iothread",
        says="the I/O thread of a controller is one that the domain has",
        why="Threads are numbered from 1 by <iothreads>, or named in <iothreadids>.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateCheckSCSIControllerIOThreads",
        hint="write <iothreads> with at least that number",
        libvirt="refused",
        check=_iothread,
    ),
    Rule(
        id="scsi-controller-index",
        says="every SCSI controller has an index of its own",
        why="An address finds its controller by the index.",
        source="libvirt 9.0.0, src/conf/domain_postparse.c, virDomainDefRejectDuplicateControllers",
        hint="give the second one the next free index",
        libvirt="refused",
        check=_index,
    ),
)
