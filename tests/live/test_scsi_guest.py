"""LUNs handed to a guest: it hears the target's own INQUIRY, and QEMU has them where hvinfo says.

A Ganeti instance of disk_type scsi-block or scsi-generic is translated and boots. Its disks are LUNs of a
real target, reached by QEMU's own iSCSI client; an emulated disk beside them is QEMU's own.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import pytest

from lab.bootable import bootable, context_for
from lab.daemon import PrivateLibvirtd, private_libvirtd
from lab.iscsi import IscsiTarget, Lun, iscsi_target
from lab.running import RunningGuest, running_guest
from tests.golden.law import differences
from tests.live.plugged import lines, opened
from tests.live.test_hvinfo_matrix import compare_with_qtree, qtree
from virtxlate import Context, Renames, Report, format_domain, parse_domain, place, to_domain, to_ganeti
from virtxlate.domain import model as domain
from virtxlate.errors import OperationRefusedError
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.ganeti.model import Disk, Instance
from virtxlate.ganeti.params import HvParams
from virtxlate.hotplug.session import Hotplug
from virtxlate.live.sysfs import SysfsScsi
from virtxlate.tables.controller import by_ganeti

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.console import GuestConsole
    from lab.embedded import EmbeddedLibvirt
    from lab.guest import GuestFiles
    from virtxlate.live.domain import LibvirtDomain

pytestmark = pytest.mark.live

INITIATOR = "iqn.2026-11.example:inst1"
LUNS = (
    Lun(serial="VX-0001", vendor="ACME", product="ROADRUNNER", revision="0042"),
    Lun(serial="VX-0002", vendor="COYOTE", product="ANVIL", revision="0007"),
    Lun(serial="VX-0003", vendor="ACME", product="ROCKET", revision="0001"),
)
EMULATED = "emulated-1"
INQUIRY = r"""
for entry in /sys/class/scsi_device/*; do
    device=$entry/device
    read -r vendor <"$device/vendor"; read -r model <"$device/model"; read -r rev <"$device/rev"
    printf '%s\t%s\t%s\t%s\t%s\n' "${entry##*/}" "$vendor" "$model" "$rev" \
        "$(tail -c +5 "$device/vpd_pg80" 2>/dev/null)"
done
"""
"""What the kernel kept of the answers: vendor, product and revision of INQUIRY, and page 80h, the serial."""


class Heard(NamedTuple):
    """One device's answer; the address is channel, target and LUN."""

    address: str
    vendor: str
    product: str
    revision: str
    serial: str


def inquiry(console: GuestConsole, *serials: str) -> dict[str, Heard]:
    """Give what the guest heard from our devices, by their serials, once it has heard from all of these."""
    return console.wait_for(lambda: _heard(console), lambda heard: set(serials) <= heard.keys())


def _heard(console: GuestConsole) -> dict[str, Heard]:
    lines = (line.split("\t") for line in console.run(INQUIRY).splitlines())
    heard = (Heard(line[0].partition(":")[2], *(word.strip() for word in line[1:])) for line in lines)
    return {each.serial: each for each in heard if each.serial in {EMULATED, *(lun.serial for lun in LUNS)}}


def own_words(lun: Lun, address: str) -> Heard:
    return Heard(address, lun.vendor, lun.product, lun.revision, lun.serial)


@pytest.fixture(scope="module")
def target() -> Iterator[IscsiTarget]:
    with iscsi_target(*LUNS) as found:
        yield found


def instance_on(
    target: IscsiTarget, files: GuestFiles, disk_type: str, controller: str, *luns: Lun
) -> Instance:
    """Give a placed Ganeti instance whose disks are LUNs, as an external storage provider has them."""
    disks = tuple(
        Disk(
            uuid=f"0000000{number}-d15c-4000-8000-000000000000",
            template="ext",
            size_mib=lun.size_bytes >> 20,
            logical_id=("iscsi", lun.serial),
            params={"access": "userspace"},
            uri=target.uri_of(lun),
        )
        for number, lun in enumerate(luns)
    )
    instance = Instance(
        name="inst1.example.com",
        uuid="11111111-2222-4333-8444-555555555555",
        disks=disks,
        disk_template="ext",
        hvparams=HvParams(machine_version="pc-i440fx-7.2"),
    )
    return place(bootable(instance, files, disk_type=disk_type, scsi_controller_type=controller))


def drive(controller: str, scsi_id: int) -> domain.DriveAddress:
    if by_ganeti(controller).scsi_id_in == "unit":
        return domain.DriveAddress(unit=scsi_id)
    return domain.DriveAddress(target=scsi_id)


