"""The q35 machine as Ganeti newer than 3.2 alpha lays it out: root ports, and one slot for the rest.

Source: Ganeti, doc/design-q35.rst (May 2026); what a bare q35 has: QEMU 7.2, query-pci and ``info qtree``.
"""

from __future__ import annotations

Q35 = "q35"
"""A machine_version with this word in it is one."""

NIC_PORTS = range(0x03, 0x0B)
"""Slots of pcie.0 that hold the root ports of NICs; the first one's NIC has ACPI index 1."""

DISK_PORTS = range(0x0B, 0x1B)
"""Slots of pcie.0 that hold the root ports of disks."""

ROOT_PORT_PREFIX = "rp"
"""Before the slot in Ganeti's name of a root port, which is the bus in hvinfo."""

FIRST_PORT_INDEX = 1
"""libvirt's index of the first root port; the others follow slot by slot."""

STATIC_SLOT = 0x02
STATIC_FUNCTIONS = {
    "memory balloon": 0,
    "hvparams.scsi_controller_type": 1,
    "hvparams.usb_devices": 2,
    "hvparams.spice_use_vdagent": 3,
    "hvparams.use_guest_agent": 4,
    "hvparams.soundhw": 5,
}
"""Functions of the one slot that holds what is never plugged, by what asks for the device."""

FREE_SLOTS = range(0x1B, 0x1F)
"""For devices of kvm_extra without an address: the lowest one."""

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
