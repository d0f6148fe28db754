"""What is refused, and what is told by QEMU's own options: CPU, pinning, display, users, free options."""

from __future__ import annotations

import shlex
from typing import Any

import msgspec
import pytest

from tests.translate.building import BARE, back, disk, instance, losses_there, refusal, there
from virtxlate import Context, GanetiDataError, PlacementError, Renames, Report, place, to_domain
from virtxlate.domain import model as domain
from virtxlate.domain import settings
from virtxlate.report import Severity
from virtxlate.tables.extra import MACHINE_OPTIONS, PCI_DRIVERS, MachineOption

REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"vnc_bind_address": "::1", "spice_bind": "::1"},
        "spice_bind: VNC and SPICE together: Ganeti refuses that",
    ),
    ({"cpu_mask": "0;1"}, "cpu_mask: expected 'all' or CPUs such as '0-3,5', found '0;1'"),
    ({"cpu_mask": "0:1"}, "cpu_mask: 2 groups for 1 vcpus"),
    ({"cpu_mask": "3-1"}, "cpu_mask: expected 'all' or CPUs such as '0-3,5', found '3-1'"),
    ({"usb_mouse": "keyboard"}, "usb_mouse: expected one of mouse, tablet, found 'keyboard'"),
    (
        {"usb_mouse": "Mouse", "machine_version": "q35"},
        "usb_mouse: expected one of mouse, tablet, found 'Mouse'",
    ),
    ({"security_model": "user"}, "security_domain: security_model user needs one"),
    ({"security_model": "root"}, "security_model: expected one of none, user, pool, found 'root'"),
    (
        {"kvm_extra": "-object secret,id=s,data=hunter2"},
        "kvm_extra: an option holds a secret: libvirt XML holds none",
    ),
    (
        {"kvm_extra": "-spice password=hunter2"},
        "kvm_extra: an option holds a secret: libvirt XML holds none",
    ),
    (
        {"kvm_extra": """-object '{"qom-type":"secret","id":"s","data":"hunter2"}'"""},
        "kvm_extra: an option holds a secret: libvirt XML holds none",
    ),
    (
        {"kvm_extra": "-drive file=http://u:hunter2@h/x.iso"},
        "kvm_extra: an option holds a secret: libvirt XML holds none",
    ),
]


@pytest.mark.parametrize(("params", "message"), REFUSED)
def test_what_ganeti_refuses_or_xml_must_not_hold_is_refused(params: dict[str, Any], message: str) -> None:
    assert refusal(instance(**params)) == f"hvparams.{message}"


def test_free_options_must_be_shell_words() -> None:
    with pytest.raises(GanetiDataError, match=r"^hvparams.kvm_extra: not shell words: No closing quotation"):
        to_domain(instance(kvm_extra="-name 'x"), BARE, Report())


CPUS: list[tuple[str, tuple[str | None, str | None], list[str], list[str]]] = [
    ("", ("custom", "qemu64"), [], []),
    ("host", ("host-passthrough", None), [], []),
    ("host,-svm", ("host-passthrough", None), ["-svm"], []),
    ("max", ("maximum", None), [], []),
    ("Haswell,-hle,+pcid", ("custom", "Haswell"), ["-hle", "+pcid"], []),
    ("kvm64,sse4.1=on,tsc_deadline=off", ("custom", "kvm64"), ["+sse4.1", "-tsc-deadline"], []),
    ("EPYC-v4", ("custom", "qemu64"), [], ["-cpu", "EPYC-v4"]),
    ("host,kvm=off", ("custom", "qemu64"), [], ["-cpu", "host,kvm=off"]),
    ("Haswell,+aes,-aes", ("custom", "qemu64"), [], ["-cpu", "Haswell,+aes,-aes"]),
]


