"""The word that somebody meant: the nearest of those that are known, if one is near enough."""

from __future__ import annotations

from collections.abc import Collection
from difflib import SequenceMatcher, get_close_matches

_SAYS_YES = ("yes", "on")
_SAYS_NO = ("no", "off")
_MEANT = dict.fromkeys(("true", "1", "yes", "on", "enabled", "enable"), _SAYS_YES)
_MEANT |= dict.fromkeys(("false", "0", "no", "off", "disabled", "disable"), _SAYS_NO)
"""Words of other formats, and of the other pair of libvirt's: an attribute has yes and no, or on and off."""
_LONGEST = 100
"""No word of libvirt's is longer, and nearness costs the square of the length."""
_MOST_KNOWN = 2_000
_NEAR, _RATHER_NEAR, _FAR = 0.75, 0.6, 0.5
_PART = 3


def nearest(found: str, known: Collection[str]) -> str | None:
    """Give the known word that is nearest to ``found``, None where none is; case and dashes count not."""
    if not found or found in known or len(found) > _LONGEST or len(known) > _MOST_KNOWN:
        return None
    for meant in _MEANT.get(found.lower(), ()):
        if meant in known:
            return meant
    plain: dict[str, str] = {}
    for word in known:
        plain.setdefault(_plain(word), word)
    for near in get_close_matches(_plain(found), plain, n=3, cutoff=_FAR):
        if _is_near(_plain(found), near):
            return plain[near]
    return None


def _is_near(found: str, word: str) -> bool:
    """Say whether somebody who wrote ``found`` may have meant ``word``."""
    likeness = SequenceMatcher(None, word, found).ratio()
    if likeness >= _NEAR:
        return True
    is_part = min(len(found), len(word)) >= _PART and (found in word or word in found)
    return is_part or (likeness >= _RATHER_NEAR and found[0] == word[0])


def _plain(word: str) -> str:
    return word.lower().replace("-", "").replace("_", "")
