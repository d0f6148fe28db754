"""A domain that libvirt or QEMU would refuse is not made: what is refused names the rule."""

from __future__ import annotations

from tests.translate.building import instance, losses_there, nic, refusal


def test_what_stands_where_the_chipset_does_is_refused() -> None:
    extra = "-device virtio-rng-pci,bus=pci.0,addr=0x1f"
    assert refusal(instance(machine_version="q35", kvm_extra=extra)) == (
        "devices: 0000:00:1f.0 is that of the LPC bridge; use another slot, or leave the address out "
        "[pci-reserved]"
    )


def test_two_nics_with_one_address_are_told() -> None:
    twins = tuple(nic(number, mac="aa:00:00:00:00:01") for number in range(2))
    (loss,) = (each for each in losses_there(instance(nics=twins)) if each.reason.endswith("-unique]"))
    assert (loss.path, loss.value) == ("nics[1]", "aa:00:00:00:00:01")
