"""Free QEMU options (kvm_extra): what libvirt can say becomes XML, the rest stays a word for QEMU; and back.

Source: Ganeti 3.2 alpha (c35736d8a), hv_kvm/__init__.py:1608; QEMU 7.2; libvirt formatdomain.rst.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from virtxlate.domain import model as domain
from virtxlate.domain import settings
from virtxlate.errors import GanetiDataError, UnsupportedError
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.uri import holds_secret
from virtxlate.report import Report, Severity
from virtxlate.tables.extra import (
    HOST_DEVICES,
    MACHINE_OPTIONS,
    OF_EVERY_PC,
    PCI_DRIVERS,
    RNG_BACKENDS,
    RNG_DEVICE,
    SHELL_WORDS_SINCE,
    SYSTEM_ENTRIES,
    WATCHDOG_ACTIONS,
    WATCHDOGS,
    MachineOption,
)
from virtxlate.translate import usb
from virtxlate.translate.board import Places, is_q35
from virtxlate.translate.context import Context
from virtxlate.translate.graphics import is_ciphers

_AT = "hvparams.kvm_extra"
_ADDR = re.compile(r"(?:0x)?([0-9a-fA-F]{1,2})(?:\.([0-7]))?", re.ASCII)
_NUMBER = re.compile(r"[1-9][0-9]{0,9}|0[xX][0-9a-fA-F]{1,8}", re.ASCII)
_MAX_RATE = 0xFFFFFFFF
"""Of libvirt, in bytes."""
_RNG_MODELS = ("virtio", "virtio-transitional")
"""On PCI a virtio device is transitional by itself."""
_PERIOD_MS = 1000
"""Of libvirt, where a rate names none."""
_PCI_BUSES = ("pci.0", "pcie.0", "")
_OWN_OPTIONS = ("-cpu",)
"""What other parameters tell QEMU by its own options."""


def split(value: str) -> list[str]:
    """Give the parts of an option's value; two commas are one that belongs to a part."""
    return [part.replace("\0", ",") for part in value.replace(",,", "\0").split(",")]


class Option(msgspec.Struct, frozen=True):
    """One option with its value, and the properties that the value is made of."""

    words: tuple[str, ...]

    @property
    def name(self) -> str:
        """The option itself, ``-device``; QEMU takes a second dash, too."""
        word = self.words[0]
        return word[1:] if word.startswith("--") else word

    @property
    def driver(self) -> str:
        """What stands first in the value: ``virtio-rng-pci``."""
        return self.words[1].partition(",")[0] if self.words[1:] else ""

    @property
    def properties(self) -> dict[str, str]:
        """What follows, by name."""
        pairs = (part.partition("=") for part in split("".join(self.words[1:]))[1:])
        return {name: value for name, _equals, value in pairs}

    @property
    def slot(self) -> int | None:
        """The slot of pci.0 that a device asks for."""
        found = _ADDR.fullmatch(self.properties.get("addr", ""))
        return int(found[1], 16) if found and self._is_on_pci else None

    @property
    def is_placeable(self) -> bool:
        """Whether a device asks for no place, or for a slot of pci.0 as a whole."""
        found = _ADDR.fullmatch(self.properties.get("addr", "0"))
        return self._is_on_pci and found is not None and found[2] in {None, "0"}

    @property
    def _is_on_pci(self) -> bool:
        return self.name == "-device" and self.properties.get("bus", "") in _PCI_BUSES

    @property
    def wants_slot(self) -> bool:
        """Whether QEMU gives the device a slot of pci.0 by itself."""
        asks = self._is_on_pci and "addr" not in self.properties
        return asks and any(fnmatchcase(self.driver, name) for name in PCI_DRIVERS)

    def at(self, slot: int) -> Option:
        """Give the device with a slot."""
        return Option((self.words[0], f"{self.words[1]},addr={slot:#x}", *self.words[2:]))


class Extra(msgspec.Struct, frozen=True, kw_only=True):
    """What kvm_extra becomes."""

    rngs: tuple[domain.Rng, ...] = ()
    watchdogs: tuple[domain.Watchdog, ...] = ()
    sysinfo: settings.Sysinfo | None = None
    boot_menu: bool | None = None
    words: tuple[str, ...] = ()


def options(instance: Instance) -> tuple[Option, ...]:
    """Give the options in kvm_extra. Raises GanetiDataError, UnsupportedError."""
    text = instance.hvparams.kvm_extra
    if not text:
        return ()
    try:
        words = shlex.split(text) if instance.version >= SHELL_WORDS_SINCE else text.split()
    except ValueError as exc:
        raise GanetiDataError(f"not shell words: {exc}", at=_AT) from None
    if any(map(holds_secret, words)):
        raise UnsupportedError("an option holds a secret: libvirt XML holds none", at=_AT)
    return tuple(_options(words))


def _options(words: list[str]) -> Iterator[Option]:
    group: list[str] = []
    for word in words:
        if word.startswith("-") and group:
            yield Option(tuple(group))
            group = []
        group.append(word)
    if group:
        yield Option(tuple(group))


