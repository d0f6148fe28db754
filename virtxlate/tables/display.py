"""Displays: Ganeti's vga beside libvirt's video model."""

from __future__ import annotations

from virtxlate.bijection import Bijection

VGAS = Bijection(
    "vga",
    [
        ("", "vga"),
        ("cirrus", "cirrus"),
        ("vmware", "vmvga"),
        ("qxl", "qxl"),
        ("virtio", "virtio"),
        ("none", "none"),
    ],
    aliases=[("std", "vga")],
)
"""The empty word is QEMU's default, the standard VGA. Source: QEMU 7.2 -vga; libvirt formatdomain.rst."""

VRAM_KIB = {"vga": 16384, "cirrus": 16384, "vmvga": 16384, "qxl": 65536, "virtio": None, "none": None}
"""Video memory that QEMU gives each model when told nothing, KiB; None where libvirt passes none."""
