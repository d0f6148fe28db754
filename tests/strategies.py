"""Random instances that Ganeti could have.

Values are what the readers accept. What no domain can have (an ISA card, a q35 machine, an IDE disk that is
read-only) is left out: it is refused, not translated.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from virtxlate.ganeti.model import Disk, Instance, Network, Nic, template_of
from virtxlate.ganeti.params import BeParams, HvParams
from virtxlate.ganeti.words import NIC_DRIVERS, PASSTHROUGH_DISK_TYPES, PCI_BUS, SCSI_BUS
from virtxlate.scsi import ScsiAddress, ScsiDevice, ScsiMap
from virtxlate.tables.controller import SCSI_CONTROLLERS
from virtxlate.tables.display import VGAS
from virtxlate.tables.nic import UNSUPPORTED_NIC_TYPES
from virtxlate.tables.params import UNTRANSLATED
from virtxlate.translate.placing import place

patient = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.large_base_example],
)
"""Whole instances take their time to make, and more on a busy machine."""
_ALPHANUMERIC = string.ascii_letters + string.digits
_NOT_XML = "".join(chr(n) for n in range(32) if chr(n) not in "\t\n\r") + "\ufffe\uffff"

xml_texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=_NOT_XML) | st.sampled_from(" \n<&='"),
    max_size=12,
)
"""Whatever XML can hold."""
tokens = st.text(_ALPHANUMERIC, min_size=1, max_size=8)
names = st.builds(str.__add__, st.sampled_from(_ALPHANUMERIC), st.text(f"{_ALPHANUMERIC}._-", max_size=60))
"""Names of instances, with every character that may stand in one."""
uuids = st.uuids().map(str)
macs = st.binary(min_size=6, max_size=6).map(lambda data: data.hex(":"))
paths = st.builds("/{}/{}".format, tokens, tokens)
scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | xml_texts
params = st.dictionaries(tokens, scalars, max_size=2)
vlan_ids = st.integers(1, 4094)
trunks = st.lists(vlan_ids, min_size=1, max_size=3).map(lambda ids: "".join(f":{i}" for i in ids))
ODD_VLANS = ("7", ".007", "5:10")
"""Spellings that Ganeti itself does not keep."""
vlans = (
    st.sampled_from(ODD_VLANS)
    | st.just("")
    | vlan_ids.map(".{}".format)
    | trunks
    | st.builds(".{}{}".format, vlan_ids, trunks)
)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Give None too."""
    return st.none() | strategy


@st.composite
def beparams(draw: st.DrawFn) -> BeParams:
    """Give memory from one MiB up, and vcpus with many divisors."""
    maxmem = draw(st.integers(1, 2**30))
    return BeParams(
        always_failover=draw(st.booleans()),
        auto_balance=draw(st.booleans()),
        maxmem=maxmem,
        minmem=draw(st.just(maxmem) | st.integers(1, maxmem)),
        spindle_use=draw(st.integers(0, 9)),
        vcpus=draw(st.integers(1, 16)),
    )


def _topologies(vcpus: int) -> st.SearchStrategy[dict[str, int]]:
    """Give what QEMU accepts: parts of a product that is the number of vcpus."""
    divisors = st.sampled_from([n for n in range(1, vcpus + 1) if vcpus % n == 0])
    two = st.tuples(divisors, divisors).filter(lambda pair: vcpus % (pair[0] * pair[1]) == 0)
    whole = two.map(
        lambda pair: {
            "cpu_sockets": pair[0],
            "cpu_cores": pair[1],
            "cpu_threads": vcpus // (pair[0] * pair[1]),
        }
    )
    one = st.builds(lambda name, n: {name: n}, st.sampled_from(["cpu_sockets", "cpu_threads"]), divisors)
    return st.just({}) | whole | one


