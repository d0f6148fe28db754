"""What the type of a disk, or the protocol of its source, decides."""

from __future__ import annotations

from collections.abc import Iterator

from virtxlate.domain.storage_forms import PROTOCOL_OPTIONS
from virtxlate.rules.choice import Choice, Element, Row, of_devices, of_sources
from virtxlate.rules.rule import Document, Rule

_NETWORK = (
    "@protocol",
    "@name",
    "@query",
    "@tls",
    "@tlsHostname",
    "host",
    "auth",
    "initiator",
    "snapshot",
    "config",
    "cookies",
    "ssl",
    "readahead",
    "timeout",
    "identity",
    "reconnect",
    "reservations",
)

DISK_SOURCE = Choice(
    of_sources("disk", "file"),
    {
        "file": Row(("@file", "@fdgroup"), "a disk of type 'file' names an image by file"),
        "block": Row(("@dev", "reservations"), "a disk of type 'block' names a device of the host by dev"),
        "dir": Row(("@dir",), "a disk of type 'dir' names a directory by dir", ("@dir",)),
        "network": Row(
            _NETWORK, "a disk of type 'network' is found by protocol, name and <host>", ("@protocol",)
        ),
        "volume": Row(
            ("@pool", "@volume", "@mode"),
            "a disk of type 'volume' names a pool and a volume in it",
            ("@pool", "@volume"),
        ),
        "nvme": Row(
            ("@type", "@managed", "@namespace", "address"),
            "a disk of type 'nvme' is found by the PCI address of its controller and a namespace",
            ("@namespace", "address"),
        ),
        "vhostuser": Row(
            ("@type", "@path", "@mode", "reconnect"),
            "a disk of type 'vhostuser' is served at a socket: type='unix' and path",
            ("@type", "@path"),
        ),
    },
    "a disk of type",
)

DISK = Choice(
    of_devices("disk", "type", "file"),
    {
        "network": Row((), "a disk of type 'network' is found over the network", ("source",)),
        "vhostuser": Row((), "a disk of type 'vhostuser' is served at a socket", ("source",)),
    },
    "a disk of type",
)


def _over_network(document: Document) -> Iterator[tuple[str, Element]]:
    for kind, source in DISK_SOURCE.places(document):
        if kind == "network":
            yield source.get("protocol", ""), source


_NAME_AND_HOST = ("@name", "host")
_BY_PROTOCOL = {
    "nbd": ("an NBD export has one <host>", ("host",)),
    "gluster": ("a Gluster volume has a name, VOLUME/PATH, and a <host>", _NAME_AND_HOST),
    "rbd": ("an RBD image is a name, POOL/IMAGE", ()),
    "iscsi": ("an iSCSI LUN has a name, IQN/LUN, and a <host>", _NAME_AND_HOST),
    "http": ("an HTTP image has a name, its path, and a <host>", _NAME_AND_HOST),
    "https": ("an HTTPS image has a name, its path, and a <host>", _NAME_AND_HOST),
    "ftp": ("an FTP image has a name, its path, and a <host>", _NAME_AND_HOST),
    "ftps": ("an FTPS image has a name, its path, and a <host>", _NAME_AND_HOST),
    "tftp": ("a TFTP image has a name, its path, and a <host>", _NAME_AND_HOST),
    "sheepdog": ("a Sheepdog image has a name and a <host>", _NAME_AND_HOST),
    "nfs": (
        "an NFS image has a name, a <host>, and the <identity> that reads it",
        (*_NAME_AND_HOST, "identity"),
    ),
    "vxhs": ("a VxHS disk has a name and a <host>", _NAME_AND_HOST),
}
"""How a disk over each is told, and what it needs."""
PROTOCOL = Choice(
    _over_network,
    {word: Row(PROTOCOL_OPTIONS[word], says, needs) for word, (says, needs) in _BY_PROTOCOL.items()},
    "protocol",
)

RULES: tuple[Rule, ...] = (
    Rule(
        id="disk-source",
        says="the source of a disk is told as the type of the disk wants it",
        why="The type decides which attribute libvirt reads; without validation it ignores the others, and "
        "the disk has no source.",
        source="libvirt 9.0.0, src/conf/schemas/domaincommon.rng, define diskSource",
        hint="name the source as its type wants it, or give the disk the type of that source",
        libvirt="refused",
        check=DISK_SOURCE.check(),
    ),
    Rule(
        id="disk-source-missing",
        says="a disk over the network or at a socket has a source",
        why="Only a drive of a file, a device or a volume may be empty.",
        source="libvirt 9.0.0, src/conf/schemas/domaincommon.rng, define diskSourceNetwork",
        hint="write <source> with what its type needs",
        libvirt="refused",
        check=DISK.check(),
    ),
    Rule(
        id="disk-protocol",
        says="the source of a network disk has what its protocol knows",
        why="Each protocol is a driver of QEMU's with options of its own.",
        source="libvirt 9.0.0, src/conf/schemas/domaincommon.rng, define diskSourceNetwork",
        hint="leave out what is of another protocol, and add what is missing",
        libvirt="refused",
        check=PROTOCOL.check(),
    ),
)
