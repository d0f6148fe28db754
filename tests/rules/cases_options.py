"""Rules of the options of disks: a way to break each, and the same done right."""

from __future__ import annotations

from tests.rules.cases import Case
from tests.rules.cases_disks import VIRTIO_SCSI, XHCI, disk, second

_RAW = "type='raw'"
_SHARED = "<shareable/>"
_MOST = 10**15
_ONE_THREAD = "<iothreads>1</iothreads>"


def driven(options: str, name: str = "vda", bus: str = "virtio", **more: str) -> str:
    return disk(name, bus, driver=f"{_RAW} {options}", **more)


def on_scsi(inside: str = "", **more: str) -> str:
    return VIRTIO_SCSI + disk("sda", "scsi", inside, **more)


def blocks(logical: int, physical: int) -> str:
    return f"<blockio logical_block_size='{logical}' physical_block_size='{physical}'/>"


def iotune(group: str = "", **limits: int) -> str:
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in limits.items())
    return f"<iotune>{inside}{group and f'<group_name>{group}</group_name>'}</iotune>"


_NBD = (
    "<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='/dev/null'/>"
    "<target dev='vda' bus='virtio'/><transient/></disk>"
)
_GEOMETRY = "<geometry cyls='10' heads='16' secs='63'{}/>"
_WWN = "<wwn>5000c50015ea71ad</wwn>"

CASES: tuple[Case, ...] = (
    Case("disk-io-native", driven("io='native' cache='writeback'"), driven("io='native' cache='none'")),
    Case("disk-io-native", driven("io='native'"), driven("io='native' cache='directsync'")),
    Case(
        "disk-shareable-format",
        disk(inside="<shareable/>", driver="type='qcow2'"),
        disk(inside="<shareable/>"),
    ),
    Case(
        "disk-serial-floppy",
        disk("fda", "fdc", "<serial>A1</serial>", device="floppy"),
        disk(inside="<serial>A1</serial>"),
    ),
    Case("disk-identity-bus", disk(inside=_WWN), disk("hda", "ide", _WWN)),
    Case("disk-identity-bus", disk("sda", "sata", _WWN), on_scsi(_WWN)),
    Case("disk-identity-bus", disk(inside="<vendor>A</vendor>"), on_scsi("<vendor>A</vendor>")),
    Case("disk-target-options", disk(target="rotation_rate='7200'"), on_scsi(target="rotation_rate='7200'")),
    Case(
        "disk-target-options",
        disk("sda", "sata", device="cdrom", target="rotation_rate='7200'"),
        disk("sda", "sata", target="rotation_rate='7200'"),
    ),
    Case(
        "disk-target-options",
        disk(target="removable='on'"),
        XHCI + disk("sda", "usb", target="removable='on'"),
    ),
    Case(
        "disk-target-options",
        disk(target="tray='open'"),
        disk("sda", "sata", device="cdrom", target="tray='open'"),
    ),
    Case("disk-virtio-options", VIRTIO_SCSI + driven("queues='2'", "sda", "scsi"), driven("queues='2'")),
    Case("disk-virtio-options", driven("packed='on'", "hda", "ide"), driven("packed='on'")),
    Case("disk-virtio-options", on_scsi(attributes="model='virtio'"), disk(attributes="model='virtio'")),
    Case(
        "disk-iothread",
        VIRTIO_SCSI + driven("iothread='1'", "sda", "scsi"),
        driven("iothread='1'"),
        outside=_ONE_THREAD,
        outside_right=_ONE_THREAD,
    ),
    Case(
        "disk-iothread",
        driven("iothread='2'"),
        driven("iothread='2'"),
        outside=_ONE_THREAD,
        outside_right="<iothreads>2</iothreads>",
    ),
    Case("disk-queues", driven("queues='1025'"), driven("queues='4'")),
    Case("disk-queues", driven("queue_size='3'"), driven("queue_size='1024'")),
    Case(
        "disk-copy-on-read",
        driven("copy_on_read='on'", inside="<readonly/>"),
        driven("copy_on_read='on'"),
    ),
    Case("disk-transient", disk(inside="<transient/><readonly/>"), disk(inside="<transient/>")),
    Case("disk-transient", disk("sda", "sata", "<transient/>", device="cdrom"), disk(inside="<transient/>")),
    Case("disk-transient", _NBD, disk(inside="<transient/>")),
    Case(
        "disk-startup-policy",
        disk().replace("<source ", "<source startupPolicy='requisite' "),
        disk("sda", "sata", device="cdrom").replace("<source ", "<source startupPolicy='requisite' "),
    ),
    Case("disk-geometry", XHCI + disk("sda", "usb", _GEOMETRY.format("")), disk(inside=_GEOMETRY.format(""))),
    Case(
        "disk-geometry",
        disk(inside=_GEOMETRY.format(" trans='lba'")),
        disk("hda", "ide", _GEOMETRY.format(" trans='lba'")),
    ),
    Case("disk-block-size", disk(inside=blocks(4096, 512)), disk(inside=blocks(512, 4096))),
    Case("disk-block-size", disk(inside=blocks(1000, 4096)), disk(inside=blocks(4096, 4096))),
    Case("disk-block-size", disk(inside=blocks(512, 4 << 20)), disk(inside=blocks(512, 2 << 20))),
    Case("disk-block-size", disk("hda", "ide", blocks(4096, 4096)), disk("hda", "ide", blocks(512, 4096))),
    Case("disk-driver", disk().replace("'qemu'", "'phy'"), disk()),
    Case("disk-driver", disk(driver="type='iso'"), disk("sda", "sata", device="cdrom")),
    Case(
        "iotune-total",
        disk(inside=iotune(total_bytes_sec=2000, read_bytes_sec=1000)),
        disk(inside=iotune(write_bytes_sec=2000, read_bytes_sec=1000)),
        beside=("co-occurrence",),
    ),
    Case(
        "iotune-burst",
        disk(inside=iotune(total_bytes_sec_max=2000)),
        disk(inside=iotune(total_bytes_sec=1000, total_bytes_sec_max=2000, total_bytes_sec_max_length=5)),
    ),
    Case(
        "iotune-burst",
        disk(inside=iotune(total_iops_sec=2000, total_iops_sec_max=1000)),
        disk(inside=iotune(total_iops_sec=2000, total_iops_sec_max=2000)),
    ),
    Case(
        "iotune-burst",
        disk(inside=iotune(read_iops_sec=2000, read_iops_sec_max_length=5)),
        disk(inside=iotune(read_iops_sec=2000)),
    ),
    Case(
        "iotune-group",
        disk(inside=iotune("g", total_iops_sec=1000)) + second(inside=iotune("g", total_iops_sec=2000)),
        disk(inside=iotune("g", total_iops_sec=1000)) + second(inside=iotune("g")),
    ),
    Case("iotune-group-limits", disk(inside=iotune("g")), disk(inside=iotune("g", total_iops_sec=1000))),
    Case(
        "iotune-most",
        disk(inside=iotune(total_bytes_sec=_MOST + 1)),
        disk(inside=iotune(total_bytes_sec=_MOST)),
    ),
)
