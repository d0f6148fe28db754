"""Runtime files: every historic form, and what is refused, with the whole message."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from tests.ganeti.broken import NAME, Path, changed, read, source
from tests.golden import cases
from virtxlate import GanetiDataError, Report
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.runtime import read_runtime, with_runtime

NO_HOST = "expected a host name of letters, digits, '.', '_' and '-', found"
PCI = {"driver": "virtio-net-pci", "id": "nic-1", "bus": "pci.0"}
SCSI = {"driver": "scsi-hd", "id": "disk-1", "bus": "scsi.0"}
NO_MODE = "expected one of bridged, routed, openvswitch, ext, found 'pool'"
NO_NIC = (
    "expected one of paravirtual, e1000, i82551, i82557b, i82559er, ne2k_isa, ne2k_pci, pcnet, rtl8139, "
    "found 'x'"
)
NO_DISK = (
    "expected one of paravirtual, ide, scsi-hd, scsi-cd, scsi-block, scsi-generic, scsi, sd, mtd, pflash, "
    "found 'x'"
)
ONE_KIND = "[1][0].hvinfo: expected either addr, or channel, scsi-id and lun"
SLOT = "[1][0].hvinfo.addr: expected a slot such as '0xc', found"

REFUSED: list[tuple[Path, Any, str]] = [
    ((0, 1), None, "[0][1]: expected int | float | str, got null"),
    ((0, 1), "-nome", "[0]: expected the option -name, found none"),
    ((0, 2), "../x", f"[0] -name: {NO_HOST} '../x'"),
    ((0, 2), "x\ny", f"[0] -name: {NO_HOST} 'x\\ny'"),
    ((0, 4), "big", "[0]: expected a number after -m, found 'big'"),
    ((0, 4), "٣", "[0]: expected a number after -m, found '٣'"),
    ((0, 4), 0, "[0].maxmem: expected int >= 1"),
    ((0, 6), "many", "[0]: expected a number after -smp, found 'many'"),
    ((1,), {}, "[1]: expected array, got object"),
    ((1, 0, "mac"), 5, "[1][0].mac: expected str, got int"),
    ((1, 0, "nicparams", "mode"), "pool", f"[1][0].nicparams.mode: {NO_MODE}"),
    ((1, 0, "hvinfo"), [], "[1][0].hvinfo: expected object | null, got array"),
    ((1, 0, "hvinfo"), {"driver": "d"}, "[1][0].hvinfo: expected driver, id and bus together"),
    ((1, 0, "hvinfo"), PCI, ONE_KIND),
    ((1, 0, "hvinfo"), {**PCI, "addr": "0xc", "lun": 0}, ONE_KIND),
    ((1, 0, "hvinfo"), {**SCSI, "lun": 0}, "[1][0].hvinfo: expected channel, scsi-id and lun together"),
    ((1, 0, "hvinfo", "addr"), "0xff", f"{SLOT} '0xff'"),
    ((1, 0, "hvinfo", "addr"), "0xc\n", f"{SLOT} '0xc\\n'"),
    ((1, 0, "hvinfo", "addr"), "", f"{SLOT} ''"),
    ((1, 0, "hvinfo", "addr"), 12, "[1][0].hvinfo.addr: expected str | null, got int"),
    ((2,), [], "[2]: expected object, got array"),
    ((2, "acpi"), "x", "[2].acpi: expected bool, got str"),
    ((2, "nic_type"), "x", f"[2].nic_type: {NO_NIC}"),
    ((2, "disk_type"), "x", f"[2].disk_type: {NO_DISK}"),
    ((3,), {}, "[3]: expected array, got object"),
    ((3, 0, 0), 5, "[3][0][0]: expected object, got int"),
    ((3, 0, 0, "size"), "x", "[3][0][0].size: expected int, got str"),
    ((3, 0, 0, "pci"), 32, "[3][0][0].pci: expected int <= 31"),
    ((3, 0, 1), 5, "[3][0][1]: expected str | null, got int"),
    ((3, 1, 0, "logical_id"), [1], "[3][1][0].logical_id: expected 6 items, found 1"),
]


@pytest.mark.parametrize(("path", "value", "message"), REFUSED)
def test_a_runtime_file_that_cannot_be_read(path: Path, value: Any, message: str) -> None:
    with pytest.raises(GanetiDataError) as caught:
        read("runtime-hvinfo", path, value)
    assert str(caught.value) == message


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_a_list_of_another_length(parts: int) -> None:
    with pytest.raises(GanetiDataError) as caught:
        source([[]] * parts)
    assert str(caught.value) == f"expected a list of 3 or 4 parts, found {parts}"


def test_a_bad_uuid_in_the_command() -> None:
    data = changed("runtime-hvinfo", (0, 0), "kvm")
    data[0][data[0].index("-uuid") + 1] = "x"
    with pytest.raises(GanetiDataError) as caught:
        source(data)
    assert str(caught.value) == "[0] -uuid: expected a UUID, found 'x'"


def test_another_name_than_the_files() -> None:
    with pytest.raises(GanetiDataError) as caught:
        cases.source("runtime-hvinfo").instance("other", Report())
    assert str(caught.value) == f"expected '{NAME}', found 'other'"


def instance(case: str) -> Instance:
    return cases.translations(case)[0].instance


def test_hvinfo_is_kept_as_it_stands() -> None:
    found = instance("runtime-hvinfo")
    assert [disk.hvinfo.addr for disk in found.disks if disk.hvinfo] == ["0xe", "0xc"]
    assert [nic.hvinfo.slot for nic in found.nics if nic.hvinfo] == [13, 16]
    assert [disk.link for disk in found.disks] == [
        f"/var/run/ganeti/instance-disks/{NAME}:0",
        f"/var/run/ganeti/instance-disks/{NAME}:2",
    ]
    assert (found.beparams.maxmem, found.beparams.vcpus) == (1024, 2)
    assert found.hvparams.machine_version == "pc-i440fx-5.2"


def test_scsi_hvinfo_keeps_its_numbers() -> None:
    last = instance("runtime-scsi").disks[1].hvinfo
    assert last is not None
    assert (last.bus, last.channel, last.scsi_id, last.lun, last.slot) == ("scsi.0", 0, 5, 0, None)


def test_the_pci_numbers_of_2_10_become_hvinfo() -> None:
    found = instance("runtime-pci-2.10")
    uuid = found.disks[0].uuid.partition("-")[0]
    assert found.disks[0].hvinfo == HvInfo(
        driver="virtio-blk-pci", id=f"hotdisk-{uuid}-pci-4", bus="pci.0", addr="0x4"
    )
    assert [disk.template for disk in found.disks] == ["plain", "plain"]
    nic = found.nics[0].hvinfo
    assert nic is not None
    assert (nic.driver, nic.addr) == ("virtio-net-pci", "0x6")


def test_three_elements_have_no_disks_and_say_so() -> None:
    report = Report()
    found = cases.source("runtime-3-elements-2.9").instance(NAME, report)
    assert (found.disks, found.nics[0].hvinfo, found.uuid) == ((), None, "")
    assert [loss.path for loss in report.losses] == ["[3]", "uuid", "nics[0].hvinfo"]


def test_an_empty_hvinfo_is_none() -> None:
    found = instance("runtime-empty-hvinfo")
    assert (found.disks[0].hvinfo, found.nics[0].hvinfo) == (None, None)


def test_drive_and_netdev_of_the_design_are_passed_over() -> None:
    given = {**PCI, "addr": "0xd", "netdev": "nic-1"}
    hvinfo = read("runtime-hvinfo", (1, 0, "hvinfo"), given).nics[0].hvinfo
    assert hvinfo == HvInfo(driver="virtio-net-pci", id="nic-1", bus="pci.0", addr="0xd")


def test_a_uri_is_kept_with_its_disk() -> None:
    userspace, kernelspace = instance("runtime-rbd-userspace").disks
    assert (userspace.uri or "").startswith("rbd:vms/")
    assert kernelspace.params["access"] == "kernelspace"


@pytest.mark.parametrize("machine", ["-machine", "-M"])
def test_the_machine_is_what_qemu_was_given(machine: str) -> None:
    data = changed("runtime-hvinfo", (0, 0), "kvm")
    at = data[0].index("-machine")
    data[0][at : at + 2] = [machine, "pc-i440fx-4.2,accel=kvm"]
    found = source(data).instance(NAME, Report())
    assert found.hvparams.machine_version == "pc-i440fx-4.2"


def test_every_hvparam_has_one_origin() -> None:
    assert set(cases.source("runtime-hvinfo").origins(NAME).values()) == {"runtime file"}


# A runtime file beside the configuration of its instance


def pair(uuid: str | None = None) -> tuple[Instance, bytes]:
    """Give an instance of a configuration, and a runtime file of it with its devices placed otherwise."""
    found = instance("disk-plain")
    hvinfo = {**SCSI, "channel": 0, "scsi-id": 3, "lun": 0}
    disks: list[Any] = [
        [{"dev_type": "lvm", "uuid": disk.uuid, "hvinfo": hvinfo}, "/link:7", None]
        for disk in found.disks[1:]
    ]
    nics = [{"mac": nic.mac, "uuid": nic.uuid, "hvinfo": {**PCI, "addr": "0x1f"}} for nic in found.nics]
    command = ["kvm", "-name", NAME, "-m", 1, "-smp", "1", "-machine", "pc-i440fx-7.2"]
    command += ["-uuid", uuid or found.uuid]
    return found, json.dumps([command, nics, {"kernel_path": "", "vga": "cirrus"}, disks]).encode()


def test_a_runtime_file_knows_addresses_links_and_the_machine_better() -> None:
    found, data = pair()
    merged = with_runtime(found, read_runtime(data, Report()))
    assert merged.hvparams.machine_version == "pc-i440fx-7.2"
    assert merged.hvparams.vga == "cirrus"
    assert merged.beparams == found.beparams
    assert [disk.link for disk in merged.disks] == [None, "/link:7"]
    assert merged.disks[0] == found.disks[0]
    assert merged.disks[1].logical_id == found.disks[1].logical_id
    assert [nic.hvinfo.addr for nic in merged.nics if nic.hvinfo] == ["0x1f"]


def test_the_runtime_file_of_another_instance() -> None:
    other = "00000000-0000-4000-8000-000000000000"
    found, data = pair(other)
    with pytest.raises(GanetiDataError) as caught:
        with_runtime(found, read_runtime(data, Report()))
    assert str(caught.value) == f"[0] -uuid: expected the runtime file of {found.uuid}, found that of {other}"


def test_hvinfo_is_written_as_ganeti_writes_it() -> None:
    pci = HvInfo(driver="ide", id="disk-1", bus="pci.0", addr="0xc")
    scsi = HvInfo(driver="scsi-hd", id="disk-1", bus="scsi.0", channel=0, scsi_id=1, lun=0)
    assert msgspec.json.encode(pci) == b'{"driver":"ide","id":"disk-1","bus":"pci.0","addr":"0xc"}'
    assert msgspec.json.encode(scsi) == (
        b'{"driver":"scsi-hd","id":"disk-1","bus":"scsi.0","channel":0,"scsi-id":1,"lun":0}'
    )
