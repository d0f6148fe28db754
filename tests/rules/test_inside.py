"""The domain in a snapshot or a checkpoint obeys the same rules; paths and lines are those of the whole."""

from __future__ import annotations

import pytest
from lxml import etree
from msgspec import structs

from tests.rules.cases import Case
from tests.rules.table import CASES
from virtxlate.domain.violations import Violation
from virtxlate.rules import broken, faults, validate

IDS = [f"{case.rule}-{number}" for number, case in enumerate(CASES)]
HOLD = {
    "/domainsnapshot/domain": "<domainsnapshot>\n<name>s1</name>\n{}\n</domainsnapshot>",
    "/domaincheckpoint/domain": "<domaincheckpoint>\n<name>c1</name>\n{}\n</domaincheckpoint>",
}
SNAPSHOT = """\
<domainsnapshot>
  <name>s1</name>
  <domain type='kvm'><name>a</name><memory>1</memory><os><type>hvm</type></os><devices>
    <disk type='file'><source file='/a'/><target dev='sda' bus='sata'/></disk>
    <disk type='file'><source file='/b'/><target dev='sda' bus='scsi'/></disk>
    <interface type='direct'><source dev='eth0'/><driver name='qemu' iommu='on'/></interface>
  </devices></domain>
  <inactiveDomain type='kvm'><name>a</name><memory>1</memory><os><type>hvm</type></os>
    <vcpu current='3'>2</vcpu>
    <clock offset='utc' timezone='UTC'/>
  </inactiveDomain>
</domainsnapshot>
"""


def inside(found: tuple[Violation, ...], place: str) -> tuple[Violation, ...]:
    """Give what is told of a domain as it is told where the domain stands two lines lower, below a root."""
    return tuple(
        structs.replace(
            each,
            path=each.path.replace("/domain", place, 1),
            line=each.line + 2,
            message=each.message.replace("/domain/", f"{place}/"),
        )
        for each in found
    )


@pytest.mark.parametrize("place", HOLD)
@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_broken_rule_is_told_as_of_the_domain_alone(case: Case, place: str) -> None:
    text = case.broken_document()
    alone = broken(etree.fromstring(text))
    assert broken(etree.fromstring(HOLD[place].format(text))) == inside(alone, place)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_the_same_done_right_is_left_alone(case: Case) -> None:
    text = HOLD["/domainsnapshot/domain"].format(case.right_document())
    assert broken(etree.fromstring(text)) == ()


def test_both_domains_of_a_snapshot_are_judged_each_for_itself() -> None:
    found = [(each.line, each.path, each.rule) for each in validate(SNAPSHOT)]
    assert found == [
        (5, "/domainsnapshot/domain/devices/disk[2]/target/@dev", "disk-target-unique"),
        (6, "/domainsnapshot/domain/devices/interface/driver/@iommu", "interface-virtio-options"),
        (9, "/domainsnapshot/inactiveDomain/vcpu/@current", "vcpu-current"),
        (10, "/domainsnapshot/inactiveDomain/clock/@timezone", "co-occurrence"),
    ]
    (first, *_rest) = validate(SNAPSHOT)
    assert first.message == "the name sda is that of /domainsnapshot/domain/devices/disk[1]/target too"


def test_a_domain_of_another_hypervisor_has_no_rules_of_qemu_there_either() -> None:
    other = SNAPSHOT.replace("type='kvm'", "type='lxc'")
    assert [each.rule for each in validate(other)] == ["co-occurrence"]


def test_a_snapshot_that_names_its_domain_alone_breaks_no_rule() -> None:
    uuid = "<uuid>c2177883-f1bb-47f0-914d-32a22e3a8804</uuid>"
    root = etree.fromstring(f"<domainsnapshot><name>s1</name><domain>{uuid}</domain></domainsnapshot>")
    assert (broken(root), list(faults(root))) == ((), [])
    assert broken(etree.fromstring("<domainsnapshot/>")) == ()
