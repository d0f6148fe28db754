"""QEMU's names of the buses of one live domain, by controller.

A controller that the XML does not have, and that no board brings along, is an error, never a guess.
Source: libvirt 9.0.0, src/qemu/qemu_command.c:337, 404; qemu_alias.c.
"""

from __future__ import annotations

from virtxlate.domain.live import Attributes, LiveDevice, LiveDomain, read_number
from virtxlate.domain.words import USER_ALIAS_PREFIX
from virtxlate.tables.qemu import CONTROLLER_ALIASES, ON_BOARD_ALIASES, PCI_HOST_BRIDGE, PCI_ROOTS


class NotPlacedError(Exception):
    """A device that the tables do not place; the message says why."""


class Buses:
    """The buses of one domain; what was asked for once is remembered."""

    __slots__ = ("_by_index", "_live", "_machine", "_pci")

    def __init__(self, live: LiveDomain) -> None:
        self._live = live
        self._by_index: dict[tuple[str | None, int], LiveDevice] | None = None
        self._machine: str | None = None
        self._pci: dict[int, str] = {}

    @property
    def machine(self) -> str:
        """The machine type."""
        if self._machine is None:
            self._machine = self._live.machine
        return self._machine

    @property
    def _is_q35(self) -> bool:
        return self.machine == "q35" or self.machine.startswith("pc-q35-")

    def _find(self, kind: str, index: int) -> LiveDevice | None:
        if self._by_index is None:
            self._by_index = self._live.controllers_by_index()
        return self._by_index.get((kind, index))

    def controller(self, kind: str, index: int) -> LiveDevice:
        """Give a controller. Raises NotPlacedError where the XML does not have it."""
        found = self._find(kind, index)
        if found is None:
            raise NotPlacedError(f"there is no {kind} controller {index}")
        return found

    def alias(self, kind: str, index: int, *, on_board: bool = False) -> str:
        """Give the alias of a controller; inactive XML has none, then libvirt's own.

        Raises NotPlacedError where the XML does not have it, and the board does not bring it.
        """
        own = on_board and index == 0
        found = self._find(kind, index) if own else self.controller(kind, index)
        alias = found.part("alias")("name") if found is not None else None
        return alias or (ON_BOARD_ALIASES[kind] if own else CONTROLLER_ALIASES[kind].format(index=index))

    def pci(self, index: int) -> str:
        """Give QEMU's name of a PCI bus. Raises NotPlacedError."""
        name = self._pci.get(index)
        if name is None:
            name = self._pci[index] = self._pci_name(index)
        return name

    def _pci_name(self, index: int) -> str:
        if index == 0:
            return self._root_name()
        is_host_bridge = self.controller("pci", index).get("model") == PCI_HOST_BRIDGE
        return self.alias("pci", index) + (".0" if is_host_bridge else "")

    def _root_name(self) -> str:
        """Give the name of bus 0; a user alias does not change it, an old libvirt's alias ``pci`` does."""
        root = self._find("pci", 0)
        model = root.get("model") if root is not None else None
        name = PCI_ROOTS.get(model or ("pcie-root" if self._is_q35 else "pci-root"))
        if name is None:
            raise NotPlacedError(f"a PCI root of model {model!r} is not known")
        alias = root.part("alias")("name") if root is not None else None
        return name if alias is None or alias.startswith(USER_ALIAS_PREFIX) else alias

    def sata(self, address: Attributes) -> str:
        """Give the name before the port: the first AHCI of q35 is on the board and called ide."""
        return self.alias("sata", read_number(address("controller")), on_board=self._is_q35)

    def usb(self, address: Attributes) -> str:
        """Give the name of a USB bus."""
        return f"{self.alias('usb', read_number(address('bus')), on_board=True)}.0"
