"""config.data of Ganeti 2.7 to 3.2: a whole cluster, read without unpacking what is not asked for.

Instances and disks stay undecoded JSON until one is asked for, so that a bad one stops nobody else.
Source: Ganeti 3.2 alpha (c35736d8a), lib/objects.py, lib/tools/cfgupgrade.py, test/data/.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from virtxlate.errors import GanetiDataError
from virtxlate.ganeti.decode import convert, decode, decode_params
from virtxlate.ganeti.fill import Layer, merge, origins, os_names, upgrade_beparams
from virtxlate.ganeti.model import LAST_VERSION, Disk, Instance, Network, Nic, template_of
from virtxlate.ganeti.params import (
    DEFAULT_DISKPARAMS,
    DEFAULT_NICPARAMS,
    HVPARAM_NAMES,
    BeParams,
    HvParams,
    Scalar,
    builtin_hvparams,
)
from virtxlate.ganeti.wire import (
    WireDisk,
    WireNic,
    check_name,
    check_uuid,
    make_disk,
    make_nic,
    template_of_word,
)
from virtxlate.ganeti.words import CLUSTER_ONLY_HVPARAMS
from virtxlate.report import Report

OLDEST_VERSION = 2070000
_EMPTY = msgspec.Raw(b"{}")
_ABSOLUTE = ("instances[", "disks['", 'disks["')
"""How a path from the top of the file begins; disks by number are those of an instance."""
_NO_DISKS: tuple[str | WireDisk, ...] = ()


class _Cluster(msgspec.Struct, frozen=True):
    hvparams: dict[str, dict[str, Scalar]] = {}
    os_hvp: dict[str, dict[str, dict[str, Scalar]]] = {}
    beparams: dict[str, dict[str, Scalar]] = {}
    nicparams: dict[str, dict[str, Scalar]] = {}
    diskparams: dict[str, dict[str, Scalar]] = {}
    osparams: dict[str, dict[str, Scalar]] = {}
    gluster_storage_dir: str = "/var/run/ganeti/gluster"


class _Node(msgspec.Struct, frozen=True):
    name: str = ""
    group: str = ""


class _Group(msgspec.Struct, frozen=True):
    diskparams: dict[str, dict[str, Scalar]] = {}


class _Config(msgspec.Struct, frozen=True):
    version: int
    cluster: _Cluster
    instances: dict[str, msgspec.Raw]
    disks: dict[str, msgspec.Raw] = {}
    nodes: dict[str, _Node] = {}
    nodegroups: dict[str, _Group] = {}
    networks: dict[str, Network] = {}


class _Head(msgspec.Struct, frozen=True):
    name: str
    hypervisor: str | None = None


class _Instance(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    uuid: str | None = None
    os: str = ""
    primary_node: str = ""
    admin_state: str | None = None
    admin_up: bool | None = None
    hvparams: msgspec.Raw = _EMPTY
    beparams: msgspec.Raw = _EMPTY
    osparams: dict[str, Scalar] = {}
    osparams_private: dict[str, Scalar] | None = None
    nics: tuple[WireNic, ...] = ()
    disks: tuple[str | WireDisk, ...] = _NO_DISKS
    disk_template: str | None = None
    network_port: int | None = None
    tags: tuple[str, ...] = ()


_CONFIG = msgspec.json.Decoder(_Config)
_HEAD = msgspec.json.Decoder(_Head)
_INSTANCE = msgspec.json.Decoder(_Instance)
_DISK = msgspec.json.Decoder(WireDisk)


class Config:
    """A cluster's configuration; ``version`` is that of the Ganeti which runs it, where it is not the file's.

    Raises GanetiDataError when the top level, the cluster, a node or a group cannot be read.
    """

    def __init__(self, data: bytes, version: int | None = None) -> None:
        self._config = decode(_CONFIG, data)
        self.version = self._config.version
        if self.version < OLDEST_VERSION:
            raise GanetiDataError(
                f"expected {OLDEST_VERSION} (2.7) or newer, found {self.version}: run cfgupgrade first",
                at="version",
            )
        if self.version > LAST_VERSION:
            raise GanetiDataError(f"expected at most {LAST_VERSION}, a version of Ganeti", at="version")
        self.version = version or self.version
        self._builtin = builtin_hvparams(self.version)
        self._hvparams: dict[tuple[str, bytes], tuple[HvParams, tuple[str, ...], dict[str, Scalar]]] = {}
        self._beparams: dict[bytes, tuple[BeParams, tuple[str, ...]]] = {}
        self._diskparams: dict[tuple[str, str], dict[str, Scalar]] = {}
        self._nicparams = {**DEFAULT_NICPARAMS, **self._config.cluster.nicparams.get("default", {})}
        self.skipped: dict[str, str] = {}
        """Instances that cannot become domains, by name, with the reason."""
        self._keys = self._index()

    def _index(self) -> dict[str, str]:
        """Give the key of each KVM instance by its name; an unreadable one keeps its key as its name."""
        keys: dict[str, str] = {}
        for key, raw in self._config.instances.items():
            try:
                head = decode(_HEAD, raw)
            except GanetiDataError:
                keys[key] = key
                continue
            if head.hypervisor not in {None, "kvm"}:
                self.skipped[head.name] = f"its hypervisor is {head.hypervisor}, not kvm"
            elif head.name in keys:
                raise GanetiDataError(f"a second instance named {head.name!r}", at=f"instances[{key!r}].name")
            else:
                keys[head.name] = key
        return keys

    def names(self) -> Iterator[str]:
        """Name every KVM instance, in the order of the file."""
        return iter(self._keys)

    def instance(self, name: str, report: Report) -> Instance:
        """Give one instance, by name or uuid, with every parameter filled.

        Secrets that stay behind are reported. Raises GanetiDataError; KeyError is never raised.
        """
        key, wire = self._wire(name)
        at = f"instances[{key!r}]"
        try:
            return self._make(wire, key, report)
        except GanetiDataError as exc:
            raise exc if exc.at.startswith(_ABSOLUTE) else exc.under(at) from None

    def origins(self, name: str) -> dict[str, str]:
        """Give the layer that each field comes from, by name: ``hvparams.disk_cache``, ``nics[0].link``."""
        _key, wire = self._wire(name)
        cluster = self._config.cluster
        found = {f"hvparams.{k}": v for k, v in origins(self._hvparam_layers(wire)).items()}
        found |= {f"beparams.{k}": v for k, v in origins(self._beparam_layers(wire)).items()}
        for index, nic in enumerate(wire.nics):
            of_nic = (
                Layer("built-in default", DEFAULT_NICPARAMS),
                Layer("cluster.nicparams.default", cluster.nicparams.get("default", {})),
                Layer(f"instance.nics[{index}].nicparams", nic.nicparams),
            )
            found |= {f"nics[{index}].{k}": v for k, v in origins(of_nic).items()}
        for index, disk in enumerate(self._disks(wire)):
            layers = self._diskparam_layers(wire, template_of_word(disk.dev_type, f"disks[{index}]"))
            own = Layer(f"disk.params of disks[{index}]", disk.params or {})
            found |= {f"disks[{index}].params.{k}": v for k, v in origins((*layers, own)).items()}
        return found

    def _wire(self, name: str) -> tuple[str, _Instance]:
        """Give key and JSON of an instance."""
        self._check_kvm(name)
        key = self._keys.get(name, name)
        if key not in self._config.instances:
            raise GanetiDataError(f"expected the name of a KVM instance, found {name!r}", at="instances")
        wire = decode(_INSTANCE, self._config.instances[key], f"instances[{key!r}]")
        self._check_kvm(wire.name)
        return key, wire

    def _check_kvm(self, name: str) -> None:
        if name in self.skipped:
            raise GanetiDataError(self.skipped[name], at=f"instances[{name!r}]")

    def _make(self, wire: _Instance, key: str, report: Report) -> Instance:
        hvparams, own_hvparams, unknown = self._fill_hvparams(wire)
        beparams, own_beparams = self._fill_beparams(wire)
        disks = tuple(
            self._disk(disk, wire, f"disks[{index}]", report) for index, disk in enumerate(self._disks(wire))
        )
        if wire.osparams_private:
            report.lose("osparams_private", "(secret)", "private OS parameters stay with Ganeti")
        node = self._config.nodes.get(wire.primary_node)
        return Instance(
            name=check_name(wire.name),
            uuid=check_uuid(wire.uuid or key),
            os=wire.os,
            primary_node=node.name if node is not None and node.name else wire.primary_node,
            admin_state=wire.admin_state or ("down" if wire.admin_up is False else "up"),
            disk_template=template_of(disks),
            hvparams=hvparams,
            own_hvparams=own_hvparams,
            unknown_hvparams=unknown,
            beparams=beparams,
            own_beparams=own_beparams,
            osparams=self._osparams(wire),
            nics=tuple(self._nic(nic, f"nics[{index}]") for index, nic in enumerate(wire.nics)),
            disks=disks,
            network_port=wire.network_port,
            tags=wire.tags,
            storage_dirs=self._storage_dirs(disks),
            version=self.version,
        )

    def _hvparam_layers(self, wire: _Instance) -> tuple[Layer, ...]:
        cluster = self._config.cluster
        own = decode_params(wire.hvparams, "hvparams")
        return (
            Layer("built-in default", self._builtin),
            Layer("cluster.hvparams.kvm", cluster.hvparams.get("kvm", {})),
            Layer(f"cluster.os_hvp[{wire.os!r}].kvm", cluster.os_hvp.get(wire.os, {}).get("kvm", {})),
            Layer("instance.hvparams", {k: v for k, v in own.items() if k not in CLUSTER_ONLY_HVPARAMS}),
        )

    def _fill_hvparams(self, wire: _Instance) -> tuple[HvParams, tuple[str, ...], dict[str, Scalar]]:
        key = (wire.os, bytes(wire.hvparams))
        if key not in self._hvparams:
            layers = self._hvparam_layers(wire)
            merged = merge(layers)
            unknown = {name: merged[name] for name in sorted(merged.keys() - HVPARAM_NAMES)}
            own = tuple(sorted(layers[-1].params))
            self._hvparams[key] = (_convert_hvparams(merged, layers), own, unknown)
        return self._hvparams[key]

    def _beparam_layers(self, wire: _Instance) -> tuple[Layer, ...]:
        own = decode_params(wire.beparams, "beparams")
        return (
            Layer("built-in default", msgspec.structs.asdict(BeParams())),
            Layer(
                "cluster.beparams.default", upgrade_beparams(self._config.cluster.beparams.get("default", {}))
            ),
            Layer("instance.beparams", upgrade_beparams(own)),
        )

    def _fill_beparams(self, wire: _Instance) -> tuple[BeParams, tuple[str, ...]]:
        key = bytes(wire.beparams)
        if key not in self._beparams:
            layers = self._beparam_layers(wire)
            self._beparams[key] = (
                convert(merge(layers), BeParams, "beparams"),
                tuple(sorted(layers[-1].params)),
            )
        return self._beparams[key]

    def _osparams(self, wire: _Instance) -> dict[str, Scalar]:
        layers = [Layer(name, self._config.cluster.osparams.get(name, {})) for name in os_names(wire.os)]
        return merge((*layers, Layer("instance.osparams", wire.osparams)))

    def _nic(self, wire: WireNic, at: str) -> Nic:
        try:
            return make_nic(wire, {**self._nicparams, **wire.nicparams}, self._network(wire.network), None)
        except GanetiDataError as exc:
            raise exc.under(at) from None

    def _network(self, key: str | None) -> Network | None:
        """Give the network of a NIC: by its uuid since 2.8, by its name in 2.7."""
        if key is None or key in self._config.networks:
            return self._config.networks.get(key or "")
        return next((network for network in self._config.networks.values() if network.name == key), None)

    def _disks(self, wire: _Instance) -> Iterator[WireDisk]:
        """Give the disks of an instance: objects up to 2.11, uuids of top level disks since 2.12."""
        for index, disk in enumerate(wire.disks):
            if isinstance(disk, WireDisk):
                yield disk
            elif disk in self._config.disks:
                yield decode(_DISK, self._config.disks[disk], f"disks[{disk!r}]")
            else:
                raise GanetiDataError(f"expected the uuid of a disk, found {disk!r}", at=f"disks[{index}]")

    def _diskparam_layers(self, wire: _Instance, template: str) -> tuple[Layer, ...]:
        cluster = self._config.cluster
        node = self._config.nodes.get(wire.primary_node)
        group = self._config.nodegroups.get(node.group) if node is not None else None
        of_group: Mapping[str, Any] = group.diskparams.get(template, {}) if group is not None else {}
        return (
            Layer("built-in default", DEFAULT_DISKPARAMS[template]),
            Layer(f"cluster.diskparams.{template}", cluster.diskparams.get(template, {})),
            Layer(f"nodegroup.diskparams.{template}", of_group),
        )

    def _disk(self, disk: WireDisk, wire: _Instance, at: str, report: Report) -> Disk:
        template = template_of_word(disk.dev_type, f"{at}.dev_type")
        key = (wire.primary_node, template)
        if key not in self._diskparams:
            self._diskparams[key] = merge(self._diskparam_layers(wire, template))
        params = self._diskparams[key]
        if disk.params:
            params = {**params, **disk.params}
        return make_disk(disk, at, report, params=params, primary_node=wire.primary_node)

    def _storage_dirs(self, disks: tuple[Disk, ...]) -> dict[str, str]:
        if any(disk.template == "gluster" for disk in disks):
            return {"gluster": self._config.cluster.gluster_storage_dir}
        return {}


def _convert_hvparams(merged: dict[str, Any], layers: tuple[Layer, ...]) -> HvParams:
    """Give the record; an error names the layer that it is in, if not the instance's own."""
    try:
        return convert(merged, HvParams, "hvparams")
    except GanetiDataError as exc:
        layer = origins(layers).get(exc.at.removeprefix("hvparams."), layers[-1].name)
        if layer == layers[-1].name:
            raise
        raise GanetiDataError(f"{exc.message} in {layer}", at=exc.at) from None
