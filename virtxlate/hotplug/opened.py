"""What tells a SCSI device from every other, whatever it is called: a lun and a host device may be one."""

from __future__ import annotations

from virtxlate.domain import model as domain
from virtxlate.scsi import ISCSI_PORT, ScsiAddress
from virtxlate.translate.context import Context
from virtxlate.translate.hostdev import opened_by
from virtxlate.translate.source import iscsi_lun

Mark = str | ScsiAddress | tuple[str | int | None, ...]


def marks(device: domain.Disk | domain.Hostdev, context: Context) -> frozenset[Mark]:
    """Give address and names of what a device opens on its host, or portal and name of an iSCSI LUN.

    Two devices that have one in common open the same. Empty where nothing tells.
    """
    source = opened_by(device, context) if isinstance(device, domain.Hostdev) else device.source
    if source is None:
        return frozenset()
    if source.protocol == "iscsi":
        return frozenset((iscsi_lun(source), host.name, host.port or ISCSI_PORT) for host in source.hosts)
    found = context.scsi.device(source.dev) if context.scsi is not None and source.dev is not None else None
    if found is None:
        return frozenset()
    return frozenset(found.paths) if found.address is None else frozenset((found.address, *found.paths))
