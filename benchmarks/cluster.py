"""A made-up cluster of any size as config.data of Ganeti 3.1: the same number gives the same bytes.

As Ganeti's own daemon writes it: compact JSON, disks at the top level, every object with uuid, serial number
and times. Half of the instances are on DRBD, one in twenty mixes templates, one in ten has own hvparams.
"""

from __future__ import annotations

import json
import random
from typing import Any
from uuid import UUID

import msgspec

from virtxlate.ganeti.params import HvParams

Json = dict[str, Any]

_SEED = 20
_NODES, _GROUPS, _NETWORKS = 50, 3, 4
_TIME = 1_700_000_000.0
_TEMPLATES = (("drbd", 50), ("plain", 25), ("rbd", 10), ("file", 8), ("sharedfile", 4), ("blockdev", 3))
_MIXED, _OWN_HVPARAMS = 0.05, 0.1
_MEMORY_MIB = (512, 1024, 2048, 4096, 8192, 16384)
_HVPARAMS: tuple[Json, ...] = (
    {"disk_cache": "none", "disk_aio": "native"},
    {"nic_type": "e1000", "vga": "cirrus"},
    {"disk_type": "scsi-hd", "scsi_controller_type": "virtio-scsi-pci", "disk_discard": "unmap"},
    {"vnc_bind_address": "0.0.0.0", "use_localtime": True},  # noqa: S104 - a value that is only read
    {"virtio_net_queues": 4, "machine_version": "pc-i440fx-7.2"},
    {"kernel_path": "/boot/vmlinuz-6.1-amd64", "initrd_path": "/boot/initrd.img-6.1-amd64"},
)


def config_data(instances: int) -> bytes:
    """Give config.data with that many KVM instances."""
    return json.dumps(_Cluster(instances).config, separators=(",", ":")).encode()