_DEFAULTS = HvParams()
_BY_TYPE: dict[type, st.SearchStrategy[Any]] = {
    str: xml_texts,
    bool: st.booleans(),
    int: st.integers(0, 2**31),
}
_PLACED_BY: tuple[str, ...] = ()
"""Untranslated, but they take places on a bus."""
_UNTRANSLATED = {
    row.name: _BY_TYPE[type(getattr(_DEFAULTS, row.name))]
    for row in UNTRANSLATED
    if row.name not in _PLACED_BY
}
_some_untranslated = st.sets(st.sampled_from(sorted(_UNTRANSLATED)), max_size=4).flatmap(
    lambda chosen: st.fixed_dictionaries({name: _UNTRANSLATED[name] for name in sorted(chosen)})
)
_cdroms = st.sampled_from(
    [
        {},
        {"cdrom_image_path": "/a.iso", "cdrom_disk_type": "scsi-cd"},
        {"cdrom_image_path": "/a.iso", "cdrom_disk_type": "ide"},
        {"cdrom2_image_path": "/b.iso", "cdrom_disk_type": "paravirtual"},
        {
            "cdrom_image_path": "http://h/a.iso?x=1",
            "cdrom2_image_path": "ftp://h:2121/b",
            "cdrom_disk_type": "scsi-cd",
        },
        {"cdrom_image_path": "/a.iso", "floppy_image_path": "/f.img", "cdrom_disk_type": "paravirtual"},
    ]
)
_BINDS = ("127.0.0.1", "0.0.0.0", "::1", "eth0")
_displays: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {
            "vnc_bind_address": st.sampled_from([*_BINDS, "/run/vnc"]),
            "vnc_password_file": st.just("") | paths,
        }
    ),
    st.fixed_dictionaries(
        {
            "spice_bind": st.sampled_from(_BINDS),
            "spice_password_file": st.just("") | paths,
            "spice_image_compression": st.sampled_from(["", "auto_lz", "off"]),
            "spice_streaming_video": st.sampled_from(["", "all"]),
            "spice_playback_compression": st.booleans(),
            "spice_use_tls": st.booleans(),
            "spice_use_vdagent": st.booleans(),
        }
    ),
)
_caches: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries(
        {
            "disk_aio": st.sampled_from(["threads", "io_uring"]),
            "disk_cache": st.sampled_from(["default", "none", "writethrough", "writeback"]),
        }
    ),
    st.just({"disk_aio": "native", "disk_cache": "none"}),
)
_securities: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {},
        {"security_model": "user", "security_domain": "kvm1"},
        {"security_model": "pool"},
        {"security_domain": "kvm1"},
    ]
)
_MACHINES = (
    "",
    "pc",
    "pc-i440fx-jammy",
    "pc-i440fx-2.8",
    "pc-i440fx-6.1",
    "pc-i440fx-6.2",
    "pc-i440fx-7.2",
    "pc-1.3",
)
_KERNEL_ARGS = ("ro", "", "ro quiet", " x ", "ro console=ttyS0,9600", " console=ttyS0,1\n")
_ROOT_PATHS = (None, "", "/dev/vda1", "UUID=x y", " ", "a\tb")
_CPUS = (
    "",
    "host",
    "host,+pcid",
    "max",
    "qemu64",
    "Haswell,-hle,pcid=on",
    "EPYC-v4",
    "kvm64,+x2apic,hv_relaxed",
)
_EXTRAS = (
    "",
    "-device virtio-rng-pci,bus=pci.0,addr=0x1e",
    "-object rng-random,id=r,filename=/dev/urandom -device virtio-rng-pci,rng=r,max-bytes=9,period=1",
    "-smbios type=1,serial=a -boot menu=on -no-hpet",
    "-watchdog-action poweroff -device i6300esb -device pvpanic",
)
_TRANSLATED: dict[str, st.SearchStrategy[Any]] = {
    "kvm_extra": st.sampled_from(_EXTRAS),
    "cpu_mask": st.sampled_from(["all", "0", "0-3,5", "1, 2"]),
    "cpu_type": st.sampled_from(_CPUS),
    "mem_path": st.just("") | paths | st.just("/dev/hugepages"),
    "acpi": st.booleans(),
    "boot_order": st.sampled_from(["disk", "network", "cdrom", "floppy"]),
    "disk_discard": st.sampled_from(["default", "ignore", "unmap"]),
    "initrd_path": st.just("") | paths,
    "kernel_args": st.sampled_from(_KERNEL_ARGS) | xml_texts,
    "kernel_path": st.just("") | paths,
    "kvm_path": st.just("/usr/bin/kvm") | paths,
    "kvm_pci_reservations": st.just(12) | st.integers(3, 12),
    "machine_version": st.sampled_from(_MACHINES),
    "nic_type": st.sampled_from(sorted(NIC_DRIVERS.keys() - UNSUPPORTED_NIC_TYPES.keys())),
    "reboot_behavior": st.sampled_from(["reboot", "exit"]),
    "root_path": st.sampled_from(_ROOT_PATHS) | xml_texts,
    "scsi_controller_type": st.sampled_from([row.ganeti for row in SCSI_CONTROLLERS]),
    "serial_console": st.booleans(),
    "serial_speed": st.sampled_from([38400, 9600, 115200]),
    "keymap": st.just("") | xml_texts,
    "soundhw": st.sampled_from(["", "hda", "ac97", "es1370", "sb16", "gus"]),
    "usb_devices": st.sampled_from(["", "keyboard", "mouse,tablet", "braille,keyboard"]),
    "usb_mouse": st.sampled_from(["", "mouse", "tablet"]),
    "use_guest_agent": st.booleans(),
    "use_localtime": st.booleans(),
    "vga": st.sampled_from(["std", *(left for left, _right in VGAS.rows)]),
    "vhost_net": st.booleans(),
    "vnet_hdr": st.booleans(),
    "virtio_net_queues": st.integers(1, 8) | st.just("auto"),
}


