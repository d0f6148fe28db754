"""Short ways to say an instance, and to send it there and back."""

from __future__ import annotations

from typing import Any

import pytest

from virtxlate import (
    Context,
    Loss,
    Report,
    UnsupportedError,
    format_domain,
    parse_domain,
    to_domain,
    to_ganeti,
)
from virtxlate.domain import model as domain
from virtxlate.ganeti.model import Disk, Instance, Nic, template_of
from virtxlate.ganeti.params import BeParams, HvParams

UUID = "fb68b7cc-d64e-4b8e-b1a3-1a3e5a4e2b1c"
BARE = Context(metadata=False)


def disk(number: int = 0, **fields: Any) -> Disk:
    known = {"uuid": f"0000000{number}-1111-4222-8333-444444444444", "template": "plain"}
    return Disk(**{**known, "logical_id": ("xenvg", f"a.disk{number}"), **fields})


def nic(number: int = 0, **fields: Any) -> Nic:
    known = {"uuid": f"0000000{number}-5555-4222-8333-444444444444", "link": "br0"}
    return Nic(**{**known, "mac": f"aa:00:00:00:00:0{number}", **fields})


def instance(
    disks: tuple[Disk, ...] = (),
    nics: tuple[Nic, ...] = (),
    be: dict[str, Any] | None = None,
    **hvparams: Any,
) -> Instance:
    """Give an instance that boots by itself, with these hvparams."""
    return Instance(
        name="web1.example.com",
        uuid=UUID,
        hvparams=HvParams(**{"kernel_path": "", **hvparams}),
        beparams=BeParams(**(be or {})),
        disks=disks,
        disk_template=template_of(disks),
        nics=nics,
    )


def there(one: Instance, context: Context = BARE, report: Report | None = None) -> domain.Domain:
    """Give the domain, as its text tells it."""
    return parse_domain(format_domain(to_domain(one, context, Report() if report is None else report)))


def back(found: domain.Domain, context: Context = BARE, report: Report | None = None) -> Instance:
    return to_ganeti(found, context, Report() if report is None else report)


def losses_there(one: Instance, context: Context = BARE) -> tuple[Loss, ...]:
    report = Report()
    to_domain(one, context, report)
    return report.losses


def paths_lost_back(found: domain.Domain, context: Context = BARE) -> set[str]:
    report = Report()
    to_ganeti(found, context, report)
    return {loss.path for loss in report.losses}


def refusal(one: Instance, context: Context = BARE) -> str:
    """Give the whole message with which the way there is refused."""
    with pytest.raises(UnsupportedError) as caught:
        to_domain(one, context, Report())
    return str(caught.value)
