"""The tiny Linux guest: a Debian kernel and an initrd of busybox and drivers, built once and cached.

This file knows how the guest is made. What runs inside it is `initrd/`; how to talk to it is `console`.
"""

from __future__ import annotations

import gzip
import hashlib
import lzma
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lab.cache import lab_cache, only_one, publish
from lab.commands import run
from lab.packages import newest_behind, unpack

Flavour = Literal["cloud", "generic"]

HERE = Path(__file__).parent
INITRD_FILES = {"init": HERE / "initrd" / "init", "bin/answer": HERE / "initrd" / "answer"}

METAPACKAGES: dict[Flavour, str] = {"cloud": "linux-image-cloud-amd64", "generic": "linux-image-amd64"}

VIRTIO = ("virtio_pci", "virtio_balloon", "virtio-rng", "virtio_net", "virtio_blk", "virtio_scsi")
ADAPTERS = ("sym53c8xx", "megaraid_sas", "mptspi", "mptsas", "am53c974", "vmw_pvscsi", "ahci")
NETWORK_CARDS = ("e1000", "e1000e", "8139cp", "8139too", "pcnet32", "ne2k-pci", "vmxnet3")
DISK_DRIVERS = ("ata_piix", "isofs", "sg", "sr_mod", "sd_mod")
"""Loading a module waits for probes still under way: with the disk drivers at the end, ready means ready."""

MODULES: dict[Flavour, tuple[str, ...]] = {
    "cloud": (*VIRTIO, *DISK_DRIVERS),
    "generic": (*VIRTIO, *ADAPTERS, *NETWORK_CARDS, "floppy", *DISK_DRIVERS),
}


PARAMETERS = {"sym53c8xx": "settle=0"}
"""Module parameters: this driver would wait 3 s for a bus of cables and disks that spin up."""

XZ_MAGIC = b"\xfd7zXZ\0"


@dataclass(frozen=True, kw_only=True)
class GuestFiles:
    """A guest that is ready to boot: what `<kernel>` and `<initrd>` name."""

    flavour: Flavour
    kernel: Path
    initrd: Path
    modules: tuple[str, ...]
    """Module files in the order in which init loads them."""


def build_guest(flavour: Flavour = "cloud") -> GuestFiles:
    """Give the guest of one flavour, from the cache when this recipe was built before.

    `cloud` boots fastest (3 s under TCG) and has virtio and IDE; `generic` (4 s) also has the SCSI adapters,
    network cards and the floppy drive that QEMU emulates. Building downloads a kernel package, 27 or 70 MB.
    Raises RuntimeError with the failed command's own words.
    """
    with only_one(f"guest-{flavour}"):
        return _cached(flavour) or _build(flavour)


def _cached(flavour: Flavour) -> GuestFiles | None:
    """Any kernel version will do, so that a package update costs nothing and no test needs the network."""
    built = sorted(lab_cache().glob(f"guest-{flavour}-*-{_recipe(flavour)}"))
    return _files(flavour, built[-1]) if built else None


def _files(flavour: Flavour, home: Path) -> GuestFiles:
    modules = tuple((home / "modules").read_text(encoding="utf-8").split())
    return GuestFiles(flavour=flavour, kernel=home / "kernel", initrd=home / "initrd", modules=modules)


def _recipe(flavour: Flavour) -> str:
    sources = [Path(__file__), *INITRD_FILES.values()]
    text = repr(MODULES[flavour]).encode() + b"".join(source.read_bytes() for source in sources)
    return hashlib.sha256(text).hexdigest()[:12]


def _build(flavour: Flavour) -> GuestFiles:
    package = newest_behind(METAPACKAGES[flavour])
    version = package.removeprefix("linux-image-")

    def fill(home: Path) -> None:
        root, tree = home / "root", home / "tree"
        unpack(package, root)
        (home / "kernel").write_bytes(_plain_kernel((root / "boot" / f"vmlinuz-{version}").read_bytes()))
        order = _lay_out(tree, _driver_files(root, version, MODULES[flavour]))
        (home / "modules").write_text("".join(f"{name}\n" for name in order), encoding="utf-8")
        _pack(tree, home / "initrd")
        shutil.rmtree(root)
        shutil.rmtree(tree)

    target = lab_cache() / f"guest-{flavour}-{version}-{_recipe(flavour)}"
    return _files(flavour, publish(target, fill))


def _plain_kernel(image: bytes) -> bytes:
    """Give the ELF kernel inside an image packed with xz, which takes a guest under TCG 3 s to unpack itself.

    QEMU boots either; an image packed otherwise (the cloud kernel's is lz4, which is quick) stays as it is.
    """
    start = image.find(XZ_MAGIC)
    return image if start < 0 else lzma.LZMADecompressor().decompress(image[start:])


def _driver_files(root: Path, version: str, names: tuple[str, ...]) -> list[Path]:
    """Give module files, each after all that it needs, as modprobe would load them."""
    if not (root / "lib").exists():
        (root / "lib").symlink_to("usr/lib")  # from Debian 13 on the package has only usr/lib
    run("depmod", "-b", str(root), version)
    files: dict[Path, None] = {}
    for name in names:
        for line in run("modprobe", "-d", str(root), "-S", version, "--show-depends", name).splitlines():
            action, _, path = line.partition(" ")
            if action == "insmod":  # the other answer is "builtin"
                files[Path(path.strip())] = None
    return list(files)


def _lay_out(tree: Path, drivers: list[Path]) -> list[str]:
    """Fill the initrd's tree; give the module files' names in load order."""
    for folder in ("bin", "dev", "proc", "sys", "tmp", "modules"):
        (tree / folder).mkdir(parents=True)
    busybox = tree / "bin" / "busybox"
    shutil.copy("/bin/busybox", busybox)
    for applet in run(str(busybox), "--list").split():
        if applet != "busybox":
            (tree / "bin" / applet).symlink_to("busybox")
    for name, source in INITRD_FILES.items():
        shutil.copy(source, tree / name)
        (tree / name).chmod(0o755)
    order = [_plain_module(driver, tree / "modules") for driver in drivers]
    lines = (f"{name} {PARAMETERS.get(name.removesuffix('.ko'), '')}\n" for name in order)
    (tree / "modules" / "order").write_text("".join(lines), encoding="utf-8")
    return order


def _plain_module(driver: Path, folder: Path) -> str:
    """Copy one module uncompressed (Debian 13 packs them with xz); give its file name."""
    packed = driver.suffix == ".xz"
    name = driver.stem if packed else driver.name
    content = lzma.decompress(driver.read_bytes()) if packed else driver.read_bytes()
    (folder / name).write_bytes(content)
    return name


def _pack(tree: Path, initrd: Path) -> None:
    names = "".join(f"{path.relative_to(tree)}\n" for path in sorted(tree.rglob("*")))
    archive = initrd.with_suffix(".cpio")
    run("cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0", "-F", str(archive), cwd=tree, stdin=names)
    initrd.write_bytes(gzip.compress(archive.read_bytes(), compresslevel=6, mtime=0))
    archive.unlink()
