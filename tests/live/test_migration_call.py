"""The call of a migration before a real libvirt: its flags exist, and what is set before is kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import libvirt
import pytest

from lab.no_os import guestless_domain
from virtxlate import migration_parameters
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.params import HvParams
from virtxlate.tables.migration import MIGRATION_CAPABILITIES

if TYPE_CHECKING:
    from lab.embedded import EmbeddedLibvirt

pytestmark = pytest.mark.live

EVERY = migration_parameters(
    Instance(
        name="web1.example.com",
        uuid="",
        hvparams=HvParams(
            migration_bandwidth=64,
            migration_downtime=50,
            migration_caps=":".join(row.ganeti for row in MIGRATION_CAPABILITIES),
        ),
    )
)


def test_every_flag_is_one_of_libvirts() -> None:
    numbers = [getattr(libvirt, name) for name in EVERY.flags]
    assert len(set(numbers)) == len(numbers) > len(MIGRATION_CAPABILITIES) // 2


def test_libvirt_keeps_bandwidth_and_downtime_for_the_migration(
    libvirt_host: EmbeddedLibvirt, tmp_path: Path
) -> None:
    with guestless_domain(libvirt_host, tmp_path, name="moved") as domain:
        domain.migrateSetMaxSpeed(EVERY.bandwidth_mib)
        domain.migrateSetMaxDowntime(EVERY.downtime_ms)
        assert (domain.migrateGetMaxSpeed(), domain.migrateGetMaxDowntime()) == (64, 50)
