"""What is derived from each live document, whole values; ``pytest tests/hvinfo --regenerate`` writes them."""

from __future__ import annotations

import json

import pytest

from tests.hvinfo.cases import LIVE, NAMES, derived, golden, xml
from virtxlate.translate.hvinfo import derive_hvinfo

each_name = pytest.mark.parametrize("name", NAMES)


@each_name
def test_what_is_derived_is_the_golden(name: str, pytestconfig: pytest.Config) -> None:
    if pytestconfig.getoption("--regenerate"):
        golden(name).write_text(derived(name), encoding="utf-8")
    assert derived(name) == golden(name).read_text(encoding="utf-8")


def test_every_golden_has_its_document() -> None:
    assert {path.name.partition(".")[0] for path in LIVE.glob("*.json")} == set(NAMES)


@each_name
def test_text_and_bytes_and_an_open_domain_give_the_same(name: str) -> None:
    class Open:
        def live_xml(self) -> str:
            return xml(name).decode()

    assert derive_hvinfo(xml(name).decode()) == derive_hvinfo(xml(name)) == derive_hvinfo(Open())


KEYS = {"kind", "alias", "uuid", "target", "mac", "hvinfo"}
PLACES = {"driver", "id", "bus", "addr", "devno", "channel", "scsi-id", "lun", "unit", "port"}


@each_name
def test_an_object_has_the_keys_that_are_promised(name: str) -> None:
    for device in json.loads(derived(name)):
        assert None not in device.values()
        if "hvinfo" in device:
            assert device.keys() <= KEYS
            assert device["hvinfo"].keys() <= PLACES | {"drive", "netdev"}
            assert not {"drive", "netdev"} <= device["hvinfo"].keys()
        else:
            assert device.keys() - KEYS == {"path", "note"}


@each_name
def test_devices_stand_in_the_order_of_the_document(name: str) -> None:
    places = [device.path for device in derive_hvinfo(xml(name))]
    assert len(set(places)) == len(places)
    by_kind: dict[str, list[int]] = {}
    for place in places:
        tag, _, number = place.removeprefix("/domain/devices/").rstrip("]").partition("[")
        by_kind.setdefault(tag, []).append(int(number))
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in by_kind.values())
