"""QEMU's names of the buses of one live domain, by controller.

A controller that the XML does not have, and that no board brings along, is an error, never a guess.
Source: libvirt 9.0.0, src/qemu/qemu_command.c:337, 404; qemu_alias.c.
"""

from __future__ import annotations

from typing import TypeVar

from virtxlate.domain.live import LiveDevice, LiveDomain
from virtxlate.domain.words import USER_ALIAS_PREFIX
from virtxlate.tables.qemu import (
    CONTROLLER_ALIASES,
    ON_BOARD_ALIASES,
    PCI_BUSES,
    PCI_HOST_BRIDGE,
    PCI_ROOTS,
    SCSI_BY_MODEL,
)


class NotPlacedError(Exception):
    """A device that the tables do not place; the message says why."""


Answer = TypeVar("Answer")


class Buses:
    """The buses of one domain; what was asked for once is remembered."""

    __slots__ = ("_by_index", "_live", "_pci", "_sata", "_scsi", "_usb", "machine")

    def __init__(self, live: LiveDomain) -> None:
        self._live = live
        self._by_index: dict[tuple[str | None, int], LiveDevice] | None = None
        self.machine = live.machine
        self._pci: dict[int, str] = {}
        self._scsi: dict[int, tuple[str, str]] = {}
        self._sata: dict[int, str] = {}
        self._usb: dict[int, str] = {}

    @property
    def is_q35(self) -> bool:
        """Whether the board has PCIe and an AHCI controller."""
        return self.machine == "q35" or self.machine.startswith("pc-q35-")

    def _find(self, kind: str, index: int) -> LiveDevice | None:
        if self._by_index is None:
            self._by_index = self._live.controllers_by_index()
        return self._by_index.get((kind, index))

    def _controller(self, kind: str, index: int) -> LiveDevice:
        found = self._find(kind, index)
        if found is None:
            raise NotPlacedError(f"there is no {kind} controller {index}")
        return found

    def _alias(self, kind: str, index: int) -> str:
        """Give the alias of a controller; inactive XML has none, then libvirt's own."""
        alias = self._controller(kind, index).part("alias").get("name")
        return alias or CONTROLLER_ALIASES[kind].format(index=index)

    def pci(self, index: int) -> str:
        """Give QEMU's name of a PCI bus. Raises NotPlacedError."""
        return self._pci.get(index) or _remember(self._pci, index, self._pci_name(index))

    def _pci_name(self, index: int) -> str:
        if index == 0:
            return self._root_name()
        model = self._controller("pci", index).get("model")
        if model not in PCI_BUSES:
            raise NotPlacedError(f"PCI controller model {model!r} is not known")
        return self._alias("pci", index) + (".0" if model == PCI_HOST_BRIDGE else "")

    def _root_name(self) -> str:
        """Give the name of bus 0; a user alias does not change it, an old libvirt's alias ``pci`` does."""
        root = self._find("pci", 0)
        model = root.get("model") if root is not None else None
        name = PCI_ROOTS.get(model or ("pcie-root" if self.is_q35 else "pci-root"))
        if name is None:
            raise NotPlacedError(f"a PCI root of model {model!r} is not known")
        alias = root.part("alias").get("name") if root is not None else None
        return name if alias is None or alias.startswith(USER_ALIAS_PREFIX) else alias

    def scsi(self, index: int) -> tuple[str, str]:
        """Give the name before the bus number, and the address attribute that is the scsi-id.

        Raises NotPlacedError.
        """
        return self._scsi.get(index) or _remember(self._scsi, index, self._scsi_name(index))

    def _scsi_name(self, index: int) -> tuple[str, str]:
        controller = self._controller("scsi", index)
        row = SCSI_BY_MODEL.get(controller.get("model") or "")
        if row is None:
            raise NotPlacedError(f"SCSI controller model {controller.get('model')!r} is not known")
        if row.driver or index or controller.part("alias").get("name"):
            return self._alias("scsi", index), row.scsi_id_in
        return ON_BOARD_ALIASES["scsi"], row.scsi_id_in

    def sata(self, index: int) -> str:
        """Give the name before the port: the first AHCI of q35 is on the board, and no alias changes it.

        Raises NotPlacedError.
        """
        return self._sata.get(index) or _remember(self._sata, index, self._sata_name(index))

    def _sata_name(self, index: int) -> str:
        return ON_BOARD_ALIASES["sata"] if index == 0 and self.is_q35 else self._alias("sata", index)

    def usb(self, index: int) -> str:
        """Give the name of a USB bus; XML without controllers leaves the first one to the board.

        Raises NotPlacedError.
        """
        return self._usb.get(index) or _remember(self._usb, index, self._usb_name(index))

    def _usb_name(self, index: int) -> str:
        found = self._find("usb", index)
        alias = found.part("alias").get("name") if found is not None else None
        if index == 0:
            return f"{alias or ON_BOARD_ALIASES['usb']}.0"
        return f"{self._alias('usb', index)}.0"


def _remember(names: dict[int, Answer], index: int, name: Answer) -> Answer:
    names[index] = name
    return name
