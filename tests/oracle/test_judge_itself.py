"""The judge must be right before it judges: what is known of Ganeti 3.0.2 without it, asked of it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lab import ganeti_setup
from lab.ganeti_judge import Judge, prepare

pytestmark = pytest.mark.oracle

NIC = {
    "mac": "aa:00:00:00:00:01",
    "uuid": "000000a0-1111-4111-8111-111111111111",
    "nicparams": {"link": "br0"},
}
DISK_UUID = "000001d0-2222-4222-8222-222222222222"
PLAIN = {"dev_type": "plain", "logical_id": ["xenvg", "x.disk0"], "size": 1024, "uuid": DISK_UUID}
KVM_HVPARAMS_IN_3_0 = 65


@pytest.fixture(scope="module")
def judge() -> Judge:
    return prepare()


def instance(name: str = "one.example.com", **changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {"name": name, "uuid": "11111111-2222-4333-8444-555555555555"}
    hvparams: Mapping[str, Any] = {"kernel_path": ""} | changes.pop("hvparams", {})
    return base | {"hvparams": hvparams, "nics": [NIC], "disks": [{"disk": PLAIN}]} | changes


def test_a_disk_and_a_nic_take_the_first_slots_after_the_reserved_ones(judge: Judge) -> None:
    (verdict,) = judge.run([instance()])
    assert verdict.error is None
    assert verdict.disks == (
        {"driver": "virtio-blk-pci", "id": "disk-000001d0-2222-4222", "bus": "pci.0", "addr": "0xc"},
    )
    assert verdict.nics == (
        {"driver": "virtio-net-pci", "id": "nic-000000a0-1111-4111", "bus": "pci.0", "addr": "0xd"},
    )
    device = "virtio-blk-pci,id=disk-000001d0-2222-4222,bus=pci.0,addr=0xc,drive=disk-000001d0-2222-4222"
    assert f"-device {device}" in verdict.options
    assert "-m 128" in verdict.options
    assert verdict.stored[3:5] == ("-m", 128)
    assert verdict.cmd[: len(verdict.stored)] == tuple(map(str, verdict.stored))


def test_a_scsi_disk_takes_a_target_and_leaves_the_slot_to_the_nic(judge: Judge) -> None:
    (verdict,) = judge.run([instance(hvparams={"disk_type": "scsi-hd"})])
    (disk,), (nic,) = verdict.disks, verdict.nics
    assert (disk["bus"], disk["channel"], disk["scsi-id"], disk["lun"]) == ("scsi.0", 0, 0, 0)
    assert nic["addr"] == "0xc"
    assert "-device lsi,id=scsi" in verdict.options


def test_a_guest_agent_takes_no_slot_from_ganeti(judge: Judge) -> None:
    (verdict,) = judge.run([instance(hvparams={"use_guest_agent": True})])
    assert verdict.disks[0]["addr"] == "0xc"
    assert "-device virtio-serial,id=qga0" in verdict.options


def test_one_worker_keeps_instances_apart(judge: Judge) -> None:
    wanted = [
        instance("a.example.com"),
        instance("b.example.com", disks=[{"disk": PLAIN | {"mode": "ro"}}]),
        instance("c.example.com", hvparams={"kernel_path": "/boot/none"}, absent=["/boot/none"]),
        instance("d.example.com"),
    ]
    first, read_only, no_kernel, last = judge.run(wanted)
    assert [v.name for v in (first, read_only, no_kernel, last)] == [one["name"] for one in wanted]
    assert first.error is last.error is None
    assert first.disks == last.disks
    assert (read_only.cmd, no_kernel.cmd) == ((), ())
    assert "read-only disks" in str(read_only.error)
    assert "not found or not a file" in str(no_kernel.error)


def test_the_master_refuses_what_the_node_would_start(judge: Judge) -> None:
    (verdict,) = judge.run([instance(hvparams={"disk_aio": "native"})])
    assert verdict.error is None
    assert "disk_aio" in str(verdict.syntax)


def test_what_follows_the_start_is_told(judge: Judge) -> None:
    hvparams = {"vnc_bind_address": "0.0.0.0", "vnc_password_file": "/etc/pw", "cpu_mask": "0:1-2"}
    memory = {"minmem": 64, "maxmem": 512, "vcpus": 2}
    (verdict,) = judge.run([instance(hvparams=hvparams, beparams=memory, memory_free=100)])
    assert verdict.actions == (
        "monitor change vnc password secret",
        "monitor balloon 100",
        "qmp ContinueGuestEmulation",
    )
    assert verdict.pinning == (("vcpu 0", (0,)), ("vcpu 1", (1, 2)))
    assert verdict.nic_setup[0]["LINK"] == "br0"


def test_multiqueue_numbers_its_descriptors(judge: Judge) -> None:
    (verdict,) = judge.run([instance(hvparams={"vhost_net": True, "virtio_net_queues": 2})])
    netdev = "-netdev type=tap,id=nic-000000a0-1111-4111,fds=20:22,vhostfds=21:23,vhost=on"
    assert netdev in verdict.options


def test_a_runtime_file_can_be_loaded_and_started_again(judge: Judge) -> None:
    (fresh,) = judge.run([instance()])
    assert fresh.runtime is not None
    (loaded,) = judge.load([fresh.runtime])
    assert loaded.error is None
    assert loaded.disks[0]["disk"]["hvinfo"] == fresh.disks[0]
    again, moved = judge.run(
        [instance(runtime=fresh.runtime), instance(runtime=fresh.runtime, incoming="192.0.2.7")]
    )
    assert again.cmd == fresh.cmd
    assert set(moved.options) - set(fresh.options) == {"-incoming tcp:192.0.2.7:8102"}


def test_a_broken_runtime_file_is_an_error_of_its_own(judge: Judge) -> None:
    (loaded,) = judge.load(["{"])
    (verdict,) = judge.run([instance(runtime="{")])
    assert loaded.error == verdict.error
    assert str(loaded.error).startswith("JSONDecodeError")
    assert loaded.cmd == verdict.cmd == verdict.stored == ()


def test_every_hvparam_has_a_default_and_a_type(judge: Judge) -> None:
    defaults, types = judge.hvparam_defaults(), judge.hvparam_types()
    assert set(defaults) == set(types)
    assert set(types.values()) == {"bool", "int", "string", "maybe-string"}
    if judge.version.startswith("3.0."):
        assert len(defaults) == KVM_HVPARAMS_IN_3_0
    assert (defaults["kvm_pci_reservations"], defaults["scsi_controller_type"]) == (12, "lsi")


def config(version: int, **parts: Any) -> dict[str, Any]:
    """Give a cluster of one node, one instance of OS debian+big, one rbd disk."""
    disk = {
        "dev_type": "rbd", "logical_id": ["rbd", "u.rbd.disk0"], "size": 1, "uuid": DISK_UUID,
        "mode": "rw", "params": {"access": "userspace"}, "iv_name": "disk/0", "nodes": [],
    }  # fmt: skip
    cluster = {
        "hvparams": {"kvm": {"acpi": False, "vga": "std"}}, "os_hvp": {"debian+big": {"kvm": {"vga": "qxl"}}},
        "beparams": {"default": {"vcpus": 2}}, "nicparams": {"default": {"link": "br9"}},
        "osparams": {"debian": {"a": "1", "b": "1"}, "debian+big": {"b": "2"}},
        "diskparams": {"rbd": {"pool": "one"}}, "enabled_hypervisors": ["kvm"], "master_node": "n",
        "enabled_disk_templates": ["rbd"], "volume_group_name": "xenvg", "cluster_name": "c",
    }  # fmt: skip
    one = {
        "name": "one.example.com", "uuid": "i", "hypervisor": "kvm", "os": "debian+big", "primary_node": "n",
        "hvparams": {"acpi": True}, "beparams": {"maxmem": 512}, "osparams": {"c": "3"}, "nics": [NIC],
        "disks": [DISK_UUID], "admin_state": "up", "disks_active": True,
    }  # fmt: skip
    base = {
        "version": version, "cluster": cluster, "networks": {},
        "instances": {"i": one}, "disks": {DISK_UUID: disk},
        "nodes": {"n": {"name": "n", "uuid": "n", "group": "g"}},
        "nodegroups": {"g": {"name": "g", "uuid": "g", "diskparams": {"rbd": {"pool": "two"}}}},
    }  # fmt: skip
    return base | parts


@pytest.mark.parametrize("version", [2_120_000, 2_160_000, 3_000_000, 3_010_000])
def test_parameters_are_filled_in_ganetis_order(judge: Judge, tmp_path: Path, version: int) -> None:
    path = tmp_path / "config.data"
    path.write_text(json.dumps(config(version)))
    (filled,) = judge.fill(path)
    assert (filled.hvparams["acpi"], filled.hvparams["vga"]) == (True, "qxl")
    assert len(filled.hvparams) == len(judge.hvparam_defaults())
    assert (filled.beparams["vcpus"], filled.beparams["maxmem"]) == (2, 512)
    assert filled.osparams == {"a": "1", "b": "2", "c": "3"}
    assert filled.nics[0]["link"] == "br0"
    assert filled.disks[0].params == {"access": "userspace", "pool": "two"}
    (verdict,) = judge.run([filled.request])
    assert "-vga qxl" in verdict.options


def test_a_second_preparation_builds_nothing(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    def built() -> None:
        pytest.fail("it is there already")

    monkeypatch.setattr(ganeti_setup, "_built", built)
    assert prepare() == judge
