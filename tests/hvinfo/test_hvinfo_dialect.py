"""The same places in Ganeti's words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.golden.cases import every_translation
from tests.hvinfo.cases import NAMES, xml
from virtxlate import format_domain
from virtxlate.domain.live import parse_live
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.tables.disk import DISK_TYPES
from virtxlate.translate.dialect import ganeti_scsi_bus, to_ganeti_dialect
from virtxlate.translate.hvinfo import derive
from virtxlate.translate.matching import match

TRANSLATIONS = every_translation()


def in_ganeti_words(name: str) -> dict[str, Any]:
    live = parse_live(xml(name))
    bus = ganeti_scsi_bus(live)
    found = [to_ganeti_dialect(device, bus).to_dict() for device in derive(live)]
    return {
        str(each.get("target") or each.get("mac") or each.get("alias")): each.get("hvinfo") for each in found
    }


def test_ids_lose_the_prefix_and_scsi_counts_channel_and_lun() -> None:
    found = in_ganeti_words("pc-every-bus")
    assert found["vda"] == {
        "driver": "virtio-blk-pci",
        "id": "disk-9e7c85f6-b6e5-4243",
        "bus": "pci.0",
        "addr": "0x8",
    }
    assert found["sdc"] == {
        "driver": "scsi-hd",
        "id": "scsi0-0-5",
        "bus": "scsi.0",
        "channel": 0,
        "scsi-id": 5,
        "lun": 0,
    }


def test_a_second_controller_keeps_its_name() -> None:
    assert in_ganeti_words("pc-every-bus")["sdd"]["bus"] == "ua-scsi.0"
    assert in_ganeti_words("host-devices")["hostdev2"]["bus"] == "scsi1.0"


def test_a_first_controller_of_any_name_is_ganetis() -> None:
    text = xml("pc-every-bus").replace(b"index='0' model='lsilogic'", b"index='9' model='lsilogic'")
    text = text.replace(b"index='1' model='virtio-scsi'", b"index='0' model='virtio-scsi'")
    live = parse_live(text)
    assert ganeti_scsi_bus(live) == "ua-scsi.0"
    assert ganeti_scsi_bus(parse_live("<domain/>")) == "scsi0.0"


@pytest.mark.parametrize("name", NAMES)
def test_only_ganetis_keys_are_left(name: str) -> None:
    for info in in_ganeti_words(name).values():
        assert info is None or info.keys() <= {"driver", "id", "bus", "addr", "channel", "scsi-id", "lun"}


@pytest.mark.parametrize("each", TRANSLATIONS, ids=[each.stem for each in TRANSLATIONS])
def test_a_translated_instance_has_the_places_that_ganeti_gave(each: Any) -> None:
    """There and back by the other way: Ganeti's hvinfo to the document, and its hvinfo to Ganeti's words."""
    live = parse_live(format_domain(each.domain))
    bus = ganeti_scsi_bus(live)
    found = match(each.placed, live, derive(live), each.context)
    wanted = {f"disks[{i}]": d.hvinfo for i, d in enumerate(each.placed.disks)}
    wanted |= {f"nics[{i}]": n.hvinfo for i, n in enumerate(each.placed.nics)}
    assert found.keys() == wanted.keys()
    emulated = {row.ganeti for row in DISK_TYPES if row.bus == "ide"}
    for at, device in found.items():
        said = wanted[at]
        seen = to_ganeti_dialect(device, bus).hvinfo
        assert isinstance(said, HvInfo)
        assert seen is not None
        if said.driver in emulated:
            assert (seen.driver, seen.bus) == ("ide-hd", f"ide.{seen.bus[-1] if seen.bus else ''}")
            continue
        assert (seen.driver, seen.bus, seen.channel, seen.scsi_id, seen.lun) == (
            said.driver,
            said.bus,
            said.channel,
            said.scsi_id,
            said.lun,
        )
        assert said.slot == (None if seen.addr is None else int(seen.addr, 0))
        assert seen.id in {said.id, None}
