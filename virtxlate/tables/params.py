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
    remedy: str = ""
    """What has the same effect; ``{name}``, ``{value}`` and ``{migration}`` are filled in."""
    agrees: tuple[str, str] | None = None
    """A value and a domain type that say the same: nothing is lost then."""


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
        "spice_tls_ciphers",
        "spice_use_tls",
        "spice_use_vdagent",
        "spice_zlib_glz_wan_compression",
        "usb_devices",
        "usb_mouse",
        "use_guest_agent",
        "use_localtime",
        "vga",
        "vhost_net",
        "virtio_disk_iothreads",
        "virtio_net_queues",
        "vnc_bind_address",
        "vnc_password_file",
        "vnet_hdr",
    }
)

_CALL = "belongs to the migration call, not to the domain"
_CONF = "in /etc/libvirt/qemu.conf: "

UNTRANSLATED = (
    Untranslated(
        "kvm_flag",
        _HOST,
        "the domain type chooses the accelerator: --domain-type",
        agrees=("enabled", "kvm"),
    ),
    Untranslated(
        "migration_bandwidth",
        _HOST,
        f"{_CALL}; libvirt's own default is no limit",
        remedy="virsh migrate-setspeed {name} {value}",
    ),
    Untranslated("migration_caps", _HOST, _CALL, remedy="virsh migrate {name} DESTINATION {migration}"),
    Untranslated(
        "migration_downtime",
        _HOST,
        f"{_CALL}; libvirt's own default is 300 ms",
        remedy="virsh migrate-setmaxdowntime {name} {value}",
    ),
    Untranslated("migration_mode", _HOST, _CALL, remedy="virsh migrate {name} DESTINATION {migration}"),
    Untranslated(
        "migration_port",
        _HOST,
        f"{_CALL}; libvirt's own are those from migration_port_min in qemu.conf",
        remedy="virsh migrate {name} DESTINATION {migration} --migrateuri tcp://ADDRESS:{value}",
    ),
    Untranslated(
        "spice_ip_version", _HOST, "the address that SPICE listens on says it: see the map", "spice_bind"
    ),
    Untranslated(
        "use_chroot",
        _HOST,
        "libvirt gives QEMU a mount namespace of its own instead, unless it is told not to",
        remedy=f'{_CONF}namespaces = [ "mount" ]',
    ),
    Untranslated(
        "user_shutdown",
        _HOST,
        "libvirt tells a shutdown by the guest from others by its events",
        remedy="virsh event --domain {name} --event lifecycle --loop",
    ),
    Untranslated(
        "vnc_tls",
        _HOST,
        "libvirt sets it for the whole host, and always with certificates",
        "vnc_bind_address",
        remedy=f"{_CONF}vnc_tls = 1",
    ),
    Untranslated(
        "vnc_x509_path",
        _HOST,
        "libvirt sets it for the whole host; the files in it have the same names",
        "vnc_bind_address",
        remedy=f'{_CONF}vnc_tls_x509_cert_dir = "{{value}}"',
    ),
    Untranslated(
        "vnc_x509_verify",
        _HOST,
        "libvirt sets it for the whole host",
        "vnc_bind_address",
        remedy=f"{_CONF}vnc_tls_x509_verify = 1",
    ),
)

HOST_NEEDS = {
    "mem_path": f'{_CONF}hugetlbfs_mount = "PATH", for all guests',
    "security_model": "pool: libvirt has no pool of users; all guests run as user in /etc/libvirt/qemu.conf",
    "spice_bind": "an interface's name stands for an address that the map tells: [addresses]",
    "spice_password_file": "define and start set the password of the file, translate none",
    "spice_use_tls": f"{_CONF}spice_tls = 1, and spice_tls_x509_cert_dir where the certificates are",
    "vnc_bind_address": "an interface's name stands for an address that the map tells: [addresses]",
    "vnc_password_file": "define and start set the password of the file, translate none",
}
"""hvparams that are carried, and what the host has to have besides."""

METADATA_ONLY = {
    "beparams.always_failover": "Ganeti's own business: it rides in the metadata",
    "beparams.auto_balance": "Ganeti's own business: it rides in the metadata",
    "beparams.spindle_use": "Ganeti's own business: it rides in the metadata",
    "beparams.minmem": "libvirt has no lower bound for the balloon: virsh setmem NAME SIZE --live moves it",
}
"""beparams that no element stands for, and what becomes of them."""

_NAMES = {row.name for row in UNTRANSLATED}
if any(row.needs not in {"", *_NAMES, *TRANSLATED} for row in UNTRANSLATED):
    raise TableError("params: a row needs an hvparam that no list has")
if TRANSLATED & _NAMES:
    raise TableError("params: an hvparam is both translated and untranslated")
