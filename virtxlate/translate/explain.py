"""For every element and attribute of a domain: the Ganeti field that caused it, and where that comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
from lxml import etree

from virtxlate.domain.document import domain_element
from virtxlate.domain.model import Domain
from virtxlate.errors import InternalError
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.params import Scalar
from virtxlate.tables.causes import CAUSES, FIXED_CAUSES, Cause

_BY_PATH = {cause.path: cause for cause in CAUSES}
_DEVICE_WORDS = {"disk": "disks", "interface": "nics"}


class CausedBy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One Ganeti field, its value, and the layer of the fill order that the value comes from."""

    field: str
    value: Scalar
    origin: str = ""


class Explanation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One attribute, or element with its text, and what caused it.

    Shape: ``{"path": "/domain/devices/disk[1]/driver/@cache", "value": "writeback", "caused_by": [...]}``.
    """

    path: str
    value: str | None = None
    caused_by: tuple[CausedBy, ...] = ()
    reason: str = ""


def explain(instance: Instance, domain: Domain, origins: Mapping[str, str]) -> tuple[Explanation, ...]:
    """Give an explanation for every element and attribute of ``domain``, which was made of ``instance``.

    ``origins`` are what the source of the instance tells of its layers; ``instance`` should be a placed one.
    """
    root = domain_element(domain)
    return tuple(_walk(root, root.getroottree(), instance, origins))


def _walk(
    root: etree._Element, tree: etree._ElementTree, instance: Instance, origins: Mapping[str, str]
) -> Iterator[Explanation]:
    for element in root.iter():
        path = tree.getpath(element)
        declared = _declared(element)
        device, fixed = _device(element)
        where = [(path, declared, element.text)]
        where += [
            (f"{path}/@{key}", f"{declared}/@{key}".lstrip("/"), str(value))
            for key, value in element.attrib.items()
        ]
        for each, name, value in where:
            if not name or (value is None and (len(element) or element.attrib)):
                continue
            if fixed:
                yield Explanation(path=each, value=value, reason=fixed)
                continue
            cause = _cause(name)
            fields = tuple(
                _caused(field.replace("[]", f"[{device}]"), instance, origins) for field in cause.fields
            )
            yield Explanation(path=each, value=_shown(name, value), caused_by=fields, reason=cause.reason)


def _shown(name: str, value: str | None) -> str | None:
    return "(JSON)" if name.startswith("metadata/") else value


def _declared(element: etree._Element) -> str:
    """Give the path of an element as CAUSES name it, without indices."""
    steps = [str(element.tag), *(str(ancestor.tag) for ancestor in element.iterancestors())]
    return "/".join(reversed(steps[:-1]))


def _device(element: etree._Element) -> tuple[int, str]:
    """Give the index of the Ganeti device that an element belongs to, or the reason why there is none."""
    chain = [element, *element.iterancestors()]
    for each in chain:
        if each.tag == "controller" and each.get("type") in FIXED_CAUSES:
            return 0, FIXED_CAUSES[str(each.get("type"))]
        if each.tag == "disk" and each.find("source") is None:
            return 0, FIXED_CAUSES[str(each.get("device"))]
        if each.tag in _DEVICE_WORDS:
            return sum(1 for _sibling in each.itersiblings(each.tag, preceding=True)), ""
    return 0, ""


def _cause(path: str) -> Cause:
    """Give the row of the longest path that fits."""
    steps = path.split("/")
    for length in range(len(steps), 0, -1):
        found = _BY_PATH.get("/".join(steps[:length]))
        if found is not None:
            return found
    raise InternalError(f"no cause is known for {path}")


def _caused(field: str, instance: Instance, origins: Mapping[str, str]) -> CausedBy:
    origin = origins.get(field, "")
    if not origin:
        below = {
            key.removeprefix(f"{field}."): layer
            for key, layer in origins.items()
            if key.startswith(f"{field}.")
        }
        origin = ", ".join(f"{key} from {layer}" for key, layer in below.items())
    return CausedBy(field=field, value=_value(instance, field), origin=origin or "instance")


def _value(instance: Instance, field: str) -> Scalar:
    """Give the value at a dotted path; a record is shown as JSON."""
    found: object = instance
    for step in field.replace("[", ".[").split("."):
        found = found[int(step[1:-1])] if step.startswith("[") else getattr(found, step)  # type: ignore[index]
    if isinstance(found, str | int | float | bool | None):
        return found
    return msgspec.json.encode(found).decode()
