"""Displays, sound and the other devices of a machine: what goes together."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from virtxlate.rules.identity import twins
from virtxlate.rules.rule import Document, Fault, Rule, child, number

Element = etree._Element
_SECONDARY = ("qxl", "virtio")
_ONE_HEAD = ("vga", "cirrus", "vmvga", "bochs", "ramfb")
_NOT_OF_QEMU = ("xen", "vbox", "gop", "parallels")
_SMALLEST = 1024
_LONGEST_PASSWORD = 8
_LOWEST_VNC_PORT = 5900
_OF_QEMU = ("vnc", "spice", "sdl", "egl-headless", "dbus")
_PORTS = ("port", "tlsPort", "websocket")
_SPICE_CHANNELS = ("spicevmc", "spiceport")


def _models(document: Document) -> Iterator[tuple[Element, Element, str]]:
    for video in document.of("video"):
        model = child(video, "model")
        if model is not None:
            yield video, model, model.get("type", "")


def _video_model(document: Document) -> Iterator[Fault]:
    for _video, model, kind in _models(document):
        if kind in _NOT_OF_QEMU:
            yield Fault(model, "/@type", kind, ("vga", "virtio", "qxl", "cirrus", "vmvga", "bochs", "none"))


def _second_video(document: Document) -> Iterator[Fault]:
    models = list(_models(document))
    primary = [each for each in models if each[1].get("primary") == "yes"]
    first = (primary or models)[:1]
    has_none = any(kind == "none" for _video, _model, kind in models)
    for _video, model, kind in primary[1:]:
        yield Fault(model, "/@primary", "yes", (), f"{kind} is a second primary video device")
    for each in models:
        kind = each[2]
        if kind == "none" and len(models) > 1:
            yield Fault(each[1], "/@type", kind, (), "there is a video device beside none")
        elif each not in first and kind in _ONE_HEAD and not has_none:
            yield Fault(each[1], "/@type", kind, _SECONDARY)


def _video_size(document: Document) -> Iterator[Fault]:
    for _video, model, kind in _models(document):
        heads, vram, vgamem = (number(model.get(name)) for name in ("heads", "vram", "vgamem"))
        if heads is not None and heads > 1 and kind in _ONE_HEAD:
            yield Fault(model, "/@heads", str(heads), ("1",), f"{kind} has one head; found {heads}")
        if vram is not None and vram < _SMALLEST and kind in {"vga", "vmvga"}:
            yield Fault(model, "/@vram", str(vram), (), f"{kind} has {_SMALLEST} KiB at least; found {vram}")
        if kind == "qxl" and vgamem and (vgamem < _SMALLEST or vgamem & (vgamem - 1)):
            says = f"vgamem is a power of two from {_SMALLEST} KiB; found {vgamem}"
            yield Fault(model, "/@vgamem", str(vgamem), (), says)
        if kind not in {"virtio", ""} and model.find("acceleration[@accel3d='yes']") is not None:
            yield Fault(model, "/acceleration/@accel3d", "yes", (), f"{kind} has no 3D acceleration")


def _graphics_type(document: Document) -> Iterator[Fault]:
    for graphics in document.of("graphics"):
        if graphics.get("type") in {"rdp", "desktop"}:
            yield Fault(graphics, "/@type", graphics.get("type"), _OF_QEMU)


def _graphics_twice(document: Document) -> Iterator[Fault]:
    for graphics, first in twins((each.get("type"), each) for each in document.of("graphics")):
        says = f"{document.path(first)} is of type {graphics.get('type')} too"
        yield Fault(graphics, "/@type", graphics.get("type"), (), says)


def _graphics_ports(document: Document) -> Iterator[tuple[int, str, Element]]:
    for graphics in document.of("graphics"):
        for name in _PORTS:
            port = number(graphics.get(name))
            if port is not None and port > 0:
                yield port, name, graphics


def _graphics_port(document: Document) -> Iterator[Fault]:
    seen: dict[int, tuple[Element, str]] = {}
    for port, name, graphics in _graphics_ports(document):
        first, its = seen.setdefault(port, (graphics, name))
        if (first, its) != (graphics, name):
            says = f"port {port} is that of {document.path(first)}/@{its} too"
            yield Fault(graphics, f"/@{name}", str(port), (), says)
        elif name == "port" and port < _LOWEST_VNC_PORT and _is_fixed_vnc(graphics):
            says = f"VNC counts displays from port {_LOWEST_VNC_PORT}; found {port}"
            yield Fault(graphics, "/@port", str(port), (), says)


def _is_fixed_vnc(graphics: Element) -> bool:
    return graphics.get("type") == "vnc" and graphics.get("autoport") != "yes"


def _listens(document: Document) -> Iterator[Fault]:
    for graphics in document.of("graphics"):
        first, told = child(graphics, "listen"), graphics.get("listen")
        address = None if first is None or first.get("type") != "address" else first.get("address")
        if first is not None and None not in {told, address} and told != address:
            says = f"<graphics> listens at {told}, and the first <listen> in it at {address}"
            yield Fault(first, "/@address", address, (), says)


def _password(document: Document) -> Iterator[Fault]:
    for graphics in document.of("graphics"):
        if graphics.get("type") == "vnc" and len(graphics.get("passwd", "").encode()) > _LONGEST_PASSWORD:
            yield Fault(graphics, "/@passwd")


def _spice(document: Document) -> Iterator[Fault]:
    if any(each.get("type") == "spice" for each in document.of("graphics")):
        return
    for tag in ("channel", "redirdev", "smartcard", "serial", "parallel", "console"):
        for device in document.of(tag):
            if device.get("type") in _SPICE_CHANNELS:
                yield Fault(device, "/@type", device.get("type"))
    for audio in document.of("audio"):
        if audio.get("type") == "spice":
            yield Fault(audio, "/@type", "spice")


def _audio(document: Document) -> Iterator[Fault]:
    backends = [(number(each.get("id")), each) for each in document.of("audio")]
    for audio, first in twins(backends):
        says = f"audio {audio.get('id')} is {document.path(first)} too"
        yield Fault(audio, "/@id", audio.get("id"), (), says)
    known = {index for index, _each in backends}
    for device in (*document.of("sound"), *document.of("graphics")):
        wanted = child(device, "audio")
        index = None if wanted is None else number(wanted.get("id"))
        if wanted is not None and index and index not in known:
            yield Fault(wanted, "/@id", str(index), (), f"there is no <audio id='{index}'/>")


def _sound(document: Document) -> Iterator[Fault]:
    for sound in document.of("sound"):
        if sound.get("model") == "ich7":
            yield Fault(sound, "/@model", "ich7", ("ich6", "ich9", "ac97", "es1370", "sb16", "usb"))


def _panic(document: Document) -> Iterator[Fault]:
    for panic, first in twins((each.get("model", "isa"), each) for each in document.of("panic")):
        says = f"{document.path(first)} is of model {panic.get('model', 'isa')} too"
        yield Fault(panic, "/@model", panic.get("model"), (), says)


_WITHOUT_ADDRESS = {"ib700": "on ISA", "itco": "on the board"}


def _watchdog(document: Document) -> Iterator[Fault]:
    for watchdog in document.of("watchdog"):
        model, address = watchdog.get("model"), child(watchdog, "address")
        if model == "diag288" and document.is_pc:
            yield Fault(watchdog, "/@model", model, ("i6300esb", "ib700"))
        elif model == "itco" and document.board == "i440fx":
            yield Fault(watchdog, "/@model", model, ("i6300esb", "ib700"), "itco is a part of q35's board")
        elif address is not None and model in _WITHOUT_ADDRESS:
            says = f"{model} is {_WITHOUT_ADDRESS[model]}, and has no address"
            yield Fault(address, "/@type", address.get("type"), (), says)
        elif address is not None and model == "i6300esb" and address.get("type") != "pci":
            yield Fault(address, "/@type", address.get("type"), ("pci",), "i6300esb is on PCI")


def _iommu(document: Document) -> Iterator[Fault]:
    for iommu in document.of("iommu"):
        model, driver = iommu.get("model"), child(iommu, "driver")
        if document.board == "i440fx" or (document.is_pc and model == "smmuv3"):
            yield Fault(iommu, "/@model", model, ("intel",), f"{model} is not for this board")
        if driver is None:
            continue
        split = document.root.find("features/ioapic[@driver='qemu']") is not None
        if driver.get("intremap") == "on" and not split and document.is_domain:
            says = "interrupt remapping needs <ioapic driver='qemu'/> in <features>"
            yield Fault(driver, "/@intremap", "on", (), says)
        if driver.get("eim") == "on" and driver.get("intremap") != "on":
            yield Fault(driver, "/@eim", "on", (), "extended interrupts need intremap='on'")


def _input(document: Document) -> Iterator[Fault]:
    for each in document.of("input"):
        kind, bus = each.get("type"), each.get("bus")
        if bus == "ps2" and kind not in {"mouse", "keyboard"}:
            yield Fault(each, "/@bus", bus, ("usb", "virtio"), f"a {kind} is not on PS/2")
        elif bus == "xen":
            yield Fault(each, "/@bus", bus, ("ps2", "usb", "virtio"), "QEMU has no input of Xen's")


RULES: tuple[Rule, ...] = (
    Rule(
        id="video-model",
        says="the video device is one that QEMU has",
        why="xen, vbox, gop and parallels are those of other hypervisors.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefVideo",
        hint="use one of the models that are allowed",
        libvirt="refused",
        check=_video_model,
        about=("video",),
    ),
    Rule(
        id="video-primary",
        says="one video device is primary, and any other is qxl or virtio",
        why="Only those two have a form without VGA; none stands alone.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefVideo; "
        "src/conf/domain_validate.c, virDomainDefVideoValidate",
        hint="use qxl or virtio for the others, or leave them out",
        libvirt="refused",
        check=_second_video,
        about=("video",),
    ),
    Rule(
        id="video-options",
        says="the memory and heads of a video device are some that its model can have",
        why="libvirt knows the limits of each model.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefVideo; "
        "src/conf/domain_validate.c, virDomainVideoDefValidate",
        hint="leave the option out",
        libvirt="refused",
        check=_video_size,
        about=("video",),
    ),
    Rule(
        id="graphics-type",
        says="the graphics are of a type that QEMU serves",
        why="rdp and desktop are VirtualBox's.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefGraphics",
        hint="use vnc or spice",
        libvirt="refused",
        check=_graphics_type,
        about=("graphics",),
    ),
    Rule(
        id="graphics-once",
        says="there is one display of each type",
        why="QEMU serves each once; libvirt looks when the domain starts.",
        source="libvirt 9.0.0, src/qemu/qemu_command.c, qemuBuildCommandLineValidate",
        hint="leave the second one out",
        libvirt="not started",
        check=_graphics_twice,
        about=("graphics",),
    ),
    Rule(
        id="graphics-port",
        says="every port of the graphics is another, and VNC's are 5900 and above",
        why="libvirt reserves them when the domain starts.",
        source="libvirt 9.0.0, src/qemu/qemu_command.c, qemuBuildGraphicsVNCCommandLine; "
        "src/qemu/qemu_process.c, qemuProcessGraphicsReservePorts",
        hint="write autoport='yes' and no port, or free ports",
        libvirt="not started",
        check=_graphics_port,
        about=("graphics",),
    ),
    Rule(
        id="graphics-listen-twice",
        says="the attribute listen is the address of the first <listen>",
        why="It is the same, as libvirt wrote it before there could be several.",
        source="libvirt 9.0.0, src/conf/domain_conf.c, virDomainGraphicsListenDefParseXML",
        hint="leave the attribute listen out",
        libvirt="refused",
        check=_listens,
        about=("@listen",),
    ),
    Rule(
        id="graphics-password",
        says="a VNC password has 8 bytes at most",
        why="The protocol has no room for more.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefVNCGraphics",
        hint="use a shorter one; SPICE takes longer ones",
        libvirt="refused",
        check=_password,
        about=("@passwd",),
    ),
    Rule(
        id="spice-needed",
        says="SPICE's channels and audio go with SPICE graphics",
        why="They are carried to its client.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainChrSourceDef "
        "and qemuValidateDomainDeviceDefAudio",
        hint="add <graphics type='spice'/>, or leave the device out",
        libvirt="refused",
        check=_spice,
        about=("channel", "redirdev", "smartcard", "serial", "audio"),
    ),
    Rule(
        id="audio-id",
        says="every audio backend has an id of its own, and a device names one that there is",
        why="Devices find it by the id.",
        source="libvirt 9.0.0, src/conf/domain_validate.c, virDomainAudioDefValidate "
        "and virDomainEnsureAudioID",
        hint="correct the id, or add <audio> with it",
        libvirt="refused",
        check=_audio,
        about=("audio",),
    ),
    Rule(
        id="sound-model",
        says="the sound card is one that QEMU has",
        why="ich7 is known to libvirt for other hypervisors.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefSound",
        hint="use one of the models that are allowed",
        libvirt="refused",
        check=_sound,
        about=("sound",),
    ),
    Rule(
        id="panic-unique",
        says="there is one panic device of each model",
        why="Each is one place that a guest writes to.",
        source="libvirt 9.0.0, src/conf/domain_postparse.c, virDomainDefRejectDuplicatePanics",
        hint="leave the second one out",
        libvirt="refused",
        check=_panic,
        about=("panic",),
    ),
    Rule(
        id="watchdog-model",
        says="the watchdog is one of a PC, where it can stand",
        why="diag288 is that of S/390, itco that of q35's board; ib700 is on ISA, i6300esb on PCI.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainWatchdogDef; "
        "libvirt 11.3.0, the same",
        hint="use model='i6300esb', and no address",
        libvirt="refused",
        check=_watchdog,
        about=("watchdog",),
    ),
    Rule(
        id="iommu-board",
        says="an IOMMU is one of the board, with what its options need",
        why="Intel's is for q35; interrupts are remapped only by an I/O APIC in QEMU.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefIOMMU; "
        "src/conf/domain_validate.c, virDomainDefIOMMUValidate",
        hint="use q35, and write <ioapic driver='qemu'/> in <features>",
        libvirt="refused",
        check=_iommu,
        about=("iommu",),
    ),
    Rule(
        id="input-bus",
        says="an input device is on a bus that has such devices",
        why="PS/2 has a mouse and a keyboard, and no tablet.",
        source="libvirt 9.0.0, src/conf/domain_validate.c, virDomainInputDefValidate",
        hint="use bus='usb' or 'virtio'",
        libvirt="refused",
        check=_input,
        about=("input",),
    ),
)