class _Cluster:
    """The cluster, while it grows; every uuid, MAC and choice comes from one seeded generator."""

    def __init__(self, instances: int) -> None:
        self._random = random.Random(_SEED)  # noqa: S311 - repeatable, not secret
        self._groups = [self._uuid() for _index in range(_GROUPS)]
        self._nodes = [self._uuid() for _index in range(_NODES)]
        self._networks = [self._uuid() for _index in range(_NETWORKS)]
        self.config: Json = {
            "version": 3_010_000,
            "cluster": _cluster(self._uuid()),
            "nodes": {uuid: self._node(uuid, index) for index, uuid in enumerate(self._nodes)},
            "nodegroups": {uuid: self._group(uuid, index) for index, uuid in enumerate(self._groups)},
            "networks": {uuid: self._network(uuid, index) for index, uuid in enumerate(self._networks)},
            "instances": {},
            "disks": {},
            "filters": {},
            "serial_no": instances,
            **_times(),
        }
        for index in range(instances):
            self._instance(index)

    def _uuid(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def _node(self, uuid: str, index: int) -> Json:
        return {
            "name": f"node{index}.example.com",
            "uuid": uuid,
            "group": self._groups[index % _GROUPS],
            "primary_ip": f"192.0.2.{index + 1}",
            "secondary_ip": f"198.51.100.{index + 1}",
            "master_candidate": True,
            "master_capable": True,
            "vm_capable": True,
            "drained": False,
            "offline": False,
            "powered": True,
            "ndparams": {},
            "tags": [],
            "serial_no": 1,
            **_times(),
        }

    def _group(self, uuid: str, index: int) -> Json:
        links = {net: {"mode": "bridged", "link": "br0", "vlan": ""} for net in self._networks}
        return {
            "name": f"group{index}",
            "uuid": uuid,
            "alloc_policy": "preferred",
            "diskparams": {"drbd": {"resync-rate": 122_880}} if index else {},
            "ipolicy": {},
            "ndparams": {},
            "networks": links,
            "tags": [],
            "serial_no": 1,
            **_times(),
        }

    def _network(self, uuid: str, index: int) -> Json:
        return {
            "name": f"net{index}",
            "uuid": uuid,
            "network": f"10.{index}.0.0/16",
            "gateway": f"10.{index}.0.1",
            "mac_prefix": None,
            "tags": [],
            "serial_no": 1,
            **_times(),
        }

    def _instance(self, index: int) -> None:
        name, uuid, primary = (
            f"instance{index:05}.example.com",
            self._uuid(),
            self._random.choice(self._nodes),
        )
        words, weights = zip(*_TEMPLATES, strict=True)
        (template,) = self._random.choices(words, weights)
        disks = [self._disk(name, number, template, primary) for number in range(self._random.randint(1, 3))]
        if self._random.random() < _MIXED:
            disks.append(self._disk(name, len(disks), "plain" if template != "plain" else "file", primary))
        own = self._random.choice(_HVPARAMS) if self._random.random() < _OWN_HVPARAMS else {}
        memory = self._random.choice(_MEMORY_MIB)
        self.config["disks"] |= {disk["uuid"]: disk for disk in disks}
        self.config["instances"][uuid] = {
            "name": name,
            "uuid": uuid,
            "hypervisor": "kvm",
            "os": self._random.choice(("debian+bookworm", "debian+trixie", "windows+2022")),
            "primary_node": primary,
            "admin_state": "down" if index % 20 == 0 else "up",
            "admin_state_source": "admin",
            "hvparams": own,
            "beparams": {"maxmem": memory, "minmem": memory, "vcpus": self._random.randint(1, 8)},
            "osparams": {},
            "osparams_private": {},
            "nics": [self._nic() for _number in range(self._random.randint(1, 2))],
            "disks": [disk["uuid"] for disk in disks],
            "disks_info": [],
            "disks_active": True,
            "network_port": 11_000 + index,
            "tags": ["backup:daily"] if index % 7 == 0 else [],
            "serial_no": index % 5 + 1,
            **_times(),
        }

    def _nic(self) -> Json:
        tail = ":".join(f"{byte:02x}" for byte in self._random.randbytes(3))
        nic: Json = {
            "mac": f"aa:00:00:{tail}",
            "uuid": self._uuid(),
            "nicparams": {},
            "serial_no": 1,
            **_times(),
        }
        kind = self._random.random()
        if kind < 0.2:  # noqa: PLR2004 - a fifth
            nic |= {"network": self._random.choice(self._networks), "ip": "10.0.0.9"}
        elif kind < 0.4:  # noqa: PLR2004 - another fifth
            nic["nicparams"] = {"mode": "openvswitch", "link": "switch1", "vlan": ".100"}
        return nic

    def _disk(self, name: str, number: int, template: str, primary: str) -> Json:
        size = 10_240 * self._random.randint(1, 10)
        disk: Json = {
            "dev_type": template,
            "logical_id": self._logical_id(template, name, number),
            "iv_name": f"disk/{number}",
            "size": size,
            "mode": "rw",
            "params": {},
            "nodes": [primary],
            "uuid": self._uuid(),
            "serial_no": 1,
            **_times(),
        }
        if template == "drbd":
            self._mirror(disk, primary, number)
        return disk

    def _logical_id(self, template: str, name: str, number: int) -> list[Any]:
        part = f"{self._uuid()}.{template}.disk{number}"
        return {
            "plain": ["xenvg", part],
            "rbd": ["rbd", part],
            "file": ["loop", f"/srv/ganeti/file-storage/{name}/{part}"],
            "sharedfile": ["loop", f"/srv/ganeti/shared-file-storage/{name}/{part}"],
            "blockdev": ["manual", f"/dev/disk/by-id/{part}"],
        }.get(template, [])

    def _mirror(self, disk: Json, primary: str, number: int) -> None:
        secondary = self._random.choice([node for node in self._nodes if node != primary])
        nodes, base = [primary, secondary], self._uuid()
        secret = self._random.randbytes(20).hex()
        minors = [self._random.randrange(1000), self._random.randrange(1000)]
        disk |= {"nodes": nodes, "logical_id": [*nodes, 11_000 + minors[0], *minors, secret]}
        disk["children"] = [
            {
                "dev_type": "plain",
                "logical_id": ["xenvg", f"{base}.disk{number}_{part}"],
                "size": size,
                "mode": "rw",
                "params": {},
                "nodes": nodes,
                "uuid": self._uuid(),
                "serial_no": 1,
                **_times(),
            }
            for part, size in (("data", disk["size"]), ("meta", 128))
        ]


def _times() -> Json:
    return {"ctime": _TIME, "mtime": _TIME}


def _cluster(uuid: str) -> Json:
    hvparams = msgspec.structs.asdict(HvParams(kernel_path="", vhost_net=True))
    return {
        "cluster_name": "cluster.example.com",
        "uuid": uuid,
        "enabled_hypervisors": ["kvm"],
        "enabled_disk_templates": [word for word, _weight in _TEMPLATES],
        "volume_group_name": "xenvg",
        "mac_prefix": "aa:00:00",
        "hvparams": {"kvm": hvparams},
        "os_hvp": {"debian+bookworm": {"kvm": {"serial_speed": 115_200}}},
        "beparams": {"default": {"maxmem": 512, "minmem": 512, "vcpus": 1}},
        "nicparams": {"default": {"mode": "bridged", "link": "br0", "vlan": ""}},
        "diskparams": {"drbd": {"protocol": "C", "metavg": "xenvg"}, "rbd": {"pool": "vms"}},
        "osparams": {},
        "tags": [],
        "serial_no": 1,
        **_times(),
    }
