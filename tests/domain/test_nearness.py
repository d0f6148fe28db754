"""The nearest known word, where one is near enough to be meant."""

from __future__ import annotations

import pytest

from virtxlate.domain import schema
from virtxlate.domain.grammar import grammar
from virtxlate.domain.nearness import nearest

BUSES = ("ide", "fdc", "scsi", "virtio", "xen", "usb", "uml", "sata", "sd", "nvme")
NEAR = [
    ("vitrio", BUSES, "virtio"),
    ("VirtIO", BUSES, "virtio"),
    ("USB3", BUSES, "usb"),
    ("bridge", BUSES, None),
    ("raid", BUSES, None),
    ("", BUSES, None),
    ("v" * 1000, BUSES, None),
    ("true", ("yes", "no"), "yes"),
    ("true", ("on", "off"), "on"),
    ("False", ("yes", "no"), "no"),
    ("off", ("yes", "no"), "no"),
    ("yes", ("on", "off"), "on"),
    ("yes", ("yes", "no"), None),
    ("write-back", ("none", "writeback", "writethrough"), "writeback"),
    ("lsi", ("lsilogic", "lsisas1068"), "lsilogic"),
    ("xhci", ("nec-usb", "qemu-xhci"), "qemu-xhci"),
    ("harddisk", ("disk", "cdrom"), "disk"),
]


@pytest.mark.parametrize(("found", "known", "meant"), NEAR)
def test_the_word_that_was_meant(found: str, known: tuple[str, ...], meant: str | None) -> None:
    assert nearest(found, known) == meant


MISPLACED = [
    ("<memballoon model='none'/>", "<memballoon> is not known in <domain>; it belongs in <devices>"),
    ("<emulator>/a</emulator>", "<emulator> is not known in <domain>; it belongs in <devices>"),
    (
        "<clock offset='utc'><offset>utc</offset></clock>",
        "<offset> is not known in <clock>; offset is an attribute of <clock>",
    ),
    ("<cpu topology='1'/>", "the attribute topology is not known in <cpu>; topology is an element in it"),
    ("<devcies/>", "<devcies> is not known in <domain>; did you mean devices?"),
]


@pytest.mark.parametrize(("element", "message"), MISPLACED)
def test_a_misplaced_element_is_told_where_it_belongs(element: str, message: str) -> None:
    text = f"<domain type='kvm'><name>a</name><os><type>hvm</type></os>{element}</domain>"
    assert [each.message for each in schema.validate(text)] == [message]


def test_parents_are_told_once_each() -> None:
    assert grammar().parents("vcpu") == ("domain",)
    assert "disk" in grammar().parents("target")
    assert grammar().parents("nonsense") == ()