_FIT_FOR_Q35: dict[str, Any] = {
    "cdrom_disk_type": "",
    "floppy_image_path": "",
    "soundhw": "ac97",
    "usb_devices": "keyboard",
}
"""What Ganeti does not refuse on a q35."""


@st.composite
def hvparams(draw: st.DrawFn, disk_type: str, vcpus: int) -> HvParams:
    """Give hvparams with a few of them set to something else than Ganeti's default."""
    chosen = draw(st.sets(st.sampled_from(sorted(_TRANSLATED)), max_size=8))
    values: dict[str, Any] = {
        "disk_type": disk_type,
        **draw(st.fixed_dictionaries({name: _TRANSLATED[name] for name in sorted(chosen)})),
        **draw(_some_untranslated),
        **draw(_topologies(vcpus)),
        **draw(_cdroms),
        **draw(_displays),
        **draw(_securities),
        **draw(_caches),
    }
    if disk_type != "ide" and draw(st.integers(0, 3)) == 0:
        values |= {"machine_version": draw(st.sampled_from(["q35", "pc-q35-7.2"])), **_FIT_FOR_Q35}
    return HvParams(**values)


networks = st.builds(
    Network,
    name=tokens,
    uuid=uuids,
    network=maybe(st.just("192.0.2.0/24")),
    tags=st.lists(tokens, max_size=2).map(tuple),
)


@st.composite
def nics(draw: st.DrawFn, uuid: str) -> Nic:
    """Give a NIC of any mode."""
    mode = draw(st.sampled_from(["bridged", "openvswitch", "routed", "ext"]))
    needs_link = mode in {"bridged", "openvswitch"}
    return Nic(
        uuid=uuid,
        name=draw(maybe(tokens)),
        mac=draw(macs),
        ip=draw(maybe(st.just("192.0.2.7"))),
        network=draw(maybe(uuids)),
        netinfo=draw(maybe(networks)),
        mode=mode,
        link=draw(tokens if needs_link else tokens | st.just("")),
        vlan=draw(vlans),
    )


def _plain(draw: st.DrawFn) -> dict[str, Any]:
    return {"logical_id": (draw(tokens), draw(tokens)), "params": {"stripes": 1, **draw(params)}}


def _drbd(draw: st.DrawFn) -> dict[str, Any]:
    minors = draw(st.tuples(st.integers(0, 255), st.integers(0, 255)))
    return {
        "logical_id": ("node1", "node2", 11000, *minors, None),
        "minor": draw(st.sampled_from([None, minors[0]])),
        "children": (Disk(template="plain", logical_id=("vg", "data")), Disk(template="plain")),
        "device": draw(maybe(st.just("/dev/drbd7"))),
    }


def _file(draw: st.DrawFn) -> dict[str, Any]:
    return {"logical_id": (draw(st.sampled_from(["loop", "blktap2"])), draw(paths)), "params": draw(params)}


