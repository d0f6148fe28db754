"""Libvirt's words: the enumerations of domain XML that virtxlate writes or reads.

Source: libvirt 9.0.0, docs/formatdomain.rst and src/conf/domain_conf.c (VIR_ENUM_IMPL lists).
"""

from __future__ import annotations

METADATA_NAMESPACE = "urn:x-virtxlate:instance:1"
"""Namespace of the one element that virtxlate keeps in a domain's metadata; its text is opaque here."""
METADATA_PREFIX = "virtxlate"
METADATA_TAG = "instance"
QEMU_NAMESPACE = "http://libvirt.org/schemas/domain/qemu/1.0"
"""Namespace in which libvirt's QEMU driver takes what its own words cannot say."""
QEMU_PREFIX = "qemu"
OVERRIDE_TYPES = ("string", "unsigned", "signed", "bool", "remove")
"""Source: libvirt 9.0.0, qemu_domain.c (VIR_ENUM_IMPL of qemuDomainDeviceOverride)."""
USER_ALIAS_PREFIX = "ua-"
"""libvirt keeps an alias of this prefix and ``[A-Za-z0-9_-]``. Source: libvirt 9.0.0 domain_conf.c:5503."""

DOMAIN_TYPES = ("kvm", "qemu")
DISK_TYPES = ("file", "block", "network", "volume", "dir", "nvme", "vhostuser", "vhostvdpa")
DISK_DEVICES = ("disk", "cdrom", "floppy", "lun")
DISK_BUSES = ("virtio", "scsi", "ide", "sata", "usb", "fdc", "sd", "xen", "uml", "nvme")
HOSTDEV_MODES = ("subsystem", "capabilities")
HOSTDEV_TYPES = ("usb", "pci", "scsi", "scsi_host", "mdev", "storage", "misc", "net")
SGIO_MODES = ("filtered", "unfiltered")
CACHE_MODES = ("default", "none", "writethrough", "writeback", "directsync", "unsafe")
IO_MODES = ("threads", "native", "io_uring")
DETECT_ZEROES = ("on", "off", "unmap")
DISCARD_MODES = ("unmap", "ignore")
PROTOCOLS = (
    "nbd",
    "iscsi",
    "rbd",
    "sheepdog",
    "gluster",
    "http",
    "https",
    "ftp",
    "ftps",
    "tftp",
    "ssh",
    "vxhs",
    "nfs",
)
HOST_TRANSPORTS = ("tcp", "unix", "rdma")
CONTROLLER_TYPES = (
    "ide",
    "fdc",
    "scsi",
    "sata",
    "virtio-serial",
    "ccid",
    "usb",
    "pci",
    "xenbus",
    "isa",
    "nvme",
)
INTERFACE_TYPES = (
    "user",
    "ethernet",
    "vhostuser",
    "server",
    "client",
    "mcast",
    "network",
    "bridge",
    "internal",
    "direct",
    "hostdev",
    "udp",
    "vdpa",
    "null",
    "vds",
)
INTERFACE_DRIVERS = ("qemu", "vhost")
OFFLOADS = tuple(
    (side, name) for side in ("host", "guest") for name in ("csum", "tso4", "tso6", "ecn", "ufo")
)
"""What a virtio interface lets the host, or the guest, do later or not at all."""
VIRTUALPORT_TYPES = ("openvswitch", "802.1Qbg", "802.1Qbh", "midonet")
NATIVE_MODES = ("tagged", "untagged")
BOOT_DEVICES = ("fd", "hd", "cdrom", "network")
LIFECYCLE_ACTIONS = (
    "destroy",
    "restart",
    "preserve",
    "rename-restart",
    "coredump-destroy",
    "coredump-restart",
)
CLOCK_OFFSETS = ("utc", "localtime", "variable", "timezone", "absolute")
CPU_MODES = ("custom", "host-model", "host-passthrough", "maximum")
CPU_MATCHES = ("minimum", "exact", "strict")
CPU_CHECKS = ("none", "partial", "full")
CPU_FALLBACKS = ("allow", "forbid")
FEATURE_POLICIES = ("force", "require", "optional", "disable", "forbid")
LABEL_TYPES = ("dynamic", "static", "none")
RNG_BACKENDS = ("random", "egd", "builtin")
CHARACTER_TYPES = (
    "null",
    "vc",
    "pty",
    "dev",
    "file",
    "pipe",
    "stdio",
    "udp",
    "tcp",
    "unix",
    "spicevmc",
    "spiceport",
    "nmdm",
    "qemu-vdagent",
    "dbus",
)
VIDEO_MODELS = (
    "default",
    "vga",
    "cirrus",
    "vmvga",
    "xen",
    "vbox",
    "qxl",
    "parallels",
    "virtio",
    "gop",
    "none",
    "bochs",
    "ramfb",
)
INPUT_TYPES = ("tablet", "mouse", "keyboard", "passthrough", "evdev")
INPUT_BUSES = ("ps2", "usb", "xen", "virtio", "parallels", "none")
GRAPHICS_TYPES = ("sdl", "vnc", "rdp", "desktop", "spice", "egl-headless", "dbus")
LISTEN_TYPES = ("none", "address", "network", "socket")
SPICE_MODES = ("any", "secure", "insecure")
IMAGE_COMPRESSIONS = ("auto_glz", "auto_lz", "quic", "glz", "lz", "off")
WAN_COMPRESSIONS = ("auto", "never", "always")
STREAMING_MODES = ("filter", "all", "off")
MOUSE_MODES = ("client", "server")
SOUND_MODELS = ("sb16", "es1370", "pcspk", "ac97", "ich6", "ich7", "ich9", "usb", "virtio")
MEMBALLOON_MODELS = ("virtio", "virtio-transitional", "virtio-non-transitional", "xen", "none")
