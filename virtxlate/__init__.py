"""A Ganeti KVM instance becomes a libvirt domain, and back, and the guest cannot tell the difference.

>>> from virtxlate import Context, Report, format_domain, open_source, to_domain
>>> source = open_source(open("config.data", "rb").read())          # doctest: +SKIP
>>> report = Report()
>>> for name in source.names():                                     # doctest: +SKIP
...     print(format_domain(to_domain(source.instance(name, report), Context(), report)))

Nothing here needs libvirt-python.
"""

from __future__ import annotations

from virtxlate._version import __version__
from virtxlate.domain.document import format_domain, parse_domain
from virtxlate.errors import (
    DomainXmlError,
    GanetiDataError,
    InputError,
    InternalError,
    LiveError,
    MapError,
    PlacementError,
    SchemaError,
    TableError,
    UnknownTermError,
    UnsupportedError,
    VirtxlateError,
)
from virtxlate.ganeti.source import open_source
from virtxlate.report import Loss, Report, Severity
from virtxlate.translate.context import Context, Renames, parse_renames
from virtxlate.translate.instance import to_domain, to_ganeti
from virtxlate.translate.placing import place

__all__ = [
    "Context",
    "DomainXmlError",
    "GanetiDataError",
    "InputError",
    "InternalError",
    "LiveError",
    "Loss",
    "MapError",
    "PlacementError",
    "Renames",
    "Report",
    "SchemaError",
    "Severity",
    "TableError",
    "UnknownTermError",
    "UnsupportedError",
    "VirtxlateError",
    "__version__",
    "format_domain",
    "open_source",
    "parse_domain",
    "parse_renames",
    "place",
    "to_domain",
    "to_ganeti",
]