def held_slots(instance: Instance) -> dict[int, str]:
    """Give the slots of pci.0 that devices in kvm_extra ask for."""
    return {each.slot: _AT for each in options(instance) if each.slot is not None}


def to_domain(instance: Instance, places: Places, context: Context, report: Report) -> Extra:
    """Give devices and settings for the options that libvirt has words for; others are reported."""
    found = options(instance)
    rngs: list[domain.Rng] = []
    watchdogs: list[domain.Watchdog] = []
    used: set[Option] = set()
    written: list[tuple[Option, Option]] = []
    sysinfo, menu = None, None
    action = next((each.driver for each in found if each.name == "-watchdog-action"), "reset")
    for each in found:
        now = each
        if (rng := _rng(each, found, used)) is not None:
            rngs.append(_placed(rng, each, places))
        elif each.name == "-device" and _watchdog(each) and WATCHDOG_ACTIONS.knows_left(action):
            used |= {each, *(one for one in found if one.name == "-watchdog-action")}
            told = domain.Watchdog(model=WATCHDOGS.right(each.driver), action=WATCHDOG_ACTIONS.right(action))
            watchdogs.append(_placed(told, each, places) if each.driver == "i6300esb" else told)
        elif (system := smbios_system(each)) is not None and sysinfo is None:
            sysinfo = settings.Sysinfo(type="smbios", system=system)
            used.add(each)
        elif each.words in {("-boot", "menu=on"), ("-boot", "menu=off")}:
            menu = each.words[1] == "menu=on"
            used.add(each)
        elif each.name == OF_EVERY_PC and not is_q35(instance):
            used.add(each)
        elif each.wants_slot:
            now = each.at(places.place(_AT).slot)
        written.append((each, now))
    rest = tuple((each, now) for each, now in written if each not in used)
    _report((each for each, _now in rest), context, report)
    return Extra(
        rngs=tuple(rngs),
        watchdogs=tuple(watchdogs),
        sysinfo=sysinfo,
        boot_menu=menu,
        words=() if context.untainted else tuple(word for _each, now in rest for word in now.words),
    )


def _report(rest: Iterable[Option], context: Context, report: Report) -> None:
    for each in rest:
        text = " ".join(each.words)
        row = next((row for row in MACHINE_OPTIONS if _is_of(each, row)), None)
        if context.untainted:
            reason = "libvirt has no word for it, and QEMU is not told by its own option: it is left out"
            report.lose(_AT, text, reason, Severity.GUEST_VISIBLE)
        elif row is not None:
            reason = (
                "libvirt tells QEMU of the same part, too: it may not start, or the guest see another machine"
            )
            remedy = f"say it by {row.instead} instead" if row.instead else ""
            report.lose(_AT, text, reason, Severity.GUEST_VISIBLE, remedy=remedy)
        elif each.name == "-device" and fnmatchcase(each.driver, HOST_DEVICES):
            reason = "libvirt gives QEMU no right to a host's device that only its own option names"
            remedy = "in the domain: <hostdev mode='subsystem' type='pci'>"
            report.lose(_AT, text, reason, Severity.GUEST_VISIBLE, remedy=remedy)
        else:
            reason = "QEMU is told by its own option, which taints the domain"
            report.lose(_AT, text, reason)


def _is_of(option: Option, row: MachineOption) -> bool:
    value = " ".join(option.words[1:])
    return option.name == row.name and re.fullmatch(row.form, value, re.DOTALL) is not None


def _placed(device: Any, option: Option, places: Places) -> Any:
    slot = option.slot
    address = places.place(_AT) if slot is None else domain.PciAddress(slot=slot)
    return msgspec.structs.replace(device, address=address)


def _rng(option: Option, found: tuple[Option, ...], used: set[Option]) -> domain.Rng | None:
    """Give the random number generator of an option; what it consists of is put into ``used``."""
    told = option.properties
    if option.name != "-device" or option.driver != RNG_DEVICE:
        return None
    known = told.keys() <= {"rng", "bus", "addr", "id", "max-bytes", "period"}
    rate = _rate(told)
    if not known or rate is None or not option.is_placeable:
        return None
    backends = [
        each for each in found if each.name == "-object" and each.properties.get("id") == told.get("rng")
    ]
    if "rng" not in told:
        model, path = RNG_BACKENDS.right("rng-builtin"), None
    elif len(backends) == 1 and RNG_BACKENDS.knows_left(backends[0].driver):
        model, path = RNG_BACKENDS.right(backends[0].driver), backends[0].properties.get("filename")
        if model == "random" and path is None:
            return None
        used.add(backends[0])
    else:
        return None
    used.add(option)
    return domain.Rng(
        model="virtio", rate_bytes=rate[0], rate_period=rate[1], backend=model, backend_path=path
    )


