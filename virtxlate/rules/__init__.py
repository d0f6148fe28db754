"""What holds for a domain beyond its grammar, as one table; checked beside the schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice

from lxml import etree

from virtxlate.domain import schema
from virtxlate.domain.large import MOST_ELEMENTS
from virtxlate.domain.paths import paths_of
from virtxlate.domain.violations import Violation
from virtxlate.errors import DomainXmlError, TableError, UnknownTermError
from virtxlate.rules.address_choice import RULES as OF_ADDRESSES
from virtxlate.rules.controller import RULES as OF_CONTROLLERS
from virtxlate.rules.disk_options import RULES as OF_DISKS
from virtxlate.rules.drive_address import RULES as OF_DRIVES
from virtxlate.rules.head import RULES as OF_HEADS
from virtxlate.rules.hostdev import RULES as OF_HOST_DEVICES
from virtxlate.rules.identity import RULES as OF_NAMES
from virtxlate.rules.interface import RULES as OF_INTERFACES
from virtxlate.rules.interface_driver import RULES as OF_DRIVERS
from virtxlate.rules.lun import RULES as OF_LUNS
from virtxlate.rules.machine import RULES as OF_MACHINES
from virtxlate.rules.memory import RULES as OF_MEMORY
from virtxlate.rules.merging import merged
from virtxlate.rules.network_choice import RULES as OF_CONNECTIONS
from virtxlate.rules.pci import RULES as OF_PCI
from virtxlate.rules.ports import RULES as OF_PORTS
from virtxlate.rules.resources import RULES as OF_RESOURCES
from virtxlate.rules.rule import DOMAINS, Document, Fault, Rule
from virtxlate.rules.scsi_address import RULES as OF_SCSI_ADDRESSES
from virtxlate.rules.storage_choice import RULES as OF_SOURCES
from virtxlate.rules.throttling import RULES as OF_LIMITS
from virtxlate.rules.usb import RULES as OF_USB

__all__ = ["RULES", "Fault", "Rule", "broken", "by_id", "faults", "message", "validate"]

Judge = Callable[[schema.Document], tuple[Violation, ...]]
"""Gives the violations of a schema."""
_OF_GRAMMAR: tuple[Rule, ...] = (*OF_SOURCES, *OF_ADDRESSES, *OF_CONNECTIONS)
_OF_QEMU: tuple[Rule, ...] = (
    *(*OF_LUNS, *OF_SCSI_ADDRESSES, *OF_CONTROLLERS, *OF_HOST_DEVICES),
    *(*OF_DISKS, *OF_LIMITS, *OF_INTERFACES, *OF_DRIVERS),
    *(*OF_NAMES, *OF_DRIVES, *OF_PCI, *OF_PORTS, *OF_USB, *OF_RESOURCES, *OF_MEMORY),
    *(*OF_MACHINES, *OF_HEADS),
)
RULES: tuple[Rule, ...] = (*_OF_QEMU, *_OF_GRAMMAR)
"""Every rule; rows are added to the modules, by what they are about."""
GRAMMATICAL = frozenset(rule.id for rule in _OF_GRAMMAR)
"""Rules that a grammar can say, but not the XSD of ours: a host's own schema has the last word on them."""

_WORDS = frozenset(word for rule in RULES for word in rule.about)
"""All that rules are about."""
_HOLD_DOMAINS = ("domainsnapshot", "domaincheckpoint")
_BY_ID = {rule.id: rule for rule in RULES}
if len(_BY_ID) != len(RULES):
    raise TableError("RULES: an id appears in two rows")


def by_id(word: str) -> Rule:
    """Give the rule of that id. Raises UnknownTermError."""
    if word not in _BY_ID:
        raise UnknownTermError("rules", "rule", word, _BY_ID)
    return _BY_ID[word]


def faults(root: etree._Element) -> Iterator[tuple[Rule, Fault]]:
    """Give each place of a parsed document where a rule is broken, rule by rule.

    It is a ``<domain>``, ``<devices>``, or what holds domains: a snapshot or a checkpoint.
    """
    return (
        (rule, fault)
        for document in _documents(root)
        for rule in _applied(document)
        for fault in rule.check(document)
    )