def beside(found: domain.Domain, controller: str, target: IscsiTarget, image: Path) -> domain.Domain:
    """Give the domain with an emulated disk at scsi-id 4, and a LUN as a host device at 5."""
    with image.open("wb") as file:
        file.truncate(4 << 20)
    disk = domain.Disk(
        type="file",
        driver_name="qemu",
        driver_type="raw",
        source=domain.DiskSource(file=str(image)),
        target="sdy",
        bus="scsi",
        address=drive(controller, 4),
    )
    hostdev = domain.Hostdev(
        type="scsi",
        source=domain.HostdevSource(
            protocol="iscsi",
            name=target.path_of(LUNS[2]),
            hosts=(domain.SourceHost(name=target.host, port=target.port),),
            initiator=INITIATOR,
        ),
        alias="ua-passed",
        address=drive(controller, 5),
    )
    devices = msgspec.structs.replace(
        found.devices, disks=(*found.devices.disks, disk), hostdevs=(*found.devices.hostdevs, hostdev)
    )
    return msgspec.structs.replace(found, devices=devices)


CONTROLLERS = {
    "lsi": ("0:0:0", "0:1:0", "0:4:0", "0:5:0"),
    # Linux shows the logical drives of a MegaRAID on a channel of its own.
    "megasas": ("2:0:0", "2:1:0", "2:4:0", "2:5:0"),
    "virtio-scsi-pci": ("0:0:0", "0:1:0", "0:4:0", "0:5:0"),
}


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_the_guest_hears_the_target_itself_and_an_emulated_disk_is_qemus(
    controller: str,
    libvirt_host: EmbeddedLibvirt,
    generic_guest_files: GuestFiles,
    target: IscsiTarget,
    tmp_path: Path,
) -> None:
    first, second, fourth, fifth = CONTROLLERS[controller]
    instance = instance_on(target, generic_guest_files, "scsi-block", controller, *LUNS[:2])
    context = context_for(tmp_path, {})
    found = beside(to_domain(instance, context, Report()), controller, target, tmp_path / "emulated.img")
    xml = format_domain(found).replace(
        '<target dev="sdy" bus="scsi"/>', f'<serial>{EMULATED}</serial><target dev="sdy" bus="scsi"/>'
    )
    counts: Counter[str] = Counter()
    with running_guest(libvirt_host, xml) as guest:
        heard = inquiry(guest.console, EMULATED, *(lun.serial for lun in LUNS))
        live = guest.domain.XMLDesc(0)
        compare_with_qtree(live, guest.domain, counts)
        places = {
            name: (qtree(guest.domain)[name]["driver"], qtree(guest.domain)[name]["scsi-id"])
            for name in ALIASES
        }
        initiators = set(target.initiators())
    assert heard.pop(EMULATED) == Heard(fourth, "QEMU", "QEMU HARDDISK", "2.5+", EMULATED)
    assert heard == {
        lun.serial: own_words(lun, address) for lun, address in zip(LUNS, (first, second, fifth), strict=True)
    }
    assert (counts["scsi-block"], counts["scsi-hd"], counts["scsi-generic"]) == (2, 1, 1)
    assert places == ALIASES
    assert INITIATOR in initiators


ALIASES = {
    "ua-disk-00000000-d15c-4000": ("scsi-block", "0"),
    "ua-disk-00000001-d15c-4000": ("scsi-block", "1"),
    "ua-passed": ("scsi-generic", "5"),
}


class Passing(NamedTuple):
    """A guest whose disks are host devices, on virtio-scsi, and libvirt's door to it."""

    instance: Instance
    context: Context
    guest: RunningGuest
    port: LibvirtDomain


@pytest.fixture(scope="module")
def passing(
    libvirt_host: EmbeddedLibvirt,
    guest_files: GuestFiles,
    target: IscsiTarget,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Passing]:
    instance = instance_on(target, guest_files, "scsi-generic", "virtio-scsi-pci", *LUNS[:2])
    context = context_for(tmp_path_factory.mktemp("passing"), {})
    xml = format_domain(to_domain(instance, context, Report()))
    with running_guest(libvirt_host, xml) as guest, opened(libvirt_host, instance.name) as port:
        yield Passing(instance, context, guest, port)


def test_scsi_generic_becomes_host_devices_that_the_guest_reaches(passing: Passing) -> None:
    heard = inquiry(passing.guest.console, *(lun.serial for lun in LUNS[:2]))
    live = passing.guest.domain.XMLDesc(0)
    counts: Counter[str] = Counter()
    compare_with_qtree(live, passing.guest.domain, counts)
    assert heard == {
        lun.serial: own_words(lun, address) for lun, address in zip(LUNS[:2], ("0:0:0", "0:1:0"), strict=True)
    }
    assert counts["scsi-generic"] == 2
    found = to_ganeti(parse_domain(live, []), passing.context, Report())
    assert differences(passing.instance, found) == []


