"""CD-ROM and floppy images, there and back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.translate.building import back, disk, instance, losses_there, paths_lost_back, refusal, there
from virtxlate.domain import model as domain

replace = msgspec.structs.replace
URL = "https://user:hunter2@iso.example.com/a.iso"


def drives(params: dict[str, Any], version: int = 3_010_000) -> list[tuple[Any, ...]]:
    one = replace(instance((disk(),), **params), version=version)
    return [
        (each.alias, each.device, each.bus, each.boot_order, each.cache)
        for each in there(one).devices.disks
        if each.source is not None and each.alias in {"ua-cdrom1", "ua-cdrom2", "ua-floppy1"}
    ]


TWO: dict[str, Any] = {"cdrom_image_path": "/a.iso", "cdrom2_image_path": "/b.iso"}
DRIVES: list[tuple[dict[str, Any], int, list[tuple[Any, ...]]]] = [
    (TWO, 3_010_000, [("ua-cdrom1", "disk", "virtio", None, "unsafe"),
                      ("ua-cdrom2", "disk", "virtio", None, "unsafe")]),
    (TWO | {"cdrom_disk_type": "ide", "boot_order": "cdrom"}, 3_010_000,
     [("ua-cdrom1", "cdrom", "ide", 1, "unsafe"), ("ua-cdrom2", "cdrom", "ide", 2, "unsafe")]),
    (TWO | {"cdrom_disk_type": "ide", "boot_order": "cdrom"}, 3_020_000,
     [("ua-cdrom1", "cdrom", "ide", 1, "unsafe"), ("ua-cdrom2", "cdrom", "ide", None, "unsafe")]),
    (TWO | {"boot_order": "cdrom"}, 3_000_000,
     [("ua-cdrom1", "cdrom", "ide", 1, None), ("ua-cdrom2", "disk", "virtio", None, None)]),
    (TWO | {"disk_type": "ide"}, 3_000_000,
     [("ua-cdrom1", "cdrom", "ide", None, None), ("ua-cdrom2", "cdrom", "ide", None, None)]),
    ({"floppy_image_path": "/f", "boot_order": "floppy"}, 3_010_000,
     [("ua-floppy1", "floppy", "fdc", 1, None)]),
]  # fmt: skip


@pytest.mark.parametrize(("params", "version", "expected"), DRIVES)
def test_an_image_is_a_drive_of_its_type(
    params: dict[str, Any], version: int, expected: list[tuple[Any, ...]]
) -> None:
    assert drives(params, version) == expected


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("http://h/a.iso", ("http", "a.iso", None, "h", 80)),
        ("ftp://h:2121/d/a.iso", ("ftp", "d/a.iso", None, "h", 2121)),
        ("ftps://h/a.iso", ("ftps", "a.iso", None, "h", 990)),
        ("https://[::1]/a?b=c&d", ("https", "a", "b=c&d", "::1", 443)),
    ],
)
def test_a_url_goes_there_and_back(url: str, source: tuple[Any, ...]) -> None:
    found = there(instance(cdrom_image_path=url))
    (drive,) = [each for each in found.devices.disks if each.alias == "ua-cdrom1"]
    told = drive.source
    assert told is not None
    assert (told.protocol, told.name, told.query, told.hosts[0].name, told.hosts[0].port) == source
    assert back(found).hvparams.cdrom_image_path == url


SECRET = "a URL with a user or password cannot be written: libvirt XML holds no secret"
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"cdrom_image_path": URL}, f"cdrom_image_path: {SECRET}"),
    (
        {"cdrom_image_path": "http://h/"},
        "cdrom_image_path: expected http://HOST[:PORT]/PATH[?QUERY], found 'http://h/'",
    ),
    (
        {"cdrom_image_path": "HTTP://u:hunter2@h/a"},
        "cdrom_image_path: expected a path, or a URL of http, https, ftp, ftps, found one of 'HTTP'",
    ),
    (
        {"cdrom_image_path": "http://h:x/a"},
        "cdrom_image_path: not a URL: Port could not be cast to integer value as 'x'",
    ),
    (
        {"cdrom2_image_path": "/a", "disk_type": "scsi-hd"},
        "cdrom2_image_path: a CD-ROM cannot inherit disk_type 'scsi-hd': set cdrom_disk_type",
    ),
    (
        {"cdrom_image_path": "/a", "cdrom_disk_type": "mtd"},
        "cdrom_disk_type: 'mtd' has no equal (these have: 'ide', 'paravirtual', 'scsi-cd')",
    ),
]


@pytest.mark.parametrize(("params", "message"), REFUSED)
def test_what_is_no_image_is_refused(params: dict[str, Any], message: str) -> None:
    assert refusal(instance(**params)) == f"hvparams.{message}"


def test_a_path_may_have_what_a_url_begins_with() -> None:
    found = there(instance(cdrom_image_path="/srv/http://a.iso"))
    assert back(found).hvparams.cdrom_image_path == "/srv/http://a.iso"


def test_a_scsi_cdrom_takes_no_id_of_a_disk() -> None:
    one = instance((disk(0), disk(1)), disk_type="scsi-hd", cdrom_disk_type="scsi-cd", **TWO)
    units = [
        each.address.unit
        for each in there(one).devices.disks
        if isinstance(each.address, domain.DriveAddress)
    ]
    assert units == [0, 1, 2, 3]
    assert {loss.path for loss in losses_there(one)} == {"hvparams.cdrom_disk_type"}


def test_a_foreign_cdrom_is_the_first_and_then_the_second() -> None:
    def foreign(target: str, path: str) -> domain.Disk:
        source = domain.DiskSource(file=path)
        return domain.Disk(
            type="file", device="cdrom", source=source, target=target, bus="ide", readonly=True
        )

    found = there(instance())
    devices = replace(found.devices, disks=(foreign("hda", "/a"), foreign("hdb", "/b")))
    told = back(replace(found, devices=devices)).hvparams
    assert (told.cdrom_image_path, told.cdrom2_image_path, told.cdrom_disk_type) == ("/a", "/b", "ide")


def test_a_drive_on_a_volume_is_reported() -> None:
    found = there(instance(cdrom_image_path="/a.iso", cdrom_disk_type="ide"))
    (drive,) = [each for each in found.devices.disks if each.alias == "ua-cdrom1"]
    other = replace(drive, type="volume", source=domain.DiskSource(pool="p", volume="v"))
    assert "hvparams.cdrom_image_path" in paths_lost_back(
        replace(found, devices=replace(found.devices, disks=(other,)))
    )
