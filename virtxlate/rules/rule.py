"""What a rule is, and the document as rules see it.

A rule says what no grammar can: what must not stand together, or what a model of a device cannot hold. It
reads elements, so that it sees what stands in the document and not what a record could keep of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache, wraps
from typing import Literal, NamedTuple, TypeVar, cast

import msgspec
from lxml import etree

from virtxlate.domain.paths import paths_of
from virtxlate.errors import TableError
from virtxlate.tables.qemu import DEFAULT_SCSI_MODEL, SCSI_BY_MODEL, SWITCHED_BUSES, ScsiModel

T = TypeVar("T")
Verdict = Literal["refused", "not started", "accepted"]
"""What libvirt does with a broken rule.

It refuses the document; it defines a domain that cannot start; or it starts one that is not what was asked
for.
"""

Severity = Literal["error", "warning"]

_PC = ("", "i686", "x86_64")
_OF_QEMU = ("kvm", "qemu", "hvf", "kqemu")
_I440FX = re.compile(r"pc|pc-i440fx-.*|pc-[01]\..*|rhel\d.*", re.ASCII)
_Q35 = re.compile(r"q35|pc-q35-.*", re.ASCII)
_UNSET_MODELS = ("", "auto")
_SOURCE = re.compile(r"tried: \S.*|[A-Za-z ]+ [0-9][0-9.]*, \S.*", re.ASCII)
"""A project or document with its version, and where in it."""


_AT = "@"
DOMAINS = ("domain", "inactiveDomain")
"""Elements that hold a whole domain; the second one stands in a snapshot, beside the first."""
LUN, SCSI, SCSI_CONTROLLER = "a lun", "a device on SCSI", "a SCSI controller"
"""What a rule may be about besides names."""


class Fault(NamedTuple):
    """One place where a rule is broken."""

    element: etree._Element
    below: str = ""
    """The rest of the path: ``/driver/@type``."""
    found: str | None = None
    allowed: tuple[str, ...] = ()
    says: str = ""
    """In place of the rule's own sentence, where more can be said."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule: a row that can be listed, explained and checked."""

    id: str
    """Stable: ``lun-format``."""
    says: str
    """What must hold, in one sentence."""
    why: str
    """The reason."""
    source: str
    """Where the fact stands: project and version, file, function; or a document and its section."""
    hint: str
    """The fix."""
    libvirt: Verdict
    """Of libvirt 9.0.0 with QEMU 7.2."""
    check: Callable[[Document], Iterator[Fault]]
    severity: Severity = "error"
    about: tuple[str, ...] = ()
    """Elements, ``@attributes``, LUN, SCSI and SCSI_CONTROLLER: a document that has none of these obeys."""

    def __post_init__(self) -> None:
        """Raise TableError for a fact without a source."""
        if not _SOURCE.fullmatch(self.source):
            raise TableError(f"rule {self.id}: expected a source as 'QEMU 7.2, FILE'; found {self.source!r}")


def about(words: tuple[str, ...], *rules: Rule) -> tuple[Rule, ...]:
    """Give the rules, those that do not say it themselves about these words."""
    return tuple(rule if rule.about else msgspec.structs.replace(rule, about=words) for rule in rules)


