"""Which value wins: sparse parameters are completed from layers, later layers win.

Source: Ganeti 3.2 alpha (c35736d8a), lib/objects.py:952-1007, 1686-1695, 1892-2030; lib/rpc/node.py:660-705.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from virtxlate.ganeti.params import Scalar

Params = dict[str, Scalar]


class Layer(msgspec.Struct, frozen=True):
    """One step of a fill order: what it is called, and the parameters that it sets."""

    name: str
    params: Mapping[str, Any]


def merge(layers: Iterable[Layer]) -> dict[str, Any]:
    """Give the values that win."""
    merged: dict[str, Any] = {}
    for layer in layers:
        merged.update(layer.params)
    return merged


def origins(layers: Iterable[Layer]) -> dict[str, str]:
    """Give, for each parameter, the name of the layer that its value comes from."""
    return {key: layer.name for layer in layers for key in layer.params}


def upgrade_beparams(params: Mapping[str, Any]) -> dict[str, Any]:
    """Give beparams in today's form: the ``memory`` of 2.5 becomes minmem and maxmem (lib/objects.py:139)."""
    upgraded = dict(params)
    memory = upgraded.pop("memory", None)
    if memory is not None:
        upgraded.setdefault("maxmem", memory)
        upgraded.setdefault("minmem", memory)
    return upgraded


def os_names(os: str) -> tuple[str, ...]:
    """Give the names whose osparams apply, base name first: ``debian+bookworm`` has two.

    Only osparams fall back to the base name; os_hvp takes the exact name (lib/objects.py:1906, 2021).
    """
    base = os.partition("+")[0]
    return (base,) if base == os else (base, os)
