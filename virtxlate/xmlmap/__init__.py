"""Each XML field declared once; the one declaration writes and reads it.

An :class:`Element` ties the entries of one XML element to the fields of one frozen record, checks at import
that none is missing on either side, and compiles the writing half to one function.

Rule 1: writing and reading use the same entry, and reading is as strict as writing.
Rule 2: this module knows no libvirt word; it knows elements, attributes, text and order.

>>> import msgspec
>>> from lxml import etree
>>> class Pet(msgspec.Struct, frozen=True, kw_only=True):
...     name: str
...     age: str | None = None
>>> PET = Element("pet", Pet, Field("name", "@name", required=True), Field("age", "born/@age"))
>>> etree.tostring(PET.format(Pet(name="Ada", age="3")))
b'<pet name="Ada"><born age="3"/></pet>'
>>> PET.parse(etree.fromstring('<pet name="Ada"/>'))
Pet(name='Ada', age=None)
"""

from virtxlate.xmlmap.element import Choice, Element
from virtxlate.xmlmap.entries import AnyElement, Child, Children, Field, Flag, Leftover
from virtxlate.xmlmap.kinds import INTEGER, ON_OFF, TEXT, YES_NO, Kind, hexadecimal, one_of

__all__ = [
    "INTEGER",
    "ON_OFF",
    "TEXT",
    "YES_NO",
    "AnyElement",
    "Child",
    "Children",
    "Choice",
    "Element",
    "Field",
    "Flag",
    "Kind",
    "Leftover",
    "hexadecimal",
    "one_of",
]
