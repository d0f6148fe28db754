"""Pools, volumes, node devices and snapshots against the shipped XSD of each, beside libvirt's grammar."""

from __future__ import annotations

import random

import pytest
from lxml import etree

from tests.schema.drawing import draw
from virtxlate.domain import schema
from virtxlate.domain.grammar import DOCUMENTS
from virtxlate.domain.nodedev import format_scsi_pool
from virtxlate.domain.vhba import Vhba, pool_of
from virtxlate.schema.relaxng import Reader
from virtxlate.schema.store import INSTALLED

WWN = "20000000c9831b4b"
DRAWN = 60
NAMED = pool_of(Vhba(parent="scsi_host5", wwnn=WWN, wwpn=WWN), "luns")
FABRIC = pool_of(Vhba(parent_fabric_wwn=WWN, wwnn=WWN, wwpn=WWN), "luns")
WRONG = {
    "<pool type='scis'><name>a</name></pool>": "/pool/@type: expected one of scsi, dir, ",
    "<pool type='scsi'><name>a/b</name></pool>": "/pool/name: expected a name on one line",
    "<pool type='scsi'><source><adapter nmae='a'/></source></pool>": "/pool/source/adapter/@nmae: ",
    "<pool type='scsi'><source/><source/></pool>": "/pool/source[2]: <source> may stand only once",
    "<volume><name>a</name><target><paht>/a</paht></target></volume>": "/volume/target/paht: <paht> is not",
    "<volume><capacity unit='GiB'>1.5</capacity><name>a</name></volume>": "/volume/capacity: expected a",
    "<volume/>": "/volume/name: <volume> needs <name>",
    "<domainsnapshot><state>runing</state></domainsnapshot>": "/domainsnapshot/state: expected one of ",
    "<domainsnapshot><disks><disk/></disks></domainsnapshot>": "/domainsnapshot/disks/disk/@name: <disk>",
    "<device><capability type='scsi_hots'/></device>": "/device/capability/@type: expected one of",
}


@pytest.mark.parametrize("pool", [NAMED, FABRIC], ids=["parent", "fabric"])
def test_the_pools_that_virtxlate_writes_are_valid(pool: object) -> None:
    assert schema.validate(format_scsi_pool(NAMED if pool is NAMED else FABRIC)) == ()


@pytest.mark.parametrize(("text", "told"), WRONG.items(), ids=WRONG)
def test_a_fault_is_told_with_its_place(text: str, told: str) -> None:
    (violation,) = schema.validate(text)
    assert f"{violation.path}: {violation.message}".startswith(told)


def as_names(document: etree._Element) -> None:
    """Give a node device names: the grammar takes any text for them, and nothing too."""
    for tag, text in (("name", "a"), ("path", "/a"), ("parent", "a")):
        for each in document.findall(tag):
            if each.text or tag != "parent":
                each.text = text


@pytest.mark.oracle
@pytest.mark.parametrize("root", [root for root in DOCUMENTS if root != "domain"])
def test_what_libvirts_grammar_describes_is_not_refused(root: str) -> None:
    name, seed = DOCUMENTS[root], random.randrange(1 << 30)
    judge, rng = etree.RelaxNG(etree.parse(INSTALLED / f"{name}.rng")), random.Random(seed)
    grammar = Reader(INSTALLED).read(f"{name}.rng")
    assert grammar is not None
    for _ in range(DRAWN):
        document = draw(grammar, rng)
        if root == "device":
            as_names(document)
        if root == "device" and len(document.findall("capability")) != 1:
            # libvirt's parser refuses a device without a capability, and reads no second one.
            continue
        assert judge.validate(document), f"seed {seed}"
        assert schema.validate(document) == (), f"seed {seed}"
