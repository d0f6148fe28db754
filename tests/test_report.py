"""The report: losses in the order of discovery, and strictness."""

from __future__ import annotations

from pathlib import PurePosixPath

import msgspec
import pytest

from virtxlate.errors import UnsupportedError
from virtxlate.report import Loss, Report, Severity


def test_a_new_report_is_empty_and_false() -> None:
    report = Report()
    assert not report
    assert len(report) == 0
    assert report.losses == ()


def test_losses_stay_in_the_order_of_discovery() -> None:
    report = Report()
    report.lose("hvparams.vga", "qxl", "no such card")
    report.lose("disks[0].size_mib", 7, "not told", Severity.GUEST_VISIBLE)
    assert report
    assert len(report) == 2
    assert report.losses == (
        Loss(path="hvparams.vga", value="qxl", reason="no such card", severity=Severity.HOST_ONLY),
        Loss(path="disks[0].size_mib", value=7, reason="not told", severity=Severity.GUEST_VISIBLE),
    )


@pytest.mark.parametrize("value", ["text", 7, 1.5, True, None])
def test_a_scalar_is_kept_as_it_is(value: object) -> None:
    report = Report()
    report.lose("at", value, "why")
    assert report.losses[0].value is value


def test_what_is_no_scalar_is_kept_as_its_text() -> None:
    report = Report()
    report.lose("at", PurePosixPath("/dev/vda"), "why")
    assert report.losses[0].value == "/dev/vda"


def test_losses_that_somebody_else_found_are_taken_over() -> None:
    reader, all_of_them = Report(), Report()
    reader.lose("a", 1, "first")
    all_of_them.extend(reader.losses)
    all_of_them.lose("b", 2, "second")
    assert [loss.path for loss in all_of_them.losses] == ["a", "b"]
    assert len(reader) == 1


def test_a_loss_reads_as_one_line() -> None:
    loss = Loss(path="hvparams.vga", value="q", reason="no such card", severity=Severity.GUEST_VISIBLE)
    assert str(loss) == "hvparams.vga = 'q': no such card (guest-visible)"


def test_a_loss_becomes_the_json_that_its_description_shows() -> None:
    loss = Loss(path="hvparams.vga", value="qxl", reason="why", severity=Severity.GUEST_VISIBLE)
    assert msgspec.to_builtins(loss) == {
        "path": "hvparams.vga",
        "value": "qxl",
        "reason": "why",
        "severity": "guest-visible",
    }


def test_strictness_names_every_loss() -> None:
    report = Report()
    report.lose("a", 1, "first")
    report.lose("b", None, "second", Severity.GUEST_VISIBLE)
    with pytest.raises(UnsupportedError) as caught:
        report.raise_if(strict=True)
    assert str(caught.value) == "2 losses: a = 1: first (host-only); b = None: second (guest-visible)"
    assert caught.value.report is report


def test_nothing_is_raised_without_losses_or_without_strictness() -> None:
    report = Report()
    report.raise_if(strict=True)
    report.lose("a", 1, "first")
    report.raise_if(strict=False)