def _blockdev(draw: st.DrawFn) -> dict[str, Any]:
    device = draw(st.sampled_from(["/dev/disk/by-id/x", "/dev/drbd5", "/dev/vg/lv", "/dev/rbd/pool/x"]))
    return {"logical_id": ("manual", device), "params": draw(params)}


def _rbd(draw: st.DrawFn) -> dict[str, Any]:
    access = draw(st.sampled_from([{}, {"access": "kernelspace"}, {"access": "userspace"}]))
    user = {"user-id": "ceph-user"} if draw(st.booleans()) else {}
    return {
        "logical_id": ("rbd", draw(tokens)),
        "params": {"pool": draw(tokens), **access, **user},
        "device": draw(maybe(st.just("/dev/rbd0"))),
    }


def _gluster(draw: st.DrawFn) -> dict[str, Any]:
    access = draw(st.sampled_from(["userspace", "kernelspace"]))
    volume = {"host": "gluster1", "port": 24007, "volume": draw(tokens)}
    return {"logical_id": ("loop", f"ganeti/{draw(tokens)}"), "params": {**volume, "access": access}}


def _ext(draw: st.DrawFn) -> dict[str, Any]:
    uris = [
        "rbd:pool/image",
        "rbd:pool/image:id=ceph-user",
        "gluster://h:24007/v/p",
        "gluster://[::1]:1/v/p/q",
    ]
    uri = draw(maybe(st.sampled_from(uris)))
    return {
        "logical_id": draw(st.sampled_from([("provider", "x"), ()])),
        "params": {"provider": "x"} if uri is None else {"access": "userspace"},
        "device": draw(
            st.sampled_from([None, "/dev/drbd9", "/dev/sdx", "/dev/rbd/pool/image", "/dev/vg/lv"])
        ),
        "uri": uri,
    }


_STORAGES: dict[str, Callable[[st.DrawFn], dict[str, Any]]] = {
    "plain": _plain,
    "drbd": _drbd,
    "file": _file,
    "sharedfile": _file,
    "blockdev": _blockdev,
    "rbd": _rbd,
    "gluster": _gluster,
    "ext": _ext,
}


@st.composite
def disks(draw: st.DrawFn, uuid: str, disk_type: str, template: str | None = None) -> Disk:
    """Give a disk of any template."""
    template = template or draw(st.sampled_from(sorted(_STORAGES)))
    return Disk(
        uuid=uuid,
        name=draw(maybe(tokens)),
        template=template,
        size_mib=draw(st.integers(0, 2**40)),
        mode="rw" if disk_type == "ide" else draw(st.sampled_from(["rw", "ro"])),
        nodes=draw(st.lists(tokens, max_size=2).map(tuple)),
        iv_name=draw(st.sampled_from(["", "disk/0"])),
        spindles=draw(maybe(st.integers(0, 9))),
        link=draw(maybe(st.just("/var/run/ganeti/instance-disks/x:0"))),
        **_STORAGES[template](draw),
    )


DISK_TYPES = ("paravirtual", "ide", "scsi-hd", "scsi-cd", "scsi", "scsi-block", "scsi-generic")
SCSI_DEVICES = ScsiMap(
    [
        ScsiDevice(
            address=ScsiAddress(2, 0, number, 0),
            block=f"/dev/sd{letter}",
            generic=f"/dev/sg{number}",
            links=(f"/dev/disk/by-id/wwn-0x5000c500a1b2c30{number}",) if number % 2 else (),
        )
        for number, letter in enumerate("abcdefgh")
    ]
)
"""The host of what is passed through: every other device has a name that stays."""


def _passed(draw: st.DrawFn, number: int) -> dict[str, Any]:
    """Give a storage that takes SCSI commands: a device of the host, no two the same, or an iSCSI target."""
    if draw(st.booleans()):
        device = draw(st.sampled_from(SCSI_DEVICES.devices[number].paths))
        return {"template": "blockdev", "logical_id": ("manual", device), "params": draw(params)}
    hosts = st.sampled_from(["192.0.2.9", "san.example.com:3261", "[2001:db8::9]:1", "chap@192.0.2.9"])
    uri = f"iscsi://{draw(hosts)}/iqn.2026-01.com.example:san/{number}"
    return {"template": "ext", "logical_id": ("san", "x"), "params": {"access": "userspace"}, "uri": uri}


