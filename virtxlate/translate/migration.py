"""How a migration is called for an instance: parameters of a call, of which a domain knows nothing."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from virtxlate.errors import UnsupportedError
from virtxlate.ganeti.model import Instance
from virtxlate.tables.migration import LIVE_MODES, MIGRATION_BY_GANETI, POSTCOPY

_LIVE = "VIR_MIGRATE_LIVE"


class MigrationParameters(msgspec.Struct, frozen=True, kw_only=True):
    """What Ganeti migrates an instance with, in the words of libvirt's call.

    ``flags`` are names of virDomainMigrateFlags; with libvirt-python, ``getattr(libvirt, name)`` of each is
    what ``migrate3`` takes.
    """

    live: bool
    """Whether the guest runs on meanwhile."""
    bandwidth_mib: int
    """MiB/s, as libvirt counts too; 0: no limit."""
    postcopy_bandwidth_mib: int | None
    """The same for the second phase, None where there is none."""
    downtime_ms: int
    """For ``migrateSetMaxDowntime``."""
    port: int
    """TCP port of the destination, where libvirt takes a free one from 49152."""
    flags: tuple[str, ...]
    compression: tuple[str, ...] = ()
    """Methods, for the parameter ``compression``."""
    unsaid: tuple[str, ...] = ()
    """Capabilities of QEMU that libvirt's call has no word for."""

    def options(self) -> tuple[str, ...]:
        """Give the options of ``virsh migrate`` but for the port: that needs an address to be in."""
        return tuple(self._options())

    def _options(self) -> Iterator[str]:
        if self.live:
            yield "--live"
        if self.bandwidth_mib:
            yield f"--bandwidth {self.bandwidth_mib}"
        yield from dict.fromkeys(
            row.option for row in MIGRATION_BY_GANETI.values() if row.flag in self.flags and row.option
        )
        if self.postcopy_bandwidth_mib:
            yield f"--postcopy-bandwidth {self.postcopy_bandwidth_mib}"
        if self.compression:
            yield f"--comp-methods {','.join(self.compression)}"


def migration_parameters(instance: Instance) -> MigrationParameters:
    """Give what a migration of the instance is called with.

    Raises UnsupportedError for a migration_mode that Ganeti does not have.
    """
    hvparams = instance.hvparams
    if hvparams.migration_mode not in LIVE_MODES:
        raise UnsupportedError(
            f"expected one of {', '.join(LIVE_MODES)}, found {hvparams.migration_mode!r}",
            at="hvparams.migration_mode",
        )
    live = LIVE_MODES[hvparams.migration_mode]
    words = _words(hvparams.migration_caps)
    known = [MIGRATION_BY_GANETI[word] for word in words if word in MIGRATION_BY_GANETI]
    rows = [row for row in known if live or not row.live_only]
    flags = dict.fromkeys([*([_LIVE] if live else []), *(row.flag for row in rows if row.flag)])
    return MigrationParameters(
        live=live,
        bandwidth_mib=hvparams.migration_bandwidth,
        postcopy_bandwidth_mib=hvparams.migration_bandwidth if live and POSTCOPY in words else None,
        downtime_ms=hvparams.migration_downtime,
        port=hvparams.migration_port,
        flags=tuple(flags),
        compression=tuple(dict.fromkeys(row.method for row in rows if row.method)),
        unsaid=unsaid_capabilities(hvparams.migration_caps),
    )


def unsaid_capabilities(caps: str) -> tuple[str, ...]:
    """Give the capabilities in a migration_caps that libvirt's call has no word for."""
    return tuple(word for word in _words(caps) if word not in MIGRATION_BY_GANETI)


def _words(caps: str) -> list[str]:
    return [word for word in caps.split(":") if word]
