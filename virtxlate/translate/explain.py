"""For every element and attribute of a domain: the Ganeti field that caused it, and where that comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from lxml import etree

from virtxlate.domain.document import domain_element
from virtxlate.domain.model import Domain
from virtxlate.errors import InternalError, MapError
from virtxlate.ganeti.model import Instance
from virtxlate.scsi import is_stable
from virtxlate.tables.causes import CAUSES, FIXED_CAUSES, WHOLE_DEVICES, Cause
from virtxlate.tables.removable import IMAGE_ALIASES
from virtxlate.translate.context import Context, Renames

_BY_PATH = {(cause.path, cause.variant): cause for cause in CAUSES}
_DEVICE_WORDS = {"disk": "disks", "interface": "nics", "hostdev": "disks"}
_FILLED = re.compile(r"(?:hvparams|beparams|disks\[\d+\]\.params)\.|nics\[\d+\]\.(?:mode|link|vlan)$")
"""Fields that come from layers; all others are the instance's own."""
_SOURCE_STEPS = ("/source/@dev", "/source/@file")


class CausedBy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One Ganeti field, its value, and the layer of the fill order that the value comes from.

    ``origin`` is empty where the source of the data does not tell the layer. A field may also be an entry of
    the map file, ``map.bridges.br0``, or an option, ``--disk-paths``.
    """

    field: str
    value: Any
    """A scalar, or a list or mapping of them."""
    origin: str = ""


class Explanation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One attribute, or element with its text, and what caused it.

    Shape: ``{"path": "/domain/devices/disk[1]/driver/@cache", "value": "writeback", "caused_by": [...]}``.
    """

    path: str
    value: str | None = None
    caused_by: tuple[CausedBy, ...] = ()
    reason: str = ""


def explain(
    instance: Instance, domain: Domain, origins: Mapping[str, str], context: Context | None = None
) -> tuple[Explanation, ...]:
    """Give an explanation for every element and attribute of ``domain``, which was made of ``instance``.

    ``instance`` is as it was read, not placed, so that an address it came with is told from one that it got.
    ``origins`` are what the source of the instance tells of its layers.
    """
    root = domain_element(domain)
    asker = _Asker(instance, origins, context or Context())
    return tuple(asker.walk(root, root.getroottree()))


class _Asker:
    """One instance that is asked for its fields."""

    __slots__ = ("_context", "_instance", "_origins")

    def __init__(self, instance: Instance, origins: Mapping[str, str], context: Context) -> None:
        self._instance, self._origins, self._context = instance, origins, context

    def walk(self, root: etree._Element, tree: etree._ElementTree) -> Iterator[Explanation]:
        for element in root.iter():
            path, declared = tree.getpath(element), _declared(element)
            index, variant, fixed = _device(element)
            for step, value in _told(element):
                at = path + step
                if fixed:
                    yield Explanation(path=at, value=value, reason=fixed)
                else:
                    cause = _cause((declared + step).lstrip("/"), variant)
                    yield self._explain(at, value, cause, index)

    def _explain(self, path: str, value: str | None, cause: Cause, index: int) -> Explanation:
        fields = [field.replace("[]", f"[{index}]") for field in cause.fields]
        if cause.placing and self._value(fields[0].rstrip("?")) is None:
            fields += [field.replace("[]", f"[{index}]") for field in cause.placing]
        caused = [self._caused(field.rstrip("?")) for field in fields]
        known = [one for one, field in zip(caused, fields, strict=True) if not _is_void(one, field)]
        more = (*self._options(path, value, index), *self._entries(value, cause.renamed_by))
        return Explanation(path=path, value=value, caused_by=(*known, *more), reason=cause.reason)

    def _caused(self, field: str) -> CausedBy:
        origin = self._origins.get(field)
        if origin is None:
            origin = "" if _FILLED.match(field) else "instance"
        value = self._value(field)
        if (override := self._override(field)) is not None:
            value, origin = override, "map"
        return CausedBy(field=field, value=value, origin=origin)

    def _value(self, field: str) -> Any:
        """Give the value at a dotted path, None where there is none; records become mappings."""
        found: Any = self._instance
        for step in field.replace("[", ".[").split("."):
            if step.startswith("["):
                found = found[int(step[1:-1])]
            else:
                found = found.get(step) if isinstance(found, dict) else getattr(found, step)
        return msgspec.to_builtins(found)

    def _override(self, field: str) -> Any:
        """Give the disk parameter that the map sets in place of Ganeti's, or None."""
        disk, _, name = field.partition(".params.")
        if not name:
            return None
        return self._context.renames.diskparams.get(self._value(f"{disk}.template"), {}).get(name)

    def _options(self, path: str, value: str | None, index: int) -> Iterator[CausedBy]:
        if not path.endswith(_SOURCE_STEPS):
            return
        if self._context.disk_paths == "link":
            yield CausedBy(field="--disk-paths", value="link", origin="option")
        named = [disk.logical_id for disk in self._instance.disks[index : index + 1]]
        if self._context.stable_names and is_stable(value or "") and all(value not in each for each in named):
            yield CausedBy(field="--stable-names", value=True, origin="option")

    def _entries(self, value: str | None, tables: tuple[str, ...]) -> Iterator[CausedBy]:
        """Name the entry of the map that gave a value."""
        for table in tables if value else ():
            old = _renamed(self._context.renames, table, str(value))
            if old is not None:
                yield CausedBy(field=f"map.{table}.{old}", value=value, origin="map")


