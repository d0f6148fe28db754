"""The call of a migration: each mode and capability of Ganeti in libvirt's words, and as virsh's options."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import pytest

from tests.translate.building import instance
from virtxlate import Context, MigrationParameters, Report, UnsupportedError, migration_parameters, to_domain
from virtxlate.ganeti.params import HvParams
from virtxlate.report import Loss, Severity
from virtxlate.tables.migration import LIVE_MODES, MIGRATION_CAPABILITIES

LIVE = "VIR_MIGRATE_LIVE"
COMPRESSED = "VIR_MIGRATE_COMPRESSED"
USUAL = MigrationParameters(
    live=True, bandwidth_mib=32, postcopy_bandwidth_mib=None, downtime_ms=30, port=8102, flags=(LIVE,)
)


CASES: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {}, "--live --bandwidth 32"),
    (
        {"migration_bandwidth": 0, "migration_downtime": 500, "migration_port": 9000},
        {"bandwidth_mib": 0, "downtime_ms": 500, "port": 9000},
        "--live",
    ),
    ({"migration_mode": "non-live"}, {"live": False, "flags": ()}, "--bandwidth 32"),
    (
        {"migration_mode": "non-live", "migration_caps": "postcopy-ram:xbzrle"},  # a guest that stands still
        {"live": False, "flags": (COMPRESSED,), "compression": ("xbzrle",)},
        "--bandwidth 32 --compressed --comp-methods xbzrle",
    ),
    (
        {"migration_caps": "auto-converge"},
        {"flags": (LIVE, "VIR_MIGRATE_AUTO_CONVERGE")},
        "--live --bandwidth 32 --auto-converge",
    ),
    (
        {"migration_caps": "postcopy-ram", "migration_bandwidth": 64},
        {"flags": (LIVE, "VIR_MIGRATE_POSTCOPY"), "bandwidth_mib": 64, "postcopy_bandwidth_mib": 64},
        "--live --bandwidth 64 --postcopy --postcopy-after-precopy --postcopy-bandwidth 64",
    ),
    (
        {"migration_caps": "xbzrle:compress:xbzrle"},
        {"flags": (LIVE, COMPRESSED), "compression": ("xbzrle", "mt")},
        "--live --bandwidth 32 --compressed --comp-methods xbzrle,mt",
    ),
    (
        {"migration_caps": "multifd:zero-copy-send:rdma-pin-all"},
        {"flags": (LIVE, "VIR_MIGRATE_PARALLEL", "VIR_MIGRATE_ZEROCOPY", "VIR_MIGRATE_RDMA_PIN_ALL")},
        "--live --bandwidth 32 --parallel --rdma-pin-all --zerocopy",
    ),
    ({"migration_caps": "events:pause-before-switchover:return-path"}, {}, "--live --bandwidth 32"),
    ({"migration_caps": ":zero-blocks:"}, {"unsaid": ("zero-blocks",)}, "--live --bandwidth 32"),
]


@pytest.mark.parametrize(("hvparams", "changed", "options"), CASES)
def test_a_migration_is_called_in_libvirts_words(
    hvparams: dict[str, Any], changed: dict[str, Any], options: str
) -> None:
    found = migration_parameters(instance(**hvparams))
    assert found == msgspec.structs.replace(USUAL, **changed)
    assert " ".join(found.options()) == options


def test_every_mode_and_capability_has_a_case() -> None:
    words = ":".join(hvparams.get("migration_caps", "") for hvparams, _changed, _options in CASES).split(":")
    assert {row.ganeti for row in MIGRATION_CAPABILITIES} == set(words) - {"", "zero-blocks"}
    modes = {hvparams.get("migration_mode", HvParams().migration_mode) for hvparams, *_rest in CASES}
    assert modes == set(LIVE_MODES)


def test_a_mode_that_ganeti_does_not_have_is_refused() -> None:
    with pytest.raises(UnsupportedError) as caught:
        migration_parameters(instance(migration_mode="lively"))
    assert str(caught.value) == "hvparams.migration_mode: expected one of live, non-live, found 'lively'"


CALL = "belongs to the migration call, not to the domain"
OWN_PORT = "libvirt's own are those from migration_port_min in qemu.conf"
SAID = [
    (
        "migration_bandwidth",
        64,
        f"{CALL}; libvirt's own default is no limit",
        "virsh migrate-setspeed web1.example.com 64",
    ),
    (
        "migration_downtime",
        50,
        f"{CALL}; libvirt's own default is 300 ms",
        "virsh migrate-setmaxdowntime web1.example.com 50",
    ),
    (
        "migration_caps",
        "auto-converge",
        CALL,
        "virsh migrate web1.example.com DESTINATION --live --bandwidth 32 --auto-converge",
    ),
    ("migration_mode", "non-live", CALL, "virsh migrate web1.example.com DESTINATION --bandwidth 32"),
    (
        "migration_port",
        9000,
        f"{CALL}; {OWN_PORT}",
        "virsh migrate web1.example.com DESTINATION --live --bandwidth 32 --migrateuri tcp://ADDRESS:9000",
    ),
]


@pytest.mark.parametrize(("name", "value", "reason", "remedy"), SAID, ids=[row[0] for row in SAID])
def test_the_report_has_the_command_with_the_values_in_it(
    name: str, value: Any, reason: str, remedy: str
) -> None:
    report = Report()
    to_domain(instance(**{name: value}), Context(), report)
    path = f"hvparams.{name}"
    assert [loss for loss in report.losses if loss.path == path] == [
        Loss(path=path, value=value, reason=reason, severity=Severity.HOST_ONLY, remedy=remedy)
    ]


def test_a_capability_without_a_word_is_a_loss_of_its_own() -> None:
    report = Report()
    to_domain(instance(migration_caps="zero-blocks:auto-converge"), Context(), report)
    reason = "libvirt's migration has no word for this capability of QEMU"
    assert ("zero-blocks", reason) in [(loss.value, loss.reason) for loss in report.losses]
    assert len([loss for loss in report.losses if loss.path == "hvparams.migration_caps"]) == 2


def test_an_accelerator_that_the_domain_type_says_too_is_no_loss() -> None:
    def told(word: str, kind: Literal["kvm", "qemu"]) -> list[str]:
        report = Report()
        to_domain(instance(kvm_flag=word), Context(domain_type=kind), report)
        return [loss.path for loss in report.losses if loss.path == "hvparams.kvm_flag"]

    assert told("enabled", "kvm") == []
    assert told("enabled", "qemu") == ["hvparams.kvm_flag"]
    assert told("disabled", "kvm") == ["hvparams.kvm_flag"]


def test_a_mode_that_is_none_loses_the_command_and_not_the_domain() -> None:
    report = Report()
    to_domain(instance(migration_mode="lively"), Context(), report)
    assert [(loss.value, loss.reason, loss.remedy) for loss in report.losses] == [("lively", CALL, "")]
