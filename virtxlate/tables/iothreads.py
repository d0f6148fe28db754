"""I/O threads: which disks have one, in Ganeti's words.

Source: Ganeti newer than 3.2 alpha (its manual page and tests); libvirt formatdomain.rst.
"""

from __future__ import annotations

NO_IOTHREAD_AIOS = frozenset({"threads"})
"""disk_aio with which Ganeti makes no I/O thread: such a disk has threads already."""

IOTHREAD_DISK_TYPE = "paravirtual"
IOTHREAD_CONTROLLER = "virtio-scsi-pci"
"""The disk_type, and the controller of all disks on SCSI, that I/O threads can serve."""

MAX_IOTHREADS = 8