@pytest.mark.parametrize(("word", "model", "flags", "words"), CPUS)
def test_a_cpu_is_a_model_with_features_or_a_word_for_qemu(
    word: str, model: tuple[str | None, str | None], flags: list[str], words: list[str]
) -> None:
    found = there(instance(cpu_type=word))
    assert found.cpu is not None
    assert (found.cpu.mode, found.cpu.model) == model
    signs = {"require": "+", "disable": "-"}
    assert [signs[each.policy or ""] + each.name for each in found.cpu.features] == flags
    assert told(found) == words
    assert ("hvparams.cpu_type" in {loss.path for loss in losses_there(instance(cpu_type=word))}) == bool(
        words
    )


def told(found: domain.Domain) -> list[str]:
    return [each.value for each in found.qemu_command_line.arguments] if found.qemu_command_line else []


def test_the_hosts_cpu_without_kvm_is_all_that_the_emulator_can() -> None:
    report = Report()
    emulated = there(instance(cpu_type="host"), Context(domain_type="qemu", metadata=False), report)
    assert emulated.cpu is not None
    assert emulated.cpu.mode == "maximum"
    assert [loss.path for loss in report.losses] == ["hvparams.cpu_type"]


def test_each_vcpu_has_a_pin_or_none() -> None:
    found = there(instance(cpu_mask="1:all:2-3", be={"vcpus": 3}))
    assert found.cputune is not None
    assert [(pin.vcpu, pin.cpuset) for pin in found.cputune.pins] == [(0, "1"), (2, "2-3")]
    assert back(found).hvparams.cpu_mask == "1:all:2-3"


def test_no_cpu_mask_is_all_of_the_hosts_cpus() -> None:
    found = there(instance(cpu_mask=""))
    assert (found.vcpu_cpuset, found.cputune) == (None, None)


def test_a_password_file_closes_the_display_and_is_named_nowhere() -> None:
    found = there(instance(vnc_bind_address="0.0.0.0", vnc_password_file="/etc/secret"))
    assert [each.password for each in found.devices.graphics] == [""]


def test_an_interface_of_the_map_is_its_address_and_comes_back() -> None:
    context = Context(metadata=False, renames=Renames({"addresses": {"eth0": "192.0.2.9"}}))
    found = there(instance(spice_bind="eth0"), context)
    assert [each.address for each in found.devices.graphics[0].listens] == ["192.0.2.9"]
    assert back(found, context).hvparams.spice_bind == "eth0"


def test_a_usb_device_that_libvirt_has_not_stands_at_its_port() -> None:
    one = instance(usb_devices="wacom-tablet,keyboard,braille,floppy")
    found = there(one)
    assert told(found) == [
        "-device",
        '{"driver":"usb-wacom-tablet","bus":"usb.0","port":"1"}',
        "-chardev",
        "braille,id=usb-braille-2.2",
        "-device",
        '{"driver":"usb-braille","bus":"usb.0","port":"2.2","chardev":"usb-braille-2.2"}',
    ]
    assert [each.address for each in found.devices.inputs] == [domain.UsbAddress(port="2.1")]
    lost = {loss.value for loss in losses_there(one) if loss.severity == Severity.GUEST_VISIBLE}
    assert lost == {"floppy"}
    came_back = back(found).hvparams
    assert (came_back.usb_devices, came_back.kvm_extra) == ("wacom-tablet,keyboard,braille", "")


@pytest.mark.parametrize(
    "value", ["usb-kbd", '{"driver":"usb-kbd","bus":"usb.0","port":"1"}', '{"driver":"edu","x":1}', "{"]
)
def test_a_usb_device_of_somebody_else_is_a_free_option(value: str) -> None:
    words = settings.QemuCommandLine(
        arguments=tuple(settings.QemuArgument(value=word) for word in ("-device", value))
    )
    found = msgspec.structs.replace(there(instance()), qemu_command_line=words)
    told_back = back(found).hvparams
    assert (told_back.usb_devices, shlex.split(told_back.kvm_extra)) == ("", ["-device", value])


