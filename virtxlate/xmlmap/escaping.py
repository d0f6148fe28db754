"""Text as XML spells it: the characters that stand for markup, and those that XML cannot hold.

Spelled as libxml2 spells it: what is written here and what lxml would have written are the same bytes.
"""

from __future__ import annotations

import re

_NEVER = "\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff"
"""Characters that no XML document holds, however spelled. Source: XML 1.0, production 2."""
_NOT_XML = re.compile(f"[{_NEVER}]")
_IN_TEXT = re.compile(f"[&<>\r{_NEVER}]")
_IN_ATTRIBUTE = re.compile(f'[&<>"\t\n\r{_NEVER}]')
_SPELLING = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "\t": "&#9;",
    "\n": "&#10;",
    "\r": "&#13;",
}


def escape_text(text: str) -> str:
    """Give ``text`` as the content of an element. Raises ValueError for what XML cannot hold."""
    return text if _IN_TEXT.search(text) is None else _IN_TEXT.sub(_spell, text)


def escape_attribute(text: str) -> str:
    """Give ``text`` as it stands between double quotes. Raises ValueError for what XML cannot hold."""
    return text if _IN_ATTRIBUTE.search(text) is None else _IN_ATTRIBUTE.sub(_spell, text)


def is_plain(text: str) -> bool:
    """Tell whether ``text`` stands in XML as it is, wherever it stands."""
    return _IN_ATTRIBUTE.search(text) is None


def is_xml(text: str) -> bool:
    """Tell whether XML can hold ``text`` at all, however spelled."""
    return _NOT_XML.search(text) is None


def _spell(match: re.Match[str]) -> str:
    char = match[0]
    if char not in _SPELLING:
        raise ValueError(f"XML cannot hold the character {char!a}")
    return _SPELLING[char]
