"""Rules between cache, I/O and hosts: checked before libvirt or QEMU would refuse."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.translate.building import BARE, back, disk, instance, paths_lost_back, refusal, there
from virtxlate import Context
from virtxlate.tables.disk import NEAREST_CACHES

RULES: list[tuple[dict[str, Any], str, str | None]] = [
    ({"disk_aio": "native", "disk_cache": "none"}, "plain", None),
    ({"disk_aio": "native", "disk_cache": "default"}, "blockdev", None),
    ({"disk_aio": "native", "disk_cache": "default"}, "plain", "writeback"),
    ({"disk_aio": "native", "disk_cache": "writeback"}, "plain", "writeback"),
    ({"disk_aio": "native", "disk_cache": "writethrough"}, "plain", "writethrough"),
    ({"disk_aio": "threads", "disk_cache": "writethrough"}, "plain", None),
    ({"disk_aio": "io_uring", "disk_cache": "default"}, "plain", None),
]


@pytest.mark.parametrize(("params", "template", "cache"), RULES)
def test_native_needs_a_disk_that_is_not_cached(
    params: dict[str, Any], template: str, cache: str | None
) -> None:
    logical_id = ("manual", "/dev/disk/by-id/x") if template == "blockdev" else ("xenvg", "a")
    one = instance((disk(template=template, logical_id=logical_id),), **params)
    if cache is None:
        assert there(one).devices.disks[0].io == params["disk_aio"]
    else:
        reason = f"native needs disk_cache none, found {cache}: libvirt and Ganeti refuse it"
        assert refusal(one) == f"hvparams.disk_aio: {reason}"


@pytest.mark.parametrize(
    ("version", "refused"), [(None, False), (4_002_000, True), (5_000_000, False), (7_002_022, False)]
)
def test_io_uring_needs_a_qemu_that_has_it(version: int | None, refused: bool) -> None:
    context = Context(metadata=False, qemu_version=version)
    one = instance((disk(),), disk_aio="io_uring")
    if refused:
        message = "hvparams.disk_aio: io_uring needs QEMU 5.0 or newer on the host"
        assert refusal(one, context) == message
    else:
        assert there(one, context).devices.disks[0].io == "io_uring"


@pytest.mark.parametrize(("cache", "nearest"), NEAREST_CACHES.items())
def test_a_cache_that_ganeti_does_not_have_becomes_the_nearest_one(cache: str, nearest: str) -> None:
    found = there(instance((disk(),)))
    first, *rest = found.devices.disks
    disks = (msgspec.structs.replace(first, cache=cache, detect_zeroes="unmap"), *rest)
    other = msgspec.structs.replace(found, devices=msgspec.structs.replace(found.devices, disks=disks))
    assert back(other, BARE).hvparams.disk_cache == nearest
    assert {"hvparams.disk_cache", "disks[0].detect_zeroes"} <= paths_lost_back(other)
