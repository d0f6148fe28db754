"""Free QEMU options that libvirt has elements for."""

from __future__ import annotations

from virtxlate.bijection import Bijection

SHELL_WORDS_SINCE = 3_010_000
"""Ganeti that splits kvm_extra as a shell does; an older one splits it at blanks."""

RNG_DEVICE = "virtio-rng-pci"

RNG_BACKENDS = Bijection("rng backend", [("rng-random", "random"), ("rng-builtin", "builtin")])
"""QEMU's object beside libvirt's backend."""

WATCHDOGS = Bijection("watchdog", [("i6300esb", "i6300esb"), ("ib700", "ib700")])

WATCHDOG_ACTIONS = Bijection(
    "watchdog action",
    [
        ("reset", "reset"),
        ("shutdown", "shutdown"),
        ("poweroff", "poweroff"),
        ("pause", "pause"),
        ("none", "none"),
        ("inject-nmi", "inject-nmi"),
    ],
)
"""Value of ``-watchdog-action``; without one QEMU resets."""

SYSTEM_ENTRIES = ("manufacturer", "product", "version", "serial", "sku", "family")
"""What ``-smbios type=1`` and libvirt's sysinfo both know of the system."""
