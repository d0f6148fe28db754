"""What a person has to do inside the guest, where the hardware does not tell it that a disk came or went."""

from __future__ import annotations

from collections.abc import Iterator

from virtxlate.domain import model as domain
from virtxlate.domain.live import LiveDevice, LiveDomain, read_number
from virtxlate.hotplug.steps import AddController, Attach, Detach, Resize, Step, name_of
from virtxlate.tables.hotplug import TELLING_SCSI
from virtxlate.translate.device_info import DeviceInfo

_ADDED = "a Linux guest finds it by echo '- - -' > /sys/class/scsi_host/hostN/scan"
_REMOVED = "a Linux guest forgets it by echo 1 > /sys/block/NAME/device/delete, best before it leaves"
_RESIZED = "a Linux guest looks again by echo 1 > /sys/block/NAME/device/rescan"


def untold(steps: tuple[Step, ...], live: LiveDomain) -> tuple[str, ...]:
    """Give a line for each step that the guest is not told of; ``live`` is the domain before the steps."""
    return tuple(_lines(steps, live))


def _lines(steps: tuple[Step, ...], live: LiveDomain) -> Iterator[str]:
    models = {
        index: controller.get("model")
        for (kind, index), controller in live.controllers_by_index().items()
        if kind == "scsi"
    }
    devices = {device.path: device for device in live.devices}
    for step in steps:
        index, name, said = None, "", ""
        if isinstance(step, AddController):
            models[step.controller.index or 0] = step.controller.model
        elif isinstance(step, Attach) and isinstance(step.device, domain.Disk):
            address = step.device.address
            index = address.controller if isinstance(address, domain.DriveAddress) else None
            name, said = step.alias, _ADDED
        elif isinstance(step, Detach | Resize):
            index = _controller(step.info, devices)
            name, said = name_of(step.info), _REMOVED if isinstance(step, Detach) else _RESIZED
        model = None if index is None else models.get(index)
        if model is not None and model not in TELLING_SCSI:
            yield f"{name}: a controller of model {model} does not tell the guest; {said}"


def _controller(info: DeviceInfo, devices: dict[str, LiveDevice]) -> int | None:
    """Give the index of a disk's SCSI controller; None for what is on none."""
    device = devices.get(info.path)
    if device is None or device.tag != "disk" or device.part("target").get("bus") != "scsi":
        return None
    try:
        return read_number(device.part("address").get("controller"))
    except ValueError:
        return None
