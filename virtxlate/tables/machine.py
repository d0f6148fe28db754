"""The machine as a whole: what boots, what happens on reboot, the clock."""

from __future__ import annotations

from virtxlate.bijection import Bijection

REBOOT_BEHAVIORS = Bijection("reboot_behavior", [("reboot", "restart"), ("exit", "destroy")])
"""Source: Ganeti hv_kvm/__init__.py:1311 (-no-reboot)."""

CLOCKS = Bijection("use_localtime", [(False, "utc"), (True, "localtime")])

ACPI = Bijection("acpi", [(True, True), (False, False)])

DEFAULT_EMULATOR = "/usr/bin/kvm"
"""kvm_path that means nothing in particular: libvirt then chooses the host's own emulator."""

HOST_EMULATORS = frozenset(
    {DEFAULT_EMULATOR, "/usr/bin/qemu-system-x86_64", "/usr/bin/qemu-kvm", "/usr/libexec/qemu-kvm"}
)
"""What libvirt writes where it chose by itself, on Debian, SUSE and Red Hat; no kvm_path of anybody's."""

BOOT_ORDERS = ("disk", "cdrom", "floppy", "network")
"""Words of boot_order. Source: Ganeti Constants.hs:2905."""

SECURITY_MODELS = ("none", "user", "pool")
"""Only user becomes a label; otherwise libvirt's own user runs QEMU."""

HUGE_PAGES_PATH = "/dev/hugepages"
"""The mem_path that stands for huge pages of the host's default size."""

SMP_PREFERS_CORES_SINCE = (6, 2)
"""Version of the pc machine from which QEMU turns bare vcpus into cores; older ones get sockets.

Source: QEMU 6.2, hw/core/machine-smp.c (smp_props.prefer_sockets).
"""
