"""Rule by rule: what libvirt itself does with the document that we refuse, and that it takes the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from lxml import etree

from lab.iscsi import IscsiTarget, Lun, iscsi_target
from tests.rules.cases import CASES, Case, document, lun
from virtxlate.rules import by_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.embedded import EmbeddedLibvirt
    from virtxlate.rules.rule import Verdict

pytestmark = pytest.mark.live

IDS = [f"{case.rule}-{number}" for number, case in enumerate(CASES)]
NOT_HERE = ("scsi_host", "<reservations", "<secret", "rawio=")
"""What a start wants of the host: an adapter, a SCSI disk, a secret daemon, CAP_SYS_RAWIO in a container."""
NO_SCSI = "/dev/loop"
"""What a case says is no SCSI device."""
LUN = Lun(serial="RULES-0001")


@pytest.fixture(scope="module")
def target() -> Iterator[IscsiTarget]:
    with iscsi_target(LUN) as target:
        yield target


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rules") / "disk.img"
    with path.open("wb") as file:
        file.truncate(1 << 20)
    return path


def on_this_host(xml: str, target: IscsiTarget, image: Path) -> str:
    """The document with sources that there are: luns on iSCSI, emulated disks on an image."""
    root = etree.fromstring(xml)
    for source in root.iterfind("devices/*/source[@protocol='iscsi']"):
        if source.get("name"):  # its absence is what a case is about
            source.set("name", target.path_of(LUN))
        for host in source.iterfind("host"):
            host.attrib.update({"name": target.host, "port": str(target.port)})
    for base in root.iterfind("devices/disk/backingStore/source"):
        base.set("file", str(image))
    for disk in root.iterfind("devices/disk"):
        found = disk.findall("source[@dev]")
        if not found or len(found[0]) or found[0].get("dev", "").startswith(NO_SCSI):
            continue
        source = found[0]
        del source.attrib["dev"]
        if disk.get("device") == "lun":
            disk.set("type", "network")
            source.set("protocol", "iscsi")
            source.set("name", target.path_of(LUN))
            source.insert(0, etree.Element("host", name=target.host, port=str(target.port)))
        else:
            disk.set("type", "file")
            source.set("file", str(image))
            etree.SubElement(disk, "shareable")
    return etree.tostring(root, encoding="unicode")


def verdict_of(host: EmbeddedLibvirt, xml: str, *, start: bool = True) -> tuple[Verdict, str]:
    """Give what libvirt does with a document, and what it says; without ``start`` it is only defined."""
    import libvirt  # noqa: PLC0415 - collected where the binding is absent too

    try:
        defined = host.connection.defineXMLFlags(xml, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
    except libvirt.libvirtError as exc:
        return "refused", str(exc)
    try:
        if not start or any(word in xml for word in NOT_HERE):
            return "accepted", "only defined"
        defined.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        defined.destroy()
    except libvirt.libvirtError as exc:
        return "not started", str(exc)
    finally:
        defined.undefine()
    return "accepted", ""


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_libvirt_does_what_the_rule_says(
    case: Case, libvirt_host: EmbeddedLibvirt, target: IscsiTarget, image: Path
) -> None:
    xml = document(case.broken, case.outside, case.machine)
    verdict, says = verdict_of(libvirt_host, on_this_host(xml, target, image))
    assert verdict == (case.libvirt or by_id(case.rule).libvirt), says


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_libvirt_takes_what_is_done_right(
    case: Case, libvirt_host: EmbeddedLibvirt, target: IscsiTarget, image: Path
) -> None:
    xml = document(case.right, case.outside_right)
    verdict, says = verdict_of(libvirt_host, on_this_host(xml, target, image))
    assert verdict == "accepted", says


def test_a_lun_on_virtio_starts_with_the_properties_of_virtio(
    libvirt_host: EmbeddedLibvirt, target: IscsiTarget, image: Path
) -> None:
    rich = lun(
        "<serial>A1</serial><blockio logical_block_size='512'/>",
        driver="type='raw' queues='1'",
        target="dev='vda' bus='virtio'",
        address="",
    )
    xml = document(rich, machine="pc-i440fx-2.6")
    assert verdict_of(libvirt_host, on_this_host(xml, target, image)) == ("accepted", "")
