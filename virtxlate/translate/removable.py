"""CD-ROM and floppy images as libvirt drives, and back.

Source: Ganeti 3.2 alpha (c35736d8a), lib/hypervisor/hv_kvm/__init__.py:1152-1246; libvirt formatdomain.rst.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult, urlsplit

from virtxlate.domain import model as domain
from virtxlate.errors import TableError, UnsupportedError
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.words import MAX_DISKS, SCSI_DISK_TYPES, URL_SCHEMES
from virtxlate.report import Report, Severity
from virtxlate.tables.disk import IDE_BY_DRIVE_UNTIL, ide_targets
from virtxlate.tables.q35 import CDROM_UNITS, Q35_CDROM
from virtxlate.tables.removable import CDROM_TYPES, IMAGE_ALIASES, URL_PORTS, removable_era
from virtxlate.translate.board import is_q35
from virtxlate.translate.boot import CDROMS, boot_orders
from virtxlate.translate.context import Context
from virtxlate.translate.disk import drive_address, target_name
from virtxlate.translate.placing import disk_type, scsi_bus, scsi_controller, scsi_places
from virtxlate.translate.terms import carry

FLOPPY = "floppy_image_path"
if set(URL_SCHEMES) != set(URL_PORTS):
    raise TableError("URL_PORTS: not the schemes that Ganeti takes")


def cdroms(instance: Instance) -> tuple[tuple[str, str], ...]:
    """Give (hvparam, cdrom_disk_type) of each CD-ROM image that is set.

    An empty cdrom_disk_type is the disk_type, on a q35 ide. Up to 3.0 a CD-ROM to boot from is on IDE,
    whatever its type.
    """
    hvparams = instance.hvparams
    if not (hvparams.cdrom_image_path or hvparams.cdrom2_image_path):
        return ()
    word = hvparams.cdrom_disk_type or ("ide" if is_q35(instance) else disk_type(instance))
    boots = hvparams.boot_order == "cdrom" and not hvparams.kernel_path
    first = "ide" if boots and instance.version <= IDE_BY_DRIVE_UNTIL else word
    images = zip(CDROMS, (first, word), strict=True)
    return tuple((name, kind) for name, kind in images if getattr(hvparams, name))


def check_type(instance: Instance) -> None:
    """Raise UnsupportedError when QEMU under Ganeti has no CD-ROM of the instance's type."""
    for name, kind in cdroms(instance):
        at = "hvparams.cdrom_disk_type"
        if not instance.hvparams.cdrom_disk_type and not CDROM_TYPES.knows_left(kind):
            reason = f"a CD-ROM cannot inherit disk_type {kind!r}: set cdrom_disk_type"
            raise UnsupportedError(reason, at=f"hvparams.{name}")
        carry(CDROM_TYPES.right, kind, at)


def to_domain(
    instance: Instance, addresses: dict[str, domain.PciAddress], context: Context, report: Report
) -> tuple[domain.Disk, ...]:
    """Give the drives that hold an image: CD-ROMs, then the floppy.

    ``addresses`` are the PCI addresses of paravirtual CD-ROMs, by hvparam. Raises UnsupportedError, MapError.
    """
    orders = boot_orders(instance)
    places = dict(_places(instance, addresses, report))
    drives = [
        _drive(instance, name, _words(instance, kind), places[name], orders.get(name), context)
        for name, kind in cdroms(instance)
    ]
    if instance.hvparams.floppy_image_path:
        drives.append(_drive(instance, FLOPPY, ("fdc", "floppy"), ("fda", None), orders.get(FLOPPY), context))
    return tuple(drives)


def _words(instance: Instance, kind: str) -> tuple[str, str]:
    """Give libvirt's bus and device: what Ganeti calls IDE is AHCI on a q35."""
    return Q35_CDROM if kind == "ide" and is_q35(instance) else CDROM_TYPES.right(kind)


Place = tuple[str, domain.Address | None]


def _places(
    instance: Instance, addresses: dict[str, domain.PciAddress], report: Report
) -> Iterator[tuple[str, Place]]:
    """Give target and address by hvparam, in the order in which QEMU finds the drives."""
    ide = iter(ide_targets(instance.version))
    ids = scsi_places(instance)
    _report_first_id(instance, report)
    for number, (name, kind) in enumerate(cdroms(instance), MAX_DISKS):
        if kind == "ide" and is_q35(instance):
            yield name, (target_name("sd", number), domain.DriveAddress(unit=CDROM_UNITS[name]))
        elif kind == "ide":
            row = next(ide)
            yield name, (row.target, domain.DriveAddress(bus=row.bus, unit=row.unit))
        elif kind == "paravirtual":
            yield name, (target_name("vd", number), addresses[name])
        else:
            index, scsi_id = ids.take(f"hvparams.{name}")
            hvinfo = HvInfo(driver=kind, id="", bus=scsi_bus(index), channel=0, scsi_id=scsi_id, lun=0)
            address = drive_address(scsi_controller(instance), hvinfo, f"hvparams.{name}")
            yield name, (target_name("sd", number), address)


def _report_first_id(instance: Instance, report: Report) -> None:
    """Report what Ganeti itself cannot start: CD-ROM and first disk at one SCSI id."""
    held = disk_type(instance) in SCSI_DISK_TYPES and bool(instance.disks)
    if held and any(kind == "scsi-cd" for _name, kind in cdroms(instance)):
        reason = (
            "under Ganeti it takes the SCSI id of the first disk, and QEMU does not start; here a free one"
        )
        word = instance.hvparams.cdrom_disk_type
        report.lose("hvparams.cdrom_disk_type", word, reason, Severity.GUEST_VISIBLE)


