"""Ganeti's objects as frozen records, with every parameter filled.

Nothing secret is kept here: DRBD secrets and private OS parameters stop at the reader.
Source: Ganeti 3.2 alpha (c35736d8a), lib/objects.py; src/Ganeti/Objects/Disk.hs.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.ganeti.params import BeParams, HvParams, Positive, Scalar
from virtxlate.ganeti.uri import without_password

LAST_VERSION = 99_999_999
"""The last number that tables of versions count: 3010000 is 3.1."""


class Network(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A Ganeti network as a NIC's netinfo shows it."""

    name: str = ""
    uuid: str = ""
    network: str | None = None
    gateway: str | None = None
    network6: str | None = None
    gateway6: str | None = None
    mac_prefix: str | None = None
    tags: tuple[str, ...] = ()


class Nic(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One NIC, its nicparams filled.

    ``vlan`` is ``.100`` (access), ``:10:20`` (trunk) or ``.5:10:20`` (native and tagged).
    """

    uuid: str = ""
    name: str | None = None
    mac: str
    ip: str | None = None
    network: str | None = None
    """Uuid of a Ganeti network."""
    netinfo: Network | None = None
    mode: str = "bridged"
    link: str = ""
    """Bridge, switch, or routing table, by mode."""
    vlan: str = ""
    hvinfo: HvInfo | None = None


class Disk(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One disk, its diskparams filled.

    Shape of ``logical_id``: ``("xenvg", "u0.disk0")`` for plain; drbd ends in None instead of the secret; ()
    where the source of the data does not tell it.
    """

    uuid: str = ""
    name: str | None = None
    template: str
    size_mib: int = 0
    mode: str = "rw"
    logical_id: tuple[Scalar, ...] = ()
    params: dict[str, Scalar] = {}
    children: tuple[Disk, ...] = ()
    nodes: tuple[str, ...] = ()
    iv_name: str = ""
    spindles: int | None = None
    minor: int | None = None
    """N of /dev/drbdN on the primary node."""
    device: str | None = None
    """Path of the activated device, where the source of the data tells it."""
    link: str | None = None
    """The instance-disks link that a runtime file names."""
    uri: str | None = None
    """What a runtime file names for userspace access; never with a password: none can come in."""
    hvinfo: HvInfo | None = None

    def __post_init__(self) -> None:
        """Leave passwords behind, whoever makes the record."""
        for name in ("link", "uri"):
            told = getattr(self, name)
            if told is not None and (plain := without_password(told)) != told:
                msgspec.structs.force_setattr(self, name, plain)


class Instance(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One KVM instance, every parameter filled."""

    name: str
    uuid: str
    os: str = ""
    primary_node: str = ""
    """Name of the node, or its uuid where no name is known."""
    admin_state: str = "up"
    disk_template: str = "diskless"
    """As stored up to 2.13, computed since: one for all disks, ``diskless`` or ``mixed``."""
    hvparams: HvParams = HvParams()
    own_hvparams: tuple[str, ...] = ()
    """Names of the hvparams that are set on the instance itself, sorted."""
    unknown_hvparams: dict[str, Scalar] = {}
    """Set somewhere, but known to no Ganeti that virtxlate knows."""
    beparams: BeParams = BeParams()
    own_beparams: tuple[str, ...] = ()
    oper_ram_mib: Positive | None = None
    """What the balloon leaves the running guest, where the source tells it and it is less than maxmem."""
    balloon_first: bool = False
    """Whether QEMU was asked for the balloon before the SCSI controller, and so has it in a lower slot.

    Ganeti newer than 3.2 alpha does so; only a runtime file tells.
    """
    osparams: dict[str, Scalar] = {}
    nics: tuple[Nic, ...] = ()
    disks: tuple[Disk, ...] = ()
    network_port: int | None = None
    """TCP port reserved for VNC or SPICE."""
    tags: tuple[str, ...] = ()
    storage_dirs: dict[str, str] = {}
    """Cluster directories that file paths are relative to: ``{"gluster": "/var/run/ganeti/gluster"}``."""
    version: Annotated[int, msgspec.Meta(ge=0, le=LAST_VERSION)] = 3010000
    """Of the Ganeti that the data is of: 3010000 is 3.1."""


def template_of(disks: tuple[Disk, ...]) -> str:
    """Give the disk template of an instance with these disks. Source: lib/config (2.14 and newer)."""
    templates = {disk.template for disk in disks}
    if not templates:
        return "diskless"
    return templates.pop() if len(templates) == 1 else "mixed"
