"""What does not go together in a document that the XSD may well accept, told as violations."""

from __future__ import annotations

from itertools import islice

from lxml import etree

from virtxlate.domain.device_forms import DEVICES
from virtxlate.domain.head_forms import HEAD
from virtxlate.domain.large import MOST_ELEMENTS
from virtxlate.domain.paths import paths_of
from virtxlate.domain.storage_forms import STORAGE
from virtxlate.domain.together import Misfit, Misfits, Together
from virtxlate.domain.violations import Violation

TABLES: tuple[Together, ...] = (*HEAD, *STORAGE, *DEVICES)
_READY = Misfits(TABLES)


def with_misfits(root: etree._Element, of_schema: tuple[Violation, ...]) -> tuple[Violation, ...]:
    """Give the violations of a schema and those of the forms of elements, in document order.

    Of an element that the schema refuses itself nothing more is said. At most MOST_ELEMENTS are told.
    """
    found = list(islice(_READY.of(root), MOST_ELEMENTS))
    if not found:
        return of_schema
    paths = paths_of(root)
    refused = {each.path.partition("/@")[0] for each in of_schema}
    told = [_violation(each, paths[each.element]) for each in found if paths[each.element] not in refused]
    order = {path: at for at, path in enumerate(paths[each] for each in root.iter(etree.Element))}
    return tuple(sorted((*of_schema, *told), key=lambda each: _place(each.path, order)))


def _violation(misfit: Misfit, path: str) -> Violation:
    name = misfit.name
    below = "" if name in {"", "#"} else f"/{name}"
    return Violation(
        path=path + below,
        line=misfit.element.sourceline or 0,
        rule="co-occurrence",
        message=misfit.message,
        found=misfit.found,
    )


def _place(path: str, order: dict[str, int]) -> int:
    """Give the place of the deepest element on a path that is there; what is of no element comes last."""
    while path and path not in order:
        path = path.rpartition("/")[0]
    return order.get(path, len(order))
