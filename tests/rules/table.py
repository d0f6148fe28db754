"""Every case of every rule."""

from __future__ import annotations

from tests.rules import (
    cases,
    cases_disks,
    cases_interfaces,
    cases_machine,
    cases_options,
    cases_pci,
    cases_ports,
    cases_resources,
)
from tests.rules.cases import Case

_MODULES = (
    cases_disks,
    cases_interfaces,
    cases_machine,
    cases_options,
    cases_pci,
    cases_ports,
    cases_resources,
)
OF_DOMAINS: tuple[Case, ...] = tuple(case for module in _MODULES for case in module.CASES)
"""Those that need nothing of a host but QEMU and a file."""
IMAGES = "/srv/judged"
"""The folder of images in them: a live test puts its own there."""
CASES: tuple[Case, ...] = (*cases.CASES, *OF_DOMAINS)
