"""Devices of one domain come, go and change; each call returns when the live XML shows it, or raises.

>>> with connect("qemu:///system") as host:                                       # doctest: +SKIP
...     domain = host.find("", "web1.example.com")
...     disk = Disk(uuid="932df160-7a22-4067-a566-7e0ca8386133", template="plain", logical_id=("xenvg", "d1"))
...     Hotplug(domain).add_disk(disk).hvinfo
HvInfo(driver='virtio-blk-pci', id='disk-932df160-7a22-4067', bus='pci.0', addr='0xd')

A call blocks its own thread only; several domains and threads may share a connection. From asyncio:
``await asyncio.to_thread(hotplug.add_disk, disk)``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from virtxlate.domain import model as domain
from virtxlate.domain.live import parse_live
from virtxlate.errors import DeviceNotFoundError, GanetiDataError, OperationRefusedError, VirtxlateError
from virtxlate.ganeti.decode import convert
from virtxlate.ganeti.hvinfo import HvInfo, kvm_id
from virtxlate.ganeti.model import Disk, Instance, Nic
from virtxlate.ganeti.wire import check_mac, check_uuid
from virtxlate.hotplug import changes, follow, plan, switching
from virtxlate.hotplug.apply import Affect
from virtxlate.hotplug.edits import text_of
from virtxlate.hotplug.engine import Done, Engine, Follower, Options, again
from virtxlate.hotplug.lock import Lock, domain_lock
from virtxlate.hotplug.look import twin
from virtxlate.hotplug.snapshot import Entry, Snapshot, find, is_index
from virtxlate.hotplug.steps import Detach, Step
from virtxlate.hotplug.wanted import ganeti_disk, ganeti_nic, wanted_disk
from virtxlate.hotplug.whole import Group, WholePlan, whole_plan
from virtxlate.live.port import HotplugPort
from virtxlate.report import Report
from virtxlate.tables.hotplug import DISK_FIELDS, NIC_FIELDS
from virtxlate.translate.context import Context
from virtxlate.translate.hvinfo import DeviceInfo
from virtxlate.translate.runtime import ganeti_hvinfo
from virtxlate.translate.switch import Kind
from virtxlate.units import BYTES_PER_UNIT

__all__ = ["Done", "Hotplug", "Options"]

MiB = BYTES_PER_UNIT["MiB"]
Heard = Callable[[Group, Done], None]
_DEFINITION = Affect(live=False, config=True)


class Hotplug:
    """Operations on the devices of one domain.

    ``lock`` keeps other writers of its metadata out; ``follower`` gets the live XML after each operation,
    last of all, to derive a runtime file from it; ``hvparams`` overrule Ganeti's parameters of the domain.
    """

    def __init__(
        self,
        port: HotplugPort,
        *,
        context: Context | None = None,
        options: Options | None = None,
        hvparams: Mapping[str, Any] | None = None,
        lock: Lock = domain_lock,
        follower: Follower | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        known = Options() if options is None else options
        self._engine = Engine(port, context, known, hvparams, lock, follower, clock)
        self._port, self._options, self._context = port, known, self._engine.context

    def read(self) -> Snapshot:
        """Read the domain as it is now. Raises LiveError, DomainXmlError."""
        return self._engine.read(self._engine.affect())

    def plan_disk(self, disk: Disk) -> tuple[Step, ...]:
        """Give what add_disk would do. Raises as that does before its first call."""
        affect, report = self._engine.affect(), Report()
        return self._disk_steps(affect, disk)(self._engine.read(affect), report)

    def plan_nic(self, nic: Nic) -> tuple[Step, ...]:
        """Give what add_nic would do."""
        affect, report = self._engine.affect(), Report()
        return self._nic_steps(affect, nic)(self._engine.read(affect), report)

    def add_disk(self, disk: Disk, *, index: int | None = None) -> Done:
        """Add a Ganeti disk; ``index`` is its place in Ganeti's list, the end if not given.

        Raises PlacementError, UnsupportedError, GanetiDataError, OperationRefusedError, LiveError,
        VerificationError.
        """
        affect = self._engine.affect()
        change = follow.with_device("disk", disk, at=index)
        return self._engine.do(affect, self._disk_steps(affect, disk), change, device=("disk", disk.uuid))

    def _disk_steps(self, affect: Affect, disk: Disk) -> Callable[[Snapshot, Report], tuple[Step, ...]]:
        check_uuid(disk.uuid, "uuid")

        def steps(snapshot: Snapshot, report: Report) -> tuple[Step, ...]:
            places = plan.places_of(snapshot, running=affect.live)
            return plan.add_disk(snapshot, disk, self._context, places, report, running=affect.live)

        return steps

    def add_nic(self, nic: Nic, *, index: int | None = None) -> Done:
        """Add a Ganeti NIC. Raises as add_disk does."""
        affect = self._engine.affect()
        change = follow.with_device("nic", nic, at=index)
        return self._engine.do(affect, self._nic_steps(affect, nic), change, device=("nic", nic.uuid))

    def _nic_steps(self, affect: Affect, nic: Nic) -> Callable[[Snapshot, Report], tuple[Step, ...]]:
        check_uuid(nic.uuid, "uuid")
        check_mac(nic.mac, "mac")

        def steps(snapshot: Snapshot, report: Report) -> tuple[Step, ...]:
            places = plan.places_of(snapshot, running=affect.live)
            return plan.add_nic(snapshot, nic, self._context, places, report)

        return steps

    def remove(self, kind: str, which: str) -> Done:
        """Remove the disk ("disk") or NIC ("nic") that ``which`` names; see snapshot.find.

        A device that left the guest after an earlier call had given up is noticed: what is left of it in the
        definition and the metadata is taken away.

        Raises RemovalPendingError, RemovalRefusedError, DeviceNotFoundError, OperationRefusedError,
        DomainStoppedError, LiveError.
        """
        affect = self._engine.affect()
        snapshot = self._engine.read(affect)
        try:
            entry = find(snapshot, kind, which)
        except DeviceNotFoundError:
            if (done := self._finish(affect, snapshot, kind, which)) is not None:
                return done
            raise
        return self._remove(affect, kind, entry, snapshot)

    def _remove(self, affect: Affect, kind: str, entry: Entry, first: Snapshot | None = None) -> Done:
        done = self._engine.do(
            affect,
            lambda now, _report: plan.remove(now, again(now, entry), running=affect.live),
            follow.without_device(kind, entry.info.uuid),
            first=first,
        )
        return self._with_freed(affect, done)

    def _with_freed(self, affect: Affect, done: Done) -> Done:
        """Add what nobody uses any more: a guest that runs keeps what only its definition has lost."""
        if not affect.live and self._port.is_active():
            return done
        freed = tuple(each for step in done.steps if isinstance(step, Detach) for each in step.frees)
        return msgspec.structs.replace(done, freed=freed)

    def _finish(self, affect: Affect, snapshot: Snapshot, kind: str, which: str) -> Done | None:
        """Take away what is left of a device that is not in the guest; None when nothing is."""
        known = getattr(snapshot.instance, f"{kind}s") if snapshot.has_metadata else ()
        kept = [each for each in known if which.lower() in _names(kind, each)]
        if len(kept) != 1:
            return self._remove_from_config(affect, kind, which)
        alias = follow.user_alias_of(kind, kept[0].uuid)
        info = DeviceInfo(kind, alias, kept[0].uuid, None, getattr(kept[0], "mac", None))
        left = twin(snapshot.config.live, info) if snapshot.config is not None else None
        if left is not None:
            self._port.detach(text_of(left.element), live=False, config=True)
        self._engine.settle(affect, follow.without_device(kind, kept[0].uuid))
        freed = _storage_of(snapshot, kept[0], self._context)
        return Done(notes=("it had left the guest already",), freed=freed)

    def _remove_from_config(self, affect: Affect, kind: str, which: str) -> Done | None:
        """Remove what only the definition has; None when that is not to be changed, or does not have it.

        An index counts the devices of the running guest, and names none of the definition's.
        """
        if not (affect.live and affect.config) or is_index(which):
            return None
        only = Affect(live=False, config=True)
        with suppress(DeviceNotFoundError):
            done = self._remove(only, kind, find(self._engine.read(only), kind, which))
            return msgspec.structs.replace(done, notes=("the running guest did not have it",))
        return None

    def modify_nic(self, which: str, *, state: str | None = None, **values: Any) -> Done:
        """Change fields of a NIC: mac, mode, link, vlan, ip, name, network; ``state`` of its cable: up, down.

        Raises as remove and add_nic do; GanetiDataError for an unknown field.
        """
        affect = self._engine.affect()
        entry = find(self._engine.read(affect), "nic", which)
        if values:
            nic = _replaced(ganeti_nic(entry, self._context), values, tuple(NIC_FIELDS), entry.at)
            return self._become_nic(affect, entry, nic, state, tuple(values))
        return self._engine.do(
            affect, lambda now, _report: _link(now, entry, state), None, device=("nic", entry.info.uuid or "")
        )

    def become_nic(self, nic: Nic) -> Done:
        """Make the NIC of that uuid like ``nic``. Raises as modify_nic does."""
        affect = self._engine.affect()
        return self._become_nic(affect, find(self._engine.read(affect), "nic", nic.uuid), nic, None)

    def _become_nic(
        self,
        affect: Affect,
        entry: Entry,
        nic: Nic,
        state: str | None,
        asked: tuple[str, ...] = tuple(NIC_FIELDS),
    ) -> Done:
        check_mac(nic.mac, f"{entry.at}.mac")

        def steps(snapshot: Snapshot, report: Report) -> tuple[Step, ...]:
            now = again(snapshot, entry)
            return changes.modify_nic(snapshot, now, nic, self._context, report, state=state, asked=asked)

        return self._engine.do(
            affect, steps, follow.with_device("nic", nic) if nic.uuid else None, device=("nic", nic.uuid)
        )

    def modify_disk(self, which: str, **values: Any) -> Done:
        """Change fields of a disk: mode, name, size_mib, and what says where it is.

        Raises as remove and add_disk do; GanetiDataError for an unknown field.
        """
        affect = self._engine.affect()
        entry = find(self._engine.read(affect), "disk", which)
        disk = _replaced(ganeti_disk(entry, self._context), values, tuple(DISK_FIELDS), entry.at)
        return self._become_disk(affect, entry, disk, tuple(values))

    def become_disk(self, disk: Disk) -> Done:
        """Make the disk of that uuid like ``disk``. Raises as modify_disk does."""
        affect = self._engine.affect()
        return self._become_disk(affect, find(self._engine.read(affect), "disk", disk.uuid), disk)

    def _become_disk(
        self, affect: Affect, entry: Entry, disk: Disk, asked: tuple[str, ...] = tuple(DISK_FIELDS)
    ) -> Done:
        def steps(snapshot: Snapshot, report: Report) -> tuple[Step, ...]:
            now, running = again(snapshot, entry), affect.live
            return changes.modify_disk(
                snapshot, now, disk, self._context, report, running=running, asked=asked
            )

        return self._engine.do(
            affect, steps, follow.with_device("disk", disk) if disk.uuid else None, device=("disk", disk.uuid)
        )

    def switch(self, which: str, to: Kind) -> Done:
        """Make a SCSI disk passed through ("lun") or emulated ("disk"), in its place; notes say what is seen.

        Raises as remove and add_disk do; UnsupportedError for a disk that cannot be one.
        """
        affect = self._engine.affect()
        return switching.switch(self._engine, affect, find(self._engine.read(affect), "disk", which), to)

    def hvinfo(self, kind: str, which: str) -> HvInfo | None:
        """Give where a disk or NIC is, in Ganeti's words; None where it has none. Raises as find does."""
        snapshot = self.read()
        return ganeti_hvinfo(find(snapshot, kind, which).info, snapshot.view.scsi_bus)

    def resize(self, which: str, size: int) -> Done:
        """Tell the guest that a disk has ``size`` bytes now; its storage must have been resized before.

        Raises OperationRefusedError for less than it has, unless forced, LiveError, VerificationError.
        """
        affect = self._engine.affect()
        entry = find(self._engine.read(affect), "disk", which)
        if not affect.live:
            why = "a definition holds no size" if self._port.is_active() else "the domain does not run"
            raise OperationRefusedError(f"{why}: there is nobody to tell", call="resize")
        disk = entry.kept if isinstance(entry.kept, Disk) else None
        grown = None if disk is None else msgspec.structs.replace(disk, size_mib=-(-size // MiB))
        return self._engine.do(
            affect,
            lambda snapshot, _report: changes.resize(again(snapshot, entry), size),
            None if grown is None else follow.with_device("disk", grown),
            device=("disk", entry.info.uuid or ""),
        )

    def change_medium(self, which: str, medium: domain.Disk | None) -> Done:
        """Put a medium into a CD-ROM or floppy drive; None ejects. Raises UnsupportedError, LiveError."""
        affect = self._engine.affect()
        entry = find(self._engine.read(affect), "disk", which)
        return self._engine.do(
            affect,
            lambda snapshot, _report: changes.change_medium(snapshot, again(snapshot, entry), medium),
            None,
        )

    def plan(self, instance: Instance, *, prune: bool = False) -> WholePlan:
        """Give what would make the domain's devices those of ``instance``; see whole.whole_plan."""
        affect = self._engine.affect()
        whole = self._whole(affect, instance, prune=prune)
        if (lagging := self._lagging(affect, instance)) is None:
            return whole
        rest = self._whole(_DEFINITION, lagging, prune=prune)
        groups = (each for each in rest.groups if not any(map(each.same_as, whole.groups)))
        return msgspec.structs.replace(whole, groups=(*whole.groups, *groups))

    def _whole(self, affect: Affect, instance: Instance, *, prune: bool) -> WholePlan:
        snapshot = self._engine.read(affect)
        return whole_plan(snapshot, instance, self._context, running=affect.live, prune=prune)

    def _lagging(self, affect: Affect, instance: Instance) -> Instance | None:
        """Give what a definition must still become when guest and definition were changed; else None.

        It may lag behind a guest that has all: its devices come where the guest has them.
        """
        if not (affect.live and affect.config):
            return None
        return follow.at_their_places(instance, parse_live(self._port.live_xml()))

    def apply(self, instance: Instance, *, prune: bool = False, heard: Heard | None = None) -> Done:
        """Make the domain's devices those of ``instance``, one after the other; ``heard`` is told of each.

        Raises as the single operations do; what was done before an error stays done, and the metadata tells.
        """
        affect = self._engine.affect()
        whole = self._whole(affect, instance, prune=prune)
        self._engine.check(affect, whole.steps)
        made = [self._each(affect, instance, group, heard, prune=prune) for group in whole.groups]
        if (lagging := self._lagging(affect, instance)) is not None:
            rest = self._whole(_DEFINITION, lagging, prune=prune)
            made += [self._each(_DEFINITION, lagging, group, heard, prune=prune) for group in rest.groups]
        self._engine.settle(affect, follow.becoming(instance))
        return Done(
            steps=tuple(step for done in made for step in done.steps),
            freed=tuple(each for done in made for each in done.freed),
            losses=whole.losses,
            notes=tuple(dict.fromkeys((*whole.notes, *(note for done in made for note in done.notes)))),
        )

    def _each(
        self, affect: Affect, instance: Instance, planned: Group, heard: Heard | None, *, prune: bool
    ) -> Done:
        """Do what a whole plan has for one device."""
        done = self._engine.do(affect, self._one(affect, instance, planned, prune=prune), planned.change)
        if planned.wanted is None:
            done = self._with_freed(affect, done)
        else:
            done = self._engine.located(affect, done, planned.kind, planned.wanted.uuid)
        if affect is _DEFINITION:
            done = msgspec.structs.replace(
                done, notes=(*done.notes, f"{planned.at}: in the definition alone")
            )
        if heard is not None:
            heard(planned, done)
        return done

    def _one(
        self, affect: Affect, instance: Instance, planned: Group, *, prune: bool
    ) -> Callable[[Snapshot, Report], tuple[Step, ...]]:
        """Give what plans one device of a whole plan anew; nothing when somebody else has done it."""

        def steps(snapshot: Snapshot, _report: Report) -> tuple[Step, ...]:
            found = whole_plan(snapshot, instance, self._context, running=affect.live, prune=prune)
            return next((each.steps for each in found.groups if each.same_as(planned)), ())

        return steps


def _link(snapshot: Snapshot, entry: Entry, state: str | None) -> tuple[Step, ...]:
    return () if state is None else changes.set_link(snapshot, again(snapshot, entry), state)


def _names(kind: str, device: Disk | Nic) -> set[str]:
    """Give what a person may call a device that is in Ganeti's data only."""
    names = {device.uuid, device.name, kvm_id(kind, device.uuid), follow.user_alias_of(kind, device.uuid)}
    return {name.lower() for name in (*names, getattr(device, "mac", None)) if name}


def _storage_of(snapshot: Snapshot, device: Disk | Nic, context: Context) -> tuple[str, ...]:
    """Give what a disk of Ganeti's data, which no guest has, opened."""
    if isinstance(device, Disk):
        with suppress(VirtxlateError):
            index = snapshot.instance.disks.index(device)
            source = wanted_disk(snapshot.instance, device, index, context, Report()).source
            path = None if source is None else plan.path_of(source)
            return (path,) if path else ()
    return ()


def _replaced(device: Any, values: Mapping[str, Any], known: tuple[str, ...], at: str) -> Any:
    """Give a Ganeti object with other values. Raises GanetiDataError."""
    unknown = [name for name in values if name not in known]
    if unknown:
        raise GanetiDataError(f"expected {', '.join(known)}, found {', '.join(unknown)}", at=at)
    return convert({**msgspec.to_builtins(device), **values}, type(device), at)
