"""The ciphers of SPICE: words for QEMU, as libvirt has none; there and back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.translate.building import back, instance, losses_there, there
from virtxlate import Context
from virtxlate.domain.settings import QemuArgument
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.params import HvParams

PATH = "hvparams.spice_tls_ciphers"
DEFAULT = HvParams().spice_tls_ciphers
TLS: dict[str, Any] = {"spice_bind": "127.0.0.1", "spice_use_tls": True}


def told(one: Instance, context: Context) -> tuple[QemuArgument, ...]:
    words = there(one, context).qemu_command_line
    return () if words is None else words.arguments


@pytest.mark.parametrize(
    ("word", "shown"), [("HIGH", "HIGH"), ("HIGH:!aNULL", "HIGH:!aNULL"), ("HIGH,MEDIUM", "HIGH,,MEDIUM")]
)
def test_they_are_told_to_qemu_and_come_back(word: str, shown: str) -> None:
    one = instance(spice_tls_ciphers=word, kvm_extra="-no-hpet", **TLS)
    words = [each.value for each in told(one, Context(metadata=False))]
    assert words == ["-spice", f"tls-ciphers={shown}", "-no-hpet"]
    found = back(there(one)).hvparams
    assert (found.spice_tls_ciphers, found.kvm_extra) == (word, "-no-hpet")
    (reason,) = [loss.reason for loss in losses_there(one) if loss.path == PATH]
    assert (
        reason == "libvirt has no word for ciphers: QEMU is told by its own option, which taints the domain"
    )


@pytest.mark.parametrize(
    "hvparams",
    [
        {**TLS, "spice_tls_ciphers": DEFAULT},
        {**TLS, "spice_tls_ciphers": ""},
        {"spice_bind": "127.0.0.1", "spice_tls_ciphers": "HIGH"},
        {"spice_use_tls": True, "spice_tls_ciphers": "HIGH"},
    ],
)
def test_what_ganeti_does_not_look_at_is_not_told(hvparams: dict[str, Any]) -> None:
    one = instance(**hvparams)
    assert told(one, Context(metadata=False)) == ()
    assert [loss for loss in losses_there(one) if loss.path == PATH] == []
    assert back(there(one)).hvparams.spice_tls_ciphers == DEFAULT
    assert back(there(one, Context())).hvparams == one.hvparams


def test_an_untainted_domain_leaves_them_to_the_host() -> None:
    one, context = instance(spice_tls_ciphers="HIGH", **TLS), Context(metadata=False, untainted=True)
    assert told(one, context) == ()
    (loss,) = [loss for loss in losses_there(one, context) if loss.path == PATH]
    assert loss.value == "HIGH"


def test_another_word_of_spice_stays_a_free_option() -> None:
    one = instance(kvm_extra="-spice tls-ciphers=HIGH,agent-mouse=off")
    found = back(there(one)).hvparams
    assert (found.kvm_extra, found.spice_tls_ciphers) == (one.hvparams.kvm_extra, DEFAULT)
