"""The SCSI devices of this host, read off sysfs and /dev: plain files, no ioctl, no privilege.

Source: Linux, Documentation/ABI/testing/sysfs-bus-scsi, sysfs-block, sysfs-block-dm;
systemd, rules.d/60-persistent-storage.rules and 60-persistent-storage-tape.rules (the links).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath

from virtxlate.errors import LiveError
from virtxlate.scsi import ScsiAddress, ScsiDevice

_DEV = PurePosixPath("/dev")
_CLASSES = ("block", "scsi_generic", "scsi_tape", "scsi_changer", "bsg")
"""Where sysfs lists the nodes of /dev by their names; each leads on to its device."""
_NODES_OF_A_DEVICE = ("block", "scsi_generic", "scsi_tape", "scsi_changer")
"""What a SCSI device in sysfs lists its own nodes under."""
_LINK_FOLDERS = ("disk/by-id", "disk/by-path", "mapper", "tape/by-id", "tape/by-path")
"""Below /dev, what udev names devices by."""
_MULTIPATH = "mpath-"
"""How the uuid of a device mapper's multipath map begins."""
_MOST_LINKS = 40
"""A path of more links than this is a circle, for Linux too."""


class SysfsScsi:
    """Knows the SCSI devices of the host whose file system is at ``root``; see scsi.ScsiResolver.

    One object is one look: the links of udev are read at the first question, and a new object sees those that
    came since. ``root`` other than / is for a container or an unpacked copy; links in it, absolute ones too,
    stay in it.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._sys = root / "sys"

    def device(self, path: str) -> ScsiDevice | None:
        """Give the device behind a block, sg, tape or bsg node, or a link to one; None for what is neither.

        A block device that is not SCSI itself (multipath, NVMe, a partition) has no address.
        """
        node = self._follow(path)
        if node is None or _DEV not in node.parents:
            return None
        # In sysfs no slash can stand: /dev/cciss/c0d0 is cciss!c0d0 there.
        name = str(node.relative_to(_DEV)).removeprefix("bsg/").replace("/", "!")
        for kind in _CLASSES:
            home = self._sys / "class" / kind / name
            address = _address_of(home / "device")
            if address is not None:
                return self.at(address)
            if kind == "block" and home.exists():
                return self._plain(str(node))
        return None

    def at(self, address: ScsiAddress) -> ScsiDevice | None:
        """Give the device that stands at the address now."""
        home = self._sys / "bus" / "scsi" / "devices" / str(address)
        if not home.exists():
            return None
        nodes = {kind: _nodes_in(home / kind) for kind in _NODES_OF_A_DEVICE}
        return ScsiDevice(
            address=address,
            block=next(iter(nodes["block"]), None),
            generic=next(iter(nodes["scsi_generic"]), None),
            links=tuple(
                link for kind in nodes.values() for node in kind for link in self._links.get(node, ())
            ),
        )

    def devices(self) -> tuple[ScsiDevice, ...]:
        """Give every SCSI device by address, then every multipath map.

        Raises LiveError where sysfs is not mounted.
        """
        if not (self._sys / "class").is_dir():
            raise LiveError(f"{self._sys}: sysfs is not mounted here")
        found = (self.at(address) for address in sorted(self._addresses()))
        maps = (self._plain(f"/dev/{name}") for name in self._multipath_maps())
        return (*(device for device in found if device is not None), *maps)

    def _addresses(self) -> Iterator[ScsiAddress]:
        for name in _names(self._sys / "bus" / "scsi" / "devices"):
            try:
                yield ScsiAddress.parse(name)
            except ValueError:  # host0, target0:0:1
                continue

    def _multipath_maps(self) -> Iterator[str]:
        for name in _names(self._sys / "class" / "block"):
            if _text(self._sys / "class" / "block" / name / "dm" / "uuid").startswith(_MULTIPATH):
                yield name

    def _plain(self, node: str) -> ScsiDevice:
        return ScsiDevice(block=node, links=self._links.get(node, ()))

    @cached_property
    def _links(self) -> dict[str, tuple[str, ...]]:
        """Every link of udev, by the node to which it leads."""
        links: dict[str, tuple[str, ...]] = {}
        for folder in _LINK_FOLDERS:
            for name in _names(self._root / "dev" / folder):
                link = f"/dev/{folder}/{name}"
                node = str(self._follow(link))
                if node != link:
                    links[node] = (*links.get(node, ()), link)
        return links

    def _follow(self, path: str) -> PurePosixPath | None:
        """Give the path without links, as the host itself would see it; None for a circle."""
        done, links = PurePosixPath("/"), 0
        todo = list(reversed(PurePosixPath(path).parts))
        while todo:
            part = todo.pop()
            if part in {"/", ".."}:
                done = PurePosixPath("/") if part == "/" else done.parent
                continue
            target = _target(self._root / done.relative_to("/") / part)
            if target is None:
                done /= part
                continue
            links += 1
            if links > _MOST_LINKS:
                return None
            todo.extend(reversed(target.parts))
        return done


def _target(path: Path) -> PurePosixPath | None:
    """Give where a link leads, None for what is no link or is not there."""
    try:
        return PurePosixPath(path.readlink())
    except (OSError, ValueError):
        return None


def _address_of(link: Path) -> ScsiAddress | None:
    """Give the address of the SCSI device that a link leads to, None where it leads to something else."""
    try:
        return ScsiAddress.parse(link.resolve().name)
    except (OSError, RuntimeError, ValueError):  # RuntimeError: a circle, up to Python 3.12
        return None


def _names(folder: Path) -> list[str]:
    """Give what is in a folder, in order; nothing where there is none.

    A name that is no UTF-8 is left out: neither XML nor a lookup file can hold it.
    """
    try:
        return sorted(path.name for path in folder.iterdir() if path.name.isprintable())
    except OSError:
        return []


def _nodes_in(folder: Path) -> list[str]:
    """Give the nodes that a driver made for the device: one, for a tape eight; none without a driver."""
    return [f"/dev/{name.replace('!', '/')}" for name in _names(folder)]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
