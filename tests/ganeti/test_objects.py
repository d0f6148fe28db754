"""One Ganeti disk as its RPC or config has it."""

from __future__ import annotations

from typing import Any

import pytest

from virtxlate.errors import GanetiDataError
from virtxlate.ganeti.model import Disk
from virtxlate.ganeti.objects import read_disk
from virtxlate.report import Report

URI = "iscsi://vm1@192.0.2.9:3260/iqn.2026-11.example:luns/1"
LUN = {"dev_type": "ext", "logical_id": ["provider", "lun1"], "params": {"access": "userspace"}}
STORED: dict[str, Any] = {
    "serial_no": 1,
    "ctime": 1327334413.08,
    "mtime": 1330349951.51,
    "physical_id": ["xenvg", "d"],
    "forthcoming": False,
    "dynamic_params": {},
    "iv_name": "disk/0",
    "nodes": ["n1"],
    "spindles": 2,
    "pci": None,
    "hvinfo": None,
}


@pytest.mark.parametrize("password", ["", "%geheim"])
def test_link_and_uri_are_taken_and_a_password_is_left_and_told(password: str) -> None:
    report = Report()
    found = read_disk({**LUN, "link": "/a/link", "uri": URI.replace("@", f"{password}@")}, report, "[0]")
    assert found == Disk(
        template="ext",
        logical_id=("provider", "lun1"),
        params={"access": "userspace"},
        link="/a/link",
        uri=URI,
    )
    told = [(loss.path, loss.value, loss.reason) for loss in report.losses]
    reason = "the password in a URI stays with Ganeti"
    assert told == ([("[0].uri", None, reason)] if password else [])


def test_what_ganeti_stores_beside_a_disk_is_no_error() -> None:
    assert read_disk({**LUN, **STORED, "children": [{**LUN, **STORED}]}) == Disk(
        template="ext",
        logical_id=("provider", "lun1"),
        params={"access": "userspace"},
        iv_name="disk/0",
        nodes=("n1",),
        spindles=2,
        children=(read_disk({**LUN, **STORED}),),
    )


ALLOWED = (
    "dev_type, uuid, name, logical_id, children, nodes, iv_name, size, mode, params, spindles, hvinfo, pci, "
)
KEPT = "serial_no, ctime, mtime, physical_id, forthcoming, dynamic_params, "
UNKNOWN: list[tuple[dict[str, Any], str, str]] = [
    ({"password": "geheim"}, "disk: expected a key of ", f"link, uri, {KEPT}found 'password'"),
    ({"children": [{**LUN, "uri": URI}]}, "disk.children[0]: expected a key of ", f"{KEPT}found 'uri'"),
]


@pytest.mark.parametrize(("more", "start", "end"), UNKNOWN)
def test_a_key_that_no_disk_has_is_refused(more: dict[str, Any], start: str, end: str) -> None:
    with pytest.raises(GanetiDataError) as caught:
        read_disk({**LUN, **more})
    assert str(caught.value) == f"{start}{ALLOWED}{end}"
