"""What a disk opens: Ganeti's template, logical_id and diskparams beside libvirt's disk type and source.

Source: Ganeti 3.2 alpha (c35736d8a), lib/backend.py:2770-2877, lib/storage/bdev.py, gluster.py;
udev/50-rbd.rules of Ceph for /dev/rbd/POOL/IMAGE.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from virtxlate.domain.model import DiskSource, HostdevSource, SourceAuth, SourceHost
from virtxlate.errors import GanetiDataError, UnsupportedError
from virtxlate.ganeti.model import Disk, Instance
from virtxlate.ganeti.params import Scalar
from virtxlate.ganeti.uri import conceal
from virtxlate.ganeti.words import FILE_TEMPLATES, LINK_DIRECTORY, USERSPACE_TEMPLATES
from virtxlate.report import Report, Severity
from virtxlate.scsi import ISCSI_PORT
from virtxlate.translate.context import Context

_RBD_URI = re.compile(r"rbd:(?P<pool>[^/:@]+)/(?P<image>[^/:@]+)(?::id=(?P<user>[^:]+))?")
_GLUSTER_URI = re.compile(
    r"gluster://(?P<host>\[[0-9a-fA-F:]+\]|[a-z0-9.-]+):(?P<port>[0-9]+)/(?P<volume>[^/]+)/(?P<path>.+)",
    re.ASCII,
)
_ISCSI_URI = re.compile(
    r"iscsi://(?:(?P<user>[^@/%:]+)@)?(?P<host>\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(?::(?P<port>[0-9]+))?"
    r"/(?P<iqn>[^/]+)/(?P<lun>[0-9]+)",
    re.ASCII,
)
_LV_PATH = re.compile(r"/dev/(?!disk/|mapper/|rbd/|drbd/|shm/|pts/|input/|block/)([^/]+)/([^/]+)")
_DRBD_PATH = re.compile(r"/dev/drbd([0-9]+)", re.ASCII)
_RBD_PATH = re.compile(r"/dev/rbd/([^/]+)/([^/]+)")
_PATH = re.compile(r"(?:/(?!\.\.?(?:/|\Z))[^/\0-\x1f\x7f]+)+")
_DISCOVERED = re.compile(r"/dev/(?:[shv]d[a-z]+|s[rg]\d+|st\d+|nvme\d+n\d+|dm-\d+)(?:p?\d+)?", re.ASCII)
"""Names that the kernel gives in the order in which it finds devices."""
_FILE_DRIVER = "loop"
_CEPH = "ceph"
_ISCSI = "iscsi"


def is_userspace(disk: Disk, params: dict[str, Scalar]) -> bool:
    """Tell whether QEMU opens the disk without the kernel's help."""
    return disk.template in USERSPACE_TEMPLATES and params.get("access") == "userspace"


def to_domain(
    disk: Disk, instance: Instance, index: int, context: Context, report: Report
) -> tuple[str, DiskSource]:
    """Give libvirt's disk type and source.

    Raises GanetiDataError for a logical_id that does not fit the template, UnsupportedError where nothing
    tells where the disk is.
    """
    at = f"disks[{index}]"
    params = {**disk.params, **context.renames.params(disk.template)}
    if is_userspace(disk, params):
        return "network", _network_source(disk, params, at, context)
    path = context.renames.find("disks", disk.uuid)
    if path is None:
        path = _path(disk, instance, index, params, context, report)
        if not _PATH.fullmatch(path):
            raise GanetiDataError(
                f"expected it to lead to an absolute path, found {conceal(path)!r}", at=f"{at}.logical_id"
            )
        path = context.renames.path(path)
    if disk.template in FILE_TEMPLATES:
        return "file", DiskSource(file=path)
    return "block", DiskSource(dev=stable_path(path, at, context, report))


def stable_path(path: str, at: str, context: Context, report: Report) -> str:
    """Give the name of a device that survives a boot of its host, where that is asked for and known.

    A name that is not given in the order of discovery stays.
    """
    if not (context.stable_names and _DISCOVERED.fullmatch(path)):
        return path
    device = context.scsi.device(path) if context.scsi is not None else None
    if device is None or device.stable is None:
        reason = "no name of the device is known that survives a boot of its host"
        report.lose(f"{at}.device", path, reason)
        return path
    return device.stable


def _path(
    disk: Disk, instance: Instance, index: int, params: dict[str, Scalar], context: Context, report: Report
) -> str:
    """Give the path of a disk that the kernel opens."""
    link = disk.link or f"{LINK_DIRECTORY}/{instance.name}:{index}"
    if context.disk_paths == "link":
        return link
    path = _device_path(disk, instance, params, f"disks[{index}]", context)
    if path is None:
        reason = "the data does not tell the device; Ganeti's own link to it is used"
        report.lose(f"disks[{index}].device", None, reason)
        return link
    return path


