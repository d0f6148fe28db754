"""The devices of a libvirt host, over a connection that somebody else has opened."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any

from virtxlate.errors import NodeDeviceNotFoundError


class LibvirtHostDevices:
    """The node devices of one connection; see port.NodeDevicePort.

    ``errors`` turns libvirt's errors into ours; it is called with the name of the call.
    """

    def __init__(self, connection: Any, errors: Callable[[str], AbstractContextManager[None]]) -> None:
        self._connection = connection
        self._errors = errors

    def node_devices(self, capability: str) -> tuple[str, ...]:
        """Give the XML of each device with that capability; one that goes meanwhile is left out."""
        with self._errors("listDevices"):
            names = self._connection.listDevices(capability, 0)
        found = []
        for name in names:
            with suppress(NodeDeviceNotFoundError), self._errors("nodeDeviceLookupByName"):
                found.append(str(self._connection.nodeDeviceLookupByName(name).XMLDesc(0)))
        return tuple(found)

    def create_node_device(self, xml: str) -> str:
        """Make a device, and give its name."""
        with self._errors("nodeDeviceCreateXML"):
            return str(self._connection.nodeDeviceCreateXML(xml, 0).name())

    def destroy_node_device(self, name: str) -> None:
        """Remove a device that was made."""
        with self._errors("nodeDeviceDestroy"):
            self._connection.nodeDeviceLookupByName(name).destroy()
