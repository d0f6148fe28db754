"""Domains to begin with: what Ganeti's instances become, and such as Ganeti has never seen."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import msgspec

from tests.hotplug.fake_domain import FakeDomain
from tests.translate.building import disk, instance, nic
from virtxlate import Context, Report, format_domain, to_domain
from virtxlate.ganeti.model import Disk, Instance, Nic
from virtxlate.hotplug.session import Hotplug, Options
from virtxlate.translate import metadata

UUID = "fb68b7cc-d64e-4b8e-b1a3-1a3e5a4e2b1c"
DISKS, NICS = tuple(disk(number, size_mib=1024) for number in range(10)), tuple(map(nic, range(10)))
DISK_IDS = tuple(f"ua-disk-0000000{number}-1111-4222" for number in range(10))
NIC_IDS = tuple(f"ua-nic-0000000{number}-5555-4222" for number in range(10))


def ganeti(disks: int | Iterable[Disk] = 1, nics: int | Iterable[Nic] = 1, **hvparams: Any) -> Instance:
    """Give an instance with the first so many disks and NICs, or with these."""
    chosen = DISKS[:disks] if isinstance(disks, int) else tuple(disks)
    return instance(chosen, NICS[:nics] if isinstance(nics, int) else tuple(nics), **hvparams)


def domain_of(one: Instance, *, with_metadata: bool = True, **fields: Any) -> FakeDomain:
    """Give the running domain of an instance."""
    xml = format_domain(to_domain(one, Context(metadata=with_metadata), Report()))
    return FakeDomain(xml, **fields)


def q35(
    ports: int = 4,
    devices: str = "",
    *,
    bridge: bool = False,
    hotplug: str | None = None,
    **fields: Any,
) -> FakeDomain:
    """Give a q35 domain with root ports 1 to ``ports``, and perhaps a conventional bridge after them."""
    target = f"<target hotplug='{hotplug}'/>" if hotplug else ""
    controllers = "".join(
        f"<controller type='pci' index='{number}' model='pcie-root-port'>{target}"
        f"<address type='pci' bus='0x00' slot='{number + 2:#04x}'/></controller>"
        for number in range(1, ports + 1)
    )
    if bridge:
        controllers += (
            f"<controller type='pci' index='{ports + 1}' model='pcie-to-pci-bridge'>"
            f"<address type='pci' bus='0x00' slot='{ports + 3:#04x}'/></controller>"
        )
    return FakeDomain(
        f"<domain type='kvm'><name>q.example.com</name><uuid>{UUID}</uuid><memory unit='MiB'>512</memory>"
        "<vcpu>1</vcpu><os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>"
        "<features><acpi/></features><devices><controller type='pci' index='0' model='pcie-root'/>"
        f"{controllers}{devices}<memballoon model='none'/></devices></domain>",
        **fields,
    )


def no_lock(_uuid: str, *, patience: float = 0.0) -> AbstractContextManager[None]:
    """Nobody else writes."""
    del patience
    return nullcontext()


def hotplug(domain: FakeDomain, lock: Any = None, follower: Any = None, **options: Any) -> Hotplug:
    """Give the operations on a domain, in its own time."""
    hvparams, context = options.pop("hvparams", None), options.pop("context", None)
    return Hotplug(
        domain,
        context=context,
        options=Options(**options),
        lock=lock or no_lock,
        follower=follower,
        hvparams=hvparams,
        clock=domain.clock,
    )


def kept(domain: FakeDomain, *, live: bool = True) -> Instance:
    """Give the instance of a document's metadata."""
    document = domain.live if live else domain.config
    assert document is not None
    text = document.metadata()
    assert text is not None
    return metadata.from_text(text).instance


def aliases(domain: FakeDomain, *, live: bool = True) -> list[str]:
    """Give the user aliases of a document, sorted."""
    document = domain.live if live else domain.config
    assert document is not None
    found = (str(each.get("name")) for each in document.root.iterfind("devices/*/alias"))
    return sorted(name for name in found if name.startswith("ua-"))


def places(domain: FakeDomain, *, live: bool = True) -> dict[str, str]:
    """Give slot or target of everything that has a user alias."""
    document = domain.live if live else domain.config
    assert document is not None
    found = {}
    for element in document.devices:
        alias, address = element.find("alias"), element.find("address")
        name = "" if alias is None else str(alias.get("name"))
        if address is None or not name.startswith("ua-"):
            continue
        if address.get("type") == "pci":
            found[name] = f"{int(str(address.get('bus')), 0)}:{address.get('slot')}"
        else:
            found[name] = ":".join(str(address.get(part)) for part in ("controller", "bus", "target", "unit"))
    return found


def with_size(one: Disk, mib: int) -> Disk:
    return msgspec.structs.replace(one, size_mib=mib)


GOLDENS = Path(__file__).parents[2] / "fixtures" / "domain"