class Document:
    """A parsed domain, or the devices of one; what rules ask for again and again is found once."""

    def __init__(self, root: etree._Element, whole: etree._Element | None = None) -> None:
        self.root = root
        self._whole = root if whole is None else whole
        """Where paths begin: a snapshot has a domain inside."""
        devices = root if root.tag == "devices" else child(root, "devices")
        self.devices: tuple[etree._Element, ...] = () if devices is None else tuple(devices.iterchildren("*"))
        self.memory: dict[object, object] = {}
        """What ``once`` and ``listed`` remember."""

    @cached_property
    def _elements(self) -> tuple[etree._Element, ...]:
        """All elements, held: lxml makes what stands for one anew each time it is asked for and not held."""
        return tuple(self.root.iter(etree.Element))

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of all elements, of all attributes as ``@name``, and LUN, SCSI and SCSI_CONTROLLER."""
        tags: set[str] = set()
        attributes: set[str] = set()
        for element in self._elements:
            tags.add(element.tag)  # type: ignore[arg-type]
            attributes.update(element.keys())
        tags.update(map(_AT.__add__, attributes))
        kinds = ((LUN, self.luns), (SCSI, self.on_scsi), (SCSI_CONTROLLER, self.scsi_controllers))
        tags.update(word for word, found in kinds if found)
        return frozenset(tags)

    @cached_property
    def _tagged(self) -> dict[str, list[etree._Element]]:
        tagged: dict[str, list[etree._Element]] = {}
        for each in self.devices:
            tagged.setdefault(str(each.tag), []).append(each)
        return tagged

    def of(self, tag: str) -> tuple[etree._Element, ...]:
        """Give the devices of a kind, in their order."""
        return tuple(self._tagged.get(tag, ()))

    def controllers(self, kind: str) -> tuple[etree._Element, ...]:
        """Give the controllers of a type."""
        return tuple(each for each in self.of("controller") if each.get("type") == kind)

    @cached_property
    def addresses(self) -> tuple[tuple[etree._Element, etree._Element], ...]:
        """Every device that has an address, and the address."""
        found = ((device, child(device, "address")) for device in self.devices)
        return tuple((device, address) for device, address in found if address is not None)

    @cached_property
    def disks(self) -> tuple[etree._Element, ...]:
        """Every disk, CD-ROM, floppy and lun."""
        return self.of("disk")

    @cached_property
    def luns(self) -> tuple[etree._Element, ...]:
        """Every disk that is passed through."""
        return tuple(disk for disk in self.disks if disk.get("device") == "lun")

    def hostdevs(self, kind: str) -> tuple[etree._Element, ...]:
        """Give the host devices of a type."""
        return tuple(each for each in self.of("hostdev") if each.get("type") == kind)

    @cached_property
    def on_scsi(self) -> tuple[etree._Element, ...]:
        """Every disk and host device that stands on a SCSI controller."""
        hostdevs = self.hostdevs("scsi")
        return (*(disk for disk in self.disks if bus_of(disk) == "scsi"), *hostdevs)

    @cached_property
    def places(self) -> tuple[tuple[etree._Element, Place], ...]:
        """Every device on SCSI that has a drive address, and the place that it says."""
        found = ((device, place_of(device)) for device in self.on_scsi)
        return tuple((device, place) for device, place in found if place is not None)

    @cached_property
    def placed(self) -> tuple[tuple[etree._Element, Place, ScsiModel], ...]:
        """The same, and the row of the controller's model, where that is known."""
        found = ((device, place, self.scsi_model(place.controller)) for device, place in self.places)
        return tuple((device, place, model) for device, place, model in found if model is not None)

    @cached_property
    def scsi_controllers(self) -> tuple[etree._Element, ...]:
        """Every SCSI controller."""
        return self.controllers("scsi")

    @cached_property
    def scsi_models(self) -> dict[int, str]:
        """The model of each SCSI controller by its index, libvirt's default where none is named."""
        models: dict[int, str] = {}
        for controller in self.scsi_controllers:
            index = number(controller.get("index"))
            if index is not None:
                models.setdefault(index, self.model_of(controller))
        return models

    def model_of(self, controller: etree._Element) -> str:
        """Give the model of a SCSI controller; "" where libvirt's default is not known here."""
        model = controller.get("model", "")
        if model not in _UNSET_MODELS:
            return model
        return DEFAULT_SCSI_MODEL if self.is_pc else ""

    def scsi_model(self, index: int) -> ScsiModel | None:
        """Give the row of a controller's model; where it is not declared, that of the one libvirt adds."""
        model = self.scsi_models.get(index, DEFAULT_SCSI_MODEL if self.is_pc else "")
        return SCSI_BY_MODEL.get(model)

    @cached_property
    def is_pc(self) -> bool:
        """Whether the architecture is that of a PC, or not told."""
        kind = self.root.find("os/type")
        return kind is None or kind.get("arch", "") in _PC

    @cached_property
    def machine(self) -> str:
        """The machine type, "" where it is not told."""
        kind = self.root.find("os/type")
        return "" if kind is None else kind.get("machine", "")

    @cached_property
    def board(self) -> Literal["i440fx", "q35", ""]:
        """Which PC it is; "" where that is not told, or it is another machine."""
        if not self.is_pc:
            return ""
        if _Q35.fullmatch(self.machine):
            return "q35"
        return "i440fx" if _I440FX.fullmatch(self.machine) else ""

    @property
    def is_qemu(self) -> bool:
        """Whether QEMU runs the domain, or it is not told who does."""
        return not self.is_domain or self.root.get("type", "kvm") in _OF_QEMU

    @property
    def is_domain(self) -> bool:
        """Whether there is a head beside the devices."""
        return self.root.tag in DOMAINS

    def path(self, element: etree._Element) -> str:
        """Give the path of an element, to be named in a message."""
        return self._paths[element]

    @cached_property
    def _paths(self) -> dict[etree._Element, str]:
        return paths_of(self._whole)


def child(element: etree._Element, tag: str) -> etree._Element | None:
    """Give the first child of that name, twice as fast as find, which reads a path."""
    return next(element.iterchildren(tag), None)


def once(find: Callable[[Document], T]) -> Callable[[Document], T]:
    """Give the same function, which looks at a document once and gives the rules that ask again the same."""

    @wraps(find)
    def found(document: Document) -> T:
        if find not in document.memory:
            document.memory[find] = find(document)
        return cast("T", document.memory[find])

    return found


def listed(find: Callable[[Document], Iterator[T]]) -> Callable[[Document], tuple[T, ...]]:
    """Give the same function, as ``once`` does, with all that it yields."""
    return once(wraps(find)(lambda document: tuple(find(document))))


def bus_of(disk: etree._Element) -> str:
    """Give the bus of a disk; where none is named, the one that libvirt guesses from the target's name."""
    target = child(disk, "target")
    if target is None:
        return ""
    named = target.get("bus")
    if named is not None:
        return named
    return SWITCHED_BUSES.get(target.get("dev", "")[:2], "ide")


@lru_cache(maxsize=512)
def number(text: str | None) -> int | None:
    """Give the number in an attribute, None for what is none; the schema reports that."""
    try:
        return int(text or "", 16 if (text or "").startswith("0x") else 10)
    except ValueError:
        return None


def has_thread(domain: etree._Element, wanted: int) -> bool:
    """Tell whether a domain has the I/O thread: ids that are not named are the lowest that are free."""
    ids = {number(each.get("id")) for each in domain.iterfind("iothreadids/iothread")}
    named = {each for each in ids if each is not None}
    unnamed = (number(domain.findtext("iothreads")) or 0) - len(named)
    rank = wanted - sum(1 for each in named if each < wanted)
    return wanted in named or 1 <= rank <= unnamed


class Place(NamedTuple):
    """Where a drive address puts a device."""

    controller: int
    bus: int
    target: int
    unit: int


def place_of(device: etree._Element) -> Place | None:
    """Give the drive address of a device, None where there is none that can be read."""
    address = child(device, "address")
    if address is None or address.get("type") != "drive":
        return None
    found = [number(address.get(name, "0")) for name in Place._fields]
    return None if None in found else Place(*(each for each in found if each is not None))