@st.composite
def passed_disks(draw: st.DrawFn, uuid: str, disk_type: str, number: int) -> Disk:
    """Give a disk that is passed through."""
    return Disk(
        uuid=uuid,
        name=draw(maybe(tokens)),
        size_mib=draw(st.integers(0, 2**40)),
        mode="rw" if disk_type == "scsi-block" else draw(st.sampled_from(["rw", "ro"])),
        iv_name=draw(st.sampled_from(["", "disk/0"])),
        **_passed(draw, number),
    )


_MOST_DISKS = {"ide": 2}
_device_uuids = st.lists(uuids, min_size=8, max_size=8, unique_by=lambda uuid: uuid[:18])


def _room_for_disks(hv: HvParams) -> int:
    ide_cdroms = hv.cdrom_disk_type == "ide"
    return _MOST_DISKS.get(hv.disk_type, 4) - (ide_cdroms if hv.disk_type == "ide" else 0)


@st.composite
def instances(draw: st.DrawFn, *, known_devices: bool = False) -> Instance:
    """Give an instance that can become a domain; with ``known_devices`` every device has its uuid."""
    be = draw(beparams())
    hv = draw(hvparams(draw(st.sampled_from(DISK_TYPES)), be.vcpus))
    ids = draw(_device_uuids)
    if not known_devices:
        ids = [uuid if draw(st.integers(0, 9)) else "" for uuid in ids]
    disk_count, nic_count = draw(st.integers(0, _room_for_disks(hv))), draw(st.integers(0, 4))
    own_disks = tuple(
        draw(
            passed_disks(uuid, hv.disk_type, number)
            if hv.disk_type in PASSTHROUGH_DISK_TYPES
            else disks(uuid, hv.disk_type)
        )
        for number, uuid in enumerate(ids[:disk_count])
    )
    return Instance(
        name=draw(names),
        uuid=draw(uuids),
        os=draw(xml_texts),
        primary_node=draw(tokens),
        admin_state=draw(st.sampled_from(["up", "down", "offline"])),
        disk_template=template_of(own_disks),
        hvparams=hv,
        own_hvparams=draw(st.sampled_from([(), ("kernel_path",)])),
        unknown_hvparams=draw(params),
        beparams=be,
        oper_ram_mib=draw(st.none() | st.integers(be.minmem, be.maxmem - 1))
        if be.minmem < be.maxmem
        else None,
        own_beparams=draw(st.sampled_from([(), ("vcpus",)])),
        balloon_first=draw(st.booleans()),
        osparams=draw(params),
        nics=tuple(draw(nics(uuid)) for uuid in ids[4 : 4 + nic_count]),
        disks=own_disks,
        network_port=draw(maybe(st.integers(1, 65535))),
        tags=draw(st.lists(xml_texts, max_size=2).map(tuple)),
        storage_dirs=draw(st.sampled_from([{}, {"gluster": "/var/run/ganeti/gluster"}])),
        version=draw(st.sampled_from([2070000, 3010000])),
    )


@st.composite
def partly_placed(draw: st.DrawFn, *, known_devices: bool = False) -> Instance:
    """Give an instance where some devices have hvinfo, anywhere on their bus, none twice."""
    instance = draw(instances(known_devices=known_devices))
    placed = place(instance)
    slots = iter(draw(st.permutations(range(2, 30))))
    targets = iter(draw(st.permutations(range(8))))

    def moved(device: Any) -> Any:
        hvinfo = None
        if draw(st.booleans()):
            where: dict[str, Any] = {}
            if device.hvinfo.bus == PCI_BUS:
                where = {"addr": hex(next(slots))}
            elif device.hvinfo.bus == SCSI_BUS:
                where = {"scsi_id": next(targets)}
            hvinfo = msgspec.structs.replace(device.hvinfo, **where)
        return msgspec.structs.replace(device, hvinfo=hvinfo)

    return msgspec.structs.replace(
        instance,
        disks=tuple(moved(disk) for disk in placed.disks),
        nics=tuple(moved(nic) for nic in placed.nics),
    )
