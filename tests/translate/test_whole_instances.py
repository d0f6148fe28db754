"""A whole instance: one golden by hand, names, and what is reported of parameters that have no place."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.translate.building import (
    UUID,
    back,
    disk,
    instance,
    losses_there,
    nic,
    paths_lost_back,
    refusal,
    there,
)
from virtxlate import Context, GanetiDataError, UnknownTermError, UnsupportedError
from virtxlate.domain import model as domain
from virtxlate.domain import words
from virtxlate.ganeti.params import HvParams
from virtxlate.tables.display import SPICE_OPTIONS
from virtxlate.tables.params import UNTRANSLATED
from virtxlate.translate.terms import carry, refuse

replace = msgspec.structs.replace


def test_a_whole_instance() -> None:
    found = there(
        instance((disk(),), (nic(),), serial_console=False), Context(metadata=False, domain_type="qemu")
    )
    memory = domain.Memory(value=131072, unit="KiB")
    assert replace(found, devices=domain.Devices()) == domain.Domain(
        type="qemu",
        name="web1.example.com",
        uuid=UUID,
        memory=memory,
        current_memory=memory,
        vcpus=1,
        os=domain.Os(arch="x86_64", machine="pc"),
        acpi=True,
        cpu=domain.Cpu(
            mode="custom",
            match="exact",
            check="none",
            model="qemu64",
            fallback="forbid",
            sockets=1,
            dies=1,
            cores=1,
            threads=1,
        ),
        clock_offset="utc",
        on_poweroff="destroy",
        on_reboot="restart",
        on_crash="destroy",
    )


@pytest.mark.parametrize(("uuid", "told"), [(UUID, UUID), ("", None)])
def test_a_uuid_that_is_not_known_is_left_to_libvirt(uuid: str, told: str | None) -> None:
    found = there(replace(instance(), uuid=uuid))
    assert found.uuid == told
    assert back(found).uuid == uuid


@pytest.mark.parametrize("name", ["", "-a", ".a", "a b", "a/b", "ä", "a" * 254, "a\n", "<a>"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(GanetiDataError) as caught:
        there(replace(instance(), name=name))
    assert caught.value.at == "name"


def test_ganeti_s_own_defaults_lose_nothing() -> None:
    assert losses_there(replace(instance(), hvparams=HvParams())) == ()


_OTHER: dict[type, Any] = {str: "other", bool: None, int: 7}
_WORD_OF_ITS_OWN = {"migration_caps": "auto-converge"}


@pytest.mark.parametrize("row", UNTRANSLATED, ids=lambda row: row.name)
def test_a_parameter_without_a_place_is_reported_when_it_is_set(row: Any) -> None:
    default = getattr(HvParams(), row.name)
    value = not default if isinstance(default, bool) else _OTHER[type(default)]
    value = _WORD_OF_ITS_OWN.get(row.name, value)
    hvparams: dict[str, Any] = {row.name: value} | ({row.needs: "x"} if row.needs else {})
    losses = [loss for loss in losses_there(instance(**hvparams)) if loss.path.endswith(row.name)]
    assert [(loss.path, loss.value, loss.reason, loss.severity) for loss in losses] == [
        (f"hvparams.{row.name}", value, row.reason, row.severity)
    ]


@pytest.mark.parametrize(
    "hvparams", [{"vnc_tls": True, "spice_use_tls": True}, {"vnc_bind_address": "/run/vnc", "vnc_tls": True}]
)
def test_a_parameter_that_does_nothing_loses_nothing(hvparams: dict[str, Any]) -> None:
    assert losses_there(instance(**hvparams)) == ()


WORDS = [
    ({"boot_order": "usb"}, "boot_order", "disk, cdrom, floppy, network", "usb"),
    *(
        ({"spice_bind": "::1", row.ganeti: "so"}, row.ganeti, ", ".join(row.words), "so")
        for row in SPICE_OPTIONS
    ),
    ({"security_model": "pools"}, "security_model", "none, user, pool", "pools"),
]


@pytest.mark.parametrize(("hvparams", "name", "known", "word"), WORDS, ids=[row[1] for row in WORDS])
def test_a_word_that_ganeti_does_not_have_is_refused(
    hvparams: dict[str, Any], name: str, known: str, word: str
) -> None:
    assert refusal(instance(**hvparams)) == f"hvparams.{name}: expected one of {known}, found {word!r}"


def test_the_words_of_spice_are_those_of_libvirt() -> None:
    told = {row.libvirt: set(row.words) for row in SPICE_OPTIONS}
    assert told == {
        "image_compression": set(words.IMAGE_COMPRESSIONS),
        "jpeg_compression": set(words.WAN_COMPRESSIONS),
        "zlib_compression": set(words.WAN_COMPRESSIONS),
        "streaming_mode": set(words.STREAMING_MODES),
    }


def test_an_unknown_parameter_is_reported() -> None:
    losses = losses_there(replace(instance(), unknown_hvparams={"warp": 9}))
    assert [(loss.path, loss.value, loss.reason) for loss in losses] == [
        ("hvparams.warp", 9, "not a KVM hypervisor parameter that is known")
    ]


def test_what_only_metadata_carries_is_reported_on_the_way_back() -> None:
    lost = paths_lost_back(there(instance()))
    assert {"os", "tags", "osparams", "hvparams.kvm_pci_reservations", "beparams.auto_balance"} <= lost
    assert {f"hvparams.{row.name}" for row in UNTRANSLATED} <= lost


@pytest.mark.parametrize(("metadata", "kept"), [(True, ("a",)), (False, ())])
def test_metadata_is_a_choice(metadata: bool, kept: tuple[str, ...]) -> None:
    found = there(replace(instance(), tags=("a",)), Context(metadata=metadata))
    assert (found.metadata is not None) == metadata
    assert back(found).tags == kept


def test_the_first_refusal_is_of_types_before_places() -> None:
    assert refusal(instance((disk(),), disk_type="pflash")).startswith("hvparams.disk_type: 'pflash'")


def test_a_table_s_answer_is_carried() -> None:
    assert carry({"a": 1}.__getitem__, "a", "at") == 1


def test_a_table_s_refusal_becomes_one_with_a_path() -> None:
    def lookup(word: str) -> str:
        raise UnknownTermError("table", "left", word, ["x", None])

    with pytest.raises(UnsupportedError) as caught:
        carry(lookup, "b", "hvparams.x")
    assert str(caught.value) == "hvparams.x: 'b' has no equal (these have: 'x', None)"


def test_a_reason_is_told_for_what_is_refused() -> None:
    refuse({"a": "because"}, "b", "at")
    with pytest.raises(UnsupportedError, match=r"^at: 'a': because$"):
        refuse({"a": "because"}, "a", "at")
