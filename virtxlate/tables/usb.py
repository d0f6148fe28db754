"""USB devices and the controllers that they hang on.

Source: QEMU 7.2, hw/usb/bus.c (usb_claim_port), hw/usb/hcd-ehci-pci.c, ``info usb``; libvirt 9.0.0
qemu_command.c (qemuBuildUSBControllerDevProps).
"""

from __future__ import annotations

import msgspec

from virtxlate.bijection import Bijection
from virtxlate.errors import TableError

USB_INPUTS = Bijection("usb device", [("mouse", "mouse"), ("tablet", "tablet"), ("keyboard", "keyboard")])
"""Words of ``-usbdevice`` beside libvirt's input types."""

USB_POINTERS = ("mouse", "tablet")
"""Words of usb_mouse. Source: Ganeti Constants.hs (htKvmValidMouseTypes)."""

USB_DRIVERS = Bijection(
    "usb device of QEMU",
    [
        ("wacom-tablet", "usb-wacom-tablet"),
        ("braille", "usb-braille"),
        ("ccid", "usb-ccid"),
        ("audio", "usb-audio"),
    ],
)
"""The other words of ``-usbdevice`` beside QEMU's driver, which QEMU is told by ``-device``: ``-usbdevice``
would give the board a second USB controller.
"""

USB_CHARDEVS = {"usb-braille": "braille"}
"""Driver to the kind of character device that it talks to."""

HUB_PORTS = 8
"""Of QEMU's hub. Where one port is left for a device, QEMU puts a hub there, and the device on that."""


class UsbBus(msgspec.Struct, frozen=True, kw_only=True):
    """A bus that ``-usbdevice`` fills: libvirt's index of its controller, QEMU's name, and its ports."""

    index: int
    name: str
    ports: int


PC_BUS = UsbBus(index=0, name="usb.0", ports=2)
"""Of the PIIX3."""
Q35_BUS = UsbBus(index=1, name="usb1.0", ports=6)
"""Of the EHCI that QEMU adds to a q35 which is told of a ``-usbdevice``; Ganeti's own controller stays empty
but for the pointer.
"""


class UsbFunction(msgspec.Struct, frozen=True, kw_only=True):
    """One function of the controllers behind Q35_BUS; ``startport``: its first port, of a companion."""

    model: str
    function: int
    startport: int | None = None


Q35_BUS_SLOT = 0x1D
Q35_BUS_FUNCTIONS = (
    UsbFunction(model="ich9-ehci1", function=7),
    UsbFunction(model="ich9-uhci1", function=0, startport=0),
    UsbFunction(model="ich9-uhci2", function=1, startport=2),
    UsbFunction(model="ich9-uhci3", function=2, startport=4),
)

if {word for word, _type in USB_INPUTS.rows} & {word for word, _driver in USB_DRIVERS.rows}:
    raise TableError("USB_INPUTS: a word is in USB_DRIVERS, too")