SYSFS = r"""
for link in /sys/bus/scsi/devices/[0-9]* /sys/class/block/* /sys/class/scsi_generic/*; do
    echo "$link $(readlink $link)"
    home=$(readlink -f $link)
    find $home -type d
    [ ! -L $home/device ] || echo "$home/device $(readlink $home/device)"
done
"""
"""Links with where they lead, and folders."""
NAMES = r"""
for target in 0 1; do
    ls -d /sys/bus/scsi/devices/*:0:$target:0/block/sd* | sed 's,.*/,,'
done
"""
"""Names of the disks at targets 0 and 1."""


def test_the_sysfs_of_a_kernel_with_scsi_is_read(passing: Passing, tmp_path: Path) -> None:
    """This host's kernel may have no SCSI; the guest's does, so its links are copied and read here."""
    for line in sorted(passing.guest.console.run(SYSFS).splitlines()):
        path, _, leads = line.partition(" ")
        copy = tmp_path / path[1:]
        if not leads:
            copy.mkdir(parents=True, exist_ok=True)
        elif not copy.is_symlink():
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.symlink_to(leads)
    resolver = SysfsScsi(tmp_path)
    found = {each.block: (str(each.address).partition(":")[2], each.generic) for each in resolver.devices()}
    # Which of two disks becomes sda is the guest's own: its kernel asks them side by side.
    first, second = (f"/dev/{name}" for name in passing.guest.console.run(NAMES).split())
    assert {first, second} == {"/dev/sda", "/dev/sdb"}
    assert {name: found[name] for name in (first, second)} == {
        first: ("0:0:0", "/dev/sg0"),
        second: ("0:1:0", "/dev/sg1"),
    }
    for device in resolver.devices():
        assert {resolver.device(path) for path in device.paths} == {device}


NEW = Disk(
    uuid="00000002-d15c-4000-8000-000000000000",
    template="ext",
    size_mib=LUNS[2].size_bytes >> 20,
    logical_id=("iscsi", LUNS[2].serial),
    params={"access": "userspace"},
)
NEW_ID = "disk-00000002-d15c-4000"


AT_TARGET_2 = r"""
for device in /sys/class/scsi_device/*:0:2:0/device; do
    read -r vendor <"$device/vendor" && read -r model <"$device/model" && printf '%s\t%s' "$vendor" "$model"
done
"""


class Plugged(NamedTuple):
    """What is plugged in as a disk_type, and how the steps are called."""

    disk_type: str
    attach: str
    detach: str


PLUGGED = (
    Plugged("scsi-block", f"attach disk ua-{NEW_ID} (sda) at", f"detach lun ua-{NEW_ID}"),
    Plugged("scsi-generic", f"attach hostdev ua-{NEW_ID} ({{path}}) at", f"detach hostdev ua-{NEW_ID}"),
)


@pytest.mark.parametrize("case", PLUGGED, ids=lambda case: case.disk_type)
def test_a_lun_comes_and_goes(case: Plugged, passing: Passing, target: IscsiTarget) -> None:
    console, lun = passing.guest.console, LUNS[2]
    before, heard = passing.guest.domain.XMLDesc(0), inquiry(console)
    session = Hotplug(passing.port, context=passing.context, hvparams={"disk_type": case.disk_type})
    disk = msgspec.structs.replace(NEW, uri=target.uri_of(lun))

    done = session.add_disk(disk)
    place = "controller 0 bus 0 target 2 unit 0"
    assert lines(done) == [f"{case.attach.format(path=target.path_of(lun))} {place}"]
    assert done.hvinfo == HvInfo(driver=case.disk_type, id=NEW_ID, bus="scsi.0", channel=0, scsi_id=2, lun=0)
    console.wait_for(lambda: inquiry(console), {**heard, lun.serial: own_words(lun, "0:2:0")}.__eq__)
    counts: Counter[str] = Counter()
    compare_with_qtree(passing.guest.domain.XMLDesc(0), passing.guest.domain, counts)
    shown = qtree(passing.guest.domain)[f"ua-{NEW_ID}"]
    assert (shown["driver"], shown["bus"], shown["scsi-id"], shown["lun"]) == (
        case.disk_type,
        "scsi0.0",
        "2",
        "0",
    )
    assert [each.uuid for each in session.read().instance.disks][2:] == [NEW.uuid]

    assert lines(session.remove("disk", NEW.uuid)) == [case.detach]
    assert f"ua-{NEW_ID}" not in qtree(passing.guest.domain)
    console.wait_for(lambda: inquiry(console), heard.__eq__)
    assert passing.guest.domain.XMLDesc(0) == before


