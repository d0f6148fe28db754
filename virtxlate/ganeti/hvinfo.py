"""Where QEMU has a device, in Ganeti's runtime dialect.

``addr`` is a hexadecimal text, channel, scsi-id and lun are numbers; keys stand in command line order.
Source: Ganeti 3.2 alpha (c35736d8a), lib/hypervisor/hv_kvm/bus_manager.py:108,149; __init__.py:222.
"""

from __future__ import annotations

import re

import msgspec

from virtxlate.errors import GanetiDataError

_ADDR = re.compile(r"0x[01]?[0-9a-fA-F]", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
"""What Ganeti makes ids of; libvirt keeps no other characters in an alias."""
_ID_GROUPS = 3


class HvInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"scsi_id": "scsi-id"}):
    """Where QEMU has one device: ``addr`` on PCI; channel, scsi_id and lun on SCSI.

    ``{"driver": "virtio-blk-pci", "id": "disk-932df160-7a22-4067", "bus": "pci.0", "addr": "0xc"}``
    ``{"driver": "scsi-hd", "id": "disk-...", "bus": "scsi.0", "channel": 0, "scsi-id": 1, "lun": 0}``
    """

    driver: str
    id: str
    bus: str
    addr: str | None = None
    channel: int | None = None
    scsi_id: int | None = None
    lun: int | None = None

    @property
    def slot(self) -> int | None:
        """The PCI slot number in ``addr``, None on SCSI."""
        return None if self.addr is None else int(self.addr, 16)

    def check(self) -> None:
        """Raise GanetiDataError unless exactly one kind of address is there, and well-formed."""
        if not _ID.fullmatch(self.id):
            raise GanetiDataError(f"expected letters, digits, '_' and '-', found {self.id!r}", at="hvinfo.id")
        scsi = (self.channel, self.scsi_id, self.lun)
        if (self.addr is None) == (scsi == (None, None, None)):
            raise GanetiDataError("expected either addr, or channel, scsi-id and lun", at="hvinfo")
        if self.addr is None and None in scsi:
            raise GanetiDataError("expected channel, scsi-id and lun together", at="hvinfo")
        if self.addr is not None and not _ADDR.fullmatch(self.addr):
            raise GanetiDataError(f"expected a slot such as '0xc', found {self.addr!r}", at="hvinfo.addr")


def kvm_id(kind: str, uuid: str) -> str:
    """Give Ganeti's id of a device: disk-932df160-7a22-4067 for uuid 932df160-7a22-4067-a566-7e0ca8386133."""
    return f"{kind}-{'-'.join(uuid.split('-')[:_ID_GROUPS])}"


def legacy_kvm_id(kind: str, uuid: str, slot: int) -> str:
    """Give the id of 2.10 to 2.15: ``hotdisk-932df160-pci-4``."""
    return f"hot{kind}-{uuid.split('-', maxsplit=1)[0]}-pci-{slot}"
