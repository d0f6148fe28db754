"""What the goldens show: every path that virtxlate writes, and every row of every table, both ways."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
from lxml import etree

import virtxlate.tables
from tests.golden.cases import DOMAIN as DOMAIN_FILES
from tests.golden.cases import Translation, every_translation
from virtxlate import Report, UnsupportedError, to_domain, to_ganeti
from virtxlate.bijection import Bijection
from virtxlate.domain.elements import DOMAIN
from virtxlate.domain.model import DriveAddress, PciAddress, UsbAddress
from virtxlate.domain.settings import QemuOverride
from virtxlate.ganeti import q35 as ganeti_q35
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.params import HVPARAM_NAMES
from virtxlate.ganeti.words import SCSI_DISK_TYPES
from virtxlate.tables import (
    causes,
    controller,
    cpu,
    disk,
    display,
    extra,
    machine,
    nic,
    override,
    params,
    q35,
    removable,
    usb,
)

# Paths

_OF_DRIVE = ("controller", "target", "unit")
_OF_PCI = ("domain", "slot", "function", "multifunction")
_NO_WORD = "Ganeti has no word for it"
UNWRITTEN = {
    "os/boot/@dev": "devices carry their boot order themselves",
    "devices/disk/source/@pool": "a volume is named by its path, not by its pool",
    "devices/disk/source/@volume": "a volume is named by its path, not by its pool",
    "devices/disk/source/host/@transport": "Ganeti knows TCP only, which is the default",
    "devices/disk/source/host/@socket": "Ganeti knows TCP only",
    "devices/disk/source/auth/secret/@usage": "a secret is named by its UUID",
    "devices/disk/@rawio": _NO_WORD,
    "devices/disk/@sgio": _NO_WORD,
    "devices/disk/shareable": _NO_WORD,
    "devices/disk/source/reservations/@managed": _NO_WORD,
    **{f"devices/disk/source/reservations/source/@{name}": _NO_WORD for name in ("type", "path", "mode")},
    "devices/disk/driver/@detect_zeroes": "Ganeti does not look for zeroes",
    "devices/disk/address/@port": "no disk is on USB",
    "devices/disk/address/@multifunction": "each disk has a slot of its own",
    "devices/controller/driver/@queues": _NO_WORD,
    **{f"devices/hostdev/{path}": _NO_WORD for path in ("@rawio", "@sgio", "shareable")},
    "devices/hostdev/@model": "only the other types of host devices have models",
    "devices/hostdev/source/@wwpn": "Ganeti has no vhost-scsi",
    "devices/hostdev/source/host/@transport": "iSCSI goes over TCP",
    "devices/hostdev/source/host/@socket": "iSCSI goes over TCP",
    "devices/hostdev/source/auth/secret/@usage": "a secret is named by its UUID",
    **{
        f"devices/hostdev/address/@{name}": "it is on SCSI, never on PCI or USB"
        for name in ("domain", "slot", "function", "multifunction", "port")
    },
    "devices/controller/alias/@name": "Ganeti gives its controllers no id that libvirt could keep",
    "devices/interface/address/@multifunction": "each NIC has a slot of its own",
    "devices/video/address/@multifunction": "the display has a slot of its own",
    **{
        f"devices/{tag}/address/@{name}": "it is on PCI, in a slot of its own"
        for tag in ("rng", "watchdog")
        for name in (*_OF_DRIVE, "port", "multifunction")
    },
    "devices/sound/address/@multifunction": "a sound card has a slot of its own",
    **{
        f"devices/{tag}/address/@{name}": "it is on PCI, never on a drive bus or USB"
        for tag in ("controller", "interface", "video", "memballoon", "sound")
        for name in (*_OF_DRIVE, "port")
    },
    **{
        f"devices/{tag}/address/@{name}": "it is on USB"
        for tag in ("input", "hub")
        for name in (*_OF_DRIVE, *_OF_PCI)
    },
    **{
        f"devices/channel/address/@{name}": "it is on a virtio-serial bus"
        for name in ("target", "unit", *_OF_PCI)
    },
    "devices/graphics/listen/@network": "Ganeti listens on an address or a socket",
    **{
        f"devices/{tag}/source/@path": "libvirt chooses the pseudo terminal"
        for tag in ("serial", "console", "parallel")
    },
    **{
        f"devices/{tag}/target/model/@name": "only a serial port has a model"
        for tag in ("console", "parallel")
    },
    "devices/parallel/target/@type": "a parallel port is of one type",
}
"""Paths that stand in no golden, with the reason why virtxlate never writes them."""


def paths_in(element: etree._Element, at: str = "") -> Iterator[str]:
    """Name every path of a document as the declarations do."""
    yield from (f"{at}@{name!s}" for name in element.attrib)
    if element.text is not None and element.text.strip():
        yield f"{at}."
    for child in element:
        yield f"{at}{child.tag!s}"
        yield from paths_in(child, f"{at}{child.tag!s}/")


def written() -> set[str]:
    return {path for file in DOMAIN_FILES.glob("*.xml") for path in paths_in(etree.parse(file).getroot())}


def test_every_path_stands_in_a_golden_or_has_a_reason() -> None:
    assert set(DOMAIN.paths()) - written() == set(UNWRITTEN)


def test_every_cause_is_that_of_a_written_path() -> None:
    assert {cause.path for cause in causes.CAUSES} - written() == set()


def test_every_fixed_cause_is_that_of_a_written_device() -> None:
    devices = [each.domain.devices for each in every_translation()]
    kinds = {kind.type for each in devices for kind in each.controllers}
    kinds |= {disk.device for each in devices for disk in each.disks}
    assert set(causes.FIXED_CAUSES) - kinds == set()


# Words: a Bijection remembers nothing, so the look-ups are watched while all goldens go there and back.

Word = tuple[str, str, Any]


@pytest.fixture(scope="module")
def looked_up() -> Counter[Word]:
    """Give every look-up in a Bijection as (table, side, term)."""
    seen: Counter[Word] = Counter()

    def watched(side: str, lookup: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def look(table: Any, term: Any) -> Any:
            seen[table.name, side, term] += 1
            return lookup(table, term)

        return look

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Bijection, "right", watched("left", Bijection.right))
        patch.setattr(Bijection, "left", watched("right", Bijection.left))
        for each in every_translation():
            there = to_domain(each.instance, each.context, Report())
            to_ganeti(msgspec.structs.replace(there, metadata=None), each.context, Report())
    return seen


OF_LIVE_XML = {
    "qemu": "hvinfo/test_hvinfo_rows.py",
    "hotplug": "hotplug/test_hotplug_rows.py",
    "hardware": "translate/test_abi.py",
    "running": "tables/test_running_rows.py",
}
"""Modules of tables that no translation reads, and where in tests/ each of their rows is looked at."""


def modules() -> list[ModuleType]:
    found = [info.name for info in pkgutil.iter_modules(virtxlate.tables.__path__)]
    names = [name for name in found if name not in OF_LIVE_XML]
    return [importlib.import_module(f"virtxlate.tables.{name}") for name in names]


def bijections() -> list[Bijection[Any, Any]]:
    return [value for module in modules() for value in vars(module).values() if isinstance(value, Bijection)]


UNREAD_WORDS: dict[Word, str] = {
    ("cpu mode", "right", "host-model"): "virtxlate never writes it; libvirt users do",
    **{
        ("cpu flag", "right", word): "virtxlate never writes it; libvirt users do"
        for word in ("force", "optional", "forbid")
    },
    ("disk_cache", "right", "default"): "virtxlate never writes it; libvirt users do",
}
"""Words that no golden has, with the reason."""


@pytest.mark.parametrize("table", bijections(), ids=lambda table: table.name)
def test_every_word_is_looked_up(table: Bijection[Any, Any], looked_up: Counter[Word]) -> None:
    words = {(table.name, "left", term) for term in table._right}
    words |= {(table.name, "right", term) for term in table._left}
    unread = {word for word in UNREAD_WORDS if word[0] == table.name}
    assert {word for word in words if word not in looked_up} == unread


# Rows of the other tables


def back(each: Translation) -> Instance:
    bare = msgspec.structs.replace(each.domain, metadata=None)
    return to_ganeti(bare, each.context, Report())


def disk_types(instance: Instance) -> set[str]:
    return {instance.hvparams.disk_type} if instance.disks else set()


def controllers(instance: Instance) -> set[str]:
    return {instance.hvparams.scsi_controller_type} if disk_types(instance) & SCSI_DISK_TYPES else set()


ROWS: list[tuple[str, Callable[[Instance], set[str]], set[str]]] = [
    (
        "DISK_TYPES",
        disk_types,
        {row.ganeti for row in disk.DISK_TYPES} | {word for word, _type in disk.HOSTDEV_DISK_TYPES.rows},
    ),
    ("SCSI_CONTROLLERS", controllers, {row.ganeti for row in controller.SCSI_CONTROLLERS}),
]


@pytest.mark.parametrize(("_name", "words", "rows"), ROWS, ids=[row[0] for row in ROWS])
def test_every_row_goes_there_and_back(
    _name: str, words: Callable[[Instance], set[str]], rows: set[str]
) -> None:
    both = [words(each.instance) & words(back(each)) for each in every_translation()]
    assert set().union(*both) == rows


@pytest.mark.parametrize("alias", disk.DISK_TYPE_ALIASES)
def test_every_alias_comes_back_as_its_row(alias: str) -> None:
    found = [each for each in every_translation() if each.instance.hvparams.disk_type == alias]
    assert found
    assert {back(each).hvparams.disk_type for each in found} == {disk.DISK_TYPE_ALIASES[alias]}


def test_every_ide_target_holds_a_disk() -> None:
    told = {
        (each.target, each.address.bus, each.address.unit)
        for translation in every_translation()
        for each in translation.domain.devices.disks
        if each.bus == "ide" and each.device == "disk" and isinstance(each.address, DriveAddress)
    }
    assert told == {(row.target, row.bus, row.unit) for row in disk.IDE_TARGETS}


def test_the_layout_of_ide_has_a_golden_on_each_side() -> None:
    """IDE_BY_DRIVE_UNTIL, DEFAULT_CDROM_TARGET, ANY_GANETI: the empty CD-ROM stays beside disks up to 3.0."""
    beside = {
        (each.instance.version <= disk.IDE_BY_DRIVE_UNTIL, len(each.instance.disks)): [
            drive.target
            for drive in each.domain.devices.disks
            if drive.device == "cdrom" and drive.source is None
        ]
        for each in every_translation()
        if each.instance.hvparams.disk_type == "ide"
    }
    assert beside == {
        (False, 1): [],
        (False, 2): [],
        (True, 2): [disk.DEFAULT_CDROM_TARGET],
        (True, 4): [],
    }
    assert {row.until for row in disk.IDE_TARGETS} == {disk.IDE_BY_DRIVE_UNTIL, disk.ANY_GANETI}


def test_every_removable_era_has_a_golden_with_a_cdrom_or_two_nics() -> None:
    eras = {
        removable.removable_era(each.instance.version)
        for each in every_translation()
        if each.instance.hvparams.cdrom_image_path or len(each.instance.nics) > 1
    }
    assert eras == set(removable.REMOVABLE_ERAS)


def test_every_url_scheme_has_a_golden() -> None:
    """URL_PORTS, and ANY: what the last era ends with."""
    hvparams = [each.instance.hvparams for each in every_translation()]
    urls = " ".join(f"{each.cdrom_image_path} {each.cdrom2_image_path}" for each in hvparams)
    assert [scheme for scheme in removable.URL_PORTS if f"{scheme}://" not in urls] == []
    assert removable.REMOVABLE_ERAS[-1].until == removable.ANY


def test_every_whole_device_is_explained_by_a_golden() -> None:
    """WHOLE_DEVICES."""
    aliases = {drive.alias for each in every_translation() for drive in each.domain.devices.disks}
    names = {name for name, alias in removable.IMAGE_ALIASES.rows if alias in aliases}
    assert names == set(causes.WHOLE_DEVICES)


def test_every_spice_option_is_written_and_read() -> None:
    """SPICE_OPTIONS, SPICE_VGA: with SPICE and without a vga the display is a QXL."""
    told = [(each, back(each).hvparams) for each in every_translation() if each.instance.hvparams.spice_bind]
    for row in display.SPICE_OPTIONS:
        words = {getattr(each.instance.hvparams, row.ganeti) for each, _hvparams in told}
        assert words == {getattr(hvparams, row.ganeti) for _each, hvparams in told}
        assert len(words) > 1
    bare = [each.domain.devices.videos[0].type for each, _h in told if not each.instance.hvparams.vga]
    assert set(bare) == {display.SPICE_VGA}


def test_every_sound_card_goes_there_and_back() -> None:
    """SOUND_CARDS by SOUND_BY_GANETI and SOUND_BY_LIBVIRT; those on PCI have a slot."""
    told = {
        (back(each).hvparams.soundhw, sound.model, sound.address is not None)
        for each in every_translation()
        for sound in each.domain.devices.sounds
    }
    assert told == {(row.ganeti, row.libvirt, row.pci) for row in display.SOUND_CARDS}
    assert display.SOUND_BY_GANETI.keys() == {row.ganeti for row in display.SOUND_CARDS}
    assert display.SOUND_BY_LIBVIRT.keys() == {row.libvirt for row in display.SOUND_CARDS}


def test_a_port_that_is_no_vnc_display_shows_none() -> None:
    each = next(each for each in every_translation() if each.stem == "vnc-address")
    one = msgspec.structs.replace(each.instance, network_port=display.VNC_BASE_PORT)
    assert to_domain(one, each.context, Report()).devices.graphics == ()


def test_every_display_that_has_a_password_has_a_limit() -> None:
    """PASSWORD_BYTES: see cli/test_display_password.py for each of them."""
    displays = [one for each in every_translation() for one in each.domain.devices.graphics]
    assert {one.type for one in displays if one.password is not None} == set(display.PASSWORD_BYTES)


def test_cpu_models_and_features_are_those_that_are_written() -> None:
    cpus = [each.domain.cpu for each in every_translation() if each.domain.cpu is not None]
    assert {each.model for each in cpus if each.model} <= cpu.CPU_MODELS
    assert {flag.name for each in cpus for flag in each.features} == {"hle", "pcid", "tsc-deadline"}
    assert {"hle", "pcid", "tsc-deadline"} <= cpu.CPU_FEATURES


def test_every_boot_order_has_a_golden() -> None:
    """BOOT_ORDERS."""
    assert {each.instance.hvparams.boot_order for each in every_translation()} == set(machine.BOOT_ORDERS)


def test_every_security_model_has_a_golden() -> None:
    labels = {each.instance.hvparams.security_model: each.domain.seclabels for each in every_translation()}
    assert {model: bool(found) for model, found in labels.items()} == {
        model: model == "user" for model in machine.SECURITY_MODELS
    }


def test_every_system_entry_is_written() -> None:
    """SYSTEM_ENTRIES; SHELL_WORDS_SINCE: free options have a golden on each side of it.

    HOST_DEVICES, MACHINE_OPTIONS, OF_EVERY_PC, PCI_DRIVERS: see translate/test_options.py; for what QEMU
    itself lists live/test_same_hardware.py.
    """
    told = [each for each in every_translation() if each.domain.sysinfo and each.domain.sysinfo.system]
    systems = [each.domain.sysinfo.system for each in told if each.domain.sysinfo is not None]
    names = {entry.name for system in systems if system is not None for entry in system.entries}
    assert names == set(extra.SYSTEM_ENTRIES)
    versions = {each.instance.version for each in every_translation() if each.instance.hvparams.kvm_extra}
    assert {version >= extra.SHELL_WORDS_SINCE for version in versions} == {False, True}


def test_native_io_goes_with_the_caches_that_allow_it() -> None:
    """NATIVE_AIO_CACHES, NATIVE_AIO; NEAREST_CACHES and IO_URING_SINCE: see translate/test_disk_rules.py."""
    disks = [one for each in every_translation() for one in each.domain.devices.disks]
    assert {one.cache for one in disks if one.io == disk.NATIVE_AIO} <= set(disk.NATIVE_AIO_CACHES)
    assert not disk.NEAREST_CACHES.keys() & {left for left, _right in disk.DISK_CACHES.rows}
    assert disk.IO_URING_SINCE > 0


def on_q35() -> list[Translation]:
    """Q35."""
    return [each for each in every_translation() if ganeti_q35.Q35 in each.instance.hvparams.machine_version]


def test_a_q35_has_every_root_port_and_a_function_for_each_fixed_device() -> None:
    """STATIC_FUNCTIONS of STATIC_SLOT, VIDEO_SLOT, FREE_SLOTS; NIC_PORTS, DISK_PORTS, FIRST_PORT_INDEX."""
    functions: set[tuple[int, int]] = set()
    for each in on_q35():
        devices = each.domain.devices
        ports = [one for one in devices.controllers if one.model == "pcie-root-port"]
        told = [(one.index, one.address.slot) for one in ports if isinstance(one.address, PciAddress)]
        assert told == list(enumerate((*ganeti_q35.NIC_PORTS, *ganeti_q35.DISK_PORTS), q35.FIRST_PORT_INDEX))
        others = [one for one in devices.controllers if one not in ports]
        placed = (*others, *devices.sounds, *devices.videos, *devices.rngs, devices.memballoon)
        where = [one.address for one in placed if one is not None]
        functions |= {(one.slot, one.function) for one in where if isinstance(one, PciAddress)}
        own = {one.model for one in others if one.type == "usb" and one.index == 0}
        assert own == {q35.USB_MODEL if devices.inputs else "none"}
        assert {one.ports for one in others if one.model == q35.USB_MODEL} <= {q35.USB_PORTS}
    static = {(ganeti_q35.STATIC_SLOT, number) for number in ganeti_q35.STATIC_FUNCTIONS.values()}
    more = {(usb.Q35_BUS_SLOT, row.function) for row in usb.Q35_BUS_FUNCTIONS}
    assert functions == {*static, *more, (q35.VIDEO_SLOT, 0), (q35.FREE_SLOTS.start, 0)}


def test_usb_devices_fill_both_boards_and_spill_over_to_a_hub() -> None:
    """PC_BUS, Q35_BUS, HUB_PORTS; Q35_BUS_FUNCTIONS of Q35_BUS_SLOT: see above. USB_CHARDEVS."""
    hubs = {one.address for each in every_translation() for one in each.domain.devices.hubs}
    buses = (usb.PC_BUS, usb.Q35_BUS)
    assert hubs == {UsbAddress(bus=bus.index, port=str(bus.ports)) for bus in buses}
    ports = {
        one.address.port
        for each in every_translation()
        for one in each.domain.devices.inputs
        if isinstance(one.address, UsbAddress)
    }
    assert {(port or "").rpartition(".")[2] for port in ports} < set(map(str, range(1, usb.HUB_PORTS)))
    raw = " ".join(
        one.value
        for each in every_translation()
        if each.domain.qemu_command_line is not None
        for one in each.domain.qemu_command_line.arguments
    )
    for driver, kind in usb.USB_CHARDEVS.items():
        assert f'"driver":"{driver}"' in raw
        assert f"-chardev {kind},id={driver}-" in raw


def test_the_devices_of_a_q35_are_behind_root_ports() -> None:
    """ROOT_PORT_PREFIX."""
    for each in on_q35():
        disks = [one.hvinfo.bus for one in each.placed.disks if one.hvinfo is not None]
        nics = [one.hvinfo.bus for one in each.placed.nics if one.hvinfo is not None]
        ports = (f"{ganeti_q35.ROOT_PORT_PREFIX}{number}" for number in ganeti_q35.NIC_PORTS)
        assert nics == [port for port, _nic in zip(ports, nics, strict=False)]
        assert disks in (["scsi.0"], [f"{ganeti_q35.ROOT_PORT_PREFIX}{ganeti_q35.DISK_PORTS.start}"])
        indices = [nic.acpi_index for nic in each.domain.devices.interfaces]
        assert indices == list(range(1, len(nics) + 1))


def test_the_drives_and_sound_cards_of_a_q35() -> None:
    """CDROM_UNITS, DEFAULT_CDROM_UNIT, Q35_CDROM, Q35_SOUND_CARDS."""
    drives = {
        (one.bus, one.device, one.address.unit)
        for each in on_q35()
        for one in each.domain.devices.disks
        if one.device == "cdrom" and isinstance(one.address, DriveAddress)
    }
    units = {*q35.CDROM_UNITS.values(), q35.DEFAULT_CDROM_UNIT}
    assert drives == {(*q35.Q35_CDROM, unit) for unit in units}
    cards = {each.instance.hvparams.soundhw for each in on_q35()} - {""}
    assert cards == q35.Q35_SOUND_CARDS


def test_offloads_are_off_where_the_tap_has_no_header() -> None:
    """OFFLOADS_WITHOUT_HEADER."""
    told = {
        each.instance.hvparams.vnet_hdr: {getattr(one, name) for name in nic.OFFLOADS_WITHOUT_HEADER}
        for each in every_translation()
        for one in each.domain.devices.interfaces
        if one.model == "virtio"
    }
    assert told == {True: {None}, False: {False}}
    assert len(nic.OFFLOADS_WITHOUT_HEADER) == len(set(nic.OFFLOADS_WITHOUT_HEADER))


def test_every_video_memory_is_written() -> None:
    videos = [video for each in every_translation() for video in each.domain.devices.videos]
    assert {video.type: video.vram_kib for video in videos} == display.VRAM_KIB


def test_every_override_is_written() -> None:
    written_ones = {
        (each.name, each.type, each.value is None)
        for translation in every_translation()
        for each in (translation.domain.qemu_override or QemuOverride()).devices
    }
    assert written_ones == {(row.name, row.type, row.value is None) for row in override.OVERRIDES}


def test_every_untranslated_parameter_is_lost_in_some_golden() -> None:
    lost = {loss.path for each in every_translation() for loss in each.losses}
    assert {row.name for row in params.UNTRANSLATED if f"hvparams.{row.name}" not in lost} == set()


def test_every_parameter_is_translated_or_not() -> None:
    assert {row.name for row in params.UNTRANSLATED} | params.TRANSLATED == HVPARAM_NAMES


def test_what_the_host_needs_is_of_carried_parameters() -> None:
    """HOST_NEEDS. MIGRATION_CAPABILITIES, LIVE_MODES: see translate/test_migration.py."""
    assert set(params.HOST_NEEDS) <= params.TRANSLATED


REFUSED = [
    *((f"hvparams.{name}", name, word, reason) for name, table in (
        ("disk_type", disk.UNSUPPORTED_DISK_TYPES), ("nic_type", nic.UNSUPPORTED_NIC_TYPES)
    ) for word, reason in table.items()),
]  # fmt: skip


@pytest.mark.parametrize(("at", "name", "word", "reason"), REFUSED, ids=[row[2] for row in REFUSED])
def test_every_unsupported_word_is_refused_with_its_reason(
    at: str, name: str, word: str, reason: str
) -> None:
    each = every_translation()[0]
    hvparams = msgspec.structs.replace(each.instance.hvparams, **{name: word})
    instance = msgspec.structs.replace(each.instance, hvparams=hvparams)
    with pytest.raises(UnsupportedError) as caught:
        to_domain(instance, each.context, Report())
    assert str(caught.value) == f"{at}: {word!r}: {reason}"


def test_versions_that_decide_have_a_golden_on_each_side() -> None:
    machines = [each.instance.hvparams.machine_version for each in every_translation()]
    major, minor = machine.SMP_PREFERS_CORES_SINCE
    assert {f"pc-i440fx-{major}.{minor}", f"pc-i440fx-{major}.{minor - 1}"} <= set(machines)
    videos = {
        each.instance.hvparams.machine_version: each.domain.devices.videos[0].type
        for each in every_translation()
        if not (each.instance.hvparams.vga or each.instance.hvparams.spice_bind)
    }
    major, minor = display.STD_VGA_SINCE
    assert videos[f"pc-i440fx-{major}.{minor}"] == display.VGAS.right("")
    assert videos[f"pc-i440fx-{major}.{minor - 1}"] == display.VGAS.right(display.OLDER_VGA)
    tagged = [each for each in every_translation() if each.stem == "nic-bridged-vlan"]
    assert [each.context.libvirt_version for each in tagged] == [nic.PLAIN_BRIDGE_VLAN_SINCE]
    older = msgspec.structs.replace(tagged[0].context, libvirt_version=nic.PLAIN_BRIDGE_VLAN_SINCE - 1)
    with pytest.raises(
        UnsupportedError, match=r"^nics\[0\]\.vlan: libvirt tags VLANs on a plain bridge since"
    ):
        to_domain(tagged[0].instance, older, Report())


def test_the_watchdog_of_a_board_is_lost_between_its_versions() -> None:
    """WATCHDOG_SINCE, WATCHDOG_OF_ITSELF_SINCE."""
    one = on_q35()[0]
    major, minor = q35.WATCHDOG_OF_ITSELF_SINCE
    lost = set()
    for libvirt in (q35.WATCHDOG_SINCE - 1, q35.WATCHDOG_SINCE):
        for word in (f"pc-q35-{major - 1}.9", f"pc-q35-{major}.{minor}"):
            hvparams = msgspec.structs.replace(one.instance.hvparams, machine_version=word)
            context, report = msgspec.structs.replace(one.context, libvirt_version=libvirt), Report()
            to_domain(msgspec.structs.replace(one.instance, hvparams=hvparams), context, report)
            lost |= {(libvirt, word) for loss in report.losses if "watchdog on a q35" in loss.reason}
    assert lost == {(q35.WATCHDOG_SINCE, f"pc-q35-{major - 1}.9")}


def test_an_emulator_of_the_host_is_no_kvm_path() -> None:
    paths = {each.instance.hvparams.kvm_path: back(each).hvparams.kvm_path for each in every_translation()}
    assert set(paths) & machine.HOST_EMULATORS == {machine.DEFAULT_EMULATOR, "/usr/bin/qemu-system-x86_64"}
    assert {
        was for was, is_now in paths.items() if is_now == machine.DEFAULT_EMULATOR
    } <= machine.HOST_EMULATORS
    assert {was for was, is_now in paths.items() if was == is_now} - machine.HOST_EMULATORS


CHECKED = {
    "OFFLOADS_WITHOUT_HEADER",
    "CDROM_UNITS",
    "DEFAULT_CDROM_UNIT",
    "FIRST_PORT_INDEX",
    "FREE_SLOTS",
    "Q35_CDROM",
    "Q35_SOUND_CARDS",
    "HUB_PORTS",
    "PC_BUS",
    "Q35_BUS",
    "Q35_BUS_FUNCTIONS",
    "Q35_BUS_SLOT",
    "USB_CHARDEVS",
    "USB_MODEL",
    "USB_PORTS",
    "USB_POINTERS",
    "VIDEO_SLOT",
    "WATCHDOG_OF_ITSELF_SINCE",
    "WATCHDOG_SINCE",
    "IO_URING_SINCE",
    "NATIVE_AIO_CACHES",
    "NEAREST_CACHES",
    "BEPARAM_EFFECTS",
    "HVPARAM_EFFECTS",
    "METADATA_ONLY",
    "NICPARAM_EFFECTS",
    "HOST_DEVICES",
    "MACHINE_OPTIONS",
    "OF_EVERY_PC",
    "PCI_DRIVERS",
    "SHELL_WORDS_SINCE",
    "SYSTEM_ENTRIES",
    "SECURITY_MODELS",
    "BOOT_ORDERS",
    "CPU_FEATURES",
    "CPU_MODELS",
    "SOUND_BY_GANETI",
    "SOUND_BY_LIBVIRT",
    "SOUND_CARDS",
    "SPICE_OPTIONS",
    "SPICE_VGA",
    "VNC_BASE_PORT",
    "PASSWORD_BYTES",
    "ANY",
    "REMOVABLE_ERAS",
    "URL_PORTS",
    "WHOLE_DEVICES",
    "CAUSES",
    "ANY_GANETI",
    "DEFAULT_CDROM_TARGET",
    "DISK_TYPES",
    "DISK_TYPE_ALIASES",
    "FIXED_CAUSES",
    "HOST_EMULATORS",
    "HOST_NEEDS",
    "MAX_IOTHREADS",
    "NO_IOTHREAD_AIOS",
    "LIVE_MODES",
    "MIGRATION_BY_GANETI",
    "MIGRATION_CAPABILITIES",
    "IDE_BY_DRIVE_UNTIL",
    "OVERRIDES",
    "IDE_TARGETS",
    "PLAIN_BRIDGE_VLAN_SINCE",
    "SCSI_CONTROLLERS",
    "SMP_PREFERS_CORES_SINCE",
    "STD_VGA_SINCE",
    "TRANSLATED",
    "UNSUPPORTED_DISK_TYPES",
    "UNSUPPORTED_NIC_TYPES",
    "UNTRANSLATED",
    "VRAM_KIB",
}
"""Tables without a Bijection that a test above looks at."""
SINGLE_WORDS = {
    "OLDER_VGA",
    "DEFAULT_EMULATOR",
    "DEFAULT_CPU",
    "HUGE_PAGES_PATH",
    "RNG_DEVICE",
    "NATIVE_AIO",
    "IO_URING",
    "NIC_WITHOUT_HEADER",
    "IOTHREAD_CONTROLLER",
    "IOTHREAD_DISK_TYPE",
    "POSTCOPY",
    "SPICE_CIPHERS",
}
"""One word each; every golden has the CPU, machine-kvm-path another emulator."""


def test_the_tables_of_live_xml_have_a_test_of_their_own() -> None:
    for name, path in OF_LIVE_XML.items():
        text = (Path(__file__).parents[1] / path).read_text(encoding="utf-8")
        assert f"from virtxlate.tables import {name}" in text
        assert "def test_no_table_is_left_out" in text


def test_no_table_is_left_out() -> None:
    tables = {
        name
        for module in modules()
        for name, value in vars(module).items()
        if name.isupper() and not name.startswith("_") and not isinstance(value, Bijection)
    }
    assert tables - SINGLE_WORDS == CHECKED
