"""What a guest sees of a CPU besides its feature words: properties of QEMU's object, by name.

Source: QEMU 7.2, target/i386/cpu.c (x86_cpu_properties, cpu_x86_cpuid).
"""

from __future__ import annotations

CPU_PROPERTIES = (
    "family",
    "model",
    "stepping",
    "vendor",
    "model-id",
    "level",
    "xlevel",
    "xlevel2",
    "phys-bits",
)
"""That every CPU has."""

SWITCHES = frozenset(
    {
        "cpuid-0xb",
        "fill-mtrr-mask",
        "host-cache-info",
        "kvm",
        "kvm-no-smi-migration",
        "kvm-pv-enforce-cpuid",
        "l3-cache",
        "lbr-fmt",
        "legacy-cache",
        "level-func7",
        "lmce",
        "pmu",
        "tcg-cpuid",
        "ucode-rev",
        "vmware-cpuid-freq",
        "x-hv-max-vps",
        "x-intel-pt-auto-level",
        "x-vendor-cpuid-only",
    }
)
"""That a CPU has as its QEMU knows them: caches, the leaf of topology, whether KVM shows itself."""

_HYPER_V = "hv-"
"""Before the name of each enlightenment, which no feature word holds."""


def is_switch(name: str) -> bool:
    """Tell whether a property is one that a guest sees."""
    return name in SWITCHES or name.startswith(_HYPER_V)
