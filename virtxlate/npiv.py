"""Virtual Fibre Channel adapters (NPIV): planned against what a host has, made, removed, and their LUNs.

libvirt takes more than it should: a second adapter of one name, the removal of a device that nobody made.
Here each is refused before libvirt sees it, and what libvirt did is read again.
Source: libvirt 9.0.0, src/conf/node_device_conf.c, src/test/test_driver.c (testNodeDeviceCreateXML),
src/storage/storage_util.c; systemd, rules.d/60-persistent-storage.rules (by-id).
"""

from __future__ import annotations

import msgspec

from virtxlate.domain.model import Disk, DiskSource
from virtxlate.domain.nodedev import (
    FcHost,
    NodeDevice,
    ScsiHost,
    ScsiUnit,
    Storage,
    VportOps,
    parse_node_device,
)
from virtxlate.domain.vhba import Vhba, check, vhba_xml
from virtxlate.errors import (
    NodeDeviceNotFoundError,
    OperationRefusedError,
    PlacementError,
    VerificationError,
)
from virtxlate.live.port import NodeDevicePort
from virtxlate.scsi import ScsiAddress, host_number


class Adapter(msgspec.Struct, frozen=True, kw_only=True):
    """A Fibre Channel adapter of a host."""

    name: str
    parent: str | None = None
    """The adapter that a virtual one is on; of a physical one, its PCI device."""
    wwnn: str | None = None
    wwpn: str | None = None
    fabric_wwn: str | None = None
    virtual: bool = False
    takes_vports: bool = False
    max_vports: int | None = None
    """None where libvirt does not know."""
    vports: int | None = None


class Lun(msgspec.Struct, frozen=True, kw_only=True):
    """A LUN behind an adapter; ``size`` in bytes."""

    address: ScsiAddress
    type: str | None = None
    block: str | None = None
    stable: str | None = None
    """The name that udev gives it by its serial."""
    vendor: str | None = None
    model: str | None = None
    serial: str | None = None
    size: int | None = None


def adapters(port: NodeDevicePort) -> tuple[Adapter, ...]:
    """Give the Fibre Channel adapters of a host, by number. Raises LiveError."""
    devices = [parse_node_device(text, []) for text in port.node_devices("fc_host")]
    able = {device.name for device in devices if _vport_ops(device) is not None}
    found = (_adapter(device, able) for device in devices)
    return tuple(sorted(found, key=lambda each: (host_number(each.name) or 0, each.name)))


def _vport_ops(device: NodeDevice) -> VportOps | None:
    parts = device.capability.capabilities if isinstance(device.capability, ScsiHost) else ()
    return next((each for each in parts if isinstance(each, VportOps)), None)


def _adapter(device: NodeDevice, able: set[str | None]) -> Adapter:
    parts = device.capability.capabilities if isinstance(device.capability, ScsiHost) else ()
    fc = next((each for each in parts if isinstance(each, FcHost)), FcHost())
    ops = _vport_ops(device)
    known = ops is not None and bool(ops.max_vports)
    return Adapter(
        name=str(device.name),
        parent=device.parent,
        wwnn=fc.wwnn,
        wwpn=fc.wwpn,
        fabric_wwn=fc.fabric_wwn,
        virtual=device.parent in able,
        takes_vports=ops is not None,
        max_vports=ops.max_vports if ops and known else None,
        vports=ops.vports if ops and known else None,
    )


def plan(vhba: Vhba, found: tuple[Adapter, ...]) -> Adapter | None:
    """Give the virtual adapter if it is there already, None if it is to be made. Pure.

    Raises InputError; PlacementError where the parent has no room; OperationRefusedError where there is no
    such parent, or another adapter has the name.
    """
    check(vhba)
    parents = [each for each in found if _is_parent(vhba, each)]
    there = next((each for each in found if vhba.wwpn is not None and each.wwpn == vhba.wwpn), None)
    if there is not None:
        if there.virtual and there.wwnn == vhba.wwnn and there.parent in {each.name for each in parents}:
            return there
        raise OperationRefusedError(
            f"wwpn {vhba.wwpn} is that of {there.name}, wwnn {there.wwnn}, on {there.parent}; give another"
        )
    able = [each for each in parents if each.takes_vports]
    if not able:
        raise OperationRefusedError(_no_parent(parents, found))
    if all(each.max_vports is not None and (each.vports or 0) >= each.max_vports for each in able):
        raise PlacementError(
            f"{able[0].name} has its {able[0].max_vports} virtual adapters", bus=able[0].name
        )
    return None


def _is_parent(vhba: Vhba, adapter: Adapter) -> bool:
    if vhba.parent is not None:
        return adapter.name == vhba.parent
    if vhba.parent_fabric_wwn is not None:
        return adapter.fabric_wwn == vhba.parent_fabric_wwn and not adapter.virtual
    return (adapter.wwnn, adapter.wwpn) == (vhba.parent_wwnn, vhba.parent_wwpn)


