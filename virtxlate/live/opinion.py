"""What libvirt itself says of a domain: it is defined under a name and UUID of nobody, and forgotten.

libvirt has no dry run. Nothing of a domain of the document's own name or UUID is touched.
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Literal

import msgspec
from lxml import etree

from virtxlate.errors import ConnectionFailedError, LiveError
from virtxlate.live.port import TrialPort

NAME_PREFIX = "virtxlate-validate-"
_NO_SUPPORT = 3
_INVALID_SCHEMA = 92
_NOT_ABOUT_THE_DOCUMENT = frozenset({29, 45, 79, 88})
"""Denied, no authentication, no credentials, no access: nothing was said of the document."""
_UUID = re.compile(r"\s*[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\s*", re.ASCII)
_NOT_ASKED = {
    "network": "defining one looks at the host's bridges, and those of other networks",
    "pool": "no two pools may have one target, so that a second one of another name is refused",
    "volume": "libvirt has no volume without making it",
    "device": "a node device is made or listed, never defined for a trial",
    "secret": "a secret is found by its usage, which would be taken",
}
_NO_TRIAL = "libvirt can only be asked about domains without leaving a trace"


class Opinion(msgspec.Struct, frozen=True, kw_only=True):
    """What libvirt said; the shape of the JSON."""

    verdict: Literal["defines", "defines unvalidated", "makes no command", "refuses", "not asked"]
    """*defines unvalidated*: its grammar refuses the document, but not ``virsh define`` without --validate.

    *makes no command*: it would be defined, but not started.
    """
    says: str = ""
    code: int = 0
    """libvirt's error number."""

    @property
    def is_good(self) -> bool:
        """Whether libvirt has nothing against the document."""
        return self.verdict in {"defines", "not asked"}


def ask(root: etree._Element, trials: TrialPort, uuid: str) -> Opinion:
    """Give libvirt's opinion of a document; ``uuid`` is one of nobody.

    Raises ConnectionFailedError, and LiveError where nothing may be defined.
    """
    if root.tag != "domain":
        reason = _NOT_ASKED.get(str(root.tag), _NO_TRIAL)
        return Opinion(verdict="not asked", says=reason)
    xml = scratch(root, uuid)
    refused = _said(trials.define, xml, validate=True)
    if refused is None:
        return _command(trials, xml)
    if refused.code == _NO_SUPPORT:
        return Opinion(verdict="not asked", says="this connection defines no domains", code=refused.code)
    if refused.code == _INVALID_SCHEMA:
        again = _said(trials.define, xml, validate=False)
        if again is None:
            return Opinion(verdict="defines unvalidated", says=refused.message, code=refused.code)
        refused = again
    return Opinion(verdict="refuses", says=refused.message, code=refused.code)


def _command(trials: TrialPort, xml: str) -> Opinion:
    refused = _said(trials.command, xml)
    if refused is None or refused.code == _NO_SUPPORT:
        return Opinion(verdict="defines")
    return Opinion(verdict="makes no command", says=refused.message, code=refused.code)


def _said(call: object, xml: str, **options: bool) -> LiveError | None:
    """Give libvirt's refusal of a document, None where it takes it."""
    try:
        call(xml, **options)  # type: ignore[operator]
    except ConnectionFailedError:
        raise
    except LiveError as exc:
        if exc.code in _NOT_ABOUT_THE_DOCUMENT or exc.call == "undefineFlags":
            raise
        return exc
    return None


def scratch(root: etree._Element, uuid: str) -> str:
    """Give the same document with a name and UUID of nobody; what must agree with them follows.

    What is wrong with the name or the UUID stays wrong.
    """
    made = deepcopy(root)
    old = (made.findtext("uuid") or "").strip().lower()
    for name in made.findall("name"):
        if name.text:
            name.text = f"{NAME_PREFIX}{uuid}{'/' if '/' in name.text else ''}"
    for each in made.findall("uuid"):
        if _UUID.fullmatch(each.text or ""):
            each.text = uuid
    for entry in made.iterfind("sysinfo/system/entry[@name='uuid']"):
        if old and (entry.text or "").strip().lower() == old:
            entry.text = uuid
    made.attrib.pop("id", None)
    return etree.tostring(made, encoding="unicode", with_tail=False)
