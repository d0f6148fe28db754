"""Every case of every rule."""

from __future__ import annotations

from tests.rules import cases, cases_disks, cases_pci, cases_ports
from tests.rules.cases import Case

OF_DOMAINS: tuple[Case, ...] = (*cases_disks.CASES, *cases_pci.CASES, *cases_ports.CASES)
"""Those that need nothing of a host but QEMU and a file."""
IMAGES = "/srv/judged"
"""The folder of images in them: a live test puts its own there."""
CASES: tuple[Case, ...] = (*cases.CASES, *OF_DOMAINS)
