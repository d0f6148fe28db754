"""Paths that Ganeti's data leads to: absolute, without a way up, without control characters."""

from __future__ import annotations

import pytest

from virtxlate import Context, GanetiDataError, Report, to_domain
from virtxlate.ganeti import Disk, Instance

UUID = "11111111-2222-4333-8444-555555555555"
REFUSED = {
    ("file", "loop", "relative/x"): "relative/x",
    ("file", "loop", "/srv/../../etc/shadow"): "/srv/../../etc/shadow",
    ("sharedfile", "loop", "/srv/a\nb"): "/srv/a\\nb",
    ("blockdev", "manual", "/dev/disk/./x"): "/dev/disk/./x",
    ("plain", "xenvg", "../sda"): "/dev/xenvg/../sda",
    ("plain", "", "lv"): "/dev//lv",
}


@pytest.mark.parametrize(("template", "first", "second"), REFUSED)
def test_a_path_that_leads_elsewhere_is_refused(template: str, first: str, second: str) -> None:
    disk = Disk(uuid=UUID, template=template, logical_id=(first, second))
    instance = Instance(name="web1.example.com", uuid=UUID, disks=(disk,), disk_template=template)
    with pytest.raises(GanetiDataError) as caught:
        to_domain(instance, Context(), Report())
    shown = REFUSED[template, first, second]
    assert (
        str(caught.value) == f"disks[0].logical_id: expected it to lead to an absolute path, found '{shown}'"
    )