def test_a_secret_in_the_words_for_qemu_of_a_domain_stays_there() -> None:
    values = ("-object", "secret,id=s,data=hunter2", "-device", "edu")
    words = settings.QemuCommandLine(arguments=tuple(settings.QemuArgument(value=word) for word in values))
    report = Report()
    told_back = back(msgspec.structs.replace(there(instance()), qemu_command_line=words), report=report)
    assert told_back.hvparams.kvm_extra == "-device edu"
    reason = "an option for QEMU holds a secret: Ganeti's data hold none"
    assert [loss.reason for loss in report.losses if loss.value == "-object"] == [reason]


def test_untainted_says_nothing_past_libvirt_and_reports_it() -> None:
    one = instance(
        cpu_type="Haswell,-later,+pcid,pcid=off",
        usb_devices="ccid,mouse",
        kvm_extra="-device edu -smbios type=2",
    )
    report = Report()
    found = there(one, Context(metadata=False, untainted=True), report)
    assert (told(found), found.qemu_override) == ([], None)
    assert found.cpu is not None
    assert (found.cpu.model, [(each.policy, each.name) for each in found.cpu.features]) == (
        "Haswell",
        [("disable", "pcid")],
    )
    assert [(loss.path, loss.value, loss.severity.value) for loss in report.losses] == [
        ("hvparams.cpu_type", "Haswell,-later,+pcid,pcid=off", "guest-visible"),
        ("hvparams.usb_devices", "ccid", "guest-visible"),
        ("hvparams.kvm_extra", "-device edu", "guest-visible"),
        ("hvparams.kvm_extra", "-smbios type=2", "guest-visible"),
    ]
    model = there(instance(cpu_type="later,+pcid"), Context(metadata=False, untainted=True)).cpu
    assert model is not None
    assert (model.model, len(model.features)) == ("qemu64", 1)
    mode = there(instance(cpu_type="max,later"), Context(metadata=False, untainted=True)).cpu
    assert mode is not None
    assert (mode.mode, mode.features) == ("maximum", ())


def test_what_untainted_left_out_comes_back_by_the_metadata() -> None:
    one = place(instance(kvm_extra="-device edu", usb_devices="ccid", cpu_type="qemu64,later"))
    found = there(one, Context(untainted=True))
    assert back(found, Context()) == one


def test_many_usb_devices_hang_on_a_hub() -> None:
    found = there(instance(usb_mouse="tablet", usb_devices="mouse,keyboard")).devices
    ports = [each.address.port for each in found.inputs if isinstance(each.address, domain.UsbAddress)]
    assert ports == ["1", "2.1", "2.2"]
    assert len(found.hubs) == 1
    with pytest.raises(PlacementError, match=r"^hvparams.usb_devices: room for 8 devices"):
        there(instance(usb_devices=",".join(["mouse"] * 9)))