def test_a_disk_is_passed_through_and_emulated_again_in_its_place(
    passing: Passing, target: IscsiTarget
) -> None:
    """What answers at one address: QEMU, the target, QEMU again."""
    console, lun = passing.guest.console, LUNS[2]

    def answers(vendor: str, product: str) -> dict[str, str]:
        shown = qtree(passing.guest.domain)[f"ua-{NEW_ID}"]
        console.wait_for(lambda: console.run(AT_TARGET_2).split("\t"), [vendor, product].__eq__)
        return {name: shown[name] for name in ("driver", "bus", "scsi-id", "lun")}

    at = {"bus": "scsi0.0", "scsi-id": "2", "lun": "0"}
    session = Hotplug(passing.port, context=passing.context, hvparams={"disk_type": "scsi-hd"})
    before = passing.guest.domain.XMLDesc(0)
    session.add_disk(msgspec.structs.replace(NEW, uri=target.uri_of(lun)))
    emulated = parse_domain(passing.guest.domain.XMLDesc(0), [])
    assert answers("QEMU", "QEMU HARDDISK") == {"driver": "scsi-hd", **at}

    passed = session.switch(NEW.uuid, "lun")
    assert lines(passed) == [
        f"detach disk ua-{NEW_ID}",
        f"attach disk ua-{NEW_ID} (sda) at controller 0 bus 0 target 2 unit 0",
    ]
    assert answers(lun.vendor, lun.product) == {"driver": "scsi-block", **at}
    assert own_words(lun, "0:2:0") == inquiry(console, lun.serial)[lun.serial]

    session.switch(NEW.uuid, "disk")
    assert answers("QEMU", "QEMU HARDDISK") == {"driver": "scsi-hd", **at}
    assert parse_domain(passing.guest.domain.XMLDesc(0), []) == emulated
    session.remove("disk", NEW.uuid)
    assert passing.guest.domain.XMLDesc(0) == before


def test_a_lun_that_is_in_use_is_not_opened_twice(passing: Passing) -> None:
    session = Hotplug(passing.port, context=passing.context)
    again = msgspec.structs.replace(NEW, uri=passing.instance.disks[0].uri)
    with pytest.raises(OperationRefusedError, match=r"is open already as disks\[0\]"):
        session.add_disk(again)


def test_what_the_guest_has_needs_no_change(passing: Passing) -> None:
    assert lines(Hotplug(passing.port, context=passing.context).plan(passing.instance)) == []


USER, PASSWORD = "inst1", "twelve-to-16!"
SECRET = "0a81f5b2-8403-4b23-88d6-21ccc2f80d6f"
"""A libvirt secret; the password is nowhere else."""


@pytest.fixture(scope="module")
def daemon() -> Iterator[PrivateLibvirtd]:
    """A whole daemon: the embedded driver cannot read a secret."""
    with private_libvirtd() as running:
        yield running


@pytest.fixture
def secret(daemon: PrivateLibvirtd) -> Iterator[Any]:
    made = daemon.connection.secretDefineXML(
        f"<secret ephemeral='yes' private='yes'><uuid>{SECRET}</uuid>"
        "<usage type='iscsi'><target>virtxlate-lab</target></usage></secret>"
    )
    yield made
    made.undefine()


@pytest.mark.parametrize("disk_type", ["scsi-block", "scsi-generic"])
def test_qemu_logs_in_with_the_initiator_and_the_secret_of_the_map(
    disk_type: str, secret: Any, daemon: PrivateLibvirtd, guest_files: GuestFiles
) -> None:
    import libvirt  # noqa: PLC0415 - collected where the binding is absent too

    with iscsi_target(LUNS[0], initiator=INITIATOR, account=(USER, PASSWORD)) as guarded:
        renames = {"secrets": {USER: SECRET}, "initiators": {guarded.name: INITIATOR}}
        context = Context(domain_type="qemu", renames=Renames(renames))
        instance = instance_on(guarded, guest_files, disk_type, "virtio-scsi-pci", LUNS[0])
        uri = guarded.uri_of(LUNS[0]).replace("//", f"//{USER}@", 1)
        disks = (msgspec.structs.replace(instance.disks[0], uri=uri),)
        xml = format_domain(to_domain(msgspec.structs.replace(instance, disks=disks), context, Report()))
        assert PASSWORD not in xml
        secret.setValue(b"another-password")
        with pytest.raises(libvirt.libvirtError, match="Authentication failure"):
            daemon.connection.createXML(xml, libvirt.VIR_DOMAIN_START_PAUSED)
        secret.setValue(PASSWORD.encode())
        started = daemon.connection.createXML(xml, libvirt.VIR_DOMAIN_START_PAUSED)
        try:
            assert set(guarded.initiators()) == {INITIATOR}
            assert qtree(started)["ua-disk-00000000-d15c-4000"]["driver"] == disk_type
            assert PASSWORD not in started.XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE)
        finally:
            started.destroy()
