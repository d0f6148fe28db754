"""A Ganeti KVM instance becomes a libvirt domain, and back, and the guest cannot tell the difference.

>>> from virtxlate import Context, Report, format_domain, open_source, to_domain
>>> source = open_source(open("config.data", "rb").read())          # doctest: +SKIP
>>> report = Report()
>>> for name in source.names():                                     # doctest: +SKIP
...     print(format_domain(to_domain(source.instance(name, report), Context(), report)))

Nothing here needs libvirt-python. What is named here is imported at its first use, so that the command line
starts fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from virtxlate._version import __version__

if TYPE_CHECKING:
    from virtxlate.domain.document import format_domain, parse_domain
    from virtxlate.domain.violations import Violation
    from virtxlate.errors import (
        ConnectionFailedError,
        DeviceNotFoundError,
        DomainNotFoundError,
        DomainStoppedError,
        DomainXmlError,
        GanetiDataError,
        HotplugError,
        InputError,
        InternalError,
        LiveError,
        MapError,
        OperationRefusedError,
        PlacementError,
        RemovalError,
        RemovalPendingError,
        RemovalRefusedError,
        SchemaError,
        SchemaSourceError,
        TableError,
        UnknownTermError,
        UnsupportedError,
        VerificationError,
        VirtxlateError,
    )
    from virtxlate.ganeti.source import open_source
    from virtxlate.hotplug.engine import Done, Options
    from virtxlate.hotplug.facade import hotplug_device, hotplug_supported, verify_hotplug_support
    from virtxlate.hotplug.rehearsal import Rehearsal
    from virtxlate.hotplug.session import Hotplug
    from virtxlate.report import Loss, Report, Severity
    from virtxlate.rules import RULES, Rule, validate
    from virtxlate.schema.host import HostSchema, host_schema
    from virtxlate.schema.store import build_schema
    from virtxlate.scsi import ScsiAddress, ScsiDevice, ScsiMap, ScsiResolver, parse_scsi_map
    from virtxlate.translate.abi import AbiDifference, abi_differences
    from virtxlate.translate.context import Context, Renames, parse_renames
    from virtxlate.translate.explain import explain
    from virtxlate.translate.hvinfo import DeviceInfo, derive_hvinfo
    from virtxlate.translate.instance import to_domain, to_ganeti
    from virtxlate.translate.migration import MigrationParameters, migration_parameters
    from virtxlate.translate.placing import place
    from virtxlate.translate.switch import Switched, switched, switched_instance

__all__ = [
    "RULES",
    "AbiDifference",
    "ConnectionFailedError",
    "Context",
    "DeviceInfo",
    "DeviceNotFoundError",
    "DomainNotFoundError",
    "DomainStoppedError",
    "DomainXmlError",
    "Done",
    "GanetiDataError",
    "HostSchema",
    "Hotplug",
    "HotplugError",
    "InputError",
    "InternalError",
    "LiveError",
    "Loss",
    "MapError",
    "MigrationParameters",
    "OperationRefusedError",
    "Options",
    "PlacementError",
    "Rehearsal",
    "RemovalError",
    "RemovalPendingError",
    "RemovalRefusedError",
    "Renames",
    "Report",
    "Rule",
    "SchemaError",
    "SchemaSourceError",
    "ScsiAddress",
    "ScsiDevice",
    "ScsiMap",
    "ScsiResolver",
    "Severity",
    "Switched",
    "TableError",
    "UnknownTermError",
    "UnsupportedError",
    "VerificationError",
    "Violation",
    "VirtxlateError",
    "__version__",
    "abi_differences",
    "build_schema",
    "derive_hvinfo",
    "explain",
    "format_domain",
    "host_schema",
    "hotplug_device",
    "hotplug_supported",
    "migration_parameters",
    "open_source",
    "parse_domain",
    "parse_renames",
    "parse_scsi_map",
    "place",
    "switched",
    "switched_instance",
    "to_domain",
    "to_ganeti",
    "validate",
    "verify_hotplug_support",
]

_HOMES = {
    "domain.document": ("format_domain", "parse_domain"),
    "domain.violations": ("Violation",),
    "ganeti.source": ("open_source",),
    "hotplug.engine": ("Done", "Options"),
    "hotplug.facade": ("hotplug_device", "hotplug_supported", "verify_hotplug_support"),
    "hotplug.rehearsal": ("Rehearsal",),
    "hotplug.session": ("Hotplug",),
    "report": ("Loss", "Report", "Severity"),
    "rules": ("RULES", "Rule", "validate"),
    "scsi": ("ScsiAddress", "ScsiDevice", "ScsiMap", "ScsiResolver", "parse_scsi_map"),
    "translate.abi": ("AbiDifference", "abi_differences"),
    "schema.host": ("HostSchema", "host_schema"),
    "schema.store": ("build_schema",),
    "translate.context": ("Context", "Renames", "parse_renames"),
    "translate.explain": ("explain",),
    "translate.hvinfo": ("DeviceInfo", "derive_hvinfo"),
    "translate.instance": ("to_domain", "to_ganeti"),
    "translate.migration": ("MigrationParameters", "migration_parameters"),
    "translate.placing": ("place",),
    "translate.switch": ("Switched", "switched", "switched_instance"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


if not TYPE_CHECKING:  # to a type checker, a module that has this has every name, misspelled ones too

    def __getattr__(name: str) -> Any:
        """Import a public name at its first use; exceptions are what is left over."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_HOME_OF.get(name, 'errors')}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
