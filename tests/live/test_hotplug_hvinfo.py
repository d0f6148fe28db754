"""The place that an operation tells is where QEMU itself says the device is, for every model."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from lab.bootable import context_for
from lab.embedded import remove_domain
from lab.qemu import command_line, device_options
from tests.live.plugged import INSTANCE, NAME, disk, nic, opened, write_images
from tests.live.test_hvinfo_matrix import NAMES, compare_with_qtree, hvinfos, qtree, said_by_qtree
from virtxlate import Report, format_domain, place, to_domain
from virtxlate.hotplug.session import Done, Hotplug, Options
from virtxlate.tables.controller import SCSI_CONTROLLERS

if TYPE_CHECKING:
    from lab.embedded import EmbeddedLibvirt

pytestmark = pytest.mark.live

DISK_KINDS: list[dict[str, Any]] = [
    {"disk_type": "paravirtual"},
    *({"disk_type": "scsi-hd", "scsi_controller_type": row.ganeti} for row in SCSI_CONTROLLERS),
]
NIC_TYPES = ("paravirtual", "e1000", "rtl8139", "pcnet", "ne2k_pci", "i82551", "i82557b", "i82559er")
PAUSED = 1
"""VIR_DOMAIN_START_PAUSED"""


def test_each_place_that_is_told_is_where_qemu_has_the_device(
    libvirt_host: EmbeddedLibvirt, bridge_name: str, tmp_path: Path
) -> None:
    context = context_for(tmp_path, {"br0": bridge_name})
    instance = place(INSTANCE)
    write_images(tmp_path, *instance.disks)
    xml = format_domain(msgspec.structs.replace(to_domain(instance, context, Report()), type="qemu"))
    running = libvirt_host.connection.defineXML(xml)
    try:
        running.createWithFlags(PAUSED)
        with opened(libvirt_host) as port:

            def session(hvparams: dict[str, Any]) -> Hotplug:
                options = Options(live=True, config=True, force=True)
                return Hotplug(port, context=context, options=options, hvparams=hvparams)

            done: dict[str, Done] = {}
            for number, hvparams in enumerate(2 * DISK_KINDS, 1):
                write_images(tmp_path, disk(number))
                done[disk(number).uuid] = session(hvparams).add_disk(disk(number))
            for number, nic_type in enumerate(NIC_TYPES[:7], 1):
                done[nic(number).uuid] = session({"nic_type": nic_type}).add_nic(nic(number))
            # A hole in the targets of virtio-scsi, and the next disk in it.
            gone = disk(len(DISK_KINDS)).uuid
            session(DISK_KINDS[-1]).remove("disk", gone)
            del done[gone]
            write_images(tmp_path, disk(40))
            done[disk(40).uuid] = session(DISK_KINDS[-1]).add_disk(disk(40))

            live, counts = running.XMLDesc(0), Counter[str]()
            compare_with_qtree(live, running, counts)
            tree = qtree(running)
            for uuid, each in done.items():
                assert each.device is not None
                told = each.device.to_dict()["hvinfo"]
                assert isinstance(told, dict)
                shown = said_by_qtree(told)
                assert {key: tree[told["id"]].get(key) for key in shown} == shown, uuid
            told_before = hvinfos(live)

        # The next start has each where it was plugged in; now the arguments tell.
        running.destroy()
        running.createWithFlags(PAUSED)
        assert places(hvinfos(running.XMLDesc(0))) == places(told_before)
        words = device_options(command_line(libvirt_host.root, NAME))
        options = {each["id"]: each for each in words if "id" in each}
        for info in hvinfos(running.XMLDesc(0)):
            own = options[info["id"]]
            assert info == {key: own[key] for key in NAMES if key in own}
    finally:
        remove_domain(running)
    print(f"plugged in: {dict(counts)}")
    assert counts["scsi-hd"] == 2 * len(SCSI_CONTROLLERS)


def places(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Give the places by id; backends are numbered anew in each QEMU."""
    return {each["id"]: {k: v for k, v in each.items() if k not in {"drive", "netdev"}} for each in found}
