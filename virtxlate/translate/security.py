"""As whom QEMU runs: Ganeti's security_model as libvirt's DAC label, and back.

Source: Ganeti 3.2 alpha (c35736d8a), lib/hypervisor/hv_kvm/__init__.py:1988-2026; libvirt formatdomain.rst.
"""

from __future__ import annotations

from typing import Any

from virtxlate.domain import model as domain
from virtxlate.domain import settings
from virtxlate.errors import UnsupportedError
from virtxlate.ganeti.model import Instance
from virtxlate.report import Report
from virtxlate.tables.machine import SECURITY_MODELS
from virtxlate.translate.context import Context

_DAC, _STATIC = "dac", "static"
_USER, _POOL = "user", "pool"
_OWN_USER = (
    "<seclabel type='static' model='dac' relabel='yes'><label>USER:GROUP</label></seclabel>, which comes of "
    "security_model user and security_domain USER"
)


def to_domain(instance: Instance, context: Context, report: Report) -> tuple[settings.SecurityLabel, ...]:
    """Give the label of a certain user; otherwise libvirt's own user runs QEMU.

    Raises UnsupportedError for a model without the user that it needs, as Ganeti does.
    """
    model, user = instance.hvparams.security_model, instance.hvparams.security_domain
    if model not in SECURITY_MODELS:
        known = ", ".join(SECURITY_MODELS)
        raise UnsupportedError(f"expected one of {known}, found {model!r}", at="hvparams.security_model")
    if model != _USER:
        if model == _POOL:
            reason = "libvirt has no pool of users: all its guests run as user in qemu.conf"
            report.lose("hvparams.security_model", model, reason, remedy=_OWN_USER)
        if user:
            reason = "Ganeti wants it with security_model user only"
            report.lose("hvparams.security_domain", user, reason)
        return ()
    if not user:
        raise UnsupportedError("security_model user needs one", at="hvparams.security_domain")
    label = context.renames.find("users", user)
    if label is None:
        reason = "libvirt wants a group too: that of the same name, as the map names none"
        remedy = f'in the map: [users] "{user}" = "{user}:GROUP"'
        report.lose("hvparams.security_domain", user, reason, remedy=remedy)
        label = f"{user}:{user}"
    return (settings.SecurityLabel(type=_STATIC, model=_DAC, relabel=True, label=label),)


def to_ganeti(found: domain.Domain, context: Context, report: Report) -> dict[str, Any]:
    """Give the hvparams that the labels of a domain tell."""
    # A running domain also has the label that libvirt gave it unasked: a dynamic one.
    labels = [
        each.label for each in found.seclabels if each.model == _DAC and each.type == _STATIC and each.label
    ]
    if not labels:
        for name in ("security_model", "security_domain"):
            report.lose(f"hvparams.{name}", None, "without a label libvirt's own user runs QEMU")
        return {"security_model": "none", "security_domain": ""}
    user = context.renames.back("users", labels[0] or "")
    return {"security_model": _USER, "security_domain": user.partition(":")[0]}