def broken(root: etree._Element) -> tuple[Violation, ...]:
    """Give the same as violations, in document order; of one rule MOST_ELEMENTS at most."""
    found = [(document, *each) for document in _documents(root) for each in _told(document)]
    if not found:
        return ()
    order = {element: at for at, element in enumerate(root.iter(etree.Element))}
    found.sort(key=lambda one: order[one[2].element])
    return tuple(_violation(rule, fault, document.path(fault.element)) for document, rule, fault in found)


def _documents(root: etree._Element) -> tuple[Document, ...]:
    """Give what the rules are about: the root, or the domains in it."""
    if root.tag not in _HOLD_DOMAINS:
        return (Document(root),)
    return tuple(Document(domain, root) for domain in root.iterchildren(*DOMAINS))


def _told(document: Document) -> Iterator[tuple[Rule, Fault]]:
    for rule in _applied(document):
        told = 0
        for fault in islice(rule.check(document), MOST_ELEMENTS):
            told += 1
            yield rule, fault
        if told == MOST_ELEMENTS:
            yield rule, Fault(document.root, says=f"only the first {MOST_ELEMENTS} places are told")


def _applied(document: Document) -> tuple[Rule, ...]:
    """Give the rules that a document can break."""
    return _about(document.names & _WORDS, is_qemu=document.is_qemu)


@lru_cache(maxsize=256)
def _about(names: frozenset[str], *, is_qemu: bool) -> tuple[Rule, ...]:
    """Give the rules that are about one of these names: many documents of a host have the same ones."""
    rules = RULES if is_qemu else _OF_GRAMMAR
    return tuple(rule for rule in rules if not rule.about or not names.isdisjoint(rule.about))


def message(rule: Rule, fault: Fault) -> str:
    """Give what is wrong at one place, in one sentence."""
    if fault.says or fault.found is None:
        return fault.says or rule.says
    choice = f": one of {', '.join(fault.allowed)}" if len(fault.allowed) > 1 else ""
    return f"{rule.says}{choice}; found {fault.found!r}"


def _violation(rule: Rule, fault: Fault, path: str) -> Violation:
    return Violation(
        path=path + fault.below,
        line=_line(fault),
        rule=rule.id,
        message=message(rule, fault),
        found=fault.found,
        allowed=fault.allowed,
        hint=rule.hint,
        severity=rule.severity,
    )


def _line(fault: Fault) -> int:
    """Give the line of what is wrong, or of the next one above it that the document has."""
    found = fault.element
    for name in fault.below.split("/"):
        below = None if not name or name.startswith("@") else found.find(name)
        found = found if below is None else below
    return found.sourceline or 0


def validate(document: schema.Document, judge: Judge = schema.validate) -> tuple[Violation, ...]:
    """Give every violation of the schema and every broken rule, in document order; empty when all is well.

    ``judge`` is the schema: that of virtxlate, or the ``validate`` of a host's. A violation with ``severity``
    "warning" leaves the document valid. Raises nothing for a bad document.
    """
    try:
        root = schema.root_of(document)
    except DomainXmlError:
        return judge(document)
    of_rules, of_schema = broken(root), judge(root)
    of_schema = _untold(of_schema, of_rules)
    is_own = judge is schema.validate
    of_schema, of_rules = merged(of_schema, of_rules, () if is_own else GRAMMATICAL)
    if not (of_rules and of_schema):
        return of_rules or of_schema
    paths = paths_of(root)
    order = {path: at for at, path in enumerate(paths[each] for each in root.iter(etree.Element))}
    return tuple(sorted((*of_schema, *of_rules), key=lambda one: _order(one.path, order)))


def _untold(of_schema: tuple[Violation, ...], of_rules: tuple[Violation, ...]) -> tuple[Violation, ...]:
    """Give the violations without the duplicates that a rule tells, too."""
    told = {each.path for each in of_rules}
    return tuple(each for each in of_schema if each.rule != "duplicate" or each.path not in told)


def _order(path: str, order: dict[str, int]) -> int:
    """Give the place of the deepest element on a path that is there."""
    while path not in order and path:
        path = path.rpartition("/")[0]
    return order.get(path, 0)
