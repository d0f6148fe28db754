"""Ganeti's q35 machine beside libvirt: where things are that Ganeti gives no place, and libvirt's words.

The root ports and the slot of what is never plugged are Ganeti's own: ``virtxlate/ganeti/q35.py``.

Source: Ganeti, doc/design-q35.rst (May 2026); what a bare q35 has: QEMU 7.2, query-pci and ``info qtree``.
"""

from __future__ import annotations

FIRST_PORT_INDEX = 1
"""libvirt's index of the first root port; the others follow slot by slot."""

FREE_SLOTS = range(0x1B, 0x1F)
"""For devices of kvm_extra without an address: the lowest one; first that of a video where there is none."""

VIDEO_SLOT = 0x01
USB_MODEL, USB_PORTS = "qemu-xhci", 4
"""There only where a USB device is."""

Q35_SOUND_CARDS = frozenset({"hda", "ac97"})

Q35_CDROM = ("sata", "cdrom")
"""libvirt's bus and device of what Ganeti calls an IDE CD-ROM."""

CDROM_UNITS = {"cdrom_image_path": 0, "cdrom2_image_path": 1}
"""Ports of the AHCI controller that hold IDE CD-ROMs."""

DEFAULT_CDROM_UNIT = 2
"""Port of QEMU's own empty CD-ROM drive."""

WATCHDOG_SINCE = 9_001_000
"""libvirt (major * 1000000 + minor * 1000 + release) that has the board's watchdog reset the guest.

Source: libvirt 9.1, qemu_domain.c, qemuDomainDefAddDefaultDevices; qemu_command.c, ICH9-LPC.noreboot.
"""
WATCHDOG_OF_ITSELF_SINCE = (8, 0)
"""QEMU whose machine types do so unasked. Source: QEMU 8.0, hw/i386/pc.c, pc_compat_7_2."""
