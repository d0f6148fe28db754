"""I/O threads: which disks Ganeti gives one, libvirt's number of it for each, and back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.translate.building import BARE, back, disk, instance, losses_there, there
from virtxlate import Context, GanetiDataError, Report, to_domain
from virtxlate.domain import model as domain
from virtxlate.ganeti.params import HvParams

AIO: dict[str, Any] = {"disk_aio": "io_uring"}
VIRTIO_SCSI: dict[str, Any] = {"disk_type": "scsi-hd", "scsi_controller_type": "virtio-scsi-pci"}

# hvparams, vcpus: threads of the domain, the thread of each of three disks, of the SCSI controller
CASES: list[tuple[dict[str, Any], int, int | None, list[int | None], int | None]] = [
    ({}, 4, None, [None] * 3, None),
    ({**AIO}, 4, None, [None] * 3, None),
    ({**AIO, "virtio_disk_iothreads": 1}, 4, 1, [1, 1, 1], None),
    ({**AIO, "virtio_disk_iothreads": 2}, 4, 2, [1, 2, 1], None),
    ({**AIO, "virtio_disk_iothreads": 8}, 2, 2, [1, 2, 1], None),
    ({"disk_aio": "native", "disk_cache": "none", "virtio_disk_iothreads": 4}, 4, 4, [1, 2, 3], None),
    ({"disk_aio": "threads", "virtio_disk_iothreads": 2}, 4, None, [None] * 3, None),
    ({**AIO, **VIRTIO_SCSI, "virtio_disk_iothreads": 2}, 4, 1, [None] * 3, 1),
    ({**AIO, "disk_type": "scsi-hd", "virtio_disk_iothreads": 2}, 4, None, [None] * 3, None),
]


@pytest.mark.parametrize(("hvparams", "vcpus", "threads", "of_disks", "of_controller"), CASES)
def test_the_disks_take_the_threads_in_turn(
    hvparams: dict[str, Any],
    vcpus: int,
    threads: int | None,
    of_disks: list[int | None],
    of_controller: int | None,
) -> None:
    found = there(instance((disk(0), disk(1), disk(2)), be={"vcpus": vcpus}, **hvparams))
    assert found.iothreads == threads
    assert [each.iothread for each in found.devices.disks[:3]] == of_disks
    told = {each.iothread for each in found.devices.controllers if each.type == "scsi"}
    assert told <= {of_controller}
    assert back(found).hvparams.virtio_disk_iothreads == (threads or 0)


def test_a_disk_that_comes_later_finds_its_thread() -> None:
    found = there(instance(be={"vcpus": 4}, **AIO, virtio_disk_iothreads=3))
    assert found.iothreads == 3


@pytest.mark.parametrize(("wanted", "lost"), [(0, []), (1, []), (2, [2])])
def test_more_than_one_is_said_to_be_shared_out(wanted: int, lost: list[int]) -> None:
    one = instance((disk(),), be={"vcpus": 2}, **AIO, virtio_disk_iothreads=wanted)
    path = "hvparams.virtio_disk_iothreads"
    assert [loss.value for loss in losses_there(one) if loss.path == path] == lost


def test_more_than_ganeti_has_is_refused() -> None:
    with pytest.raises(GanetiDataError) as caught:
        to_domain(instance(virtio_disk_iothreads=9), BARE, Report())
    assert str(caught.value) == "hvparams.virtio_disk_iothreads: expected at most 8, found 9"


def test_the_metadata_keeps_what_no_processor_could_use() -> None:
    one = instance((disk(),), **AIO, virtio_disk_iothreads=4)
    assert back(there(one, Context())).hvparams == one.hvparams


def test_an_edited_number_comes_back() -> None:
    found = there(instance((disk(),), be={"vcpus": 4}, **AIO, virtio_disk_iothreads=2), Context())
    replace = msgspec.structs.replace
    assert back(replace(found, iothreads=3)).hvparams.virtio_disk_iothreads == 3
    (first, *others) = found.devices.disks
    disks: tuple[domain.Disk, ...] = (replace(first, iothread=None), *others)
    unused = replace(found, devices=replace(found.devices, disks=disks))
    assert back(unused).hvparams.virtio_disk_iothreads == 0


def test_more_threads_than_ganeti_has_are_reported() -> None:
    found = there(instance((disk(),), be={"vcpus": 4}, **AIO, virtio_disk_iothreads=2))
    report = Report()
    many = back(msgspec.structs.replace(found, iothreads=16), report=report)
    assert many.hvparams.virtio_disk_iothreads == 8
    assert ("hvparams.virtio_disk_iothreads", 16) in [(each.path, each.value) for each in report.losses]


def test_an_older_ganeti_has_none() -> None:
    assert HvParams().virtio_disk_iothreads == 0
