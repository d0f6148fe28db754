"""Every row of every table in tables/qemu.py, seen at work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from virtxlate.tables import qemu
from virtxlate.translate.hvinfo import DeviceInfo, derive_hvinfo

CONTROLLERS = (
    "<controller type='pci' index='0' model='pci-root'/><controller type='pci' index='1' model='{port}'/>"
    "<controller type='scsi' index='0' model='{scsi}'/><controller type='sata' index='0'/>"
    "<controller type='usb' index='0'/><controller type='usb' index='1'/>"
)
PCI = "<address type='pci' bus='0x00' slot='0x09' function='0x0'/>"
ADDRESSES = {
    "address": PCI,
    "virtio": PCI,
    "scsi": "<address type='drive' controller='0' bus='0' target='3' unit='2'/>",
    "ide": "<address type='drive' controller='0' bus='1' target='0' unit='1'/>",
    "sata": "<address type='drive' controller='0' bus='0' target='0' unit='4'/>",
    "usb": "<address type='usb' bus='1' port='1.3'/>",
    "fdc": "<address type='drive' controller='0' bus='0' target='0' unit='1'/>",
    "none": "",
}
PLACES: dict[str, dict[str, Any]] = {
    "address": {"bus": "pci.0", "addr": "0x9"},
    "virtio": {"bus": "pci.0", "addr": "0x9"},
    "scsi": {"bus": "scsi0.0", "channel": 0, "scsi-id": 3, "lun": 2},
    "ide": {"bus": "ide.1", "unit": 1},
    "sata": {"bus": "sata0.4"},
    "usb": {"bus": "usb1.0", "port": "1.3"},
    "fdc": {"unit": 1},
}


def derived(
    devices: str,
    *,
    scsi: str = "virtio-scsi",
    port: str = "pci-bridge",
    machine: str = "pc-i440fx-7.2",
    version: int | None = None,
) -> DeviceInfo:
    controllers = CONTROLLERS.format(scsi=scsi, port=port)
    text = f"<domain><os><type machine='{machine}'/></os><devices>{controllers}{devices}</devices></domain>"
    (device,) = derive_hvinfo(text, libvirt_version=version)
    return device


def hvinfo(device: DeviceInfo) -> Any:
    assert device.note is None
    return device.to_dict()["hvinfo"]


@pytest.mark.parametrize("row", qemu.QEMU_DISKS, ids=lambda row: f"{row.bus}-{row.device}")
def test_every_disk(row: qemu.QemuDisk) -> None:
    model = f" model='{row.model}'" if row.model else ""
    disk = (
        f"<disk device='{row.device}'{model}><target dev='x' bus='{row.bus}'/>{ADDRESSES[row.place]}</disk>"
    )
    device = derived(disk)
    assert device.kind == row.device
    if row.place == "none":
        assert (device.hvinfo, device.note) == (None, "QEMU has it without a -device of its own")
        return
    suffix = "-pci" if row.place == "virtio" else ""
    assert hvinfo(device) == {"driver": row.driver + suffix, **PLACES[row.place]}
    other = disk.replace(model, "").replace("<disk ", "<disk model='other' ")
    assert "model 'other' is not known" in str(derived(other).note)
    assert derived(disk, version=row.until).hvinfo == device.hvinfo
    if row.until != qemu.ANY:
        assert derived(disk, version=row.until + 1).note == (
            f"a disk of bus {row.bus!r} and device {row.device!r} is not known"
        )


def test_a_vhost_user_disk_has_a_chardev_instead_of_a_drive() -> None:
    disk = f"<disk type='vhostuser'><source index='1'/><target dev='vda' bus='virtio'/>{PCI}</disk>"
    assert hvinfo(derived(disk)) == {
        "driver": f"{qemu.VHOST_USER_DISK.driver}-pci",
        **PLACES[qemu.VHOST_USER_DISK.place],
    }


VIRTIO_PLACES: dict[str, tuple[str, dict[str, str]]] = {
    "pci": (PCI, {"bus": "pci.0", "addr": "0x9"}),
    "ccw": ("<address type='ccw' cssid='0xfe' ssid='0x2' devno='0x01ab'/>", {"devno": "fe.2.01ab"}),
    "virtio-mmio": ("<address type='virtio-mmio'/>", {}),
}


@pytest.mark.parametrize("kind", [kind for kind, _suffix in qemu.ADDRESS_SUFFIXES.rows])
@pytest.mark.parametrize("model", [model for model, _end in qemu.VIRTIO_MODELS.rows])
@pytest.mark.parametrize(
    ("base", "device"),
    [
        ("virtio-blk", "<disk model='{0}'><target dev='vda' bus='virtio'/>{1}</disk>"),
        (qemu.NETWORK_DRIVER, "<interface type='user'><model type='{0}'/>{1}</interface>"),
        ("vhost-scsi", "<hostdev type='scsi_host' model='{0}'>{1}</hostdev>"),
    ],
)
def test_every_end_of_a_virtio_driver(kind: str, model: str, base: str, device: str) -> None:
    address, place = VIRTIO_PLACES[kind]
    driver = base + qemu.ADDRESS_SUFFIXES.right(kind) + qemu.VIRTIO_MODELS.right(model)
    assert hvinfo(derived(device.format(model, address))) == {"driver": driver, **place}


@pytest.mark.parametrize("row", qemu.QEMU_HOSTDEVS, ids=lambda row: f"{row.type}-{row.model}")
def test_every_host_device(row: qemu.QemuHostdev) -> None:
    device = derived(f"<hostdev type='{row.type}' model='{row.model}'>{ADDRESSES[row.place]}</hostdev>")
    if row.place == "none":
        assert (device.hvinfo, device.note) == (None, "QEMU has it on no bus")
    else:
        suffix = "-pci" if row.place == "virtio" else ""
        assert hvinfo(device) == {"driver": row.driver + suffix, **PLACES[row.place]}


def test_an_mdev_with_a_frame_buffer_is_another_driver() -> None:
    device = derived(f"<hostdev type='mdev' model='vfio-pci' ramfb='on'>{PCI}</hostdev>")
    assert hvinfo(device)["driver"] == f"vfio-pci{qemu.RAMFB_SUFFIX}"


def test_an_interface_has_a_default_model_and_a_backend() -> None:
    device = derived(f"<interface type='user'><alias name='net7'/>{PCI}</interface>")
    assert hvinfo(device) == {
        "driver": qemu.DEFAULT_INTERFACE_MODEL,
        "id": "net7",
        **PLACES["address"],
        "netdev": f"{qemu.NETDEV_PREFIX}net7",
    }


@pytest.mark.parametrize("row", qemu.SCSI_MODELS, ids=lambda row: row.libvirt)
def test_every_scsi_model_has_its_own_scsi_id(row: qemu.ScsiModel) -> None:
    found = hvinfo(
        derived(f"<disk><target dev='sda' bus='scsi'/>{ADDRESSES['scsi']}</disk>", scsi=row.libvirt)
    )
    name = "scsi0" if row.driver else qemu.ON_BOARD_ALIASES["scsi"]
    if row.scsi_id_in == "unit":
        assert found == {"driver": "scsi-hd", "bus": f"{name}.0", "scsi-id": 2}
    else:
        assert found == {"driver": "scsi-hd", "bus": f"{name}.0", "channel": 0, "scsi-id": 3, "lun": 2}


@pytest.mark.parametrize("root", qemu.PCI_ROOTS)
@pytest.mark.parametrize("alias", ["", "<alias name='ua-mine'/>", "<alias name='pci'/>"])
def test_every_root_has_its_name_whatever_the_user_calls_it(root: str, alias: str) -> None:
    text = (
        f"<domain><devices><controller type='pci' index='0' model='{root}'>{alias}</controller>"
        f"<disk><target dev='vda' bus='virtio'/>{PCI}</disk></devices></domain>"
    )
    (device,) = derive_hvinfo(text)
    assert hvinfo(device)["bus"] == ("pci" if alias == "<alias name='pci'/>" else qemu.PCI_ROOTS[root])


@pytest.mark.parametrize("model", sorted(qemu.PCI_BUSES))
def test_every_pci_bus_has_the_name_of_its_controller(model: str) -> None:
    disk = "<disk><target dev='vda' bus='virtio'/><address type='pci' bus='0x01' slot='0x03'/></disk>"
    name = hvinfo(derived(disk, port=model))["bus"]
    assert name == ("pci.1.0" if model == qemu.PCI_HOST_BRIDGE else "pci.1")
    assert qemu.CONTROLLER_ALIASES["pci"].format(index=1) == "pci.1"


@pytest.mark.parametrize("machine", ["q35", "pc-q35-7.2"])
def test_the_sata_controller_of_q35_is_called_ide(machine: str) -> None:
    disk = f"<disk><target dev='sda' bus='sata'/>{ADDRESSES['sata']}</disk>"
    assert hvinfo(derived(disk, machine=machine))["bus"] == f"{qemu.ON_BOARD_ALIASES['sata']}.4"


IMAGE = (
    "<disk>{1}<driver type='{0}'/><source file='/x' index='7'>{2}</source><target dev='vda' bus='virtio'/>"
    f"{PCI}</disk>"
)
AROUND = [
    (None, "pc-i440fx-7.2", "libvirt-7-format", "libvirt-7-format"),
    (None, "pc-q35-8.2", "libvirt-7-format", "libvirt-7-format"),
    (None, "pc-q35-9.0", None, "libvirt-7-format"),
    (None, "pc", "libvirt-7-format", "libvirt-7-format"),
    (9_000_000, "pc-q35-9.0", "libvirt-7-format", "libvirt-7-format"),
    (9_000_999, "pc", "libvirt-7-format", "libvirt-7-format"),
    (9_001_000, "pc-q35-9.2", None, "libvirt-7-format"),
    (11_002_999, "pc-q35-9.2", None, "libvirt-7-format"),
    (11_003_000, "pc-q35-9.2", "libvirt-7-storage", "libvirt-7-format"),
    (11_003_000, "pc-q35-10.1", "libvirt-7-storage", "libvirt-7-format"),
    (11_003_000, "pc-i440fx-7.2", None, "libvirt-7-format"),
    (11_003_000, "pc-q35-rhel9.4.0", None, "libvirt-7-format"),
    (99_000_000, "pc-q35-12.0", "libvirt-7-storage", "libvirt-7-format"),
]


@pytest.mark.parametrize(("version", "machine", "raw", "qcow2"), AROUND)
def test_the_drive_is_named_by_version_or_not_at_all(
    version: int | None, machine: str, raw: str | None, qcow2: str
) -> None:
    found = {
        kind: hvinfo(derived(IMAGE.format(kind, "", ""), machine=machine, version=version)).get("drive")
        for kind in ("raw", "qcow2")
    }
    assert found == {"raw": raw, "qcow2": qcow2}
    for kind in ("raw", "qcow2"):
        throttled = IMAGE.format(kind, "<throttlefilters/>", "")
        is_older = version is not None and version < 9_001_000
        drive = hvinfo(derived(throttled, machine=machine, version=version)).get("drive")
        assert drive == ("libvirt-7-format" if is_older else None)


@pytest.mark.parametrize("part", ["slices", "encryption"])
def test_a_raw_image_with_another_node_on_top_has_no_drive_that_is_known(part: str) -> None:
    image = IMAGE.format("raw", "", f"<{part}/>")
    assert "drive" not in hvinfo(derived(image, machine="pc-q35-9.2", version=11_003_000))
    assert hvinfo(derived(image, version=9_000_000))["drive"] == "libvirt-7-format"


def test_rows_of_drive_nodes_cover_every_version_once() -> None:
    rows = qemu.DRIVE_NODES
    assert (rows[0].since, rows[0].until, rows[-1].until) == (qemu.NOT_TOLD, qemu.NOT_TOLD, qemu.ANY)
    assert [row.since for row in rows[1:]] == [row.until + 1 for row in rows[:-1]]


def test_copy_on_read_is_a_node_named_by_target() -> None:
    disk = (
        "<disk><driver type='qcow2' copy_on_read='on'/><source file='/x' index='7'/>"
        f"<target dev='vdc' bus='virtio'/>{PCI}</disk>"
    )
    assert hvinfo(derived(disk, version=11_003_000))["drive"] == f"{qemu.COPY_ON_READ_PREFIX}vdc"
    assert qemu.NODE_PREFIX == "libvirt-"


@pytest.mark.parametrize(
    "source", ["", "<source index='4'/>", "<source index='4' startupPolicy='optional'/>"]
)
@pytest.mark.parametrize(("device", "bus", "place"), [("cdrom", "ide", "ide"), ("floppy", "fdc", "fdc")])
def test_an_empty_drive_has_no_backend(source: str, device: str, bus: str, place: str) -> None:
    disk = f"<disk device='{device}'>{source}<target dev='x' bus='{bus}'/>{ADDRESSES[place]}</disk>"
    assert "drive" not in hvinfo(derived(disk))
    full = "<source file='/x' index='4'/>", "<source protocol='http' index='4'><host/></source>"
    for each in full:
        disk = f"<disk device='{device}'>{each}<target dev='x' bus='{bus}'/>{ADDRESSES[place]}</disk>"
        assert hvinfo(derived(disk))["drive"] == "libvirt-4-format"


IDE_ALIAS = "<controller type='ide' index='0'><alias name='ua-ide'/></controller>"


def test_an_alias_of_the_ide_controller_changes_nothing() -> None:
    disk = f"{IDE_ALIAS}<disk><target dev='hda' bus='ide'/>{ADDRESSES['ide']}</disk>"
    assert hvinfo(derived(disk))["bus"] == f"{qemu.IDE_BUS}.1"


ELSEWHERE = {
    "PCI_PORTS": "test_hvinfo_occupancy.py",
    "BOARD_SLOTS": "test_hvinfo_occupancy.py",
    "DISKS_BY_WORDS": "an index",
    "HOSTDEVS_BY_WORDS": "an index",
    "SCSI_BY_MODEL": "an index",
    "DEFAULT_SCSI_MODEL": "rules/test_rules.py",
    "SWITCHED_BUSES": "rules/test_rules.py",
}


def test_no_table_is_left_out() -> None:
    text = Path(__file__).read_text(encoding="utf-8").partition("ELSEWHERE = ")[0]
    tables = {name for name in vars(qemu) if name.isupper() and not name.startswith("_")}
    seen = {name for name in tables if f"qemu.{name}" in text}
    assert tables - seen == set(ELSEWHERE)
