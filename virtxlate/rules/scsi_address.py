"""Where a disk or host device may stand on a SCSI controller: each model has a rule of its own."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from virtxlate.rules.rule import SCSI, Document, Fault, Place, Rule, about, child
from virtxlate.tables.qemu import ScsiModel

_MOST_DIGITS = 99
_DIGITS = ("controller", "bus", "target")


def _id_of(place: Place, model: ScsiModel) -> int:
    return place.unit if model.scsi_id_in == "unit" else place.target


def _type(document: Document) -> Iterator[Fault]:
    for device in document.on_scsi:
        address = child(device, "address")
        if address is not None and address.get("type") != "drive":
            yield Fault(address, "/@type", address.get("type"), ("drive",))


def _channel(document: Document) -> Iterator[Fault]:
    for device, place in document.places:
        if place.bus:
            yield Fault(device, "/address/@bus", str(place.bus), ("0",))


def _target(document: Document) -> Iterator[Fault]:
    for device, place, model in document.placed:
        if model.scsi_id_in == "unit" and place.target:
            says = f"on {model.libvirt} the scsi-id is the unit, and target is 0"
            yield Fault(device, "/address/@target", str(place.target), ("0",), says)


def _scsi_id(document: Document) -> Iterator[Fault]:
    for device, place, model in document.placed:
        found, last = _id_of(place, model), model.max_scsi_id
        if last is not None and found > last:
            says = f"{model.libvirt} has scsi-ids 0 to {last}, found {found}"
            yield Fault(device, f"/address/@{model.scsi_id_in}", str(found), (), says)


def _lun(document: Document) -> Iterator[Fault]:
    for device, place, model in document.placed:
        last = model.max_lun
        if model.scsi_id_in == "target" and last is not None and place.unit > last:
            says = f"{model.libvirt} has luns 0 to {last} at a target, found {place.unit}"
            yield Fault(device, "/address/@unit", str(place.unit), (), says)


def _initiator(document: Document) -> Iterator[Fault]:
    for device, place, model in document.placed:
        if _id_of(place, model) == model.initiator_id:
            says = f"scsi-id {model.initiator_id} is that of the {model.libvirt} controller itself"
            yield Fault(device, f"/address/@{model.scsi_id_in}", str(model.initiator_id), (), says)


def _twice(document: Document) -> Iterator[Fault]:
    seen: dict[tuple[int, ...], etree._Element] = {}
    for device, place, model in document.placed:
        where = (place.controller, place.unit) if model.scsi_id_in == "unit" else tuple(place)
        first = seen.setdefault(where, device)
        if first is not device:
            says = f"the place on SCSI controller {place.controller} is that of {document.path(first)} too"
            yield Fault(device, "/address", None, (), says)


def _declared(document: Document) -> Iterator[Fault]:
    for device, place in document.places:
        if place.controller not in document.scsi_models:
            says = f"there is no SCSI controller {place.controller}"
            known = tuple(str(index) for index in sorted(document.scsi_models))
            yield Fault(device, "/address/@controller", str(place.controller), known, says)


def _digits(document: Document) -> Iterator[Fault]:
    for device, place in document.places:
        for name in _DIGITS:
            if getattr(place, name) > _MOST_DIGITS:
                yield Fault(device, f"/address/@{name}", str(getattr(place, name)))


RULES: tuple[Rule, ...] = about(
    (SCSI,),
    Rule(
        id="scsi-address-type",
        says="a device on a SCSI bus has an address of type drive",
        why="controller, bus, target and unit are what libvirt makes QEMU's channel, scsi-id and lun of.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefDiskFrontend",
        hint="write <address type='drive' controller='0' bus='0' target='0' unit='0'/>, or none",
        libvirt="refused",
        check=_type,
    ),
    Rule(
        id="scsi-channel",
        says="a SCSI controller has one channel, bus 0",
        why="QEMU's models have no second channel.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefAddressDrive",
        hint="write bus='0' and choose a free target, or unit on a parallel controller",
        libvirt="refused",
        check=_channel,
    ),
    Rule(
        id="scsi-target",
        says="on a parallel SCSI controller the scsi-id is the unit, and target is 0",
        why="libvirt passes unit as scsi-id for lsilogic, am53c974, dc390 and ncr53c90; it refuses another "
        "target on lsilogic, and ignores it on the others, so that two disks share an id.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefAddressDrive; "
        "src/qemu/qemu_command.c, qemuBuildDeviceAddresDriveProps",
        hint="write target='0' and the scsi-id as unit",
        libvirt="refused",
        check=_target,
    ),
    Rule(
        id="scsi-id-limit",
        says="the scsi-id is one that the controller's model has",
        why="libvirt does not check it: the domain is defined, and QEMU does not start.",
        source="QEMU 7.2, hw/scsi/scsi-bus.c, scsi_bus_check_address",
        hint="use a free scsi-id of this controller, or add another <controller type='scsi'>",
        libvirt="not started",
        check=_scsi_id,
    ),
    Rule(
        id="scsi-lun-limit",
        says="the lun is one that the controller's model has",
        why="libvirt numbers units 0 to 6 by itself, and vmpvscsi and lsisas1068 have no such luns: the "
        "domain is defined, and QEMU does not start.",
        source="QEMU 7.2, hw/scsi/scsi-bus.c, scsi_bus_check_address",
        hint="give each device a target of its own and unit='0'",
        libvirt="not started",
        check=_lun,
    ),
    Rule(
        id="scsi-initiator",
        says="no device stands at the scsi-id of the controller itself",
        why="QEMU starts with a disk at id 7 of a parallel controller, but a guest does not look there: "
        "Linux does not scan the id of its own adapter, and SeaBIOS neither.",
        source="Linux 6.1, drivers/scsi/scsi_scan.c, __scsi_scan_target",
        hint="use one of the scsi-ids 0 to 6, or another <controller type='scsi'>",
        libvirt="accepted",
        check=_initiator,
        severity="warning",
    ),
    Rule(
        id="scsi-address-unique",
        says="every device has a place of its own on its SCSI controller",
        why="Ganeti gives a CD-ROM no scsi-id, so that it meets the first disk at 0; libvirt does not see "
        "that two targets of am53c974 are one id.",
        source="libvirt 9.0.0, src/conf/domain_validate.c, virDomainDefDuplicateDriveAddressesValidate",
        hint="use the lowest free scsi-id of the controller",
        libvirt="refused",
        check=_twice,
    ),
    Rule(
        id="scsi-controller-declared",
        says="the controller of an address is in the document",
        why="libvirt adds a missing one of its default model, lsilogic, even beside virtio-scsi.",
        source="libvirt 9.0.0, src/conf/domain_conf.c, virDomainDefMaybeAddController",
        hint="add <controller type='scsi'> with that index and the model that is wanted",
        libvirt="accepted",
        check=_declared,
        severity="warning",
    ),
    Rule(
        id="scsi-address-digits",
        says="controller, bus and target have two digits at most",
        why="libvirt parses more, but its own schema refuses them (driveTarget in domaincommon.rng), and so "
        "does every define with validation.",
        source="libvirt 9.0.0, src/conf/schemas/domaincommon.rng, define driveTarget",
        hint="use a target below 100; virtio-scsi has 16384 luns at each",
        libvirt="refused",
        check=_digits,
    ),
)