def _two_texts(disk: Disk, at: str) -> tuple[str, str]:
    first, second = disk.logical_id[:2]
    if not isinstance(first, str) or not isinstance(second, str) or not second:
        raise GanetiDataError(f"expected two texts, found {disk.logical_id!r}", at=f"{at}.logical_id")
    return first, second


def _device_path(
    disk: Disk, instance: Instance, params: dict[str, Scalar], at: str, context: Context
) -> str | None:
    """Give the device or file that the template's naming leads to, None where only the node knows."""
    if disk.template == "drbd":
        return disk.device if disk.minor is None else f"/dev/drbd{disk.minor}"
    if not disk.logical_id or disk.template == "ext":
        return disk.device
    first, second = _two_texts(disk, at)
    match disk.template:
        case "plain":
            return f"/dev/{first}/{second}"
        case "rbd":
            pool = params.get("pool")
            return f"/dev/rbd/{context.renames.rename('pools', str(pool))}/{second}" if pool else disk.device
        case "gluster":
            base = instance.storage_dirs.get("gluster")
            return f"{base}/{second}" if base else disk.device
        case _:
            return second


def _network_source(disk: Disk, params: dict[str, Scalar], at: str, context: Context) -> DiskSource:
    if disk.template == "ext" or not disk.logical_id:
        return _uri_source(disk, at, context)
    _first, name = _two_texts(disk, at)
    if disk.template == "rbd":
        user = params.get("user-id")
        return _rbd(_param(params, "pool", at), name, str(user) if user else None, at, context)
    host, port = _param(params, "host", at), params.get("port")
    if not isinstance(port, int):
        raise GanetiDataError(f"expected a port number, found {port!r}", at=f"{at}.params.port")
    return _gluster(host, port, _param(params, "volume", at), name)


def _param(params: dict[str, Scalar], name: str, at: str) -> str:
    value = params.get(name)
    if not isinstance(value, str) or not value:
        raise GanetiDataError(f"expected a text, found {value!r}", at=f"{at}.params.{name}")
    return value


def _rbd(pool: str, image: str, user: str | None, at: str, context: Context) -> DiskSource:
    """Give an rbd source without hosts: QEMU reads /etc/ceph/ceph.conf, as it does under Ganeti."""
    auth = None
    if user is not None:
        secret = _secret(user, "Ceph", f"{at}.params.user-id", context)
        auth = SourceAuth(username=user, secret_type=_CEPH, secret_uuid=secret)
    return DiskSource(protocol="rbd", name=f"{context.renames.rename('pools', pool)}/{image}", auth=auth)


def _gluster(host: str, port: int, volume: str, path: str) -> DiskSource:
    return DiskSource(protocol="gluster", name=f"{volume}/{path}", hosts=(SourceHost(name=host, port=port),))


def _uri_source(disk: Disk, at: str, context: Context) -> DiskSource:
    """Give the source of a URI that only the node knew; a runtime file keeps it."""
    if disk.uri is None:
        raise UnsupportedError(
            f"only a running {disk.template} disk has a URI: give the instance's runtime file too",
            at=f"{at}.uri",
        )
    return of_uri(disk.uri, at, context)


def of_uri(uri: str, at: str, context: Context) -> DiskSource:
    """Give the source of a URI as QEMU takes it. Raises UnsupportedError."""
    if match := _RBD_URI.fullmatch(uri):
        return _rbd(match["pool"], match["image"], match["user"], at, context)
    if match := _GLUSTER_URI.fullmatch(uri):
        return _gluster(match["host"].strip("[]"), int(match["port"]), match["volume"], match["path"])
    if match := _ISCSI_URI.fullmatch(uri):
        return _iscsi(match, at, context)
    raise UnsupportedError(
        "expected rbd:POOL/IMAGE, gluster://HOST:PORT/VOLUME/PATH or iscsi://HOST[:PORT]/IQN/LUN, "
        f"found {conceal(uri)!r}",
        at=at,
    )


def _iscsi(match: re.Match[str], at: str, context: Context) -> DiskSource:
    """Give an iSCSI source; QEMU logs in by the instance's UUID, unless the map names another."""
    user, auth = match["user"], None
    if user is not None:
        auth = SourceAuth(username=user, secret_type=_ISCSI, secret_uuid=_secret(user, _ISCSI, at, context))
    host = SourceHost(name=match["host"].strip("[]"), port=int(match["port"] or ISCSI_PORT))
    return DiskSource(
        protocol=_ISCSI,
        name=f"{match['iqn']}/{match['lun']}",
        hosts=(host,),
        initiator=context.renames.find("initiators", match["iqn"]),
        auth=auth,
    )


def _secret(user: str, usage: str, at: str, context: Context) -> str:
    """Give the UUID of a user's secret. Raises UnsupportedError."""
    secret = context.renames.find("secrets", user)
    if secret is None:
        raise UnsupportedError(
            f"libvirt wants a secret for {usage} user {user!r}: define one and name its UUID in the map, "
            f'[secrets] "{user}" = "UUID"',
            at=at,
        )
    return secret


