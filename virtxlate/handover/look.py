"""A look at the devices of a QEMU while the guest stands still: quick, for its pause is as long."""

from __future__ import annotations

from collections.abc import Callable

from virtxlate.hardware.compare import compare
from virtxlate.hardware.describe import Ask, devices_of
from virtxlate.hardware.model import Cpu, Machine

Judge = Callable[[Machine, Machine], tuple[str, ...]]
"""Gives a line for each difference with which the guest must not run."""


def glance(ask: Ask) -> Machine:
    """Give the devices of the QEMU that ``ask`` reaches, and nothing else of its machine.

    Memory and versions were compared by QEMU itself when it loaded the state. Raises LiveError, InputError.
    """
    return Machine(
        type="",
        uuid="",
        memory=0,
        topology={},
        boot={},
        properties={},
        cpu=Cpu(type="", properties={}, words={}),
        cpus=(),
        devices=devices_of(ask),
        isa_order=(),
        memories={},
    )


def judged(before: Machine, after: Machine) -> tuple[str, ...]:
    """Give a line for every difference: none is allowed."""
    return tuple(str(each) for each in compare(before, after))