def _no_parent(parents: list[Adapter], found: tuple[Adapter, ...]) -> str:
    able = ", ".join(each.name for each in found if each.takes_vports) or "none"
    wrong = (
        f"{parents[0].name} takes no virtual adapters" if parents else "no adapter is the parent asked for"
    )
    return f"{wrong}; on this host can: {able}"


def create(port: NodeDevicePort, vhba: Vhba) -> Adapter:
    """Give the virtual adapter, made if it is not there yet.

    Raises what plan raises, LiveError, VerificationError where libvirt made something else.
    """
    there = plan(vhba, adapters(port))
    if there is not None:
        return there
    name = port.create_node_device(vhba_xml(vhba))
    found = adapters(port)
    made = next((each for each in found if each.name == name), None)
    if made is None:
        raise VerificationError(f"libvirt made {name}, but does not list it")
    parents = [each.name for each in found if _is_parent(vhba, each)]
    wanted = {
        "wwnn": vhba.wwnn,
        "wwpn": vhba.wwpn,
        "parent": made.parent if made.parent in parents else parents[0],
    }
    wrong = [
        f"{key}: asked for {value}, found {getattr(made, key)}"
        for key, value in wanted.items()
        if value is not None and getattr(made, key) != value
    ]
    if wrong:
        raise VerificationError(f"libvirt made {name}, but not as asked; it is there", differences=wrong)
    return made


def destroy(port: NodeDevicePort, name: str) -> None:
    """Remove a virtual adapter, and believe it once it is gone.

    Raises NodeDeviceNotFoundError, OperationRefusedError for what is no virtual adapter, LiveError,
    VerificationError.
    """
    adapter = find(port, name)
    if not adapter.virtual:
        raise OperationRefusedError(
            f"{name} is no virtual adapter, and removing it would take its disks away"
        )
    port.destroy_node_device(name)
    if any(each.name == name for each in adapters(port)):
        raise VerificationError(f"libvirt removed {name}, but still lists it")


def removable(port: NodeDevicePort, name: str) -> None:
    """Give nothing for a virtual adapter. Raises what destroy raises, but changes nothing."""
    if not find(port, name).virtual:
        raise OperationRefusedError(
            f"{name} is no virtual adapter, and removing it would take its disks away"
        )


def find(port: NodeDevicePort, name: str) -> Adapter:
    """Give the adapter of that name. Raises NodeDeviceNotFoundError, LiveError."""
    found = adapters(port)
    for each in found:
        if each.name == name:
            return each
    known = ", ".join(each.name for each in found) or "none"
    raise NodeDeviceNotFoundError(f"no Fibre Channel adapter {name!r}; there are: {known}")


def luns(port: NodeDevicePort, name: str) -> tuple[Lun, ...]:
    """Give the LUNs behind an adapter, by address. Raises NodeDeviceNotFoundError, LiveError."""
    host = host_number(find(port, name).name)
    units = [parse_node_device(text, []) for text in port.node_devices("scsi")]
    blocks = {
        device.parent: device.capability
        for device in (parse_node_device(text, []) for text in port.node_devices("storage"))
        if isinstance(device.capability, Storage)
    }
    found = (
        _lun(unit.capability, blocks.get(unit.name, Storage()))
        for unit in units
        if isinstance(unit.capability, ScsiUnit) and unit.capability.host == host
    )
    return tuple(sorted(found, key=lambda lun: lun.address))


def _lun(unit: ScsiUnit, storage: Storage) -> Lun:
    named = storage.bus is not None and storage.serial is not None
    return Lun(
        address=ScsiAddress(unit.host, unit.bus, unit.target, unit.lun),
        type=unit.type,
        block=storage.block,
        stable=f"/dev/disk/by-id/{storage.bus}-{storage.serial}" if named else None,
        vendor=storage.vendor,
        model=storage.model,
        serial=storage.serial,
        size=storage.size,
    )


def lun_disk(lun: Lun, target: str, pool: str | None = None) -> Disk:
    """Give the disk that passes a LUN through: by its stable name, or as a volume of the adapter's pool.

    Raises OperationRefusedError for a LUN without a block device.
    """
    path = lun.stable or lun.block
    if path is None:
        raise OperationRefusedError(
            f"{lun.address}: no block device; a <hostdev type='scsi'> passes it through"
        )
    # As libvirt's pool names it: unit:%u:%u:%u.
    volume = f"unit:{lun.address.bus}:{lun.address.target}:{lun.address.unit}"
    return Disk(
        type="block" if pool is None else "volume",
        device="lun",
        driver_name="qemu",
        driver_type="raw",
        source=DiskSource(dev=path) if pool is None else DiskSource(pool=pool, volume=volume),
        target=target,
        bus="scsi",
    )
