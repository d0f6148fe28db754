"""A lookup file of SCSI devices is read as it was written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from virtxlate.scsi import ScsiAddress, ScsiDevice, format_scsi_map, parse_scsi_map

NUMBERS = st.integers(0, 999_999_999)
PATHS = st.text(st.characters(codec="utf-8")).map(lambda text: f"/{text}")
DEVICES = st.lists(
    st.builds(
        ScsiDevice,
        address=st.builds(ScsiAddress, NUMBERS, NUMBERS, NUMBERS, st.integers(0, 10**19 - 1)),
        block=st.none() | PATHS,
        generic=st.none() | PATHS,
        links=st.lists(PATHS).map(tuple),
    ),
    unique_by=lambda device: device.address,
)


def distinct(devices: list[ScsiDevice]) -> list[ScsiDevice]:
    """Give the devices whose names no other has; two devices of one name are refused, and rightly."""
    seen: set[str] = set()
    kept = []
    for device in devices:
        if len(set(device.paths)) == len(device.paths) and seen.isdisjoint(device.paths):
            seen.update(device.paths)
            kept.append(device)
    return kept


@given(DEVICES.map(distinct))
def test_a_lookup_file_is_read_as_it_was_written(devices: list[ScsiDevice]) -> None:
    assert parse_scsi_map(format_scsi_map(devices)).devices == tuple(devices)


def test_no_devices_are_an_empty_file() -> None:
    assert format_scsi_map(()) == ""
    assert parse_scsi_map("").devices == ()
