"""Ganeti's parameters as typed records; a record with all defaults is what an untouched 3.1 cluster has.

Which layer a value comes from is fill.py's business.
Source: Ganeti 3.2 alpha (c35736d8a), src/Ganeti/Constants.hs:4117-4183 (KVM defaults), 4202 (beparams).
"""

from __future__ import annotations

from typing import Annotated

import msgspec

Scalar = str | int | float | bool | None
"""What a parameter of JSON may be."""
Positive = Annotated[int, msgspec.Meta(ge=1)]
Count = Annotated[int, msgspec.Meta(ge=0)]


class HvParams(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All KVM hvparams of one instance, filled."""

    acpi: bool = True
    boot_order: str = "disk"
    cdrom2_image_path: str = ""
    cdrom_disk_type: str = ""
    cdrom_image_path: str = ""
    cpu_cores: Count = 0
    cpu_mask: str = "all"
    cpu_sockets: Count = 0
    cpu_threads: Count = 0
    cpu_type: str = ""
    disk_aio: str = "threads"
    disk_cache: str = "default"
    disk_discard: str = "ignore"
    disk_type: str = "paravirtual"
    floppy_image_path: str = ""
    initrd_path: str = ""
    kernel_args: str = "ro"
    kernel_path: str = "/boot/vmlinuz-3-kvmU"
    keymap: str = ""
    kvm_extra: str = ""
    kvm_flag: str = ""
    kvm_path: str = "/usr/bin/kvm"
    kvm_pci_reservations: Annotated[int, msgspec.Meta(ge=0, le=32)] = 12
    """Slots, counted from 0, that Ganeti leaves to QEMU."""
    machine_version: str = ""
    mem_path: str = ""
    migration_bandwidth: int = 32
    """MiB/s."""
    migration_caps: str = ""
    migration_downtime: int = 30
    """Milliseconds."""
    migration_mode: str = "live"
    migration_port: int = 8102
    nic_type: str = "paravirtual"
    reboot_behavior: str = "reboot"
    root_path: str | None = "/dev/vda1"
    scsi_controller_type: str = "lsi"
    security_domain: str = ""
    security_model: str = "none"
    serial_console: bool = True
    serial_speed: int = 38400
    soundhw: str = ""
    spice_bind: str = ""
    spice_image_compression: str = ""
    spice_ip_version: int = 0
    spice_jpeg_wan_compression: str = ""
    spice_password_file: str = ""
    spice_playback_compression: bool = True
    spice_streaming_video: str = ""
    spice_tls_ciphers: str = "HIGH:-DES:-3DES:-EXPORT:-DH"
    spice_use_tls: bool = False
    spice_use_vdagent: bool = True
    spice_zlib_glz_wan_compression: str = ""
    usb_devices: str = ""
    usb_mouse: str = ""
    use_chroot: bool = False
    use_guest_agent: bool = False
    use_localtime: bool = False
    user_shutdown: bool = False
    vga: str = ""
    vhost_net: bool = True
    virtio_disk_iothreads: Count = 0
    """Of Ganeti newer than 3.2 alpha, whose default is 1; an instance that was started before has none."""
    virtio_net_queues: Positive | str = 1
    """A number, or ``auto`` in Ganeti newer than 3.2 alpha."""
    vnc_bind_address: str = ""
    vnc_password_file: str = ""
    vnc_tls: bool = False
    vnc_x509_path: str = ""
    vnc_x509_verify: bool = False
    vnet_hdr: bool = True


class BeParams(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All beparams of one instance, filled; memory in MiB."""

    always_failover: bool = False
    auto_balance: bool = True
    maxmem: Positive = 128
    minmem: Positive = 128
    spindle_use: int = 1
    vcpus: Positive = 1


DEFAULT_NICPARAMS: dict[str, Scalar] = {"mode": "bridged", "link": "xen-br0", "vlan": ""}
"""Source: Constants.hs:4348."""

DEFAULT_DISKPARAMS: dict[str, dict[str, Scalar]] = {
    "plain": {"stripes": 1},
    "drbd": {
        "resync-rate": 61440,
        "data-stripes": 1,
        "meta-stripes": 1,
        "disk-barriers": "n",
        "meta-barriers": False,
        "metavg": "xenvg",
        "disk-custom": "",
        "net-custom": "",
        "protocol": "C",
        "dynamic-resync": False,
        "c-plan-ahead": 20,
        "c-fill-target": 0,
        "c-delay-target": 1,
        "c-max-rate": 61440,
        "c-min-rate": 4096,
    },
    "rbd": {"pool": "rbd", "access": "kernelspace"},
    "gluster": {"access": "kernelspace", "host": "127.0.0.1", "port": 24007, "volume": "gv0"},
    "ext": {"access": "kernelspace"},
    "file": {},
    "sharedfile": {},
    "blockdev": {},
    "diskless": {},
}
"""Built-in diskparams by template. Source: Constants.hs:4266-4343."""

OLDER_HVPARAM_DEFAULTS: tuple[tuple[int, dict[str, Scalar]], ...] = (
    (3010000, {"vhost_net": False, "disk_discard": "default"}),
)
"""Rows (version, defaults): what a config older than that version had. Source: the release tags of Ganeti."""

NEWER_HVPARAMS = {"virtio_disk_iothreads": 3020000}
"""hvparams that the Ganeti of a version got first; where data lacks one, that Ganeti did not know it."""

HVPARAM_NAMES = frozenset(HvParams.__struct_fields__)


def builtin_hvparams(version: int) -> dict[str, Scalar]:
    """Give every KVM hvparam with the default that Ganeti ``version`` (3010000 is 3.1) builds in."""
    defaults: dict[str, Scalar] = msgspec.structs.asdict(HvParams())
    for name in NEWER_HVPARAMS:
        del defaults[name]
    for since, older in OLDER_HVPARAM_DEFAULTS:
        if version < since:
            defaults.update(older)
    return defaults
