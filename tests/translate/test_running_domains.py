"""What libvirt adds to the XML of a running domain by itself is nobody's wish."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.translate.building import instance, there
from virtxlate import Context, Report, to_ganeti
from virtxlate.domain import settings
from virtxlate.domain.model import Cpu, Domain

COMPLETED = ("hypervisor", "lahf_lm")
DYNAMIC = settings.SecurityLabel(type="dynamic", model="dac", relabel=True, label="+0:+0")


def running(domain: Domain, model: str, **cpu: Any) -> Domain:
    """Give the domain as libvirt 9.0 tells it once it runs, without KVM: the CPU completed, a label given."""
    flags = tuple(settings.CpuFeature(policy="require", name=name) for name in COMPLETED)
    whole: dict[str, Any] = {"mode": "custom", "match": "exact", "check": "full", "fallback": "forbid"}
    known = domain.cpu or Cpu()
    completed = msgspec.structs.replace(known, **{**whole, "model": model, "features": flags, **cpu})
    return msgspec.structs.replace(domain, cpu=completed, seclabels=(*domain.seclabels, DYNAMIC))


@pytest.mark.parametrize(
    ("cpu_type", "model"), [("", "qemu64"), ("Haswell", "Haswell"), ("Haswell,+aes", "Haswell")]
)
def test_flags_that_a_running_cpu_has_were_not_asked_for(cpu_type: str, model: str) -> None:
    one = instance(cpu_type=cpu_type)
    back = to_ganeti(running(there(one, Context()), model), Context(), Report())
    assert back.hvparams.cpu_type == cpu_type


def test_another_model_was_asked_for() -> None:
    back = to_ganeti(
        running(there(instance(cpu_type="Haswell"), Context()), "Broadwell"), Context(), Report()
    )
    assert back.hvparams.cpu_type == "Broadwell"


def test_a_running_domain_without_metadata_tells_its_model_only() -> None:
    found = running(there(instance()), "Haswell")
    assert to_ganeti(found, Context(), Report()).hvparams.cpu_type == "Haswell"


def test_a_label_that_libvirt_gave_is_no_security_model() -> None:
    back = to_ganeti(running(there(instance(), Context()), "qemu64"), Context(), Report())
    assert (back.hvparams.security_model, back.hvparams.security_domain) == ("none", "")


def test_a_label_that_was_asked_for_stays_beside_it() -> None:
    one = instance(security_model="user", security_domain="kvm1")
    back = to_ganeti(running(there(one, Context()), "qemu64"), Context(), Report())
    assert (back.hvparams.security_model, back.hvparams.security_domain) == ("user", "kvm1")
