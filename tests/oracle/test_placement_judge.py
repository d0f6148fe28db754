"""Ganeti's own placement beside ours, over a matrix of instances and some random ones."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
import pytest

from lab.ganeti_judge import Verdict, prepare
from tests.oracle.differences import PLACEMENT
from virtxlate import PlacementError, place
from virtxlate.ganeti.model import Disk, Instance, Nic
from virtxlate.ganeti.params import HvParams
from virtxlate.ganeti.words import DISK_DRIVERS, MAX_DISKS, MAX_NICS, NIC_DRIVERS, PCI_SLOTS, SCSI_DISK_TYPES
from virtxlate.tables.controller import SCSI_CONTROLLERS

pytestmark = pytest.mark.oracle

CONTROLLERS = tuple(row.ganeti for row in SCSI_CONTROLLERS)
COUNTS = ((0, 0), (0, 8), (1, 1), (2, 0), (7, 2), (8, 1), (9, 1), (12, 8), (16, 4), (16, 8))
RESERVATIONS = (0, 1, 3, 8, 16, 28, 31, 32)
RANDOM_ONES = 100
FULL = {"RuntimeError: No free slots available", "GenericError: All slots occupied"}
"""How Ganeti says that a bus has no room; the second where not even a reserved place is free."""

Given = dict[str, Any]
Placed = tuple[list[dict[str, Any]], list[dict[str, Any]]]


class Pair(NamedTuple):
    """One instance, what Ganeti says of it, and what we say; None stands for a refusal."""

    given: Given
    ganeti: Placed | None
    ours: Placed | None


def uuid_of(kind: int, index: int, rest: int = 0) -> str:
    return f"{index:04x}{kind:04x}-{rest:04x}-4111-8111-111111111111"


def instance(hvparams: dict[str, Any], disks: int, nics: int) -> Given:
    base = {"kernel_path": "", "scsi_controller_type": "lsi", "disk_type": "paravirtual"}
    return {
        "uuid": "11111111-2222-4333-8444-555555555555",
        "hvparams": base | hvparams,
        "disks": [
            {"disk": {"dev_type": "plain", "logical_id": ["vg", f"d{i}"], "size": 1, "uuid": uuid_of(0xD, i)}}
            for i in range(disks)
        ],
        "nics": [
            {"mac": f"aa:00:00:00:00:{i:02x}", "uuid": uuid_of(0xA, i), "nicparams": {"link": "br0"}}
            for i in range(nics)
        ],
    }


def matrix() -> Iterator[Given]:
    for disk_type in DISK_DRIVERS:
        for disks, nics in COUNTS:
            for controller in CONTROLLERS if disk_type in SCSI_DISK_TYPES and disks else ("lsi",):
                yield instance({"disk_type": disk_type, "scsi_controller_type": controller}, disks, nics)
    for nic_type in NIC_DRIVERS:
        yield instance({"nic_type": nic_type}, 2, 3)
    for reserved in RESERVATIONS:
        for disks, nics in COUNTS:
            yield instance({"kvm_pci_reservations": reserved}, disks, nics)


def random_ones(seed: int) -> Iterator[Given]:
    chance = random.Random(seed)
    for _ in range(RANDOM_ONES):
        hvparams = {
            "disk_type": chance.choice(list(DISK_DRIVERS)),
            "nic_type": chance.choice(list(NIC_DRIVERS)),
            "scsi_controller_type": chance.choice(CONTROLLERS),
            "kvm_pci_reservations": chance.randint(0, PCI_SLOTS),
            "use_guest_agent": chance.random() < 0.3,
            "soundhw": chance.choice(["", "hda"]),
        }
        yield instance(hvparams, chance.randint(0, MAX_DISKS), chance.randint(0, MAX_NICS))


def of_ganeti(verdict: Verdict) -> Placed | None:
    if verdict.error is not None:
        assert verdict.error in FULL
        return None
    return [dict(each) for each in verdict.disks], [dict(each) for each in verdict.nics]


def of_ours(given: Given) -> Placed | None:
    ours = Instance(
        name=given["name"],
        uuid=given["uuid"],
        hvparams=HvParams(**given["hvparams"]),
        disks=tuple(Disk(template="plain", uuid=each["disk"]["uuid"]) for each in given["disks"]),
        nics=tuple(Nic(mac=each["mac"], uuid=each["uuid"]) for each in given["nics"]),
    )
    try:
        placed = place(ours)
    except PlacementError:
        return None
    disks, nics = ([each.hvinfo for each in devices] for devices in (placed.disks, placed.nics))
    return msgspec.to_builtins(disks), msgspec.to_builtins(nics)


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    seed = int(os.environ.get("VIRTXLATE_SEED") or random.randrange(2**32))
    print(f"VIRTXLATE_SEED={seed} gives the same random instances again")
    given = [*matrix(), *random_ones(seed)]
    for index, each in enumerate(given):
        each["name"] = f"inst{index}.example.com"
    verdicts = prepare().run(given)
    return [Pair(each, of_ganeti(v), of_ours(each)) for each, v in zip(given, verdicts, strict=True)]


def test_ganeti_places_every_device_where_we_do(pairs: list[Pair]) -> None:
    usual = [pair for pair in pairs if not any(each.applies(pair.given) for each in PLACEMENT)]
    assert len(usual) > 250
    for pair in usual:
        assert pair.ours == pair.ganeti, pair.given


def test_the_order_of_the_keys_is_ganetis(pairs: list[Pair]) -> None:
    """The runtime file keeps it, and QEMU's options follow it."""
    for pair in pairs:
        if pair.ours == pair.ganeti and pair.ours is not None and pair.ganeti is not None:
            ours, theirs = (pair.ours[0] + pair.ours[1], pair.ganeti[0] + pair.ganeti[1])
            assert [list(each) for each in ours] == [list(each) for each in theirs]


def test_both_refuse_a_full_bus_and_both_accept_a_fitting_one(pairs: list[Pair]) -> None:
    assert any(pair.ganeti is None and pair.ours is None for pair in pairs)
    assert any(len((pair.ganeti or ([], []))[0]) == MAX_DISKS and pair.ours == pair.ganeti for pair in pairs)


@pytest.mark.parametrize("index", range(len(PLACEMENT)), ids=["small-controller", "scsi"])
def test_each_listed_difference_is_one(index: int, pairs: list[Pair]) -> None:
    others = [each for at, each in enumerate(PLACEMENT) if at != index]
    only_this = [
        pair
        for pair in pairs
        if PLACEMENT[index].applies(pair.given) and not any(each.applies(pair.given) for each in others)
    ]
    assert any(pair.ours != pair.ganeti for pair in only_this), PLACEMENT[index].reason
