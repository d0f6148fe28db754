"""The XML of domains that run: our own XSD by two engines, the rules, the built schema and libvirt's grammar.

No guest is needed: each domain starts stopped, and what libvirt filled in is judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree

from virtxlate.domain import schema
from virtxlate.domain.second_opinion import explain
from virtxlate.rules import validate
from virtxlate.schema.host import HostSchema
from virtxlate.schema.store import INSTALLED, build_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.embedded import EmbeddedLibvirt

pytestmark = pytest.mark.live

SCSI = {
    model: f"<controller type='scsi' index='0' model='{model}'/>"
    f"<disk type='file' device='{device}'><driver name='qemu' type='raw'/><source file='IMAGE'/>"
    f"<target dev='sda' bus='scsi'/><boot order='1'/></disk>"
    for model, device in (("virtio-scsi", "disk"), ("lsilogic", "cdrom"), ("lsisas1078", "disk"))
}
DEVICES = {
    **SCSI,
    "bare": "",
    "virtio disk": "<disk type='file'><driver name='qemu' type='raw' io='threads' discard='unmap'/>"
    "<source file='IMAGE'/><target dev='vda' bus='virtio'/><serial>a1</serial><iotune>"
    "<total_bytes_sec>1000</total_bytes_sec></iotune></disk>",
    "ide and floppy": "<disk device='cdrom'><target dev='hda' bus='ide'/><readonly/></disk>"
    "<disk device='floppy'><source file='IMAGE'/><target dev='fda' bus='fdc'/></disk>",
    "chain": "<disk type='file'><driver name='qemu' type='qcow2'/><source file='OVERLAY'/>"
    "<target dev='vda' bus='virtio'/></disk>",
    "interfaces": "<interface type='user'><model type='virtio'/><link state='down'/></interface>"
    "<interface type='user'><mac address='52:54:00:00:00:02'/><model type='e1000'/><alias name='ua-net'/>"
    "<rom enabled='no'/></interface>",
    "ports": "<serial type='pty'/><parallel type='pty'/><channel type='unix'><target type='virtio' "
    "name='org.qemu.guest_agent.0'/></channel><console type='pty'><target type='virtio'/></console>",
    "display": "<graphics type='vnc' autoport='yes' listen='127.0.0.1'/>"
    "<video><model type='virtio' heads='1'/></video><sound model='ich6'/>"
    "<input type='tablet' bus='usb'/><hub type='usb'/>",
    "small things": "<rng model='virtio'><backend model='random'>/dev/urandom</backend>"
    "<rate bytes='1' period='9'/></rng><watchdog model='i6300esb' action='pause'/><panic model='isa'/>"
    "<memballoon model='virtio'><stats period='5'/></memballoon>",
    "usb": "<controller type='usb' model='qemu-xhci' ports='8'/><disk type='file'><source file='IMAGE'/>"
    "<target dev='sda' bus='usb' removable='on'/></disk><input type='keyboard' bus='usb'/>",
}
"""Devices of each domain; IMAGE and OVERLAY are files."""


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    from lab.commands import run  # noqa: PLC0415 - the lab is there for live tests only

    folder = tmp_path_factory.mktemp("images")
    names = {"IMAGE": str(folder / "a.raw"), "OVERLAY": str(folder / "b.qcow2")}
    run("qemu-img", "create", "-q", "-f", "raw", names["IMAGE"], "1M")
    run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", names["IMAGE"], names["OVERLAY"])
    return names


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> HostSchema:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        return HostSchema(build_schema(INSTALLED))


@pytest.fixture(scope="module")
def relax_ng() -> etree.RelaxNG:
    return etree.RelaxNG(etree.parse(INSTALLED / "domain.rng"))


def running(host: EmbeddedLibvirt, machine: str, devices: str) -> Iterator[Any]:
    """Give the XML of a domain that runs, and of what it would be the next time."""
    import libvirt  # noqa: PLC0415 - absent where no live test runs

    xml = f"""<domain type='qemu'>
      <name>documents</name><memory unit='MiB'>32</memory><vcpu>2</vcpu>
      <os><type arch='x86_64' machine='{machine}'>hvm</type></os><features><acpi/><apic/></features>
      <cpu mode='custom'><model>qemu64</model></cpu>
      <devices>{devices}</devices>
      <seclabel type='none'/>
    </domain>"""
    domain = host.connection.createXML(xml, libvirt.VIR_DOMAIN_START_PAUSED)
    try:
        yield domain.XMLDesc(0)
        yield domain.XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE | libvirt.VIR_DOMAIN_XML_MIGRATABLE)
    finally:
        domain.destroy()


ON_BOTH = ("bare", "virtio disk", "small things", "usb")
CASES = [*(("pc", name) for name in DEVICES), *(("q35", name) for name in ON_BOTH)]


@pytest.mark.parametrize(("machine", "name"), CASES, ids=[f"{name} on {machine}" for machine, name in CASES])
def test_what_libvirt_tells_of_a_running_domain_is_valid_for_every_schema(
    machine: str,
    name: str,
    libvirt_host: EmbeddedLibvirt,
    images: dict[str, str],
    built: HostSchema,
    relax_ng: etree.RelaxNG,
) -> None:
    devices = DEVICES[name]
    for word, path in images.items():
        devices = devices.replace(word, path)
    for text in running(libvirt_host, machine, devices):
        root = etree.fromstring(text)
        assert relax_ng.validate(root), relax_ng.error_log
        assert schema.validate(text) == ()
        assert explain(text) == ()
        assert [str(each) for each in validate(root) if each.severity == "error"] == []
        assert built.validate(text) == ()
