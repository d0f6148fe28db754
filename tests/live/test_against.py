"""``validate --against libvirt``: what a real libvirt says, and that nothing of it stays."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from lxml import etree

from virtxlate.live.opinion import Opinion, ask
from virtxlate.live.trials import LibvirtTrials

if TYPE_CHECKING:
    from lab.embedded import EmbeddedLibvirt

pytestmark = pytest.mark.live

UUID = "5d0c9a4e-6f0b-4a4e-9d4f-0b7d0c7c6a51"
DOMAIN = f"""<domain type='qemu'>
  <name>web1</name><uuid>{UUID}</uuid><memory unit='MiB'>16</memory>
  <sysinfo type='smbios'><system><entry name='uuid'>{UUID}</entry></system></sysinfo>
  <os><type arch='x86_64' machine='pc'>hvm</type>{{}}</os><features><acpi/></features>
  <devices>{{}}</devices>
</domain>"""
SCSI = "<controller type='scsi' index='0' model='{}'/>"
LUN = "<disk type='file' device='lun'><source file='/a'/><target dev='sda' bus='scsi'/></disk>"
SECRET = (
    "<disk type='network' device='disk'><auth username='a'><secret type='ceph' usage='nobody'/></auth>"
    "<source protocol='rbd' name='a/b'><host name='192.0.2.9'/></source><target dev='vda'/></disk>"
)
SAID = [
    ("", "defines", ""),
    (SECRET, "makes no command", "secret"),
    (SCSI.format("lsilogic") * 2, "refuses", "Multiple 'scsi' controllers with index '0'"),
    ("<bogus/>", "defines unvalidated", "failed to validate against schema"),
    (LUN, "refuses", "only valid for block type disk source"),
]


def trials(host: EmbeddedLibvirt) -> LibvirtTrials:
    from virtxlate.live.connection import LibvirtHost  # noqa: PLC0415 - collected without libvirt too

    return LibvirtHost(host.connection).trials()


def asked(host: EmbeddedLibvirt, xml: str) -> Opinion:
    return ask(etree.fromstring(xml), trials(host), str(uuid4()))


def state(host: EmbeddedLibvirt) -> list[tuple[Any, ...]]:
    """Everything of all domains, and the files that libvirt keeps of them."""
    domains = host.connection.listAllDomains()
    told = sorted((each.UUIDString(), each.XMLDesc(0), each.isActive(), each.autostart()) for each in domains)
    files = sorted(str(path) for path in (host.root / "etc").rglob("*") if path.is_file())
    return [*told, tuple(files)]


@pytest.mark.parametrize(
    ("devices", "verdict", "says"), SAID, ids=[row[1] + str(n) for n, row in enumerate(SAID)]
)
def test_libvirts_verdict_is_told_and_nothing_stays(
    libvirt_host: EmbeddedLibvirt, devices: str, verdict: str, says: str
) -> None:
    before = state(libvirt_host)
    opinion = asked(libvirt_host, DOMAIN.format("", devices))
    assert (opinion.verdict, says in opinion.says) == (verdict, True), opinion
    assert state(libvirt_host) == before


def test_the_domain_of_that_name_and_uuid_is_not_touched(libvirt_host: EmbeddedLibvirt) -> None:
    real = libvirt_host.connection.defineXML(DOMAIN.format("", "<input type='tablet' bus='usb'/>"))
    try:
        before = state(libvirt_host)
        assert asked(libvirt_host, DOMAIN.format("", "")).verdict == "defines"
        assert asked(libvirt_host, DOMAIN.format("", SCSI.format("lsilogic") * 2)).verdict == "refuses"
        assert state(libvirt_host) == before
    finally:
        real.undefine()


def test_firmware_variables_that_a_document_names_are_kept(
    libvirt_host: EmbeddedLibvirt, tmp_path: Path
) -> None:
    loader, variables = tmp_path / "code.fd", tmp_path / "web1_VARS.fd"
    loader.write_bytes(b"code")
    variables.write_bytes(b"variables of a guest")
    firmware = f"<loader readonly='yes' type='pflash'>{loader}</loader><nvram>{variables}</nvram>"
    assert asked(libvirt_host, DOMAIN.format(firmware, "")).verdict in {"defines", "makes no command"}
    assert variables.read_bytes() == b"variables of a guest"


def test_a_driver_without_qemu_is_asked_too() -> None:
    from virtxlate.live.connection import connect  # noqa: PLC0415 - collected without libvirt too

    with connect("test:///default") as host:
        tree = etree.fromstring(DOMAIN.format("", "").replace("type='qemu'", "type='test'"))
        assert ask(tree, host.trials(), str(uuid4())) == Opinion(verdict="defines")
        assert host.find("", "web1") is None
