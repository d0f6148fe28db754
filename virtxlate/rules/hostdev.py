"""A SCSI device of the host that the guest gets whole: QEMU's scsi-generic."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from virtxlate.rules.rule import Document, Fault, Rule, about, child
from virtxlate.scsi import ADAPTER_PREFIX, ISCSI_PORT, host_number

_WWPN = re.compile(r"naa\.[0-9a-fA-F]{16}", re.ASCII)
_VHOST_PLACES = ("pci", "ccw")
_PARTS = ("bus", "target", "unit")
_TOO_MUCH = {
    "bus": (re.compile(r"0x[0-9a-fA-F]{1,3}|[0-9]{3}"), "two digits"),
    "target": (re.compile(r"[0-9]{11,20}"), "ten digits"),
}
"""What the schema takes in an address of any type, and libvirt's grammar not behind an adapter."""


def _sources(document: Document) -> Iterator[tuple[etree._Element, etree._Element]]:
    for hostdev in document.hostdevs("scsi"):
        source = child(hostdev, "source")
        if source is not None:
            yield hostdev, source


def _source(document: Document) -> Iterator[Fault]:
    for hostdev in document.hostdevs("scsi"):
        source = child(hostdev, "source")
        if source is None:
            yield Fault(hostdev, "/source")
        elif source.get("protocol") is None and child(source, "adapter") is None:
            yield Fault(source, "/adapter")
        elif source.get("protocol") not in {None, "iscsi", "adapter"}:
            yield Fault(source, "/@protocol", source.get("protocol"), ("iscsi",))


def _adapter(document: Document) -> Iterator[Fault]:
    for _hostdev, source in _sources(document):
        adapter = child(source, "adapter")
        if adapter is not None and host_number(adapter.get("name", "")) is None:
            says = f"expected an adapter such as {ADAPTER_PREFIX}2"
            yield Fault(adapter, "/@name", adapter.get("name"), (), says)


def _address(document: Document) -> Iterator[Fault]:
    for _hostdev, source in _sources(document):
        if child(source, "adapter") is None:
            continue
        address = child(source, "address")
        if address is None:
            yield Fault(source, "/address")
            continue
        for name in _PARTS:
            if address.get(name) is None:
                yield Fault(address, f"/@{name}", says=f"the device at the adapter has a {name}")
        for name, (wrong, most) in _TOO_MUCH.items():
            found = address.get(name, "")
            if wrong.fullmatch(found):
                says = f"{name} is a decimal number of {most} at most; found {found!r}"
                yield Fault(address, f"/@{name}", found, (), says)


def _iscsi(document: Document) -> Iterator[Fault]:
    for _hostdev, source in _sources(document):
        if source.get("protocol") != "iscsi":
            continue
        hosts = source.findall("host")
        if not source.get("name"):
            yield Fault(source, "/@name", says="an iSCSI source needs the name of its target")
        if len(hosts) != 1:
            yield Fault(
                source, "/host", str(len(hosts)), says=f"an iSCSI source has one host, found {len(hosts)}"
            )


def _secret(document: Document) -> Iterator[Fault]:
    for device in (*document.hostdevs("scsi"), *document.disks):
        source = child(device, "source")
        if source is None or source.get("protocol") != "iscsi":
            continue
        for auth in (*source.findall("auth"), *device.findall("auth")):
            secret = child(auth, "secret")
            if secret is None or not (secret.get("uuid") or secret.get("usage")):
                yield Fault(auth, "/secret")
            elif secret.get("type") != "iscsi":
                yield Fault(secret, "/@type", secret.get("type"), ("iscsi",))


def _found_by(hostdev: etree._Element, source: etree._Element) -> tuple[str | None, ...] | None:
    """Give what libvirt compares host devices by, None where that is not all there."""
    adapter, address, host = (child(source, tag) for tag in ("adapter", "address", "host"))
    if hostdev.get("type") == "scsi_host":
        return ("vhost", source.get("wwpn"))
    if adapter is not None and address is not None:
        return (adapter.get("name"), *(address.get(name) for name in _PARTS))
    if source.get("protocol") == "iscsi" and host is not None:
        return ("iscsi", source.get("name"), host.get("name"), host.get("port", str(ISCSI_PORT)))
    return None


def _twice(document: Document) -> Iterator[Fault]:
    seen: dict[tuple[str | None, ...], etree._Element] = {}
    for hostdev in (*document.hostdevs("scsi"), *document.hostdevs("scsi_host")):
        source = child(hostdev, "source")
        key = None if source is None else _found_by(hostdev, source)
        first = hostdev if key is None else seen.setdefault(key, hostdev)
        if first is not hostdev:
            yield Fault(hostdev, "/source", says=f"the device is that of {document.path(first)} too")


def _managed(document: Document) -> Iterator[Fault]:
    for hostdev in document.hostdevs("scsi"):
        if hostdev.get("managed") == "yes":
            yield Fault(hostdev, "/@managed", "yes", ("no",))


def _vhost(document: Document) -> Iterator[Fault]:
    for hostdev in document.hostdevs("scsi_host"):
        source = child(hostdev, "source")
        if source is None:
            yield Fault(hostdev, "/source")
        elif source.get("protocol") != "vhost":
            yield Fault(source, "/@protocol", source.get("protocol"), ("vhost",))
        elif not _WWPN.fullmatch(source.get("wwpn", "")):
            yield Fault(source, "/@wwpn", source.get("wwpn"))


