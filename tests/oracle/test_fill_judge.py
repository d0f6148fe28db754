"""Ganeti's own filling of parameters beside ours, on the fixtures of every version."""

from __future__ import annotations

from typing import Any, NamedTuple, get_args, get_type_hints

import msgspec
import pytest

from lab.ganeti_judge import FilledInstance, Judge, prepare
from tests.golden.cases import GANETI, NAMES, source
from tests.oracle.differences import BUILTIN_HVPARAMS, NEWER_DISKPARAMS
from virtxlate import Report
from virtxlate.ganeti.config import Config
from virtxlate.ganeti.model import Disk, Instance
from virtxlate.ganeti.params import HVPARAM_NAMES, NEWER_HVPARAMS, HvParams, builtin_hvparams
from virtxlate.tables.params import TRANSLATED, UNTRANSLATED

pytestmark = pytest.mark.oracle

FILLED = [
    name for name in NAMES if name.startswith(("version-", "cluster", "disk-rbd", "disk-gluster", "disk-ext"))
]
"""Cases whose parameters come from every layer there is."""

KNOWN = HVPARAM_NAMES - NEWER_HVPARAMS.keys()
"""hvparams that the judge's Ganeti is new enough for."""

TYPES: dict[str, set[Any]] = {
    "bool": {bool},
    "int": {int},
    "string": {str},
    "maybe-string": {str, type(None)},
}
DEVICE_LEVEL = {
    "disk-barriers": "disabled-barriers",
    "meta-barriers": "disable-meta-flush",
    "metavg": "default-metavg",
}
"""drbd's parameters have other names below the template. Source: Ganeti lib/objects.py:973-988."""
OF_CHILDREN = frozenset({"data-stripes", "meta-stripes"})
"""drbd's parameters that become the children's ``stripes``."""


class Pair(NamedTuple):
    """One instance as Ganeti fills it, and as we do."""

    config: Config
    ganeti: FilledInstance
    ours: Instance


@pytest.fixture(scope="module")
def judge() -> Judge:
    return prepare()


@pytest.fixture(params=FILLED, scope="module")
def pairs(request: pytest.FixtureRequest, judge: Judge) -> list[Pair]:
    config = source(request.param)
    assert isinstance(config, Config)
    filled = judge.fill(GANETI / f"{request.param}.json")
    assert {each.name for each in filled} == set(config.names())
    return [Pair(config, each, config.instance(each.name, Report())) for each in filled]


def test_hvparams(pairs: list[Pair]) -> None:
    for pair in pairs:
        ours = msgspec.structs.asdict(pair.ours.hvparams) | pair.ours.unknown_hvparams
        ours = {name: value for name, value in ours.items() if name not in NEWER_HVPARAMS}
        origins = pair.config.origins(pair.ganeti.name)
        for name in ours.keys() | pair.ganeti.hvparams.keys():
            builtin = origins[f"hvparams.{name}"] == "built-in default"
            if builtin and name in BUILTIN_HVPARAMS and pair.config.version >= 3010000:
                assert ours[name] != pair.ganeti.hvparams[name], f"{name}: no difference any more"
            else:
                assert ours[name] == pair.ganeti.hvparams[name], name


def test_beparams(pairs: list[Pair]) -> None:
    for pair in pairs:
        assert msgspec.structs.asdict(pair.ours.beparams) == pair.ganeti.beparams


def test_osparams(pairs: list[Pair]) -> None:
    for pair in pairs:
        assert pair.ours.osparams == pair.ganeti.osparams


def test_nicparams(pairs: list[Pair]) -> None:
    for pair in pairs:
        ours = [{"mode": nic.mode, "link": nic.link, "vlan": nic.vlan} for nic in pair.ours.nics]
        assert ours == [dict(each) for each in pair.ganeti.nics]


def test_diskparams(pairs: list[Pair]) -> None:
    for pair in pairs:
        assert len(pair.ours.disks) == len(pair.ganeti.disks)
        for ours, theirs in zip(pair.ours.disks, pair.ganeti.disks, strict=True):
            assert ours.template == theirs.dev_type
            assert own_params(ours) == theirs.params
            assert stripes(ours) == [each.get("stripes") for each in theirs.children]


def own_params(disk: Disk) -> dict[str, Any]:
    dropped = NEWER_DISKPARAMS | OF_CHILDREN if disk.template == "drbd" else NEWER_DISKPARAMS
    names = DEVICE_LEVEL if disk.template == "drbd" else {}
    return {names.get(name, name): value for name, value in disk.params.items() if name not in dropped}


def stripes(disk: Disk) -> list[Any]:
    if disk.template != "drbd":
        return []
    return [disk.params["data-stripes"], disk.params["meta-stripes"]]


def test_every_hvparam_of_ganeti_is_one_of_ours(judge: Judge) -> None:
    assert set(judge.hvparam_defaults()) == KNOWN


@pytest.mark.parametrize("version", [3000000, 3010000])
def test_builtin_defaults(judge: Judge, version: int) -> None:
    ours, theirs = builtin_hvparams(version), judge.hvparam_defaults()
    different = {name for name in KNOWN if ours[name] != theirs[name]}
    assert different == (set(BUILTIN_HVPARAMS) if version >= 3010000 else set())


def test_every_hvparam_has_ganetis_type(judge: Judge) -> None:
    hints = get_type_hints(HvParams)
    wider = {"virtio_net_queues": {int, str}}  # a text since 3.2: auto
    for name, word in judge.hvparam_types().items():
        hint = hints[name]
        assert set(get_args(hint) or (hint,)) == wider.get(name, TYPES[word]), name


def test_every_hvparam_is_translated_or_has_a_reason(judge: Judge) -> None:
    untranslated = {row.name for row in UNTRANSLATED}
    assert TRANSLATED | untranslated == {*judge.hvparam_defaults(), *NEWER_HVPARAMS}
    assert TRANSLATED & untranslated == set()


def test_newer_diskparams_are_ours_alone(judge: Judge) -> None:
    case = "disk-rbd-userspace-user"
    (theirs,) = judge.fill(GANETI / f"{case}.json")
    ours = source(case).instance(theirs.name, Report())
    assert set(ours.disks[0].params) - set(theirs.disks[0].params) == NEWER_DISKPARAMS