def _is_void(caused: CausedBy, field: str) -> bool:
    return field.endswith("?") and (caused.value is None or caused.value == "")


def _renamed(renames: Renames, table: str, value: str) -> str | None:
    """Give the old name of what an entry of a table made ``value``, or a part of it; None where none did."""
    for part in (value, *value.split("/")) if table == "pools" else (value,):
        try:
            old = renames.back_path(part) if table == "paths" else renames.back(table, part)
        except MapError:
            return "?"
        if old != part:
            return old
    return None


def _told(element: etree._Element) -> Iterator[tuple[str, str | None]]:
    """Give what an element itself says: its text, and its attributes; one that says nothing only exists."""
    if element.text or not (len(element) or element.attrib):
        yield "", element.text
    for key, value in element.attrib.items():
        yield f"/@{key}", str(value)


def _declared(element: etree._Element) -> str:
    """Give the path of an element as CAUSES name it, without indices."""
    steps = [str(element.tag), *(str(ancestor.tag) for ancestor in element.iterancestors())]
    return "/".join(reversed(steps[:-1]))


def _device(element: etree._Element) -> tuple[int, str, str]:
    """Give index and variant of the Ganeti device that an element belongs to, or why there is none."""
    for each in (element, *element.iterancestors()):
        if each.tag == "controller" and each.get("type") in FIXED_CAUSES:
            return 0, "", FIXED_CAUSES[str(each.get("type"))]
        if each.tag == "disk" and each.find("source") is None:
            return 0, "", FIXED_CAUSES[str(each.get("device"))]
        alias = each.find("alias")
        if each.tag == "disk" and alias is not None and IMAGE_ALIASES.knows_right(str(alias.get("name"))):
            return 0, IMAGE_ALIASES.left(str(alias.get("name"))), ""
        if each.tag in _DEVICE_WORDS:
            target = each.find("target")
            variant = each.get("type") if target is None else target.get("bus")
            return sum(1 for _one in each.itersiblings(each.tag, preceding=True)), str(variant), ""
    return 0, "", ""


def _cause(path: str, variant: str) -> Cause:
    """Give the row of the longest path that fits."""
    if variant in WHOLE_DEVICES:
        return WHOLE_DEVICES[variant]
    steps = path.split("/")
    for length in range(len(steps), 0, -1):
        fit = "/".join(steps[:length])
        found = _BY_PATH.get((fit, variant)) or _BY_PATH.get((fit, ""))
        if found is not None:
            return found
    raise InternalError(f"no cause is known for {path}")
