"""Runs Ganeti's own KVM code inside the judge's Python: one JSON request on stdin, one JSON answer on stdout.

Every decision (which option, which slot, which error) is Ganeti's; ganeti_fake_node is the world around it.
This runs under the judge's own Python, which has none of this project's dependencies.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock

from lab.ganeti_fake_node import FakeMonitor, FakeNode, play

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]


def run(request: Json) -> list[Json]:
    """Return a verdict for each instance of the request (see Judge.run)."""
    node = FakeNode(request["qemu"])
    kvm = play(node)
    return [_verdict(kvm, node, given) for given in request["instances"]]


def _verdict(kvm: Any, node: FakeNode, given: Json) -> Json:
    node.enter(given)
    instance = _instance(kvm, given)
    verdict: Json = {"name": given["name"], "syntax": _syntax(kvm, instance.hvparams)}
    verdict["error"] = _error_of(lambda: _start(kvm, node, instance, given))
    written = node.files.get(kvm.KVMHypervisor._InstanceKVMRuntime(instance.name))  # noqa: SLF001
    text = given.get("runtime", written)
    verdict |= {"runtime": text, "stored": [], "disks": [], "nics": [], "cmd": node.started}
    if text is not None:
        # a text that cannot be read has already been refused by the start
        _error_of(lambda: verdict.update(_stored(kvm, text, given)))
    return verdict | {"actions": node.actions, "pinning": node.pinning, "nic_setup": node.nic_setup}


def _error_of(action: Callable[[], Any]) -> str | None:
    """Return what Ganeti raised, as ``Class: text``; None if it raised nothing."""
    try:
        action()
    except Exception as error:  # noqa: BLE001  # whatever Ganeti raises is the verdict
        return f"{type(error).__name__}: {error}"
    return None


def _instance(kvm: Any, given: Json) -> Any:
    constants, fill = kvm.constants, kvm.objects.FillDict
    defaults = {"hypervisor": "kvm", "os": "debian", "osparams": {}, "network_port": 11000, "tags": []}
    known = {key: given[key] for key in ("name", "uuid", "os", "network_port", "tags") if key in given}
    parameters = {
        "hvparams": fill(constants.HVC_DEFAULTS[constants.HT_KVM], given.get("hvparams", {})),
        "beparams": fill(constants.BEC_DEFAULTS, given.get("beparams", {})),
        "nics": [
            {**nic, "nicparams": fill(constants.NICC_DEFAULTS, nic.get("nicparams", {}))}
            for nic in given.get("nics", [])
        ],
        "disks": [],
        "disks_info": [],
    }
    return kvm.objects.Instance.FromDict(defaults | known | parameters)


def _syntax(kvm: Any, hvparams: Json) -> str | None:
    """Return what the master would say to these hvparams when they are set: types first, then values."""
    # the types are forced in place
    typed = dict(hvparams)
    wrong = _error_of(lambda: kvm.utils.ForceDictType(typed, kvm.constants.HVS_PARAMETER_TYPES))
    return wrong or _error_of(lambda: kvm.KVMHypervisor.CheckParameterSyntax(typed))


def _start(kvm: Any, node: FakeNode, instance: Any, given: Json) -> None:
    hypervisor = kvm.KVMHypervisor()
    hypervisor.qmp = FakeMonitor(node)
    if "runtime" not in given:
        hypervisor.StartInstance(instance, _block_devices(kvm, given), bool(given.get("paused")))
    elif "incoming" in given:
        hypervisor.AcceptInstance(instance, given["runtime"], given["incoming"])
    else:
        node.files[hypervisor._InstanceKVMRuntime(instance.name)] = given["runtime"]  # noqa: SLF001
        loaded = hypervisor._LoadKVMRuntime(instance)  # noqa: SLF001
        help_text = hypervisor._GetKVMOutput(instance.hvparams["kvm_path"], hypervisor._KVMOPT_HELP)  # noqa: SLF001
        hypervisor._ExecuteKVMRuntime(instance, loaded, help_text)  # noqa: SLF001


def _block_devices(kvm: Any, given: Json) -> list[tuple[Any, str | None, str | None]]:
    links = importlib.import_module("ganeti.pathutils").DISK_LINKS_DIR
    separator = kvm.constants.DISK_SEPARATOR
    devices = []
    for index, entry in enumerate(given.get("disks", [])):
        disk = kvm.objects.Disk.FromDict({"mode": "rw", "params": {}, **entry["disk"]})
        link = entry.get("link", f"{links}/{given['name']}{separator}{index}")
        devices.append((disk, link, entry.get("uri")))
    return devices


def _stored(kvm: Any, text: str, given: Json) -> Json:
    """Return the stored command and hvinfo of a runtime file; one that was given is upgraded by Ganeti."""
    parts = kvm._UpgradeSerializedRuntime(text) if "runtime" in given else json.loads(text)  # noqa: SLF001
    stored, nics, _, entries = parts
    disks = [disk["hvinfo"] for disk, _, _ in entries]
    return {"stored": stored, "disks": disks, "nics": [nic["hvinfo"] for nic in nics]}


def load(request: Json) -> list[Json]:
    """Return each runtime text of the request as Ganeti loads it (see Judge.load)."""
    kvm = importlib.import_module("ganeti.hypervisor.hv_kvm")
    return [_loaded(kvm, text) for text in request["runtimes"]]


def _loaded(kvm: Any, text: str) -> Json:
    answer: Json = {"cmd": [], "nics": [], "hvparams": {}, "disks": []}
    error = _error_of(lambda: answer.update(_analyzed(kvm, text)))
    return answer | {"error": error}


def _analyzed(kvm: Any, text: str) -> Json:
    cmd, nics, hvparams, entries = kvm._AnalyzeSerializedRuntime(text)  # noqa: SLF001
    disks = [{"disk": disk.ToDict(), "link": link, "uri": uri} for disk, link, uri in entries]
    return {"cmd": cmd, "nics": [nic.ToDict() for nic in nics], "hvparams": hvparams, "disks": disks}


def fill(request: Json) -> list[Json]:
    """Return the complete parameters of each KVM instance of a configuration (see Judge.fill)."""
    objects = importlib.import_module("ganeti.objects")
    data = request["config"]
    if data["version"] < 3_000_000:  # noqa: PLR2004  # configurations of 2.x need Ganeti's upgrade tool first
        data = _upgraded(data)
    config = objects.ConfigData.FromDict(data)
    config.UpgradeConfig()
    return [_filled(config, one) for one in config.instances.values() if one.hypervisor == "kvm"]


def _upgraded(data: Json) -> Json:
    """Return a 2.x configuration as Ganeti's cfgupgrade makes it; the tool sees no files and writes none."""
    tool = importlib.import_module("ganeti.tools.cfgupgrade")
    nowhere = f"/nonexistent/{os.getpid()}"
    names = ("RAPI_USERS_FILE", "RAPI_USERS_FILE_PRE24", "WATCHER_STATEFILE", "FILE_STORAGE_PATHS_FILE")
    options = SimpleNamespace(dry_run=True, **dict.fromkeys(names, nowhere))
    upgrade = tool.CfgUpgrade(options, [])
    upgrade.config_data = data
    # even with dry_run it makes a temporary file beside the target, where there is no directory
    with mock.patch("ganeti.utils.WriteFile"):
        if not upgrade.UpgradeAll():
            raise RuntimeError("; ".join(upgrade.errors))
    return dict(upgrade.config_data)


