"""Memory and NUMA cells: numbers that must agree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from lxml import etree

from virtxlate.rules.identity import twins
from virtxlate.rules.resources import numbered, of_domain, vcpus
from virtxlate.rules.rule import Document, Fault, Rule, child, number
from virtxlate.units import to_kib

Element = etree._Element
_MOST_CPUS, _LONGEST_LIST = 1 << 12, 1 << 10
_MOST_CELLS = 128  # of QEMU; so a hostile document costs no more than an honest one


def _kib(element: Element | None, name: str | None = None) -> int | None:
    """Give a size, rounded up as libvirt does; None where it cannot be read."""
    if element is None:
        return None
    text = (element.text or "").strip() if name is None else element.get(name)
    found = number(text)
    with suppress(ValueError):
        return None if found is None else to_kib(found, element.get("unit", "KiB"))
    return None


def _cells(root: Element) -> list[Element]:
    return root.findall("cpu/numa/cell")


def _cpus(text: str | None) -> set[int]:
    """Give the numbers of "0-3,5,^2"; none for what is no such list, or too long to be one."""
    if text is not None and len(text) > _LONGEST_LIST:
        return set()
    found: set[int] = set()
    for part in (text or "").split(","):
        first, _dash, last = part.strip().removeprefix("^").partition("-")
        low, high = number(first), number(last or first)
        if low is None or high is None or not 0 <= low <= high < _MOST_CPUS:
            return set()
        numbers = set(range(low, high + 1))
        found = found - numbers if part.strip().startswith("^") else found | numbers
    return found


def _cell_cpus(root: Element, document: Document) -> Iterator[Fault]:
    owners: dict[int, Element] = {}
    for cell in _cells(root)[:_MOST_CELLS]:
        cpus = _cpus(cell.get("cpus"))
        beyond = sorted(each for each in cpus if each >= vcpus(root))
        if beyond:
            says = f"there are vCPUs 0 to {vcpus(root) - 1}; found {beyond[0]}"
            yield Fault(cell, "/@cpus", cell.get("cpus"), (), says)
        shared = sorted(cpus & owners.keys())
        if shared:
            says = f"vCPU {shared[0]} is that of {document.path(owners[shared[0]])} too"
            yield Fault(cell, "/@cpus", cell.get("cpus"), (), says)
        owners.update(dict.fromkeys(cpus, cell))


def _cell_ids(root: Element, document: Document) -> Iterator[Fault]:
    cells = _cells(root)
    told = list(numbered(root, "cpu/numa/cell", "id"))
    for cell, first in twins(told):
        says = f"cell {cell.get('id')} is {document.path(first)} too"
        yield Fault(cell, "/@id", cell.get("id"), (), says)
    for index, cell in told:
        if index >= len(cells):
            says = f"{len(cells)} cells have the ids 0 to {len(cells) - 1}; found {index}"
            yield Fault(cell, "/@id", str(index), (), says)


def _cell_memory(root: Element, _document: Document) -> Iterator[Fault]:
    cells, memory = _cells(root), child(root, "memory")
    sizes = [_kib(cell, "memory") for cell in cells]
    total = _kib(memory)
    if memory is None or not total or not cells or None in sizes or root.find("devices/memory") is not None:
        return  # memory devices are counted in, each kind in its own way
    told = sum(size for size in sizes if size is not None)
    if told != total:
        says = f"the cells have {told} KiB together, and <memory> says {total} KiB"
        yield Fault(memory, "", str(total), (), says)


def _current_memory(root: Element, _document: Document) -> Iterator[Fault]:
    current, memory = child(root, "currentMemory"), _kib(child(root, "memory"))
    found = _kib(current)
    if current is not None and memory and found is not None and found > memory:
        says = f"{found} KiB of {memory} KiB cannot be there"
        yield Fault(current, "", str(found), (), says)


def _most_memory(root: Element, document: Document) -> Iterator[Fault]:
    most, memory = child(root, "maxMemory"), _kib(child(root, "memory"))
    found = _kib(most)
    if most is None:
        return
    if found is not None and memory and found < memory and not _cells(root):
        yield Fault(most, "", str(found), (), f"maxMemory, {found} KiB, is less than memory, {memory} KiB")
    if document.is_pc and not _cells(root):
        yield Fault(most, "", None, (), "memory that can be added needs a NUMA cell to be added to")


_MODULES = ("dimm", "nvdimm", "virtio-mem", "virtio-pmem")


def _modules(root: Element, document: Document) -> Iterator[Fault]:
    if not document.is_pc:
        return
    modules = [each for each in document.of("memory") if each.get("model") in _MODULES]
    most, cells = child(root, "maxMemory"), len(_cells(root))
    slots = None if most is None else number(most.get("slots"))
    for place, module in enumerate(modules):
        if most is None:
            yield Fault(module, "", None, (), "a memory device needs <maxMemory>, and there is none")
        elif slots is not None and place >= slots:
            yield Fault(module, "", None, (), f"there are {slots} slots for memory devices")
        node = module.find("target/node")
        index = None if node is None else number((node.text or "").strip())
        if node is not None and index is not None and index >= cells:
            yield Fault(node, "", str(index), (), f"there are {cells} NUMA cells; found cell {index}")
        elif node is None and module.get("model") == "dimm":
            yield Fault(module, "/target/node", None, (), "a dimm belongs to a NUMA cell, and names none")


def _module_slots(root: Element, document: Document) -> Iterator[Fault]:
    most = child(root, "maxMemory")
    slots = None if most is None else number(most.get("slots"))
    placed = [
        (slot, address)
        for module in document.of("memory")
        if (address := module.find("address[@type='dimm']")) is not None
        and (slot := number(address.get("slot"))) is not None
    ]
    for address, first in twins(placed):
        says = f"slot {address.get('slot')} is that of {document.path(first)} too"
        yield Fault(address, "/@slot", address.get("slot"), (), says)
    for slot, address in placed:
        if slots is not None and slot >= slots:
            yield Fault(address, "/@slot", str(slot), (), f"there are slots 0 to {slots - 1}; found {slot}")


def _hugepages(root: Element, _document: Document) -> Iterator[Fault]:
    backing = child(root, "memoryBacking")
    hugepages = None if backing is None else child(backing, "hugepages")
    if backing is None or hugepages is None:
        return
    for path, words in (
        ("source[@type='anonymous']", "<source type='anonymous'>"),
        ("allocation[@mode='ondemand']", "<allocation mode='ondemand'>"),
    ):
        if backing.find(path) is not None:
            yield Fault(hugepages, "", None, (), f"huge pages and {words} exclude each other")


def _shared(root: Element, document: Document) -> Iterator[Fault]:
    users = [each for each in document.disks if each.get("type") == "vhostuser"]
    users += [each for each in document.of("filesystem") if each.find("driver[@type='virtiofs']") is not None]
    if not users:
        return
    words = [cell.get("memAccess") for cell in _cells(root)] or [None]
    access = root.find("memoryBacking/access")
    default = None if access is None else access.get("mode")
    if all((word or default) == "shared" for word in words):
        return
    for device in users:
        yield Fault(device)


RULES: tuple[Rule, ...] = (
    Rule(
        id="numa-cell-cpus",
        says="every vCPU is in one NUMA cell at most, and every CPU of a cell is there",
        why="They are counted from 0.",
        source="libvirt 9.0.0, src/conf/numa_conf.c, virDomainNumaDefParseXML",
        hint="correct the cpus of the cell, or <vcpu>",
        about=("numa",),
        libvirt="refused",
        check=of_domain(_cell_cpus),
    ),
    Rule(
        id="numa-cell-id",
        says="NUMA cells are numbered from 0 without a gap",
        why="QEMU's nodes are.",
        source="libvirt 9.0.0, src/conf/numa_conf.c, virDomainNumaDefParseXML",
        hint="leave the ids out, or number the cells from 0",
        about=("numa",),
        libvirt="refused",
        check=of_domain(_cell_ids),
    ),
    Rule(
        id="numa-memory",
        says="the memory of the cells is that of the domain",
        why="libvirt puts the sum of the cells and memory devices in the place of what <memory> says.",
        source="libvirt 9.0.0, src/conf/domain_postparse.c, virDomainDefPostParseMemory",
        hint="make the cells' memory and <memory> agree",
        about=("numa",),
        libvirt="accepted",
        check=of_domain(_cell_memory),
        severity="warning",
    ),
    Rule(
        id="memory-current",
        says="a domain starts with no more memory than it can have",
        why="libvirt lowers currentMemory in silence.",
        source="libvirt 9.0.0, src/conf/domain_postparse.c, virDomainDefPostParseMemory",
        hint="write currentMemory no higher than memory, or leave it out",
        about=("currentMemory",),
        libvirt="accepted",
        check=of_domain(_current_memory),
        severity="warning",
    ),
    Rule(
        id="memory-max",
        says="maxMemory is not less than memory, and there is a NUMA cell to add to",
        why="What is added between the two belongs to a cell of the guest.",
        source="libvirt 9.0.0, src/conf/domain_postparse.c, virDomainDefPostParseMemory",
        hint="raise maxMemory, and write <numa> with a cell in <cpu>; or leave maxMemory out",
        about=("maxMemory",),
        libvirt="refused",
        check=of_domain(_most_memory),
    ),
    Rule(
        id="memory-device",
        says="a memory device has a free slot of maxMemory and a NUMA cell",
        why="Both are there when the domain is defined.",
        source="libvirt 9.0.0, src/qemu/qemu_domain.c, qemuDomainDefValidateMemoryHotplug",
        hint="write <maxMemory slots=> with enough slots, and a <node> that is a cell",
        libvirt="refused",
        check=of_domain(_modules),
    ),
    Rule(
        id="memory-slot",
        says="every memory device has a slot of its own, of those that there are",
        why="Slots are counted from 0.",
        source="libvirt 9.0.0, src/qemu/qemu_domain.c, qemuDomainDefValidateMemoryHotplugDevice",
        hint="use a free slot, or leave the address out",
        libvirt="refused",
        check=of_domain(_module_slots),
    ),
    Rule(
        id="memory-hugepages",
        says="huge pages are neither anonymous nor allocated on demand",
        why="libvirt takes them from hugetlbfs.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDefMemory",
        hint="leave <source> and <allocation> out, or <hugepages>",
        about=("hugepages",),
        libvirt="refused",
        check=of_domain(_hugepages),
    ),
    Rule(
        id="memory-shared",
        says="a vhost-user disk and virtiofs need memory that is shared",
        why="Another process reads and writes the guest's memory.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDefVhostUserRequireSharedMemory",
        hint="write <memoryBacking> with <access mode='shared'/>, and <source type='memfd'/>",
        libvirt="refused",
        check=of_domain(_shared),
    ),
)