def _rate(told: dict[str, str]) -> tuple[int | None, int | None] | None:
    """Give bytes and milliseconds, which no rate is without; None where libvirt cannot say them."""
    if "max-bytes" not in told:
        return None, None
    texts = told["max-bytes"], told.get("period", "65536")
    if not all(map(_NUMBER.fullmatch, texts)):
        return None
    rate, period = (int(text, 0) for text in texts)
    return (rate, period) if 0 < rate <= _MAX_RATE and 0 < period <= _MAX_RATE else None


def _watchdog(option: Option) -> bool:
    told = option.properties
    known = WATCHDOGS.knows_left(option.driver) and told.keys() <= {"addr", "bus", "id"}
    return known and option.is_placeable


def smbios_system(option: Option) -> settings.SmbiosSystem | None:
    """Give the entries of ``-smbios type=1,...``; a uuid is the domain's own business."""
    if option.name != "-smbios" or option.driver != "type=1":
        return None
    told = option.properties
    if not told or not told.keys() <= set(SYSTEM_ENTRIES) or "" in told.values():
        return None
    entries = tuple(
        settings.SmbiosEntry(name=name, value=told[name]) for name in SYSTEM_ENTRIES if name in told
    )
    return settings.SmbiosSystem(entries=entries)


def to_ganeti(found: domain.Domain, report: Report) -> dict[str, str]:
    """Give kvm_extra: options for what Ganeti has no parameter for."""
    report.lose(_AT, None, "the order and spelling of free options is not kept")
    return {"kvm_extra": shlex.join(_words(found, report))}


def _words(found: domain.Domain, report: Report) -> Iterator[str]:
    for number, rng in enumerate(found.devices.rngs):
        yield from _rng_words(number, rng, report)
    for number, watchdog in enumerate(found.devices.watchdogs):
        yield from _watchdog_words(number, watchdog, report)
    if found.sysinfo is not None and found.sysinfo.system is not None:
        entries = (f"{each.name}={_escaped(each.value)}" for each in found.sysinfo.system.entries)
        yield from ("-smbios", ",".join(("type=1", *entries)))
    if found.os.boot_menu is not None:
        yield from ("-boot", f"menu={'on' if found.os.boot_menu else 'off'}")
    yield from _free_words(found, report)


def _rng_words(number: int, rng: domain.Rng, report: Report) -> Iterator[str]:
    for name, word, known in (
        ("model", rng.model, rng.model in _RNG_MODELS),
        ("backend", rng.backend, RNG_BACKENDS.knows_right(rng.backend or "")),
    ):
        if not known:
            reason = "only a virtio generator that is fed by a file or QEMU itself is told by free options"
            report.lose(f"rngs[{number}].{name}", word, reason, Severity.GUEST_VISIBLE)
            return
    backend = RNG_BACKENDS.left(rng.backend or "")
    file = f",filename={_escaped(rng.backend_path)}" if rng.backend_path else ""
    yield from ("-object", f"{backend},id=rng{number}{file}")
    rate = f",max-bytes={rng.rate_bytes},period={rng.rate_period or _PERIOD_MS}" if rng.rate_bytes else ""
    yield from ("-device", f"{RNG_DEVICE},rng=rng{number}{rate}{_place(rng.address)}")


def _watchdog_words(number: int, watchdog: domain.Watchdog, report: Report) -> Iterator[str]:
    at, model, action = f"watchdogs[{number}]", watchdog.model, watchdog.action or ""
    if model == "itco":
        own = "whether the board's watchdog acts, QEMU decides under Ganeti: since machine types 8.0"
        report.lose(f"{at}.model", model, own, Severity.GUEST_VISIBLE)
    elif not WATCHDOGS.knows_right(model):
        other = "no free option asks for a watchdog of this model"
        report.lose(f"{at}.model", model, other, Severity.GUEST_VISIBLE)
    else:
        yield from ("-device", WATCHDOGS.left(model) + _place(watchdog.address))
        if WATCHDOG_ACTIONS.knows_right(action):
            yield from ("-watchdog-action", WATCHDOG_ACTIONS.left(action))
        elif action:
            reason = "no free option makes a watchdog do this: it resets the guest"
            report.lose(f"{at}.action", action, reason, Severity.GUEST_VISIBLE)


def _free_words(found: domain.Domain, report: Report) -> Iterator[str]:
    """Give the words for QEMU that no other parameter made."""
    raw = [each.value for each in found.qemu_command_line.arguments] if found.qemu_command_line else []
    for option in _options(raw):
        own = option.name in _OWN_OPTIONS or usb.is_own(option.words) or is_ciphers(option.words)
        if any(map(holds_secret, option.words)):
            reason = "an option for QEMU holds a secret: Ganeti's data hold none"
            report.lose(_AT, option.name, reason, Severity.GUEST_VISIBLE)
        elif not own:
            yield from option.words


def _escaped(value: str) -> str:
    return value.replace(",", ",,")


def _place(address: Any) -> str:
    return f",bus=pci.0,addr={address.slot:#x}" if isinstance(address, domain.PciAddress) else ""