class Storage(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a Ganeti disk that a source tells."""

    template: str
    logical_id: tuple[Scalar, ...] = ()
    params: dict[str, Scalar] = {}
    minor: int | None = None
    link: str | None = None
    uri: str | None = None


def to_ganeti(kind: str, source: DiskSource | None, at: str, context: Context, report: Report) -> Storage:
    """Give template, logical_id and params for libvirt's disk type and source.

    What a path alone cannot prove is reported. Raises UnsupportedError for a source that no template has.
    """
    if source is not None and kind == "network":
        return _from_network(source, at, context, report)
    path = (
        None if source is None else source.file if kind == "file" else source.dev if kind == "block" else None
    )
    if path is None:
        raise UnsupportedError(f"no disk template opens a source of type {kind!r}", at=f"{at}.logical_id")
    path = context.renames.back_path(stable_path(path, at, context, report) if kind == "block" else path)
    report.lose(f"{at}.params", None, "the source of a disk does not tell its parameters")
    if path.startswith(f"{LINK_DIRECTORY}/"):
        reason = "a link does not tell what it leads to"
        report.lose(f"{at}.template", None, reason)
        report.lose(f"{at}.logical_id", path, reason)
        report.lose(f"{at}.minor", None, reason)
        return Storage(
            template="file" if kind == "file" else "blockdev", logical_id=("manual", path), link=path
        )
    if kind == "file":
        report.lose(f"{at}.template", "file", "a path does not tell file, sharedfile and gluster apart")
        report.lose(f"{at}.logical_id", path, "a path does not tell the file driver")
        return Storage(template="file", logical_id=(_FILE_DRIVER, path))
    return _from_block(path, at, context, report)


def _from_block(path: str, at: str, context: Context, report: Report) -> Storage:
    report.lose(f"{at}.template", path, "a block device's path does not prove its template")
    if match := _DRBD_PATH.fullmatch(path):
        report.lose(f"{at}.minor", path, "a DRBD device may also be another template's")
        report.lose(f"{at}.logical_id", path, "a DRBD device does not tell its nodes, port and volumes")
        return Storage(template="drbd", minor=int(match[1]))
    report.lose(f"{at}.logical_id", path, "a block device's path does not prove its template")
    if match := _RBD_PATH.fullmatch(path):
        params: dict[str, Any] = {"access": "kernelspace", "pool": context.renames.back("pools", match[1])}
        return Storage(template="rbd", logical_id=("rbd", match[2]), params=params)
    if match := _LV_PATH.fullmatch(path):
        return Storage(template="plain", logical_id=(match[1], match[2]))
    return Storage(template="blockdev", logical_id=("manual", path))


def _from_network(source: DiskSource, at: str, context: Context, report: Report) -> Storage:
    name = source.name or ""
    if source.protocol == _ISCSI:
        return _from_iscsi(source, at, report)
    if "/" not in name or source.protocol not in {"rbd", "gluster"}:
        raise UnsupportedError(
            f"no disk template opens protocol {source.protocol!r} with name {name!r}", at=f"{at}.logical_id"
        )
    first, _, rest = name.partition("/")
    report.lose(f"{at}.template", source.protocol, "an ext provider may stand behind the same source")
    report.lose(f"{at}.uri", None, "the URI that Ganeti's node made is not in the source")
    report.lose(f"{at}.params", None, "a source tells only the parameters that it is made of")
    report.lose(
        f"{at}.logical_id", name, "an ext provider may stand behind the same source", Severity.HOST_ONLY
    )
    params: dict[str, Scalar] = {"access": "userspace"}
    if source.protocol == "rbd":
        params["pool"] = context.renames.back("pools", first)
        if source.auth is not None:
            params["user-id"] = source.auth.username
        return Storage(template="rbd", logical_id=("rbd", rest), params=params)
    host = source.hosts[0] if source.hosts else SourceHost()
    params |= {"host": host.name, "port": host.port, "volume": first}
    return Storage(template="gluster", logical_id=(_FILE_DRIVER, rest), params=params)


def iscsi_lun(source: DiskSource | HostdevSource) -> str:
    """Give target and LUN, as in a URI; libvirt takes LUN 0 where a name has none."""
    name = source.name or ""
    return name if "/" in name else f"{name}/0"


def _from_iscsi(source: DiskSource, at: str, report: Report) -> Storage:
    """Give the disk of an ext provider: no other template has a URI of its own."""
    host = source.hosts[0] if source.hosts else SourceHost()
    reason = "only a provider of ext storage gives QEMU an iSCSI URI; the source does not tell which"
    report.lose(f"{at}.logical_id", source.name, reason)
    report.lose(f"{at}.params", None, "a source tells only the parameters that it is made of")
    name = f"[{host.name}]" if ":" in (host.name or "") else host.name
    user = "" if source.auth is None else f"{source.auth.username}@"
    uri = f"iscsi://{user}{name}:{host.port or ISCSI_PORT}/{iscsi_lun(source)}"
    return Storage(template="ext", params={"access": "userspace"}, uri=uri)
