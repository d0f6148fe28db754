"""What a host's schema says gives way to what a person wrote, and is right in case of doubt."""

from __future__ import annotations

import pytest

from virtxlate.domain.schema import Document
from virtxlate.domain.violations import Violation
from virtxlate.rules import validate

INSIDE = "<source dev='/a'/><target dev='vda' bus='virtio'/><address type='pci' unit='0'/>"
DISK = f"<disk type='file'>{INSIDE}</disk>"
DOMAIN = f"<domain type='kvm'><name>a</name><os><type>hvm</type></os><devices>{DISK}</devices></domain>"
AT = "/domain/devices/disk"


def judge(*paths: str, rule: str = "co-occurrence") -> tuple[Violation, ...]:
    found = tuple(Violation(path=path, line=1, rule=rule, message="may not") for path in paths)

    def judged(_document: Document) -> tuple[Violation, ...]:
        return found

    return validate(DOMAIN, judged)


def told(found: tuple[Violation, ...]) -> list[tuple[str, str]]:
    return [(each.path, each.rule) for each in found]


@pytest.mark.parametrize(
    "path", [f"{AT}/source/@file", f"{AT}/source", f"{AT}/@type", AT, f"{AT}/source/slices"]
)
def test_a_fault_of_source_and_type_is_told_once_wherever_the_schema_sees_it(path: str) -> None:
    assert told(judge(path)) == [(f"{AT}/source/@dev", "disk-source")]


@pytest.mark.parametrize("path", [f"{AT}/address", f"{AT}/address/@type"])
def test_an_address_decides_about_itself(path: str) -> None:
    assert told(judge(path)) == [(f"{AT}/address/@unit", "address-fields")]


def test_two_faults_of_a_device_are_two() -> None:
    assert [rule for _path, rule in told(judge(f"{AT}/@type", f"{AT}/address/@type"))] == [
        "disk-source",
        "address-fields",
    ]


def test_where_a_host_takes_a_combination_it_is_right() -> None:
    assert judge() == ()


@pytest.mark.parametrize("path", ["/domain/devices/disk[2]/source", "/domain/os", f"{AT}/target"])
def test_a_fault_of_another_place_stays(path: str) -> None:
    assert told(judge(path)) == [(path, "co-occurrence")]


def test_what_is_no_matter_of_combinations_stays() -> None:
    assert told(judge(f"{AT}/source", rule="content")) == [(f"{AT}/source", "content")]


def test_a_warning_does_not_take_the_place_of_an_error() -> None:
    lun = "<disk type='block' device='lun'><source dev='/a'/><target dev='sda' bus='scsi'/></disk>"
    managed = "<hostdev mode='subsystem' type='scsi' managed='yes'><source protocol='iscsi' name='a'>"
    hostdev = f"{managed}<host name='b' port='1'/></source></hostdev>"
    at = "/domain/devices/hostdev"
    found = (Violation(path=at, line=1, rule="co-occurrence", message="may not"),)
    domain = DOMAIN.replace(DISK, lun + hostdev)
    rules = {(each.rule, each.severity) for each in validate(domain, lambda _document: found)}
    assert {("co-occurrence", "error"), ("hostdev-scsi-managed", "warning")} <= rules
