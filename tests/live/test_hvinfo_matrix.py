"""hvinfo from the live XML equals the command line of the QEMU that libvirt started, field by field.

Domains are drawn at random over buses, controllers, models, machines and device kinds; the seed is printed.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from virtxlate.translate.hvinfo import derive_hvinfo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.embedded import EmbeddedLibvirt

pytestmark = pytest.mark.live

DOMAINS = 120
SEED = int(os.environ.get("VIRTXLATE_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)

SCSI_MODELS = ("virtio-scsi", "lsilogic", "lsisas1068", "lsisas1078", "vmpvscsi", "am53c974")
NIC_MODELS = ("virtio", "e1000", "rtl8139", "ne2k_pci", "pcnet", "i82551", "virtio-non-transitional", None)
NAMES = ("driver", "id", "bus", "addr", "channel", "scsi-id", "lun", "unit", "port", "drive", "netdev")
KINDS = ("disk", "cdrom", "floppy", "nic")
BACKED = frozenset({"virtio-blk-pci", "scsi-hd", "ide-hd", "usb-storage"})


class Draw:
    """One random domain."""

    def __init__(self, rng: random.Random, folder: Path, number: int) -> None:
        self.rng, self.folder, self.number = rng, folder, number
        self.machine = rng.choice(("pc", "pc", "q35"))
        self.devices: list[str] = []
        self.images = itertools.count()
        self.letters = {prefix: iter("abcdefghijklmnop") for prefix in ("vd", "sd", "hd")}

    def xml(self) -> str:
        self._controllers()
        for _ in range(self.rng.randrange(1, 4)):
            self._virtio_disk()
        self._scsi_disks()
        if self.rng.random() < 0.5:
            self._ide_or_sata()
        if self.rng.random() < 0.4:
            self._usb_disk()
        if self.rng.random() < 0.4:
            self.devices.append("<disk type='file' device='floppy'><target dev='fda' bus='fdc'/></disk>")
        for number in range(self.rng.randrange(3)):
            self._nic(number)
        self.rng.shuffle(self.devices)
        machine, devices = self.machine, "".join(self.devices)
        return (
            f"<domain type='qemu'><name>matrix{self.number}</name><memory unit='MiB'>32</memory>"
            f"<os><type arch='x86_64' machine='{machine}'>hvm</type></os><features><acpi/></features>"
            f"<devices>{devices}<memballoon model='none'/></devices></domain>"
        )

    def _controllers(self) -> None:
        self.scsi = [self.rng.choice(SCSI_MODELS) for _ in range(self.rng.randrange(1, 4))]
        for index, model in enumerate(self.scsi):
            alias = f"<alias name='ua-scsi{index}'/>" if self.rng.random() < 0.3 else ""
            self.devices.append(
                f"<controller type='scsi' index='{index}' model='{model}'>{alias}</controller>"
            )
        if self.machine == "pc" and self.rng.random() < 0.3:
            self.devices.append("<controller type='pci' index='1' model='pci-bridge'/>")
            self.bridge = True
        else:
            self.bridge = False
        if self.rng.random() < 0.3:
            self.devices.append("<controller type='usb' index='0' model='qemu-xhci'/>")

    def _disk(self, bus: str, prefix: str, rest: str = "", *, device: str = "disk", model: str = "") -> None:
        letter = next(self.letters[prefix])
        source = ""
        if device == "disk" or self.rng.random() < 0.5:
            path = self.folder / f"{next(self.images)}.img"
            with path.open("wb") as image:
                image.truncate(1 << 20)
            source = f"<source file='{path}'/>"
        driver = "<driver name='qemu' type='raw'/>"
        if source and device == "disk" and self.rng.random() < 0.2:
            driver = "<driver name='qemu' type='raw' copy_on_read='on'/>"
        alias = f"<alias name='ua-{prefix}{letter}'/>" if self.rng.random() < 0.4 else ""
        self.devices.append(
            f"<disk type='file' device='{device}'{model}>{driver}{source}"
            f"<target dev='{prefix}{letter}' bus='{bus}'/>{alias}{rest}</disk>"
        )

    def _virtio_disk(self) -> None:
        model = self.rng.choice(("", "", " model='virtio-non-transitional'", " model='virtio-transitional'"))
        address = ""
        if self.bridge and self.rng.random() < 0.5:
            slot = 4 + len(self.devices)
            address = f"<address type='pci' bus='0x01' slot='{slot:#04x}'/>"
        self._disk("virtio", "vd", address, model=model)

    def _scsi_disks(self) -> None:
        for index, model in enumerate(self.scsi):
            for target in self.rng.sample(range(7), self.rng.randrange(3)):
                by_unit = model in {"lsilogic", "am53c974"}
                lun = self.rng.randrange(2) if model == "virtio-scsi" else 0
                where = f"target='0' unit='{target}'" if by_unit else f"target='{target}' unit='{lun}'"
                device = self.rng.choice(("disk", "disk", "cdrom"))
                rest = f"<address type='drive' controller='{index}' bus='0' {where}/>"
                self._disk("scsi", "sd", rest, device=device)

    def _ide_or_sata(self) -> None:
        if self.machine == "pc" and self.rng.random() < 0.6:
            self._disk("ide", "hd", device=self.rng.choice(("disk", "cdrom")))
        else:
            self._disk("sata", "sd", device=self.rng.choice(("disk", "cdrom")))

    def _usb_disk(self) -> None:
        self._disk("usb", "sd", device="disk")

    def _nic(self, number: int) -> None:
        model = self.rng.choice(NIC_MODELS)
        alias = f"<alias name='ua-nic{number}'/>" if self.rng.random() < 0.4 else ""
        shown = f"<model type='{model}'/>" if model else ""
        self.devices.append(f"<interface type='user'>{shown}{alias}</interface>")


def started(host: EmbeddedLibvirt, xml: str, name: str) -> Iterator[tuple[str, dict[str, dict[str, Any]]]]:
    """Live XML and -device options of the QEMU that libvirt starts."""
    import libvirt  # noqa: PLC0415 - collected where the binding is absent too

    domain = host.connection.createXML(xml, libvirt.VIR_DOMAIN_START_PAUSED)
    try:
        yield domain.XMLDesc(0), device_options(host.root, name)
    finally:
        domain.destroy()


def device_options(root: Path, name: str) -> dict[str, dict[str, Any]]:
    """QEMU's -device options by id."""
    (pid_file,) = root.glob(f"run/**/{name}.pid")
    command = ["cat", f"/proc/{pid_file.read_text().strip()}/cmdline"]
    words = subprocess.run(command, check=True, capture_output=True).stdout.decode().split("\0")
    options = [json.loads(value) for option, value in itertools.pairwise(words) if option == "-device"]
    return {option["id"]: option for option in options if "id" in option}


def test_every_device_is_where_qemu_has_it(libvirt_host: EmbeddedLibvirt, tmp_path: Path) -> None:
    import libvirt  # noqa: PLC0415

    print(f"seed {SEED}")
    rng = random.Random(SEED)
    compared: dict[str, int] = {}
    refused = 0
    for number in range(DOMAINS):
        folder = tmp_path / str(number)
        folder.mkdir()
        draw = Draw(rng, folder, number)
        xml = draw.xml()
        try:
            for live, options in started(libvirt_host, xml, f"matrix{number}"):
                for device in derive_hvinfo(live):
                    assert device.hvinfo is not None, f"seed {SEED}: {device}"
                    found = device.to_dict()["hvinfo"]
                    assert isinstance(found, dict)
                    wanted = {key: options[found["id"]][key] for key in NAMES if key in options[found["id"]]}
                    assert found == wanted, f"seed {SEED}"
                    compared[found["driver"]] = compared.get(found["driver"], 0) + 1
        except libvirt.libvirtError as exc:
            refused += 1
            print(f"refused: {exc}")
    print(f"{DOMAINS - refused} domains, {sum(compared.values())} devices: {compared}")
    assert refused < DOMAINS // 4
    assert compared.keys() >= BACKED
