"""A disk of the domain is the one that the running QEMU has open, whatever its name is by now."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.handover.fake_host import checked, text_of, told
from virtxlate.hardware.facts import Medium
from virtxlate.translate.running.facts import Running

PID = 4711


def opened(found: Running, root: Path) -> Path:
    """Give the directory of descriptors of a QEMU that has all its files open."""
    place = root / "proc" / str(PID) / "fd"
    place.mkdir(parents=True)
    names = {medium.filename for medium in found.facts.drives.values() if medium is not None}
    for number, name in enumerate(sorted(names)):
        (place / f"{number}").hardlink_to(name)
    (place / "99").symlink_to("/gone (deleted)")
    return place


def test_files_that_qemu_has_open_are_the_same_under_a_new_name(found: Running, root: Path) -> None:
    """Ganeti renames: what is open stays open, and the old name is gone."""
    opened(found, root)
    old = root / "disk-0000000f-d15c-4000"
    text = text_of(found).replace(str(old), str(root / "moved"))
    old.rename(root / "moved")
    assert told(checked(found, root, text=text, pid=PID)) == []
    reason = ("disk vdb", str(root / "moved"))
    assert told(checked(found, root, text=text)) == [reason]
    assert told(checked(found, root, text=text, pid=1)) == [reason]


def test_a_file_in_the_place_of_one_that_is_open_is_another(found: Running, root: Path) -> None:
    """The name is that of the document and of QEMU, but QEMU holds what had it before."""
    opened(found, root)
    path = root / "disk-0000000f-d15c-4000"
    path.unlink()
    path.write_bytes(b"new")
    assert told(checked(found, root)) == []
    assert told(checked(found, root, pid=PID)) == [("disk vdb", str(path))]


NETWORK = (
    '<source protocol="rbd" name="{}"/>',
    'json:{"driver":"raw","file":{"driver":"rbd","pool":"rbd","image":"disk0"}}',
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("rbd/disk0", []), ("rbd/disk1", [("disk vdb", "rbd/disk1")]), ("a/disk0", [("disk vdb", "a/disk0")])],
)
def test_an_image_on_the_network_is_that_which_is_open(
    name: str, expected: list[tuple[str, str]], found: Running, root: Path
) -> None:
    drive = "disk-0000000f-d15c-4000"
    text = text_of(found)
    file = f'<source file="{root / drive}"/>'
    at = text.rindex('type="file"', 0, text.index(file))
    text = text[:at] + 'type="network"' + text[at + len('type="file"') :]
    medium = Medium(driver="rbd", filename=NETWORK[1], direct=True)
    facts = msgspec.structs.replace(found.facts, drives={**found.facts.drives, drive: medium})
    there = msgspec.structs.replace(found, facts=facts)
    assert told(checked(there, root, text=text.replace(file, NETWORK[0].format(name)))) == expected


def test_a_disk_in_a_place_of_its_own_is_told(found: Running, root: Path) -> None:
    text = text_of(found)
    moved = text.replace('slot="0x1e"', 'slot="0x1d"')
    assert moved != text
    (finding,) = told(checked(found, root, text=moved))
    assert finding[0] == "disk vdb"
