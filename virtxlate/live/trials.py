"""A domain that is defined for the moment of a question, over a connection that somebody else has opened."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from virtxlate.errors import LiveError

_VALIDATE = 1
_KEEP_NVRAM, _KEEP_TPM = 1 << 3, 1 << 6
_KEEP = (_KEEP_NVRAM | _KEEP_TPM, _KEEP_NVRAM, 0)
"""Flags of virDomainUndefineFlags, the best first: that of the TPM is known since libvirt 8.9."""
_UNKNOWN_FLAG = (3, 8, 67)
"""Errors of a libvirt, or of a driver, that has not all flags: no support, invalid argument, unsupported."""


class LibvirtTrials:
    """Asks libvirt about documents; see port.TrialPort.

    ``errors`` turns libvirt's errors into ours; it is called with the name of the call.
    """

    def __init__(self, connection: Any, errors: Callable[[str], AbstractContextManager[None]]) -> None:
        self._connection = connection
        self._errors = errors

    def define(self, xml: str, *, validate: bool) -> None:
        """Define a domain and undefine it at once. Raises LiveError where libvirt refuses."""
        with self._errors("defineXMLFlags"):
            domain = self._connection.defineXMLFlags(xml, _VALIDATE if validate else 0)
        self._forget(domain)

    def _forget(self, domain: Any) -> None:
        """Undefine, and keep what is not ours: firmware variables and TPM state that the document names."""
        for flags in _KEEP:
            try:
                with self._errors("undefineFlags"):
                    domain.undefineFlags(flags)
            except LiveError as exc:
                if exc.code not in _UNKNOWN_FLAG or flags == _KEEP[-1]:
                    raise
            else:
                return

    def command(self, xml: str) -> None:
        """Let libvirt make QEMU's command line. Raises LiveError where it refuses, or has none to make."""
        with self._errors("domainXMLToNative"):
            self._connection.domainXMLToNative("qemu-argv", xml, 0)
