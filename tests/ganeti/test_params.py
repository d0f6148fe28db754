"""Parameter records and the order of layers."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.ganeti.broken import NAME, changed, source
from virtxlate import Report
from virtxlate.ganeti.fill import Layer, merge, origins, os_names, upgrade_beparams
from virtxlate.ganeti.params import (
    DEFAULT_DISKPARAMS,
    HVPARAM_NAMES,
    NEWER_HVPARAMS,
    OLDER_HVPARAM_DEFAULTS,
    BeParams,
    HvParams,
    builtin_hvparams,
)
from virtxlate.ganeti.words import CLUSTER_ONLY_HVPARAMS, DISK_TEMPLATES

LAYERS = (Layer("one", {"a": 1, "b": 1, "c": 1}), Layer("two", {"b": 2, "c": 2}), Layer("three", {"c": None}))


def test_later_layers_win_even_with_null() -> None:
    assert merge(LAYERS) == {"a": 1, "b": 2, "c": None}
    assert origins(LAYERS) == {"a": "one", "b": "two", "c": "three"}


def test_no_layers_give_nothing() -> None:
    assert (merge(()), origins(())) == ({}, {})


MEMORY: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"memory": 512}, {"minmem": 512, "maxmem": 512}),
    ({"memory": 512, "maxmem": 1024}, {"minmem": 512, "maxmem": 1024}),
    ({"memory": None, "vcpus": 2}, {"vcpus": 2}),
]


@pytest.mark.parametrize(("old", "new"), MEMORY)
def test_memory_of_2_5_is_both_bounds(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert upgrade_beparams(old) == new


@pytest.mark.parametrize(
    ("os", "names"),
    [("", ("",)), ("debian", ("debian",)), ("debian+bookworm", ("debian", "debian+bookworm"))],
)
def test_os_parameters_fall_back_to_the_base_name(os: str, names: tuple[str, ...]) -> None:
    assert os_names(os) == names


@pytest.mark.parametrize(
    ("version", "vhost", "discard"),
    [
        (2070000, False, "default"),
        (3000000, False, "default"),
        (3010000, True, "ignore"),
        (3020000, True, "ignore"),
    ],
)
def test_defaults_are_those_of_the_version(version: int, vhost: bool, discard: str) -> None:
    defaults = builtin_hvparams(version)
    assert (defaults["vhost_net"], defaults["disk_discard"]) == (vhost, discard)
    assert defaults.keys() == HVPARAM_NAMES - NEWER_HVPARAMS.keys()


def test_older_defaults_are_of_known_parameters_and_differ() -> None:
    newest = msgspec.structs.asdict(HvParams())
    for _version, older in OLDER_HVPARAM_DEFAULTS:
        assert older.keys() <= HVPARAM_NAMES
        assert all(newest[name] != value for name, value in older.items())


def test_every_template_has_its_parameters() -> None:
    assert set(DEFAULT_DISKPARAMS) == {*DISK_TEMPLATES, "diskless"}


def test_an_untouched_record_has_nothing_to_write() -> None:
    assert msgspec.json.encode(HvParams()) == msgspec.json.encode(BeParams()) == b"{}"


@pytest.mark.parametrize("name", sorted(CLUSTER_ONLY_HVPARAMS))
def test_parameters_of_the_cluster_are_not_taken_from_an_instance(name: str) -> None:
    value = "non-live" if name == "migration_mode" else 9999
    data = changed("disk-plain", ("instances", "*", "hvparams"), {name: value})
    found = source(data).instance(NAME, Report())
    assert getattr(found.hvparams, name) == getattr(HvParams(), name)
    assert found.own_hvparams == ()


def test_an_explicit_default_is_set_all_the_same() -> None:
    data = changed("disk-plain", ("instances", "*", "hvparams"), {"acpi": True})
    assert source(data).instance(NAME, Report()).own_hvparams == ("acpi",)


def test_os_hvp_wants_the_exact_name() -> None:
    data = changed("disk-plain", ("cluster", "os_hvp"), {"debian": {"kvm": {"vga": "cirrus"}}})
    data["instances"][next(iter(data["instances"]))]["os"] = "debian+bookworm"
    assert source(data).instance(NAME, Report()).hvparams.vga == ""
