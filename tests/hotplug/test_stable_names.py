"""Names that survive a boot of the host, and what the metadata keeps of that host, through hot-plug."""

from __future__ import annotations

import msgspec
import pytest

from tests.hotplug.domains import NICS, domain_of, ganeti, no_lock
from tests.hotplug.fake_domain import FakeDomain
from tests.hotplug.test_host_devices import passed
from virtxlate import Context, Hotplug, Report, format_domain, parse_domain, place, to_domain, to_ganeti
from virtxlate.domain.live import parse_live
from virtxlate.ganeti.model import Disk
from virtxlate.hotplug.engine import Options
from virtxlate.hotplug.steps import Attach, Detach
from virtxlate.scsi import ScsiAddress, ScsiDevice, ScsiMap
from virtxlate.translate import metadata

UUID = "0000000a-1111-4222-8333-444444444444"


def test_what_the_metadata_knows_of_the_host_stays_when_another_device_comes() -> None:
    devices = ScsiMap((ScsiDevice(block="/dev/sdq", links=("/dev/disk/by-id/wwn-0x5000c500a1b2c3d4",)),))
    context = Context(stable_names=True, scsi=devices)
    one = Disk(uuid=UUID, template="blockdev", logical_id=("manual", "/dev/sdq"), size_mib=1)
    placed = place(msgspec.structs.replace(ganeti(0, 1), disks=(one,)))
    found = FakeDomain(format_domain(to_domain(placed, context, Report())))
    before = payload(found)
    assert (before.stable_names, before.scsi) == (True, devices.devices)
    Hotplug(found, lock=no_lock, clock=found.clock).add_nic(NICS[1])
    after = payload(found)
    assert (after.stable_names, after.scsi) == (True, devices.devices)


def test_a_disk_that_comes_is_named_as_it_will_be_after_a_boot_of_its_host() -> None:
    link = "/dev/disk/by-id/wwn-0x5000c500a1b2c3d4"
    devices = ScsiMap((ScsiDevice(block="/dev/sdq", links=(link,)),))
    found = domain_of(ganeti(1, 1))
    context = Context(stable_names=True, scsi=devices)
    one = Disk(uuid=UUID, template="blockdev", logical_id=("manual", "/dev/sdq"), size_mib=1)
    Hotplug(found, context=context, lock=no_lock, clock=found.clock).add_disk(one)
    assert [source.get("dev") for source in found.live.devices.findall("disk/source")][-1] == link  # type: ignore[union-attr]
    after = payload(found)
    assert (after.stable_names, after.scsi) == (True, devices.devices)


def at(address: str, block: str, *links: str) -> ScsiDevice:
    return ScsiDevice(address=ScsiAddress.parse(address), block=block, links=links)


FIRST, SECOND = (f"/dev/disk/by-id/wwn-0x5000c500a1b2c3d{number}" for number in (4, 5))
BY_PATH = "/dev/disk/by-path/pci-0000:03:00.0-sas-phy0-lun-0"
BEFORE = ScsiMap((at("2:0:1:4", "/dev/sdb", FIRST, BY_PATH), at("2:0:1:5", "/dev/sdc", SECOND)))
BOOTED = ScsiMap((at("3:0:1:4", "/dev/sdc", FIRST, BY_PATH), at("3:0:1:5", "/dev/sdb", SECOND)))
"""The same two devices, before and after a boot of their host."""


@pytest.mark.parametrize("now", [BEFORE, BOOTED], ids=["before", "after a boot"])
@pytest.mark.parametrize(
    ("disk_type", "stable_names", "path"),
    [("scsi-generic", False, BY_PATH), ("scsi-generic", False, FIRST), ("scsi-block", True, "/dev/sdb")],
)
def test_a_document_can_be_read_after_its_host_gave_names_anew(
    disk_type: str, stable_names: bool, path: str, now: ScsiMap
) -> None:
    before = Context(stable_names=stable_names, scsi=BEFORE)
    placed = place(ganeti((passed(0, path),), 1, disk_type=disk_type))
    found = FakeDomain(format_domain(to_domain(placed, before, Report())))
    context = Context(stable_names=stable_names, scsi=now)
    Hotplug(found, context=context, lock=no_lock, clock=found.clock).add_disk(passed(1, SECOND))
    back = to_ganeti(parse_domain(found.live_xml(), []), context, Report())
    assert [each.logical_id for each in back.disks] == [("manual", path), ("manual", SECOND)]