EXTRAS: list[tuple[str, int, list[str]]] = [
    ("-device virtio-rng-pci", 3_010_000, []),
    ("-device virtio-rng-pci,rng=gone", 3_010_000, ["-device", "virtio-rng-pci,rng=gone,addr=0x4"]),
    ("-object rng-egd,id=a -device virtio-rng-pci,rng=a", 3_010_000,
     ["-object", "rng-egd,id=a", "-device", "virtio-rng-pci,rng=a,addr=0x4"]),
    ("-smbios type=1,uuid=1", 3_010_000, ["-smbios", "type=1,uuid=1"]),
    ("-device ib700 -watchdog-action debug", 3_010_000, ["-device", "ib700", "-watchdog-action", "debug"]),
    ("-device virtio-rng-pci,max-bytes=1k", 3_010_000, ["-device", "virtio-rng-pci,max-bytes=1k,addr=0x4"]),
    ("-device virtio-rng-pci,max-bytes=1,period=", 3_010_000,
     ["-device", "virtio-rng-pci,max-bytes=1,period=,addr=0x4"]),
    ("-device virtio-rng-pci,max-bytes=0x100000000", 3_010_000,
     ["-device", "virtio-rng-pci,max-bytes=0x100000000,addr=0x4"]),
    ("-device virtio-rng-pci,addr=5.1", 3_010_000, ["-device", "virtio-rng-pci,addr=5.1"]),
    ("-device i6300esb,addr=5.1", 3_010_000, ["-device", "i6300esb,addr=5.1"]),
    ("--device edu", 3_010_000, ["--device", "edu,addr=0x4"]),
    ("-name 'a b'", 3_010_000, ["-name", "a b"]),
    ("-name 'a b'", 3_000_000, ["-name", "'a", "b'"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "version", "words"), EXTRAS)
def test_what_libvirt_cannot_say_stays_a_word_for_qemu(text: str, version: int, words: list[str]) -> None:
    one = msgspec.structs.replace(instance(kvm_extra=text), version=version)
    assert told(there(one)) == words
    lost = [loss.value for loss in losses_there(one) if loss.path == "hvparams.kvm_extra"]
    assert " ".join(str(value) for value in lost) == " ".join(words).replace(",addr=0x4", "")


@pytest.mark.parametrize("pattern", PCI_DRIVERS)
def test_a_free_pci_card_gets_the_slot_that_it_has_under_ganeti(pattern: str) -> None:
    driver = pattern.replace("[58]", "5").replace("[34]", "3").replace("*", "x")
    assert told(there(instance(kvm_extra=f"-device {driver}"))) in ([], ["-device", f"{driver},addr=0x4"])
    on_the_root = f"{driver},bus=pci.0"
    assert told(there(instance(kvm_extra=f"-device {on_the_root}"))) in (
        [],
        ["-device", f"{on_the_root},addr=0x4"],
    )
    elsewhere = f"{driver},bus=x"
    assert told(there(instance(kvm_extra=f"-device {elsewhere}"))) in ([], ["-device", elsewhere])


OF_THE_MACHINE = {
    "-M": ("q35", "pc,usb=on", "type=pc"),
    "-boot": ("n", "order=cd", "menu=on,once=d", "cd"),
    "-cdrom": ("/x.iso",),
    "-fda": ("/x.img",),
    "-hdc": ("/x.img",),
    "-m": ("512", "size=512,slots=4,maxmem=1G"),
    "-machine": ("q35", "pc,accel=kvm"),
    "-nodefaults": ("",),
    "-parallel": ("none",),
    "-serial": ("none",),
    "-smp": ("4", "cpus=4"),
    "-usb": ("",),
    "-usbdevice": ("tablet",),
    "-vga": ("std",),
}


@pytest.mark.parametrize("row", MACHINE_OPTIONS, ids=lambda row: row.name)
def test_a_free_option_about_the_machine_itself_is_guest_visible(row: MachineOption) -> None:
    for value in OF_THE_MACHINE[row.name]:
        text = f"{row.name} {value}".strip()
        one = instance(kvm_extra=text, machine_version="q35")
        (lost,) = [loss for loss in losses_there(one) if loss.path == "hvparams.kvm_extra"]
        assert (lost.value, lost.severity) == (text, Severity.GUEST_VISIBLE)
        assert lost.remedy == (row.instead and f"say it by {row.instead} instead")


@pytest.mark.parametrize(
    "text", ["-boot splash=/x", "-boot strict=on", "-machine smm=off", "-M usb=on,smm=off", "-mem-prealloc"]
)
def test_a_free_option_that_says_one_thing_more_is_not(text: str) -> None:
    (lost,) = [loss for loss in losses_there(instance(kvm_extra=text)) if loss.path == "hvparams.kvm_extra"]
    assert (lost.value, lost.severity, lost.remedy) == (text, Severity.HOST_ONLY, "")


def test_a_device_of_the_host_is_reported_with_what_libvirt_has_for_it() -> None:
    text = "-device vfio-pci,host=01:00.0,addr=0x6"
    (lost,) = losses_there(instance(kvm_extra=text))
    assert (lost.value, lost.severity) == (text, Severity.GUEST_VISIBLE)
    assert lost.remedy == "in the domain: <hostdev mode='subsystem' type='pci'>"


def test_the_usb_controller_that_every_pc_has_is_not_asked_for_twice() -> None:
    one = instance(kvm_extra="-usb")
    assert (told(there(one)), losses_there(one)) == ([], ())


def test_two_free_cards_of_a_kind_have_a_slot_each() -> None:
    found = told(there(instance(kvm_extra="-device edu -device edu")))
    assert found == ["-device", "edu,addr=0x4", "-device", "edu,addr=0x5"]


def test_a_slot_of_which_a_free_card_asks_for_one_function_is_nobody_elses() -> None:
    found = there(instance((disk(),), kvm_extra="-device edu,addr=0xc.1"))
    assert found.devices.disks[0].address == domain.PciAddress(slot=0xD)


@pytest.mark.parametrize(
    "text",
    [
        "-smbios 'type=1,manufacturer=Acme,, Inc.,serial=7'",
        "-object rng-random,id=rng0,filename=/dev/a,,b -device virtio-rng-pci,rng=rng0,bus=pci.0,addr=0x4",
        "-device i6300esb,bus=pci.0,addr=0x4 -watchdog-action reset",
    ],
)
def test_what_libvirt_can_say_comes_back_as_it_was(text: str) -> None:
    found = there(instance(kvm_extra=text))
    assert (told(found), back(found).hvparams.kvm_extra) == ([], text)


UNTOLD: list[tuple[dict[str, Any], str, list[tuple[str, str]]]] = [
    ({"rngs": (domain.Rng(model="virtio", backend="egd"),)}, "", [("rngs[0].backend", "egd")]),
    (
        {"rngs": (domain.Rng(model="virtio-non-transitional", backend="builtin"),)},
        "",
        [("rngs[0].model", "virtio-non-transitional")],
    ),
    (
        {"rngs": (domain.Rng(model="virtio", backend="builtin", rate_bytes=9),)},
        "-object rng-builtin,id=rng0 -device virtio-rng-pci,rng=rng0,max-bytes=9,period=1000",
        [],
    ),
    ({"watchdogs": (domain.Watchdog(model="diag288"),)}, "", [("watchdogs[0].model", "diag288")]),
    ({"watchdogs": (domain.Watchdog(model="itco", action="reset"),)}, "", [("watchdogs[0].model", "itco")]),
    (
        {"watchdogs": (domain.Watchdog(model="ib700", action="dump"),)},
        "-device ib700",
        [("watchdogs[0].action", "dump")],
    ),
]


@pytest.mark.parametrize(("devices", "text", "lost"), UNTOLD)
def test_a_device_that_no_free_option_makes_is_reported_on_the_way_back(
    devices: dict[str, Any], text: str, lost: list[tuple[str, str]]
) -> None:
    one, report = there(instance()), Report()
    found = msgspec.structs.replace(one, devices=msgspec.structs.replace(one.devices, **devices))
    assert back(found, report=report).hvparams.kvm_extra == text
    paths = ("rngs", "watchdogs")
    assert [(loss.path, loss.value) for loss in report.losses if loss.path.startswith(paths)] == lost


def test_the_rate_of_a_generator_may_be_hexadecimal() -> None:
    found = there(instance(kvm_extra="-device virtio-rng-pci,max-bytes=0x400"))
    assert [(each.rate_bytes, each.rate_period) for each in found.devices.rngs] == [(1024, 65536)]


def test_a_free_device_that_is_no_pci_card_gets_no_slot() -> None:
    words = ["-device", "isa-debug-exit"]
    assert told(there(instance(kvm_extra=" ".join(words)))) == words


def test_a_slot_that_a_free_option_asks_for_is_nobody_elses() -> None:
    one = instance((disk(),), kvm_extra="-device pci-testdev,addr=0xc -device virtio-rng-pci,addr=3")
    found = there(one).devices
    addresses = [found.disks[0].address, found.rngs[0].address, found.memballoon and found.memballoon.address]
    assert addresses == [domain.PciAddress(slot=slot) for slot in (0xD, 3, 4)]
