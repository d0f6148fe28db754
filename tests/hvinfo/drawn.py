"""Domains drawn at random, over buses, controllers, models, machines and kinds of devices."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

SCSI_MODELS = (
    "virtio-scsi",
    "lsilogic",
    "lsisas1068",
    "lsisas1078",
    "vmpvscsi",
    "am53c974",
    "virtio-non-transitional",
    "virtio-transitional",
)
BY_UNIT = frozenset({"lsilogic", "am53c974"})
NIC_MODELS = ("virtio", "e1000", "rtl8139", "ne2k_pci", "pcnet", "i82551", "virtio-non-transitional", None)
BLOCK_MODELS = ("", "", " model='virtio-non-transitional'", " model='virtio-transitional'")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Draw:
    """One random domain; ``only_argv`` draws what needs hardware or a daemon to run, too."""

    def __init__(self, rng: random.Random, folder: Path, number: int, *, only_argv: bool = False) -> None:
        self.rng, self.folder, self.name, self.only_argv = rng, folder, f"matrix{number}", only_argv
        self.machine = rng.choice(("pc", "pc", "q35"))
        self.devices: list[str] = []
        self.images = itertools.count()
        self.letters = {prefix: iter(_LETTERS) for prefix in ("vd", "sd", "hd")}
        self.aliases = itertools.count()
        self.places: list[str] = []
        """Places for PCI devices that were kept free: bridges' slots, ports, functions of one slot."""

    def maybe(self, chance: float) -> bool:
        return self.rng.random() < chance

    def xml(self) -> str:
        self._pci()
        self._controllers()
        for _ in range(self.rng.randrange(1, 4)):
            self._disk("virtio", "vd", self._place(), model=self.rng.choice(BLOCK_MODELS))
        self._scsi_disks()
        if self.maybe(0.5):
            self._ide_or_sata()
        for _ in range(self.rng.choice((0, 0, 1, 2))):
            self._usb_disk()
        if self.maybe(0.4):
            self.devices.append("<disk type='file' device='floppy'><target dev='fda' bus='fdc'/></disk>")
        for _ in range(self.rng.randrange(3)):
            self._nic()
        if self.only_argv:
            self._only_argv()
        self.rng.shuffle(self.devices)
        return (
            f"<domain type='qemu'><name>{self.name}</name><memory unit='MiB'>32</memory>"
            f"<os><type arch='x86_64' machine='{self.machine}'>hvm</type></os><features><acpi/></features>"
            f"<devices>{''.join(self.devices)}<memballoon model='none'/></devices></domain>"
        )

    def _alias(self, chance: float = 0.4) -> str:
        return f"<alias name='ua-{next(self.aliases)}'/>" if self.maybe(chance) else ""

    def _place(self) -> str:
        return self.places.pop() if self.places and self.maybe(0.6) else ""

    def _pci(self) -> None:
        """Bridges on pc, root ports and a bridge on q35, and a slot of many functions."""
        address = "<address type='pci' bus='{0:#04x}' slot='{1:#04x}' function='{2:#x}'{3}/>"
        if self.machine == "pc":
            if self.maybe(0.3):
                self.devices.append(
                    f"<controller type='pci' index='0' model='pci-root'>{self._alias(1)}</controller>"
                )
            for index in range(1, self.rng.choice((1, 2, 3))):
                model = f"<controller type='pci' index='{index}' model='pci-bridge'>"
                self.devices.append(f"{model}{self._alias()}</controller>")
                self.places += [
                    address.format(index, slot, 0, "") for slot in self.rng.sample(range(1, 32), 3)
                ]
            bus, slot = 0, self.rng.randrange(16, 32)
        else:
            for index in range(1, 9):
                model = f"<controller type='pci' index='{index}' model='pcie-root-port'>"
                self.devices.append(f"{model}{self._alias(0.2)}</controller>")
            self.devices.append("<controller type='pci' index='9' model='pcie-to-pci-bridge'/>")
            bus, slot = 9, self.rng.randrange(8, 32)
        if self.maybe(0.5):
            last = self.rng.randrange(1, 8)
            functions = [0, last] if last == 1 or self.maybe(0.5) else [0, 1, last]
            for each in functions:
                first = "" if each else " multifunction='on'"
                self._disk("virtio", "vd", address.format(bus, slot, each, first))
        self.rng.shuffle(self.places)

    def _controllers(self) -> None:
        self.scsi = [self.rng.choice(SCSI_MODELS) for _ in range(self.rng.randrange(1, 4))]
        for index, model in enumerate(self.scsi):
            self.devices.append(
                f"<controller type='scsi' index='{index}' model='{model}'>{self._alias(0.3)}</controller>"
            )
        self.usb = [self.rng.choice(("qemu-xhci", "piix3-uhci", "nec-xhci"))]
        if self.maybe(0.3):
            self.usb.append("qemu-xhci")
        for index, model in enumerate(self.usb):
            self.devices.append(
                f"<controller type='usb' index='{index}' model='{model}'>{self._alias(0.2)}</controller>"
            )
        if self.machine == "pc" and self.maybe(0.2):
            self.devices.append(f"<controller type='ide' index='0'>{self._alias(1)}</controller>")
        if self.maybe(0.2):
            self.devices.append(f"<controller type='sata' index='0'>{self._alias(1)}</controller>")

    def _image(self) -> str:
        path = self.folder / f"{next(self.images)}.img"
        with path.open("wb") as image:
            image.truncate(1 << 20)
        return f"<source file='{path}'/>"

    def _disk(self, bus: str, prefix: str, rest: str = "", *, device: str = "disk", model: str = "") -> None:
        has_image = device == "disk" or bus == "usb" or self.maybe(0.5)  # QEMU wants an image on USB
        source = self._image() if has_image else ""
        copy = " copy_on_read='on'" if source and device == "disk" and self.maybe(0.2) else ""
        self.devices.append(
            f"<disk type='file' device='{device}'{model}><driver name='qemu' type='raw'{copy}/>{source}"
            f"<target dev='{prefix}{next(self.letters[prefix])}' bus='{bus}'/>{self._alias()}{rest}</disk>"
        )

    def _scsi_address(self, index: int, target: int) -> str:
        model = self.scsi[index]
        lun = self.rng.randrange(2) if model.startswith("virtio") else 0
        where = f"target='0' unit='{target}'" if model in BY_UNIT else f"target='{target}' unit='{lun}'"
        return f"<address type='drive' controller='{index}' bus='0' {where}/>"

    def _scsi_disks(self) -> None:
        for index in range(len(self.scsi)):
            for target in self.rng.sample(range(6), self.rng.randrange(3)):
                device = self.rng.choice(("disk", "disk", "cdrom"))
                self._disk("scsi", "sd", self._scsi_address(index, target), device=device)

    def _ide_or_sata(self) -> None:
        device = self.rng.choice(("disk", "cdrom"))
        if self.machine == "pc" and self.maybe(0.6):
            self._disk("ide", "hd", device=device)
        else:
            unit = self.rng.randrange(6)
            where = f"<address type='drive' controller='0' bus='0' target='0' unit='{unit}'/>"
            self._disk("sata", "sd", where, device=device)

    def _usb_disk(self) -> None:
        self._disk("usb", "sd", device=self.rng.choice(("disk", "cdrom")))

    def _nic(self) -> None:
        model = self.rng.choice(NIC_MODELS)
        shown = f"<model type='{model}'/>" if model else ""
        self.devices.append(f"<interface type='user'>{shown}{self._alias()}{self._place()}</interface>")

    def _only_argv(self) -> None:
        """Draw LUNs and SCSI host devices, which no machine of a test has."""
        iscsi = (
            "<source protocol='iscsi' name='iqn.2024-01.com.example:t/{0}'><host name='192.0.2.1'/></source>"
        )
        index = self.rng.randrange(len(self.scsi))
        if self.maybe(0.5):
            self.devices.append(
                "<disk type='network' device='lun'><driver name='qemu' type='raw'/>"
                f"{iscsi.format(1)}<target dev='sdz' bus='scsi'/>{self._alias()}"
                f"{self._scsi_address(index, 6)}</disk>"
            )
        if self.maybe(0.5):
            unit = 7 if self.scsi[index] in BY_UNIT else 9
            self.devices.append(
                f"<hostdev mode='subsystem' type='scsi'>{iscsi.format(2)}{self._alias()}"
                f"{self._scsi_address(index, unit)}</hostdev>"
            )
