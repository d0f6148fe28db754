"""Any source of Ganeti data behind one face, found out by looking at the data.

``config`` is config.data, ``rapi`` an instance entry, a bulk list or the result of an info job, ``runtime`` a
runtime file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import msgspec

from virtxlate.errors import GanetiDataError, InputError
from virtxlate.ganeti.config import Config
from virtxlate.ganeti.decode import decode
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.params import Scalar
from virtxlate.ganeti.rapi import RAPI_VERSION, read_entry, read_info, skip_entry
from virtxlate.ganeti.runtime import RUNTIME_VERSION, read_runtime, report_unplaced, runtime_instance
from virtxlate.report import Report

FORMATS = ("config", "rapi", "runtime")


class Source(Protocol):
    """What every source of instances can do."""

    skipped: dict[str, str]
    """Instances that cannot become domains, by name, with the reason."""

    def names(self) -> Iterator[str]:
        """Name every KVM instance."""

    def instance(self, name: str, report: Report) -> Instance:
        """Give one instance; what the source does not tell is reported. Raises GanetiDataError."""

    def origins(self, name: str) -> dict[str, str]:
        """Give, for each filled field, where its value comes from; empty where the source does not tell."""


class _Head(msgspec.Struct, frozen=True):
    name: str
    hvparams: dict[str, Scalar] = {}
    custom_hvparams: dict[str, Scalar] = {}


class _InfoHead(msgspec.Struct, frozen=True):
    hypervisor: str


_HEAD = msgspec.json.Decoder(_Head)
_INFO_HEAD = msgspec.json.Decoder(_InfoHead)
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])


class RapiEntries:
    """One or many entries of ``/2/instances``."""

    def __init__(self, entries: list[tuple[str, bytes | msgspec.Raw]], version: int | None = None) -> None:
        self._version = version or RAPI_VERSION
        self.skipped: dict[str, str] = {}
        self._entries: dict[str, tuple[str, bytes | msgspec.Raw]] = {}
        for at, raw in entries:
            try:
                head = decode(_HEAD, raw)
            except GanetiDataError as exc:
                raise exc.under(at) from None
            reason = skip_entry(head.hvparams)
            if reason is not None:
                self.skipped[head.name] = reason
            elif head.name in self._entries:
                raise GanetiDataError(f"a second instance named {head.name!r}", at=at)
            else:
                self._entries[head.name] = (at, raw)

    def names(self) -> Iterator[str]:
        """Name every KVM instance, in the order of the data."""
        return iter(self._entries)

    def instance(self, name: str, report: Report) -> Instance:
        """Give one instance. Raises GanetiDataError."""
        at, raw = self._entry(name)
        try:
            return read_entry(raw, report, self._version)
        except GanetiDataError as exc:
            raise exc.under(at) from None

    def origins(self, name: str) -> dict[str, str]:
        """Give the layer of each hvparam: RAPI tells the instance's own ones from the rest.

        Raises GanetiDataError for a name that the data has not.
        """
        _at, raw = self._entry(name)
        head = decode(_HEAD, raw)
        own = "instance.hvparams"
        return {f"hvparams.{key}": own if key in head.custom_hvparams else "cluster" for key in head.hvparams}

    def _entry(self, name: str) -> tuple[str, bytes | msgspec.Raw]:
        if name not in self._entries:
            raise GanetiDataError(self.skipped.get(name, f"no KVM instance {name!r} in this data"))
        return self._entries[name]


class RapiInfo:
    """The result of an info job: ``{NAME: {...}}``."""

    def __init__(self, entries: dict[str, msgspec.Raw], version: int | None = None) -> None:
        self._version = version or RAPI_VERSION
        self.skipped: dict[str, str] = {}
        self._entries: dict[str, msgspec.Raw] = {}
        for name, raw in entries.items():
            hypervisor = decode(_INFO_HEAD, raw, f"[{name!r}]").hypervisor
            if hypervisor == "kvm":
                self._entries[name] = raw
            else:
                self.skipped[name] = f"its hypervisor is {hypervisor}, not kvm"

    def names(self) -> Iterator[str]:
        """Name every KVM instance."""
        return iter(self._entries)

    def instance(self, name: str, report: Report) -> Instance:
        """Give one instance. Raises GanetiDataError."""
        if name not in self._entries:
            raise GanetiDataError(self.skipped.get(name, f"no KVM instance {name!r} in this data"))
        try:
            return read_info(self._entries[name], report, self._version)
        except GanetiDataError as exc:
            raise exc.under(f"[{name!r}]") from None

    def origins(self, _name: str) -> dict[str, str]:
        """Give nothing: an info job tells values, not layers."""
        return {}


class RuntimeFile:
    """One runtime file."""

    def __init__(self, data: bytes, version: int | None = None) -> None:
        self.skipped: dict[str, str] = {}
        self._losses = Report()
        self.runtime = read_runtime(data, self._losses, version or RUNTIME_VERSION)
        self._instance = runtime_instance(self.runtime, self._losses, version or RUNTIME_VERSION)
        report_unplaced(self.runtime, self._losses)

    def names(self) -> Iterator[str]:
        """Name the one instance."""
        return iter((self._instance.name,))

    def instance(self, name: str, report: Report) -> Instance:
        """Give the instance. Raises GanetiDataError for another name."""
        if name != self._instance.name:
            raise GanetiDataError(f"expected {self._instance.name!r}, found {name!r}")
        report.extend(self._losses.losses)
        return self._instance

    def origins(self, _name: str) -> dict[str, str]:
        """Give the one origin of all hvparams."""
        return {f"hvparams.{name}": "runtime file" for name in self._instance.hvparams.__struct_fields__}


def open_source(data: bytes, form: str | None = None, version: int | None = None) -> Source:
    """Give the source that ``data`` is; ``form`` (one of FORMATS) forces it.

    ``version`` (3010000 is 3.1) is that of the Ganeti which runs the instances: it decides defaults that are
    not in the data, and what differs between versions. None: the data's own, or 3.1 where it has none.

    Raises GanetiDataError; InputError for a ``form`` that there is none of.
    """
    if form is not None and form not in _OPENERS:
        raise InputError(f"expected one of {', '.join(FORMATS)}, found {form!r}", at="form")
    return _OPENERS[form or detect(data)](data, version)


def detect(data: bytes) -> str:
    """Give the format of ``data``, one of FORMATS. Raises GanetiDataError."""
    first = data.lstrip()[:1]
    if first == b"[":
        items = decode(_LIST, data)
        return "runtime" if items and bytes(items[0]).lstrip()[:1] == b"[" else "rapi"
    if first != b"{":
        raise GanetiDataError("not JSON: expected config.data, a RAPI answer or a runtime file")
    return "config" if "cluster" in decode(_OBJECT, data) else "rapi"


def _open_rapi(data: bytes, version: int | None = None) -> Source:
    if data.lstrip()[:1] == b"[":
        items: list[msgspec.Raw] = decode(_LIST, data)
        return RapiEntries([(f"[{index}]", raw) for index, raw in enumerate(items)], version)
    keys = decode(_OBJECT, data)
    if "hvparams" in keys:
        return RapiEntries([("", data)], version)
    if keys and all("hv_actual" in bytes(raw).decode("utf-8", "replace") for raw in keys.values()):
        return RapiInfo(keys, version)
    raise GanetiDataError("expected a RAPI instance, a list of them, or an info job's result")


_OPENERS = {"config": Config, "rapi": _open_rapi, "runtime": RuntimeFile}
