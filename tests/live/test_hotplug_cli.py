"""``virtxlate hotplug``, ``plan`` and ``apply`` as a user calls them; libvirtd and guest are real."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from lab.console import GuestConsole, console_path
from lab.daemon import private_libvirtd
from lab.network import bridge
from lab.no_os import guestless_domain
from tests.cli.running import Result, run_process

if TYPE_CHECKING:
    from lab.daemon import PrivateLibvirtd
    from lab.guest import GuestFiles

pytestmark = pytest.mark.live

NAME, UUID = "plug1.example.com", "0f6d9a54-3f1c-4a7e-9d53-1d1a5a0e7c77"
DISK, NIC, MAC = (
    "932df160-7a22-4067-a566-7e0ca8386133",
    "6681611c-56cc-45d6-a5eb-17a695627967",
    "aa:00:00:00:00:77",
)
DISK_ID, NIC_ID = "disk-932df160-7a22-4067", "nic-6681611c-56cc-45d6"


class Seen(NamedTuple):
    """Slots of disks with their size in MiB, and of NICs with their MAC, as the guest has them."""

    disks: dict[str, int]
    nics: dict[str, str]


class Plugged(NamedTuple):
    """A guest of a libvirtd, and what a user types about it."""

    daemon: PrivateLibvirtd
    console: GuestConsole
    folder: Path
    links: tuple[str, str]

    def type(self, *words: object) -> Result:
        return run_process(*words, LIBVIRT_DEFAULT_URI=self.daemon.uri)

    def image(self, name: str, mib: int) -> Path:
        path = self.folder / name
        with path.open("wb") as image:
            image.truncate(mib << 20)
        return path

    def config(self, *more: dict[str, Any], nics: int = 1, hvparams: dict[str, Any] | None = None) -> Path:
        """Write a config whose instance has disk 0, these disks, and so many NICs."""
        found = {
            "name": NAME,
            "uuid": UUID,
            "hypervisor": "kvm",
            "hvparams": {"vhost_net": False, **(hvparams or {})},
            "beparams": {"maxmem": 256, "minmem": 256},
            "nics": [
                {
                    "mac": f"aa:00:00:00:00:0{number}",
                    "uuid": f"0000000{number}-0000-4000-8000-000000000000",
                    "nicparams": {"link": self.links[number]},
                }
                for number in range(nics)
            ],
            "disks": [self.disk("disk0", "0000000a-d15c-4000-8000-000000000000"), *more],
        }
        path = self.folder / "config.data"
        path.write_text(json.dumps({"version": 3010000, "cluster": {}, "instances": {UUID: found}}))
        return path

    def disk(self, name: str, uuid: str) -> dict[str, Any]:
        path = self.image(name, 16) if not (self.folder / name).exists() else self.folder / name
        return {"dev_type": "file", "uuid": uuid, "size": 16, "logical_id": ["loop", str(path)]}

    def seen(self) -> Seen:
        disks = {
            each.pci_slot: each.size_bytes >> 20 for each in self.console.disks() if each.name[:2] == "vd"
        }
        return Seen(
            {str(slot): mib for slot, mib in disks.items()},
            {str(each.pci_slot): each.mac for each in self.console.nics()},
        )


@pytest.fixture(scope="module")
def plugged(guest_files: GuestFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plugged]:
    folder = tmp_path_factory.mktemp("plugged")
    with bridge() as first, bridge() as second, private_libvirtd() as daemon:
        boot = {"kernel_path": str(guest_files.kernel), "initrd_path": str(guest_files.initrd)}
        making = Plugged(daemon, None, folder, (first, second))  # type: ignore[arg-type]
        started = making.type("start", making.config(hvparams=boot), NAME, "--domain-type", "qemu")
        assert started == (0, f"domain '{NAME}' started\n", "")
        domain = daemon.connection.lookupByName(NAME)
        with GuestConsole(console_path(domain.XMLDesc(0))) as console:
            console.wait_ready(60)
            yield making._replace(console=console)


BEFORE = Seen({"0000:00:0c.0": 16}, {"0000:00:0d.0": "aa:00:00:00:00:00"})


def test_what_is_printed_is_what_the_guest_has(plugged: Plugged) -> None:
    assert plugged.seen() == BEFORE
    image = plugged.image("data", 32)
    words = ("--disk", f"add:path={image},uuid={DISK},size=32M,name=data")
    nic = ("--net", f"add:link={plugged.links[0]},mac={MAC},uuid={NIC}")
    dry = plugged.type("hotplug", "add", NAME, *words, *nic, "--dry-run")
    added = plugged.type("hotplug", "add", NAME, *words, *nic, "--live", "--config")
    lines = (
        f"attach disk ua-{DISK_ID} (vdb) at PCI bus 0 slot 0xe",
        f"  hvinfo  driver=virtio-blk-pci,id={DISK_ID},bus=pci.0,addr=0xe",
        f"attach nic ua-{NIC_ID} ({MAC}) at PCI bus 0 slot 0xf",
        f"  hvinfo  driver=virtio-net-pci,id={NIC_ID},bus=pci.0,addr=0xf",
        "",
    )
    assert added == (0, "\n".join(lines), "")
    assert dry == (0, f"{added.out}nothing was changed\n", "")
    plugged.console.wait_for(plugged.console.nics, lambda nics: len(nics) == 2)
    both = Seen({**BEFORE.disks, "0000:00:0e.0": 32}, {**BEFORE.nics, "0000:00:0f.0": MAC})
    assert plugged.seen() == both
    grown = plugged.type("hotplug", "resize", NAME, "data", "+8M")
    assert grown.out.startswith(f"resize disk ua-{DISK_ID} to {40 << 20} bytes\n")
    changed = plugged.type(
        "hotplug", "modify", NAME, "--net", f"1:link={plugged.links[1]}", "--net", "-1:state=down"
    )
    assert [line for line in changed.out.splitlines() if line[0] != " "] == [
        f"update nic ua-{NIC_ID}: bridge",
        f"update nic ua-{NIC_ID}: link down",
    ]
    assert plugged.seen() == both._replace(disks={**BEFORE.disks, "0000:00:0e.0": 40})
    removed = plugged.type("hotplug", "remove", NAME, "--disk", "data", "--net", MAC, "--live", "--config")
    assert (removed.code, removed.err) == (0, "")
    *said, tap = removed.out.splitlines()
    assert (said, tap[:-1]) == (
        [f"detach disk ua-{DISK_ID}", f"  free    {image}", f"detach nic ua-{NIC_ID}"],
        "  free    vnet",
    )
    assert plugged.seen() == BEFORE


def test_a_plan_is_applied_and_then_empty(plugged: Plugged) -> None:
    path = plugged.config(plugged.disk("disk1", DISK), nics=2)
    runtime = plugged.folder / f"{NAME}.runtime"
    assert plugged.type("runtime", "write", NAME, "-o", runtime).code == 0
    planned = plugged.type("plan", path, NAME)
    steps = (
        f"1. attach disk ua-{DISK_ID} (vdb) at PCI bus 0 slot 0xe",
        "2. attach nic ua-nic-00000001-0000-4000 (aa:00:00:00:00:01) at PCI bus 0 slot 0xf",
        f"{NAME}: 2 steps",
    )
    assert (planned.code, planned.out.splitlines()) == (1, list(steps))
    assert plugged.type("apply", path, NAME, "--runtime", runtime).code == 0
    assert plugged.type("plan", path, NAME) == (0, f"{NAME}: nothing to do\n", "")
    plugged.console.wait_for(plugged.console.nics, lambda nics: len(nics) == 2)
    assert plugged.seen() == Seen(
        {**BEFORE.disks, "0000:00:0e.0": 16}, {**BEFORE.nics, "0000:00:0f.0": "aa:00:00:00:00:01"}
    )
    assert plugged.type("runtime", "check", runtime, NAME) == (0, f"{runtime}: 0 differences\n", "")
    assert plugged.type("apply", plugged.config(), NAME, "--runtime", runtime).code == 0
    assert plugged.type("runtime", "check", runtime, NAME).code == 0
    assert plugged.seen() == BEFORE


def test_a_medium_goes_in_and_out(plugged: Plugged) -> None:
    image = plugged.image("cd", 2)
    assert plugged.type("hotplug", "media", NAME, "hdc", image).out == "update cdrom ide0-1-0: medium\n"
    assert str(image) in plugged.type("hotplug", "media", NAME, "hdc", "--eject", "--print-diff").out
    assert plugged.type("hotplug", "media", NAME, "hdc", "--eject").out == "update cdrom ide0-1-0: eject\n"


def test_what_libvirt_refuses_leaves_nothing(plugged: Plugged) -> None:
    before = plugged.daemon.connection.lookupByName(NAME).XMLDesc(0)
    for words, message in (
        (("--net", "add:link=nobridge"), "Cannot get interface MTU on 'nobridge': No such device"),
        (("--disk", f"path={plugged.folder}/none"), f"Cannot access storage file '{plugged.folder}/none'"),
    ):
        result = plugged.type("hotplug", "add", NAME, *words)
        assert (result.code, result.out, message in result.error) == (5, "", True)
    assert plugged.daemon.connection.lookupByName(NAME).XMLDesc(0) == before


def test_a_guest_that_does_not_answer_has_exit_code_7(plugged: Plugged) -> None:
    with guestless_domain(plugged.daemon, plugged.folder, "deaf"):
        result = plugged.type("hotplug", "remove", "deaf", "--net", "0", "--timeout", "1")
        assert (result.code, result.out) == (7, "")
        assert result.error == (
            "error: net0: the guest has not released it after 1 s; the request stands, and the device is "
            "still in use: see virtxlate hvinfo deaf, and remove it again to finish"
        )
        assert "net0" in plugged.type("hvinfo", "deaf").out
