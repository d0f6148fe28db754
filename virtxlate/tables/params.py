"""Every hvparam: carried into the XML, or why not. A name stands in exactly one of the two lists."""

from __future__ import annotations

import msgspec

from virtxlate.errors import TableError
from virtxlate.report import Severity

_GUEST, _HOST = Severity.GUEST_VISIBLE, Severity.HOST_ONLY


class Untranslated(msgspec.Struct, frozen=True):
    """An hvparam that has no place in the XML; reported when it is not at its default."""

    name: str
    severity: Severity
    reason: str
    needs: str = ""
    """Another hvparam without which this one does nothing at all; nothing is lost while that is unset."""


TRANSLATED = frozenset(
    {
        "acpi",
        "boot_order",
        "cdrom2_image_path",
        "cdrom_disk_type",
        "cdrom_image_path",
        "cpu_cores",
        "cpu_mask",
        "cpu_sockets",
        "cpu_threads",
        "cpu_type",
        "disk_aio",
        "disk_cache",
        "disk_discard",
        "disk_type",
        "floppy_image_path",
        "initrd_path",
        "kernel_args",
        "kernel_path",
        "keymap",
        "kvm_extra",
        "kvm_path",
        "kvm_pci_reservations",
        "machine_version",
        "mem_path",
        "nic_type",
        "reboot_behavior",
        "root_path",
        "scsi_controller_type",
        "security_domain",
        "security_model",
        "serial_console",
        "serial_speed",
        "soundhw",
        "spice_bind",
        "spice_image_compression",
        "spice_jpeg_wan_compression",
        "spice_password_file",
        "spice_playback_compression",
        "spice_streaming_video",
        "spice_use_tls",
        "spice_use_vdagent",
        "spice_zlib_glz_wan_compression",
        "usb_devices",
        "usb_mouse",
        "use_guest_agent",
        "use_localtime",
        "vga",
        "vhost_net",
        "virtio_net_queues",
        "vnc_bind_address",
        "vnc_password_file",
        "vnet_hdr",
    }
)

UNTRANSLATED = (
    Untranslated("kvm_flag", _HOST, "the accelerator is chosen by the domain type"),
    Untranslated("migration_bandwidth", _HOST, "belongs to the migration call, not to the domain"),
    Untranslated("migration_caps", _HOST, "belongs to the migration call, not to the domain"),
    Untranslated("migration_downtime", _HOST, "belongs to the migration call, not to the domain"),
    Untranslated("migration_mode", _HOST, "belongs to the migration call, not to the domain"),
    Untranslated("migration_port", _HOST, "belongs to the migration call, not to the domain"),
    Untranslated(
        "spice_ip_version", _HOST, "the address that SPICE listens on says it: see the map", "spice_bind"
    ),
    Untranslated(
        "spice_tls_ciphers",
        _HOST,
        "libvirt leaves the ciphers to the TLS library of the host",
        "spice_use_tls",
    ),
    Untranslated(
        "use_chroot", _HOST, "libvirt gives QEMU a mount namespace of its own: namespaces in qemu.conf"
    ),
    Untranslated("user_shutdown", _HOST, "libvirt tells a shutdown by the guest from others by its events"),
    Untranslated(
        "vnc_tls", _HOST, "libvirt sets it for the whole host: vnc_tls in qemu.conf", "vnc_bind_address"
    ),
    Untranslated(
        "vnc_x509_path",
        _HOST,
        "libvirt sets it for the whole host: vnc_tls_x509_cert_dir in qemu.conf",
        "vnc_bind_address",
    ),
    Untranslated(
        "vnc_x509_verify",
        _HOST,
        "libvirt sets it for the whole host: vnc_tls_x509_verify in qemu.conf",
        "vnc_bind_address",
    ),
)

METADATA_ONLY = {
    "beparams.always_failover": "Ganeti's own business: it rides in the metadata",
    "beparams.auto_balance": "Ganeti's own business: it rides in the metadata",
    "beparams.spindle_use": "Ganeti's own business: it rides in the metadata",
    "beparams.minmem": "libvirt has no lower bound for the balloon: virsh setmem moves it",
}
"""beparams that no element stands for, and what becomes of them."""

_NAMES = {row.name for row in UNTRANSLATED}
if any(row.needs not in {"", *_NAMES, *TRANSLATED} for row in UNTRANSLATED):
    raise TableError("params: a row needs an hvparam that no list has")
if TRANSLATED & _NAMES:
    raise TableError("params: an hvparam is both translated and untranslated")
