"""A live migration: QEMU's capabilities, which Ganeti passes on word for word, beside libvirt's own words."""

from __future__ import annotations

import msgspec

from virtxlate.errors import TableError


class MigrationCapability(msgspec.Struct, frozen=True, kw_only=True):
    """A word of migration_caps, the flag of libvirt's call, and the option of ``virsh migrate``.

    ``method`` is a compression of that call. Without a flag libvirt sets the capability unasked.
    """

    ganeti: str
    flag: str = ""
    option: str = ""
    method: str = ""
    live_only: bool = False
    """Whether libvirt refuses it where the guest stops before."""


MIGRATION_CAPABILITIES = (
    MigrationCapability(ganeti="auto-converge", flag="VIR_MIGRATE_AUTO_CONVERGE", option="--auto-converge"),
    MigrationCapability(
        ganeti="postcopy-ram",
        flag="VIR_MIGRATE_POSTCOPY",
        option="--postcopy --postcopy-after-precopy",
        live_only=True,
    ),
    MigrationCapability(
        ganeti="xbzrle", flag="VIR_MIGRATE_COMPRESSED", option="--compressed", method="xbzrle"
    ),
    MigrationCapability(ganeti="compress", flag="VIR_MIGRATE_COMPRESSED", option="--compressed", method="mt"),
    MigrationCapability(ganeti="multifd", flag="VIR_MIGRATE_PARALLEL", option="--parallel"),
    MigrationCapability(ganeti="rdma-pin-all", flag="VIR_MIGRATE_RDMA_PIN_ALL", option="--rdma-pin-all"),
    MigrationCapability(ganeti="zero-copy-send", flag="VIR_MIGRATE_ZEROCOPY", option="--zerocopy"),
    MigrationCapability(ganeti="events"),
    MigrationCapability(ganeti="pause-before-switchover"),
    MigrationCapability(ganeti="return-path"),
)
"""Source: libvirt 9.0.0, src/qemu/qemu_migration_params.c; virsh(1); Ganeti hv_kvm/__init__.py:2664-2680.

Ganeti turns to postcopy after two passes, ``--postcopy-after-precopy`` after one.
"""

POSTCOPY = "postcopy-ram"
"""With it, the bandwidth holds for the second phase too. Source: Ganeti hv_kvm/monitor.py:732."""

LIVE_MODES = {"live": True, "non-live": False}
"""migration_mode: whether the guest runs on meanwhile."""

MIGRATION_BY_GANETI = {row.ganeti: row for row in MIGRATION_CAPABILITIES}
if len(MIGRATION_BY_GANETI) != len(MIGRATION_CAPABILITIES):
    raise TableError("MIGRATION_CAPABILITIES: a capability appears in two rows")
