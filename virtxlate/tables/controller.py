"""SCSI controllers: names on both sides, which address attribute is the SCSI id, what each can hold."""

from __future__ import annotations

from typing import Literal

import msgspec

from virtxlate.errors import TableError, UnknownTermError
from virtxlate.tables import qemu


class ScsiController(msgspec.Struct, frozen=True, kw_only=True):
    """One model; ``scsi_id_in`` is the attribute of libvirt's drive address that becomes QEMU's scsi-id."""

    ganeti: str
    libvirt: str
    scsi_id_in: Literal["unit", "target"]
    max_scsi_id: int
    """Largest scsi-id that QEMU accepts."""
    initiator_id: int | None = None
    """The scsi-id of the controller itself, which no disk should have."""


def _row(*, ganeti: str, libvirt: str) -> ScsiController:
    """Give a row; what QEMU makes of libvirt's model stands once, in tables/qemu.py."""
    model = qemu.SCSI_BY_MODEL[libvirt]
    if model.max_scsi_id is None:
        raise TableError(f"SCSI_CONTROLLERS: it is not known what {libvirt} can hold")
    return ScsiController(
        ganeti=ganeti,
        libvirt=libvirt,
        scsi_id_in=model.scsi_id_in,
        max_scsi_id=model.max_scsi_id,
        initiator_id=model.initiator_id,
    )


SCSI_CONTROLLERS = (
    _row(ganeti="lsi", libvirt="lsilogic"),
    _row(ganeti="dc390", libvirt="am53c974"),
    _row(ganeti="megasas", libvirt="lsisas1078"),
    _row(ganeti="virtio-scsi-pci", libvirt="virtio-scsi"),
)
"""libvirt's own dc390 names a device that QEMU does not have; am53c974 is the same chip, and OVERRIDES make
it the one with the EEPROM.

Source: libvirt 9.0.0 qemu_command.c:404-507, 2600-2639; limits measured on QEMU 7.2.
"""

_BY_GANETI = {row.ganeti: row for row in SCSI_CONTROLLERS}
_BY_LIBVIRT = {row.libvirt: row for row in SCSI_CONTROLLERS}
if not len(SCSI_CONTROLLERS) == len(_BY_GANETI) == len(_BY_LIBVIRT):
    raise TableError("SCSI_CONTROLLERS: a name appears in two rows")


def by_ganeti(word: str) -> ScsiController:
    """Give the row of a scsi_controller_type. Raises UnknownTermError."""
    if word not in _BY_GANETI:
        raise UnknownTermError("scsi_controller_type", "Ganeti", word, _BY_GANETI)
    return _BY_GANETI[word]


def by_libvirt(word: str | None) -> ScsiController:
    """Give the row of a controller model. Raises UnknownTermError."""
    if word is None or word not in _BY_LIBVIRT:
        raise UnknownTermError("scsi_controller_type", "libvirt", word, _BY_LIBVIRT)
    return _BY_LIBVIRT[word]
