"""What libvirt 9.0.0 and QEMU 7.2 were asked, and why the answer is no rule."""

from __future__ import annotations

NO_RULES = (
    ("SATA on i440fx", "it starts: libvirt adds an AHCI controller"),
    ("a floppy on q35", "it starts: QEMU adds the ISA controller"),
    ("another device than video at slot 2 of i440fx", "it starts: video goes to the next free slot"),
    ("a PCI bus that no controller makes", "libvirt adds a bridge on i440fx, a root port on q35"),
    ("an address of slot 0 on bus 0", "libvirt takes it for none, and chooses one"),
    ("two bridges with one chassisNr", "it starts"),
    ("a conventional or transitional device on a root port", "it starts where the address says so"),
    ("a missing virtio-serial controller", "libvirt adds it"),
    ("two disks with one serial", "it starts; names by serial are the guest's business"),
    (
        "a serial longer than 20 characters",
        "it starts on every bus; the guest sees a part of it",
    ),
    ("detect_zeroes='unmap' without discard='unmap'", "libvirt makes it 'on'"),
    ("spice without qxl", "it starts"),
    ("two consoles, sockets or log files at one path", "it starts where QEMU does not have to bind a port"),
    ("a memory limit below the memory", "it starts; the kernel decides when it is reached"),
    ("CPUs of the host that a pin names", "the host decides how many there are"),
    ("a bridge, device, image or socket that is absent", "the host decides"),
    ("a TPM without swtpm, TLS without certificates, host-passthrough without KVM", "the host decides"),
    ("a VLAN at a plain Linux bridge", "libvirt 11.0 takes it, 9.0 refuses it when the domain starts"),
    ("fewer vCPUs in NUMA cells than there are", "libvirt warns, and QEMU puts the rest into the first cell"),
    ("a boot device named twice in `<os>`", "it starts"),
)
"""What was tried, and why there is no rule."""
