"""vCPUs and I/O threads: numbers that must agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod

from lxml import etree

from virtxlate.rules.identity import twins
from virtxlate.rules.rule import Document, Fault, Rule, child, has_thread, number

Element = etree._Element
_TOPOLOGY = ("sockets", "dies", "clusters", "cores", "threads")
_MOST_ON_I440FX, _MOST_WITHOUT_EIM = 255, 255
_SHARES, _PERIODS, _QUOTAS = (2, 262144), (1000, 1000000), (1000, 17592186044415)
_KINDS = ("", "global_", "emulator_", "iothread_")


Check = Callable[[Document], Iterator[Fault]]


def of_domain(check: Callable[[Element, Document], Iterator[Fault]]) -> Check:
    """Give the check of a rule about a whole domain; devices alone have nothing to be compared with."""

    def checked(document: Document) -> Iterator[Fault]:
        if document.is_domain:
            yield from check(document.root, document)

    return checked


def vcpus(root: Element) -> int:
    """Give how many vCPUs a domain can have."""
    return number((root.findtext("vcpu") or "1").strip()) or 0


def _current(root: Element, _document: Document) -> Iterator[Fault]:
    vcpu = child(root, "vcpu")
    current = None if vcpu is None else number(vcpu.get("current"))
    if vcpu is not None and current is not None and current > vcpus(root):
        says = f"{current} of {vcpus(root)} vCPUs cannot be there"
        yield Fault(vcpu, "/@current", str(current), (), says)


def _topology(root: Element, _document: Document) -> Iterator[Fault]:
    topology = root.find("cpu/topology")
    if topology is None or topology.get("sockets") is None:
        return
    counts = {name: number(topology.get(name, "1")) or 1 for name in _TOPOLOGY}
    total = prod(counts.values())
    if total != vcpus(root):
        told = " x ".join(str(topology.get(name)) for name in _TOPOLOGY if name in topology.attrib)
        yield Fault(topology, "", str(total), (), f"{told} are {total} CPUs, and <vcpu> says {vcpus(root)}")


def _most(root: Element, document: Document) -> Iterator[Fault]:
    vcpu, count = child(root, "vcpu"), vcpus(root)
    if vcpu is None or count <= min(_MOST_ON_I440FX, _MOST_WITHOUT_EIM):
        return
    if document.board == "i440fx" and count > _MOST_ON_I440FX:
        says = f"i440fx has {_MOST_ON_I440FX} vCPUs at most; found {count}"
        yield Fault(vcpu, "", str(count), (), says)
    has_eim = root.find("devices/iommu/driver[@eim='on']") is not None
    if document.board == "q35" and count > _MOST_WITHOUT_EIM and not has_eim:
        says = f"more than {_MOST_WITHOUT_EIM} vCPUs need <iommu> with eim='on'; found {count}"
        yield Fault(vcpu, "", str(count), (), says)


def numbered(root: Element, path: str, name: str) -> Iterator[tuple[int, Element]]:
    """Give the elements at a path that have a number in an attribute, and the number."""
    for each in root.iterfind(path):
        found = number(each.get(name))
        if found is not None:
            yield found, each


def _pins(root: Element, document: Document) -> Iterator[Fault]:
    for path, name in (("cputune/vcpupin", "vcpu"), ("cputune/iothreadpin", "iothread")):
        for pin, first in twins(numbered(root, path, name)):
            says = f"{name} {pin.get(name)} is pinned at {document.path(first)} too"
            yield Fault(pin, f"/@{name}", pin.get(name), (), says)


def _pinned(root: Element, _document: Document) -> Iterator[Fault]:
    for vcpu, pin in numbered(root, "cputune/vcpupin", "vcpu"):
        if vcpu >= vcpus(root):
            says = f"there are vCPUs 0 to {vcpus(root) - 1}; found {vcpu}"
            yield Fault(pin, "/@vcpu", str(vcpu), (), says)


def _pinned_thread(root: Element, _document: Document) -> Iterator[Fault]:
    for thread, pin in numbered(root, "cputune/iothreadpin", "iothread"):
        if not has_thread(root, thread):
            yield Fault(pin, "/@iothread", str(thread), (), f"the domain has no I/O thread {thread}")


def _threads(root: Element, document: Document) -> Iterator[Fault]:
    for thread, first in twins(numbered(root, "iothreadids/iothread", "id")):
        says = f"I/O thread {thread.get('id')} is {document.path(first)} too"
        yield Fault(thread, "/@id", thread.get("id"), (), says)


def _cputune(root: Element, _document: Document) -> Iterator[Fault]:
    ranges = {"shares": _SHARES}
    ranges.update({f"{kind}period": _PERIODS for kind in _KINDS})
    ranges.update({f"{kind}quota": _QUOTAS for kind in _KINDS})
    tuned = child(root, "cputune")
    for element in () if tuned is None else tuned.iterchildren(*ranges):
        found, (least, most) = number((element.text or "").strip()), ranges[str(element.tag)]
        if found is not None and found > 0 and not least <= found <= most:
            yield Fault(element, "", str(found), (), f"{element.tag!s} is {least} to {most}; found {found}")


RULES: tuple[Rule, ...] = (
    Rule(
        id="vcpu-current",
        says="a domain starts with no more vCPUs than it can have",
        why="current is how many are there, the text of <vcpu> how many there can be.",
        source="libvirt 9.0.0, src/conf/domain_conf.c, virDomainDefSetVcpus",
        hint="write current no higher than the number in <vcpu>",
        about=("@current",),
        libvirt="refused",
        check=of_domain(_current),
    ),
    Rule(
        id="cpu-topology",
        says="sockets, dies, cores and threads make as many CPUs as <vcpu> says",
        why="QEMU 2.7 and newer does not start otherwise.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainVCpuTopology",
        hint="correct <topology>, or <vcpu>; current may be lower",
        about=("topology",),
        libvirt="refused",
        check=of_domain(_topology),
    ),
    Rule(
        id="vcpu-most",
        says="the board can have so many vCPUs",
        why="i440fx has 255. q35 has more, which need an IOMMU with extended interrupts; how many depends on "
        "QEMU: 288 up to 7.2.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainVCpuTopology",
        hint="use fewer, or q35 with <iommu model='intel'> and intremap, eim='on'",
        libvirt="refused",
        check=of_domain(_most),
    ),
    Rule(
        id="cputune-pin-unique",
        says="every vCPU and I/O thread is pinned once",
        why="libvirt does not join two sets.",
        source="libvirt 9.0.0, src/conf/domain_conf.c, virDomainVcpuPinDefParseXML "
        "and virDomainIOThreadPinDefParseXML",
        hint="write one pin, with all its CPUs",
        about=("vcpupin", "iothreadpin"),
        libvirt="refused",
        check=of_domain(_pins),
    ),
    Rule(
        id="vcpupin-vcpu",
        says="a vCPU that is pinned is one that there can be",
        why="They are counted from 0. libvirt drops the other pins in silence.",
        source="libvirt 9.0.0, src/conf/domain_postparse.c, virDomainDefRemoveOfflineVcpuPin",
        hint="leave the pin out, or raise <vcpu>",
        about=("vcpupin",),
        libvirt="accepted",
        check=of_domain(_pinned),
        severity="warning",
    ),
    Rule(
        id="iothreadpin-thread",
        says="an I/O thread that is pinned is one that the domain has",
        why="They are counted from 1 by <iothreads>, or named in <iothreadids>.",
        source="libvirt 9.0.0, src/conf/domain_conf.c, virDomainIOThreadPinDefParseXML",
        hint="leave the pin out, or raise <iothreads>",
        about=("iothreadpin",),
        libvirt="refused",
        check=of_domain(_pinned_thread),
    ),
    Rule(
        id="iothread-unique",
        says="every I/O thread has an id of its own",
        why="Disks and controllers name it by the id.",
        source="libvirt 9.0.0, src/conf/domain_conf.c, virDomainDefParseIOThreads",
        hint="leave the second one out, or give it a free id",
        about=("iothreadids",),
        libvirt="refused",
        check=of_domain(_threads),
    ),
    Rule(
        id="cputune-range",
        says="shares, periods and quotas are in the ranges of cgroups",
        why="The kernel takes shares from 2 to 262144, periods from 1 ms to 1 s and quotas from 1 ms.",
        source="libvirt 9.0.0, src/conf/domain_validate.c, virDomainDefCputuneValidate",
        hint="use a number in the range; a negative quota is none",
        about=("cputune",),
        libvirt="refused",
        check=of_domain(_cputune),
    ),
)
