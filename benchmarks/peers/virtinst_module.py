"""virtinst, under Debian's own Python, whose libxml2 binding it needs.

Two modules that only other parts of virtinst use stand in as empty ones: gi (facts about operating systems)
and requests (downloads).
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

__all__ = ["VERSIONS", "Device", "virtinst"]


def _stand_in(name: str) -> ModuleType:
    module = sys.modules[name] = ModuleType(name)
    return module


_gi: Any = _stand_in("gi")
_gi.require_version = lambda _name, _version: None
_repository: Any = _stand_in("gi.repository")
_repository.Libosinfo = _stand_in("gi.repository.Libosinfo")
_stand_in("requests")

import virtinst  # noqa: E402 - after its stand-ins
from virtinst.buildconfig import BuildConfig  # noqa: E402
from virtinst.devices.device import Device  # noqa: E402

VERSIONS = {"virtinst": str(BuildConfig.version)}