def _drive(
    instance: Instance, name: str, words: tuple[str, str], place: Place, order: int | None, context: Context
) -> domain.Disk:
    (bus, device), (target, address) = words, place
    path = getattr(instance.hvparams, name)
    _check_scheme(path, f"hvparams.{name}")
    url = _url(path, f"hvparams.{name}")
    return domain.Disk(
        type="file" if url is None else "network",
        device=device,
        driver_name="qemu",
        driver_type="raw",
        cache=removable_era(instance.version).cdrom_cache if name in CDROMS else None,
        source=domain.DiskSource(file=context.renames.path(path)) if url is None else _network(url),
        target=target,
        bus=bus,
        readonly=name in CDROMS,
        boot_order=order,
        alias=IMAGE_ALIASES.right(name),
        address=address,
    )


def _scheme(path: str) -> str:
    """Give the scheme of a URL, "" for a path."""
    scheme, mark, _rest = path.partition("://")
    return scheme if mark and not path.startswith("/") else ""


def _check_scheme(path: str, at: str) -> None:
    """Raise UnsupportedError, which shows no password, for a URL that Ganeti does not take."""
    scheme = _scheme(path)
    if scheme and scheme not in URL_PORTS:
        known = ", ".join(URL_PORTS)
        raise UnsupportedError(f"expected a path, or a URL of {known}, found one of {scheme!r}", at=at)


def _url(path: str, at: str) -> SplitResult | None:
    """Give the parts of a URL, or None for a path. Raises UnsupportedError, which shows no password."""
    scheme = _scheme(path)
    if scheme not in URL_PORTS:
        return None
    try:
        url = urlsplit(path)
        _port = url.port
    except ValueError as exc:
        raise UnsupportedError(f"not a URL: {exc}", at=at) from None
    if "@" in url.netloc:
        raise UnsupportedError(
            "a URL with a user or password cannot be written: libvirt XML holds no secret", at=at
        )
    if not url.hostname or len(url.path) < 2 or url.fragment:  # noqa: PLR2004 - a slash and something
        raise UnsupportedError(f"expected {scheme}://HOST[:PORT]/PATH[?QUERY], found {path!r}", at=at)
    return url


def _network(url: SplitResult) -> domain.DiskSource:
    host = domain.SourceHost(name=url.hostname, port=url.port or URL_PORTS[url.scheme])
    return domain.DiskSource(protocol=url.scheme, name=url.path[1:], query=url.query or None, hosts=(host,))


def url_source(path: str, at: str) -> domain.DiskSource | None:
    """Give the source of an image at a URL, None for any other path. Raises UnsupportedError."""
    url = _url(path, at)
    return None if url is None else _network(url)


def role(disk: domain.Disk) -> str | None:
    """Give the hvparam whose image a drive holds; None for one of Ganeti's disks, and for an empty drive.

    Without Ganeti's alias, an IDE CD-ROM is the first one, and a floppy is the floppy.
    """
    if IMAGE_ALIASES.knows_right(disk.alias or ""):
        return IMAGE_ALIASES.left(disk.alias or "")
    if disk.source is None or disk.source == domain.DiskSource():
        return None
    if disk.device == "floppy":
        return FLOPPY
    return CDROMS[0] if (disk.bus, disk.device) in _FOREIGN_CDROMS else None


_FOREIGN_CDROMS = {("ide", "cdrom"), ("sata", "cdrom")}


def hvparams_to_ganeti(disks: tuple[domain.Disk, ...], context: Context, report: Report) -> dict[str, Any]:
    """Give the hvparams that drives with images tell. Raises UnsupportedError, MapError."""
    values: dict[str, Any] = dict.fromkeys((*CDROMS, FLOPPY), "")
    types = []
    for disk in disks:
        name = role(disk)
        if name == CDROMS[0] and values[name]:
            name = CDROMS[1]
        if name is None or values[name]:
            continue
        values[name] = _path(disk, f"hvparams.{name}", context, report)
        if name in CDROMS:
            types.append(carry(CDROM_TYPES.left, (disk.bus or "", disk.device), "hvparams.cdrom_disk_type"))
    if types:
        values["cdrom_disk_type"] = types[-1]
        reason = "'' and the disk_type itself mean the same; Ganeti up to 3.0 boots a CD-ROM from IDE"
        report.lose("hvparams.cdrom_disk_type", types[-1], reason)
    else:
        report.lose("hvparams.cdrom_disk_type", None, "there is no CD-ROM to tell it by")
    return values


def _path(disk: domain.Disk, at: str, context: Context, report: Report) -> str:
    source = disk.source or domain.DiskSource()
    if disk.type == "file":
        return context.renames.back_path(source.file or "")
    if disk.type == "network" and source.protocol in URL_PORTS and source.hosts:
        report.lose(at, None, "a port that a URL's scheme has by itself is not told, nor an empty query")
        host, port = source.hosts[0].name or "", source.hosts[0].port
        host = f"[{host}]" if ":" in host else host
        where = host if port in {None, URL_PORTS[source.protocol]} else f"{host}:{port}"
        query = f"?{source.query}" if source.query else ""
        return f"{source.protocol}://{where}/{source.name or ''}{query}"
    report.lose(at, disk.type, "Ganeti's images are files and URLs", Severity.GUEST_VISIBLE)
    return ""
