"""Nova's libvirt config classes, without the rest of nova.

Only the file nova/virt/libvirt/config.py is loaded. What it imports and needs for other work than building or
reading a domain (errors, CPU sets, PCI lookups, logging) stands in as empty modules.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from lxml import etree

_STAND_INS = (
    "nova.exception",
    "nova.i18n",
    "nova.objects",
    "nova.objects.fields",
    "nova.pci",
    "nova.pci.utils",
    "nova.virt.hardware",
    "nova.virt.libvirt",
    "oslo_log",
    "oslo_log.log",
    "oslo_utils",
    "oslo_utils.strutils",
    "oslo_utils.units",
)


def _load() -> Any:
    """Give nova's module of config classes."""
    for name in _STAND_INS:
        module = sys.modules[name] = ModuleType(name)
        parent, _, child = name.rpartition(".")
        setattr(sys.modules.get(parent, module), child, module)
    stand_ins: dict[str, Any] = dict(sys.modules)
    stand_ins["nova.i18n"]._ = str
    stand_ins["oslo_log.log"].getLogger = lambda _name: None
    stand_ins["oslo_utils.units"].Mi = 1024 * 1024
    virt: Any = importlib.import_module("nova.virt")
    stand_ins["nova.virt.libvirt"].__path__ = [str(Path(virt.__file__).parent / "libvirt")]
    return importlib.import_module("nova.virt.libvirt.config")


config = _load()
VERSIONS = {
    "nova": importlib.metadata.version("nova"),
    "lxml": ".".join(map(str, etree.LXML_VERSION[:3])),
}
