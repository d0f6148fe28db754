"""What libvirt makes of one document of a domain when a device is attached, changed or detached.

Codes and sentences are those of libvirt 9.0.0 with QEMU 7.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from itertools import count

from lxml import etree

from virtxlate.domain.words import METADATA_NAMESPACE, METADATA_PREFIX, METADATA_TAG, USER_ALIAS_PREFIX
from virtxlate.errors import DeviceNotFoundError, DomainNotFoundError, LiveError, OperationRefusedError

INTERNAL, INVALID_ARG, FAILED, XML_ERROR, SYSTEM = 1, 8, 9, 27, 38
NO_DOMAIN, INVALID, UNSUPPORTED_CONFIG, UNSUPPORTED, MISSING = 42, 55, 67, 84, 99
_CLASSES: dict[int, type[LiveError]] = {
    NO_DOMAIN: DomainNotFoundError,
    INVALID: OperationRefusedError,
    UNSUPPORTED: OperationRefusedError,
    MISSING: DeviceNotFoundError,
}
_METADATA = f"{{{METADATA_NAMESPACE}}}{METADATA_TAG}"
_SCSI_IN_UNIT = frozenset({"lsilogic", "am53c974"})
_PORTS = frozenset({"pcie-root-port"})
_BOARD = {"pc": {0, 1}, "q35": {0, 0x1F}}
QEMU = "internal error: unable to execute QEMU command"


def refusal(code: int, call: str, message: str) -> LiveError:
    """Give the error that the door to libvirt makes of a code."""
    return _CLASSES.get(code, LiveError)(f"{message} (libvirt error {code})", call=call, code=code)


def attribute(element: etree._Element, path: str) -> str | None:
    """Give the attribute at a path such as ``target/@dev``."""
    parent, _, name = path.rpartition("@")
    found = element if not parent else element.find(parent.rstrip("/"))
    return None if found is None else found.get(name)


class Document:
    """One document; ``live`` is that of a running guest."""

    def __init__(self, text: str, *, live: bool) -> None:
        self.root = etree.fromstring(text, etree.XMLParser(remove_blank_text=True))
        self.live = live
        self._sources, self._taps = count(1), count(0)

    def text(self) -> str:
        return etree.tostring(self.root, encoding="unicode")

    @staticmethod
    def parsed(xml: str) -> etree._Element:
        return etree.fromstring(xml)

    @staticmethod
    def text_of(element: etree._Element) -> str:
        return etree.tostring(element, encoding="unicode", with_tail=False)

    def has_disk(self, target: str) -> bool:
        return self._find_disk(target) is not None

    @property
    def devices(self) -> etree._Element:
        found = self.root.find("devices")
        assert found is not None
        return found

    @property
    def board(self) -> str:
        machine = attribute(self.root, "os/type/@machine") or ""
        return "q35" if "q35" in machine else "pc"

    def settle(self) -> None:
        """Fill in for every device what libvirt fills in when a domain starts."""
        for element in self._of("controller", "disk", "interface", "memballoon"):
            self._settle(element)

    def _of(self, *tags: str) -> Iterator[etree._Element]:
        return (each for each in self.devices if each.tag in tags)

    # Attaching

    def attach(self, xml: str) -> None:
        element = etree.fromstring(xml)
        self._check_new(element)
        self._add_controller_for(element)
        self._settle(element)
        self._insert(element)

    def _check_new(self, element: etree._Element) -> None:
        self._check_names(element)
        address = element.find("address")
        if address is not None:
            self._check_free(element, address)
        if self.live:
            self._check_hotplug(element, address)

    def _check_names(self, element: etree._Element) -> None:
        target = attribute(element, "target/@dev")
        if element.tag == "disk" and self._find_disk(target) is not None:
            code = XML_ERROR if self.live else INVALID
            raise refusal(code, "attachDeviceFlags", f"target {target} already exists")
        alias = attribute(element, "alias/@name") or ""
        if alias.startswith(USER_ALIAS_PREFIX) and self.by_alias(alias) is not None:
            message = f"XML error: non unique alias detected: {alias}"
            raise refusal(XML_ERROR, "attachDeviceFlags", message)
        if element.tag == "controller" and self._find_controller(element) is not None:
            kind, index = element.get("type"), element.get("index")
            raise refusal(
                FAILED, "attachDeviceFlags", f"operation failed: target {kind}:{index} already exists"
            )
        if element.find("boot") is not None and self.root.find("os/boot") is not None:
            message = "unsupported configuration: per-device and os/boot elements exclude each other"
            raise refusal(UNSUPPORTED_CONFIG, "attachDeviceFlags", message)

    def _check_free(self, element: etree._Element, address: etree._Element) -> None:
        place = self.place(address)
        if address.get("type") == "pci" and place in self._pci_places():
            where = "{:04x}:{:02x}:{:02x}.{}".format(*place)
            message = f"XML error: Attempted double use of PCI Address {where}"
            raise refusal(XML_ERROR, "attachDeviceFlags", message)
        if address.get("type") != "drive":
            return
        bus = attribute(element, "target/@bus")
        for other in self._of("disk"):
            found = other.find("address")
            if found is None or attribute(other, "target/@bus") != bus or found.get("type") != "drive":
                continue
            if self.place(found) == place:
                message = "Requested operation is not valid: Domain already contains a disk with that address"
                raise refusal(INVALID, "attachDeviceFlags", message)
        model = self._scsi_model(place[0])
        if bus == "scsi" and model in _SCSI_IN_UNIT and place[2]:
            message = f"unsupported configuration: target must be 0 for controller model '{model}'"
            raise refusal(UNSUPPORTED_CONFIG, "attachDeviceFlags", message)

    def _check_hotplug(self, element: etree._Element, address: etree._Element | None) -> None:
        bus = attribute(element, "target/@bus")
        if bus in {"ide", "sata"}:
            message = f"{QEMU} 'device_add': Bus '{bus}.0' does not support hotplugging"
            raise refusal(INTERNAL, "attachDeviceFlags", message)
        if bus == "fdc":
            raise refusal(UNSUPPORTED, "attachDeviceFlags", "disk device type 'floppy' cannot be hotplugged")
        if address is None or address.get("type") != "pci":
            return
        if self.board == "pc" and self.root.find("features/acpi") is None:
            message = f"{QEMU} 'device_add': Bus 'pci.0' does not support hotplugging"
            raise refusal(INTERNAL, "attachDeviceFlags", message)
        if self.board == "q35" and self.place(address)[1] == 0:
            message = "XML error: the PCI controller with index='0' doesn't support hotplug"
            raise refusal(XML_ERROR, "attachDeviceFlags", message)

    def _add_controller_for(self, element: etree._Element) -> None:
        """Add the SCSI controller that libvirt adds by itself: of its own model, at a place of its own."""
        if attribute(element, "target/@bus") != "scsi":
            return
        address = element.find("address")
        index = "0" if address is None else address.get("controller", "0")
        if self._scsi_model(int(index)) is None:
            new = etree.fromstring(f"<controller type='scsi' index='{index}' model='lsilogic'/>")
            self._settle(new)
            self._insert(new)

    def _settle(self, element: etree._Element) -> None:
        self._settle_address(element)
        if element.tag == "disk":
            driver = element.find("driver")
            if driver is None:
                element.insert(0, etree.fromstring("<driver name='qemu' type='raw'/>"))
            source = element.find("source")
            if self.live and source is not None:
                source.set("index", str(next(self._sources)))
        if element.tag == "interface":
            if element.find("mac") is None:
                element.insert(0, etree.fromstring("<mac address='52:54:00:00:00:01'/>"))
            if self.live and element.find("target") is None:
                element.append(etree.fromstring(f"<target dev='vnet{next(self._taps)}'/>"))
        self._settle_alias(element)

    def _settle_address(self, element: etree._Element) -> None:
        if element.find("address") is not None:
            return
        bus = attribute(element, "target/@bus")
        if bus == "scsi":
            used = [self.place(each)[2] for each in self._drive_addresses("scsi")]
            unit = next(number for number in count() if number not in used)
            element.append(
                etree.fromstring(f"<address type='drive' controller='0' bus='0' target='{unit}' unit='0'/>")
            )
        elif bus == "virtio" or element.tag == "interface" or element.get("type") == "scsi":
            used_slots = {place[2] for place in self._pci_places() if place[1] == 0}
            slot = next(number for number in range(2, 32) if number not in used_slots)
            element.append(
                etree.fromstring(
                    f"<address type='pci' domain='0x0000' bus='0x00' slot='{slot:#04x}' function='0x0'/>"
                )
            )

    def _settle_alias(self, element: etree._Element) -> None:
        alias = element.find("alias")
        if alias is not None and (alias.get("name") or "").startswith(USER_ALIAS_PREFIX):
            return
        if alias is not None:
            element.remove(alias)
        if self.live:
            element.append(etree.fromstring(f"<alias name='{self._own_alias(element)}'/>"))

    def _own_alias(self, element: etree._Element) -> str:
        """Give the alias that libvirt makes: of the address, of the letter, or the next number."""
        if element.tag == "controller":
            if element.get("model") == "pcie-root":
                return "pcie.0"
            dot = "." if element.get("type") == "pci" else ""
            return f"{element.get('type')}{dot}{element.get('index')}"
        bus = attribute(element, "target/@bus") or ""
        address = element.find("address")
        if bus in {"ide", "fdc", "sata"} and address is None:
            return f"{bus}0-0-0"
        if bus in {"ide", "fdc", "sata", "scsi"} and address is not None:
            return bus + "-".join(map(str, self.place(address)[: 4 if bus == "scsi" else 2]))
        if bus == "virtio":
            return f"virtio-disk{ord((attribute(element, 'target/@dev') or 'vda')[-1]) - ord('a')}"
        taken = {attribute(each, "alias/@name") for each in self.devices}
        word = "net" if element.tag == "interface" else str(element.tag)
        return next(f"{word}{number}" for number in count() if f"{word}{number}" not in taken)

    def _insert(self, element: etree._Element) -> None:
        """Put it where libvirt does: disks stay sorted by bus and target, the rest goes last of its kind."""
        same = list(self._of(str(element.tag)))
        if element.tag == "disk" and self.live:
            same = [each for each in same if _sort_key(each) < _sort_key(element)]
            if not same:
                self.devices.insert(0, element)
                return
        if same:
            same[-1].addnext(element)
        else:
            self.devices.append(element)

    # Detaching and changing

    def detach(self, xml: str) -> etree._Element:
        """Give the element that a description means. Raises DeviceNotFoundError, LiveError."""
        element = etree.fromstring(xml)
        found = self._match(element)
        if found is None:
            name = attribute(element, "target/@dev") or attribute(element, "mac/@address") or str(element.tag)
            raise refusal(MISSING, "detachDeviceFlags", f"device not found: no {element.tag!s} {name}")
        if found.tag == "controller" and any(
            address.get("controller") == found.get("index") for address in self._drive_addresses("scsi")
        ):
            raise refusal(
                FAILED, "detachDeviceFlags", "operation failed: device cannot be detached: device is busy"
            )
        bus = attribute(found, "target/@bus")
        if self.live and bus in {"ide", "sata", "fdc"}:
            raise refusal(UNSUPPORTED, "detachDeviceFlags", "this disk bus does not support hot-unplug")
        return found

    def take_out(self, element: etree._Element) -> None:
        self.devices.remove(element)

    def _match(self, element: etree._Element) -> etree._Element | None:
        if element.tag == "disk":
            return self._find_disk(attribute(element, "target/@dev"))
        if element.tag == "controller":
            return self._find_controller(element)
        if element.tag != "interface":
            source = etree.tostring(element.find("source"))  # type: ignore[arg-type]
            found = [each for each in self._of("hostdev") if etree.tostring(each.find("source")) == source]  # type: ignore[arg-type]
            return found[0] if found else None
        return self._match_interface(element)

    def _match_interface(self, element: etree._Element) -> etree._Element | None:
        found = list(self._of("interface"))
        if mac := attribute(element, "mac/@address"):
            found = [each for each in found if (attribute(each, "mac/@address") or "").lower() == mac.lower()]
        address = element.find("address")
        if address is not None:
            place = self.place(address)
            found = [
                each
                for each in found
                if (own := each.find("address")) is not None and self.place(own) == place
            ]
        alias = attribute(element, "alias/@name")
        if alias is not None and (self.live or alias.startswith(USER_ALIAS_PREFIX)):
            found = [each for each in found if attribute(each, "alias/@name") == alias]
        if len(found) > 1:
            raise refusal(
                FAILED, "detachDeviceFlags", f"operation failed: multiple devices matching MAC address {mac}"
            )
        return found[0] if found else None

    def update(self, xml: str) -> None:
        element = etree.fromstring(xml)
        found = self._match(element)
        if found is None:
            code = MISSING if element.tag == "interface" else INTERNAL if self.live else INVALID_ARG
            raise refusal(code, "updateDeviceFlags", "device not found")
        if element.tag == "disk":
            if found.get("device") not in {"cdrom", "floppy"}:
                message = "unsupported configuration: the source of a disk cannot be changed"
                raise refusal(UNSUPPORTED_CONFIG, "updateDeviceFlags", message)
            self._swap(found, element, ("driver", "source", "backingStore"))
            found.set("type", element.get("type") or "file")
            self._settle(found)
            return
        if attribute(found, "model/@type") != attribute(element, "model/@type"):
            message = "cannot modify network device model"
            raise refusal(UNSUPPORTED, "updateDeviceFlags", f"Operation not supported: {message}")
        self._swap(found, element, ("source", "vlan", "link"))

    @staticmethod
    def _swap(old: etree._Element, new: etree._Element, tags: tuple[str, ...]) -> None:
        for tag in tags:
            for child in old.findall(tag):
                old.remove(child)
            for child in new.findall(tag):
                old.insert(1, deepcopy(child))

    # Looking

    def by_alias(self, alias: str) -> etree._Element | None:
        return next((each for each in self.devices if attribute(each, "alias/@name") == alias), None)

    def _find_disk(self, target: str | None) -> etree._Element | None:
        return next((each for each in self._of("disk") if attribute(each, "target/@dev") == target), None)

    def _find_controller(self, element: etree._Element) -> etree._Element | None:
        for each in self._of("controller"):
            if (each.get("type"), each.get("index")) == (element.get("type"), element.get("index")):
                return each
        return None

    def _scsi_model(self, index: int) -> str | None:
        for each in self._of("controller"):
            if each.get("type") == "scsi" and each.get("index") == str(index):
                return each.get("model") or "lsilogic"
        return None

    def _drive_addresses(self, bus: str) -> list[etree._Element]:
        found = [each.find("address") for each in self._of("disk") if attribute(each, "target/@bus") == bus]
        return [each for each in found if each is not None and each.get("type") == "drive"]

    def _pci_places(self) -> set[tuple[int, ...]]:
        places = [self.place(each) for each in self.root.iterfind("devices/*/address[@type='pci']")]
        return {*places, *((0, 0, slot, 0) for slot in _BOARD[self.board])}

    @staticmethod
    def place(address: etree._Element) -> tuple[int, ...]:
        names = ("controller", "bus", "target", "unit")
        if address.get("type") == "pci":
            names = ("domain", "bus", "slot", "function")
        return tuple(int(address.get(name) or "0", 0) for name in names)

    # Metadata

    def set_metadata(self, text: str | None) -> None:
        parent = self.root.find("metadata")
        if parent is None:
            parent = etree.SubElement(self.root, "metadata")
        for child in parent.findall(_METADATA):
            parent.remove(child)
        if text is not None:
            child = etree.SubElement(parent, _METADATA, nsmap={METADATA_PREFIX: METADATA_NAMESPACE})
            child.text = text

    def metadata(self) -> str | None:
        found = self.root.find(f"metadata/{_METADATA}")
        return None if found is None else found.text


def _sort_key(element: etree._Element) -> tuple[int, str, int, str]:
    """Give bus in libvirt's order, then the target as its letters count."""
    bus, target = attribute(element, "target/@bus") or "", attribute(element, "target/@dev") or ""
    order = ["ide", "fdc", "scsi", "virtio", "xen", "usb", "uml", "sata", "sd"]
    return (order.index(bus) if bus in order else len(order), target[:2], len(target), target)
