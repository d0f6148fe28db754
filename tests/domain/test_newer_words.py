"""Words that libvirt got after 9.0, and writes into its documents by itself or when asked: they are valid."""

from __future__ import annotations

import pytest
from lxml import etree

from virtxlate.rules import validate
from virtxlate.schema.store import INSTALLED

WINDOWS = "<features><acpi/><hyperv mode='host-model'/></features>"
DEVICES = {
    "the watchdog of every q35, 9.1": "<watchdog model='itco' action='reset'/>",
    "another beside it, 9.1": (
        "<watchdog model='itco' action='pause'/><watchdog model='i6300esb' action='pause'/>"
    ),
    "PipeWire, 9.10": (
        "<audio id='1' type='pipewire' runtimeDir='/run/user/1000'>"
        "<input name='in' streamName='web1' latency='100'/><output name='out'/></audio>"
    ),
    "NVMe, 11.5": (
        "<disk type='file' device='disk'><source file='/a'/><target dev='nvme0n1' bus='nvme'/></disk>"
        "<controller type='nvme' index='0'><serial>web1-0</serial></controller>"
    ),
}


def q35(devices: str, head: str = "") -> str:
    return (
        "<domain type='kvm'><name>web1</name><memory>1048576</memory>"
        f"<os><type machine='pc-q35-8.1'>hvm</type></os>{head}<devices>{devices}</devices></domain>"
    )


@pytest.mark.parametrize("devices", DEVICES.values(), ids=DEVICES)
def test_a_device_that_a_newer_libvirt_writes_is_valid(devices: str) -> None:
    assert validate(q35(devices)) == ()


def test_a_mode_that_a_newer_libvirt_writes_is_valid() -> None:
    assert validate(q35("", WINDOWS)) == ()


@pytest.mark.oracle
@pytest.mark.parametrize("devices", DEVICES.values(), ids=DEVICES)
def test_the_words_are_new_to_libvirt_9_0(devices: str) -> None:
    judge = etree.RelaxNG(etree.parse(INSTALLED / "domain.rng"))
    assert not judge.validate(etree.fromstring(q35(devices)))


@pytest.mark.parametrize(
    ("controller", "told"),
    [
        (
            "<controller type='scsi' model='virtio-scsi'><serial>a</serial></controller>",
            ("controller-options", "serial"),
        ),
        ("<controller type='nvme' model='virtio'/>", ("controller-model", "virtio")),
    ],
)
def test_a_serial_number_is_of_nvme_which_has_no_model(controller: str, told: tuple[str, str]) -> None:
    assert [(each.rule, each.found) for each in validate(q35(controller))] == [told]