def _filled(config: Any, instance: Any) -> Json:
    cluster = config.cluster
    params = {"hvparams": cluster.FillHV(instance), "beparams": cluster.FillBE(instance)}
    nics = [_sent_nic(config, nic) for nic in instance.nics]
    disks = _sent_disks(config, instance)
    return {
        **params,
        "name": instance.name,
        "uuid": instance.uuid,
        "osparams": cluster.SimpleFillOS(instance.os, instance.osparams),
        "nics": [nic["nicparams"] for nic in nics],
        "disks": [_disk_params(disk) for disk in disks],
        "request": _plain(instance) | params | {"nics": nics, "disks": [{"disk": d.ToDict()} for d in disks]},
    }


def _sent_disks(config: Any, instance: Any) -> list[Any]:
    """Return an instance's disks as its primary node receives them: params merged with those of the group."""
    group = config.nodegroups[config.nodes[instance.primary_node].group]
    disks = [config.disks[uuid] for uuid in instance.disks]
    annotate = importlib.import_module("ganeti.rpc.node").AnnotateDiskParams
    return list(annotate(disks, config.cluster.SimpleFillDP(group.diskparams)))


def _sent_nic(config: Any, nic: Any) -> Json:
    """Return a NIC's dict as a node receives it: nicparams complete, its network inline."""
    sent = {**nic.ToDict(), "nicparams": config.cluster.SimpleFillNIC(nic.nicparams)}
    if nic.network:
        sent["netinfo"] = config.networks[nic.network].ToDict()
    return sent


def _plain(instance: Any) -> Json:
    names = ("name", "uuid", "os", "network_port")
    return {name: getattr(instance, name) for name in names} | {"tags": list(instance.GetTags())}


def _disk_params(disk: Any) -> Json:
    children = [child.params for child in disk.children or []]
    return {"uuid": disk.uuid, "dev_type": disk.dev_type, "params": disk.params, "children": children}


def constants(_request: Json) -> Json:
    """Return the constants that describe parameters (see Judge.hvparam_defaults and those after it)."""
    module = importlib.import_module("ganeti.constants")
    defaults = module.HVC_DEFAULTS[module.HT_KVM]
    types = {name: kind for name, kind in module.HVS_PARAMETER_TYPES.items() if name in defaults}
    return {
        "defaults": defaults,
        "types": types,
        "beparams": module.BEC_DEFAULTS,
        "nicparams": module.NICC_DEFAULTS,
    }


_VERBS = {"run": run, "load": load, "fill": fill, "constants": constants}


def main() -> None:
    """Answer the request; Ganeti's own prints go to stderr."""
    answer_to, sys.stdout = sys.stdout, sys.stderr
    request = json.load(sys.stdin)
    json.dump(_VERBS[request["verb"]](request), answer_to, default=_without_secrets)


def _without_secrets(value: Any) -> None:
    """Return null for Ganeti's Private wrapper (drbd secrets), as Ganeti writes it to a runtime file."""
    if type(value).__name__ != "Private":
        raise TypeError(f"no JSON form: {value!r}")


if __name__ == "__main__":
    main()
