"""What is told of one device: who it is, and where QEMU has it."""

from __future__ import annotations

import msgspec


class QemuInfo(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, rename={"scsi_id": "scsi-id"}):
    """One device in QEMU's words; what its bus does not have is left out.

    ``{"driver": "scsi-hd", "id": "scsi0-0-3-0", "bus": "scsi0.0", "channel": 0, "scsi-id": 3, "lun": 0,
    "drive": "libvirt-1-format"}``
    """

    driver: str
    id: str | None = None
    bus: str | None = None
    addr: str | None = None
    """Slot, or slot and function, as QEMU's option has it: 0x4, 0x4.0x1."""
    devno: str | None = None
    """Place on the channel bus of s390: fe.0.0001."""
    channel: int | None = None
    scsi_id: int | None = None
    lun: int | None = None
    unit: int | None = None
    """Of an IDE channel or the floppy controller."""
    port: str | None = None
    """Of a USB controller or hub: 1.2."""
    drive: str | None = None
    netdev: str | None = None


class DeviceInfo(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One device of a domain, and where QEMU has it; ``note`` says why that is not known."""

    kind: str
    """disk, cdrom, floppy, lun, hostdev or nic."""
    alias: str | None = None
    uuid: str | None = None
    """Ganeti's, where the metadata of the domain tells it."""
    target: str | None = None
    mac: str | None = None
    hvinfo: QemuInfo | None = None
    path: str = ""
    """Where it stands in the document: /domain/devices/disk[1]."""
    note: str | None = None

    def to_dict(self) -> dict[str, object]:
        """Give the JSON object: ``{"kind": "nic", "alias": "net0", "mac": "...", "hvinfo": {...}}``.

        A device without hvinfo has ``path`` and ``note`` instead.
        """
        found: dict[str, object] = msgspec.to_builtins(self)
        if self.hvinfo is not None:
            found.pop("path", None)
        return found