PLAIN, STABLE = (Context(scsi=BEFORE, stable_names=stable) for stable in (False, True))


def defined(path: str, context: Context, disk_type: str = "scsi-block") -> FakeDomain:
    placed = place(ganeti((passed(0, path),), 1, disk_type=disk_type))
    return FakeDomain(format_domain(to_domain(placed, context, Report())))


@pytest.mark.parametrize("disk_type", ["scsi-block", "scsi-hd", "paravirtual"])
@pytest.mark.parametrize(
    ("written", "path", "planned", "note"),
    [
        (STABLE, "/dev/sdb", PLAIN, f"disks[0]: it is open as {FIRST}, which is /dev/sdb too"),
        (PLAIN, "/dev/sdb", STABLE, f"disks[0]: it is open as /dev/sdb, which is {FIRST} too"),
        (PLAIN, BY_PATH, PLAIN, f"disks[0]: it is open as /dev/sdb, which is {BY_PATH} too"),
    ],
    ids=["stable", "planned as stable", "another link"],
)
def test_a_running_guest_loses_no_disk_for_another_name_of_it(
    disk_type: str, written: Context, path: str, planned: Context, note: str
) -> None:
    found = defined("/dev/sdb", written, disk_type)
    wanted = ganeti((passed(0, path),), 1, disk_type=disk_type)
    whole = Hotplug(found, context=planned, lock=no_lock, clock=found.clock).plan(wanted)
    assert (whole.steps, whole.notes) == ((), (note,))


@pytest.mark.parametrize("now", [PLAIN, Context()], ids=["another device", "nothing tells"])
def test_another_device_is_another_disk(now: Context) -> None:
    found = defined("/dev/sdb", PLAIN)
    wanted = ganeti((passed(0, SECOND),), 1, disk_type="scsi-block")
    whole = Hotplug(found, context=now, lock=no_lock, clock=found.clock).plan(wanted)
    assert [type(step) for step in whole.steps] == [Detach, Attach]


def test_a_definition_gets_the_name_that_stays() -> None:
    found = defined("/dev/sdb", PLAIN)
    wanted = ganeti((passed(0, "/dev/sdb"),), 1, disk_type="scsi-block")
    options = Options(live=False, config=True)
    Hotplug(found, context=STABLE, options=options, lock=no_lock, clock=found.clock).apply(wanted)
    assert found.config is not None
    assert [source.get("dev") for source in found.config.root.iterfind("devices/disk/source[@dev]")] == [
        FIRST
    ]


def test_what_was_known_of_a_disk_goes_with_it() -> None:
    context = Context(stable_names=True, scsi=BEFORE)
    disks = passed(0, "/dev/sdb"), passed(1, "/dev/sdc")
    placed = place(ganeti(disks, 1, disk_type="scsi-block"))
    found = FakeDomain(format_domain(to_domain(placed, context, Report())))
    Hotplug(found, lock=no_lock, clock=found.clock).remove("disk", "1")
    assert payload(found).scsi == (at("2:0:1:4", "/dev/sdb", FIRST),)


def test_that_a_document_is_untainted_is_remembered_when_a_device_comes() -> None:
    placed = place(ganeti(1, 1))
    found = FakeDomain(format_domain(to_domain(placed, Context(untainted=True), Report())))
    Hotplug(found, lock=no_lock, clock=found.clock).add_nic(NICS[1])
    assert payload(found).untainted is True


def payload(found: FakeDomain) -> metadata.Payload:
    """Give what the metadata of the running domain keeps."""
    text = parse_live(found.live_xml()).metadata
    assert text is not None
    return metadata.from_text(text)