def _vhost_place(document: Document) -> Iterator[Fault]:
    for hostdev in document.hostdevs("scsi_host"):
        address = child(hostdev, "address")
        if address is not None and address.get("type") not in _VHOST_PLACES:
            yield Fault(address, "/@type", address.get("type"), _VHOST_PLACES)


def _vhost_boot(document: Document) -> Iterator[Fault]:
    for hostdev in document.hostdevs("scsi_host"):
        boot = child(hostdev, "boot")
        if boot is not None:
            yield Fault(boot, "/@order", boot.get("order"))


RULES: tuple[Rule, ...] = about(
    ("hostdev",),
    Rule(
        id="hostdev-scsi-source",
        says="a SCSI host device is found by an adapter of the host, or by iSCSI",
        why="libvirt looks for the sg device below the adapter, or hands the target to QEMU's iSCSI client.",
        source="libvirt 9.0.0, src/conf/domain_conf.c, virDomainHostdevSubsysSCSIDefParseXML",
        hint="write <source><adapter name='scsi_host2'/><address bus='0' target='1' unit='0'/></source>, or "
        "<source protocol='iscsi' name='IQN/LUN'><host name='HOST' port='3260'/></source>",
        libvirt="refused",
        check=_source,
    ),
    Rule(
        id="hostdev-scsi-adapter",
        says="the adapter has the name that libvirt gives it",
        why="libvirt reads the number in the name to find /sys/bus/scsi/devices/HOST:BUS:TARGET:UNIT.",
        source="libvirt 9.0.0, src/util/virscsi.c, virSCSIDeviceGetAdapterId",
        hint="`virsh nodedev-list --cap scsi_host` shows the names, `lsscsi` the numbers",
        libvirt="not started",
        check=_adapter,
    ),
    Rule(
        id="hostdev-scsi-address",
        says="an adapter needs the address of the device behind it",
        why="An adapter has many devices. libvirt's own schema refuses hexadecimal numbers here, and so does "
        "every define with validation.",
        source="libvirt 9.0.0, src/conf/domain_conf.c, virDomainHostdevSubsysSCSIHostDefParseXML; "
        "src/conf/schemas/domaincommon.rng, define scsiaddress",
        hint="write <address bus='0' target='1' unit='0'/> in <source>; `lsscsi` shows all four numbers",
        libvirt="refused",
        check=_address,
    ),
    Rule(
        id="hostdev-scsi-iscsi",
        says="an iSCSI source names one target and one host",
        why="QEMU's iSCSI client logs in to one portal.",
        source="libvirt 9.0.0, src/conf/domain_conf.c, virDomainHostdevSubsysSCSIiSCSIDefParseXML",
        hint="write name='IQN/LUN' and one <host name='HOST' port='3260'/>; for more paths log in on the "
        "host and pass the multipath device",
        libvirt="refused",
        check=_iscsi,
    ),
    Rule(
        id="iscsi-secret",
        about=("auth",),
        says="the password of an iSCSI user is a libvirt secret of usage iscsi",
        why="No password stands in a domain document.",
        source="libvirt 9.0.0, src/conf/domain_conf.c, virDomainHostdevSubsysSCSIiSCSIDefParseXML; "
        "src/conf/domain_validate.c, virDomainDiskDefValidateSourceChainOne",
        hint="`virsh secret-define` one with <usage type='iscsi'>, and name it: "
        "<secret type='iscsi' uuid='...'/>",
        libvirt="refused",
        check=_secret,
    ),
    Rule(
        id="hostdev-scsi-twice",
        says="one device of the host is given to the guest once",
        why="Two devices of the guest would write to one disk, unknown to each other.",
        source="libvirt 9.0.0, src/conf/domain_validate.c, virDomainDefHostdevValidate",
        hint="take one of them out; <shareable/> is for the same device in two domains",
        libvirt="refused",
        check=_twice,
    ),
    Rule(
        id="hostdev-scsi-managed",
        says="managed does nothing for a SCSI device",
        why="There is no driver of the host to detach it from: host and guest both can open it.",
        source="libvirt 9.0.0, docs/formatdomain.rst, section Host device assignment",
        hint="leave it out, and see to it that the host does not use the device",
        libvirt="accepted",
        check=_managed,
        severity="warning",
    ),
    Rule(
        id="scsi-host-source",
        says="a vhost-scsi adapter is found by protocol vhost and the wwpn of a target of this host",
        why="The kernel's target (LIO) names its vhost ports so; `targetcli ls /vhost` shows them.",
        source="libvirt 9.0.0, src/conf/domain_conf.c, virDomainHostdevSubsysSCSIVHostDefParseXML",
        hint="write <source protocol='vhost' wwpn='naa.5123456789abcde0'/>",
        libvirt="refused",
        check=_vhost,
    ),
    Rule(
        id="scsi-host-address",
        says="a vhost-scsi adapter is a PCI device, and no device on a SCSI controller",
        why="It is a controller itself: vhost-scsi-pci, or vhost-scsi-ccw on s390.",
        source="libvirt 9.0.0, src/conf/domain_validate.c, virDomainHostdevDefValidate",
        hint="write <address type='pci'/>, or none",
        libvirt="refused",
        check=_vhost_place,
    ),
    Rule(
        id="scsi-host-boot",
        says="a vhost-scsi adapter has no boot order",
        why="libvirt 9.0 has no word for which of its luns would boot (qemu_validate.c:2530).",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefHostdev",
        hint="leave <boot> out, and boot from a disk or lun that has a device of its own",
        libvirt="refused",
        check=_vhost_boot,
    ),
)
