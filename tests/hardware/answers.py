"""A QEMU of two disks and a NIC as a table of answers, in the shape that QEMU 7.2 gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from virtxlate.errors import LiveError

QTREE = """\
bus: main-system-bus
  type System
  dev: hpet, id ""
    gpio-in "" 2
    timers = 3 (0x3)
    msi = false
    mmio 00000000fed00000/0000000000000400
  dev: i440FX-pcihost, id ""
    pci-hole64-size = 2147483648 (2 GiB)
    bus: pci.0
      type PCI
      dev: virtio-blk-pci, id "disk-0"
        addr = 0c.0
        romfile = ""
        class SCSI controller, addr 00:0c.0, pci id 1af4:1001 (sub 1af4:0002)
        bar 0: i/o at 0xffffffffffffffff [0x7e]
        bus: virtio-bus
          type virtio-pci-bus
          dev: virtio-blk-device, id ""
            drive = "disk-0"
            write-cache = "auto"
      dev: lsi53c895a, id "scsi"
        addr = 03.0
        class SCSI controller, addr 00:03.0, pci id 1000:0012 (sub 0000:1000)
        bar 0: i/o at 0xc000 [0xc0ff]
        bus: scsi.0
          type SCSI
          dev: scsi-hd, id "disk-1"
            drive = "disk-1"
            write-cache = "auto"
            device_id = "disk-1"
            channel = 0 (0x0)
            scsi-id = 5 (0x5)
            lun = 0 (0x0)
          dev: scsi-cd, id ""
            channel = 0 (0x0)
            scsi-id = 2 (0x2)
            lun = 0 (0x0)
      dev: piix3-usb-uhci, id ""
        addr = 01.2
        class USB controller, addr 00:01.2, pci id 8086:7020 (sub 1af4:1100)
        bus: usb-bus.0
          type usb-bus
          dev: usb-tablet, id ""
            usb_version = 2 (0x2)
            addr 0.0, port 1, speed 12, name QEMU USB Tablet, attached
      dev: piix3-ide, id ""
        addr = 01.1
        class IDE controller, addr 00:01.1, pci id 8086:7010 (sub 1af4:1100)
        bus: ide.1
          type IDE
          dev: ide-cd, id ""
            drive = "ide1-cd0"
            write-cache = "auto"
            model = ""
            unit = 0 (0x0)
        bus: ide.0
          type IDE
      dev: PIIX3, id ""
        addr = 01.0
        class ISA bridge, addr 00:01.0, pci id 8086:7000 (sub 1af4:1100)
        bus: isa.0
          type ISA
          dev: isa-serial, id ""
            index = 0 (0x0)
            iobase = 1016 (0x3f8)
            chardev = "serial0"
          dev: i8257, id ""
            base = 192 (0xc0)
          dev: i8257, id ""
            base = 0 (0x0)
"""

RAM_BLOCKS = """\
              Block Name    PSize              Offset               Used              Total
                  pc.ram    4 KiB  0x0000000000000000 0x0000000008000000 0x0000000008000000
   0000:00:02.0/vga.vram    4 KiB  0x0000000008080000 0x0000000001000000 0x0000000001000000
"""

_CPU = "/machine/unattached/device[0]"
_CPU_PROPERTIES: dict[str, Any] = {
    "type": "qemu64-x86_64-cpu",
    "family": 15,
    "model": 107,
    "stepping": 1,
    "vendor": "AuthenticAMD",
    "model-id": "QEMU Virtual CPU version 2.5+",
    "level": 13,
    "xlevel": 2147483658,
    "xlevel2": 0,
    "phys-bits": 40,
    "kvm": True,
    "hv-relaxed": False,
    "hv-vendor-id": None,
    "feature-words": [
        {"cpuid-register": "EDX", "cpuid-input-eax": 1, "features": 126614525},
        {"cpuid-register": "EBX", "cpuid-input-ecx": 0, "cpuid-input-eax": 7, "features": 0},
    ],
}
_OFF_BUS: dict[str, Any] = {
    "type": "vmgenid",
    "realized": True,
    "guid": "324e6eaf-d1d1-4bf6-bf41-b9bb6c91fb87",
}
_MACHINE: dict[str, Any] = {
    "type": "pc-i440fx-7.2-machine",
    "boot": {"order": "c"},
    "memory": {"size": 134217728},
    "smp": {"cpus": 1, "sockets": 1, "cores": 1},
    "hpet": True,
    "usb": True,
    "rtc-time": {"tm_sec": 7},
}
_LISTS: dict[str, list[tuple[str, str]]] = {
    "/machine": [*((name, "any") for name in _MACHINE), ("peripheral", "child<container>")],
    "/machine/peripheral": [
        ("type", "string"),
        ("disk-0", "child<virtio-blk-pci>"),
        ("disk-1", "child<scsi-hd>"),
        ("scsi", "child<lsi53c895a>"),
    ],
    "/machine/peripheral-anon": [
        ("type", "string"),
        *((f"device[{n}]", "child<PIIX3>") for n in range(6)),
        ("device[6]", "child<vmgenid>"),
        ("device[7]", "child<qemu64-x86_64-cpu>"),
    ],
    "/machine/peripheral-anon/device[6]": [(name, "any") for name in _OFF_BUS],
    "/machine/peripheral-anon/device[7]": [("type", "string")],
    **{f"/machine/peripheral-anon/device[{n}]": [("bootindex", "int32")] for n in range(6)},
    _CPU: [(name, "any") for name in (*_CPU_PROPERTIES, "sse2", "memory")],
    "/machine/peripheral/disk-0": [("bootindex", "int32")],
    "/machine/peripheral/disk-1": [("bootindex", "int32")],
    "/machine/peripheral/scsi": [("addr", "int32")],
}
_OBJECTS: dict[str, dict[str, Any]] = {
    "/machine": {**_MACHINE, "kernel": "", "initrd": "", "append": ""},
    "/machine/peripheral/disk-0": {"bootindex": 1},
    "/machine/peripheral/disk-1": {"bootindex": -1},
    "/machine/peripheral-anon/device[0]": {"parent_bus": "/machine/i440fx/pci.0", "addr": 10, "bootindex": 2},
    "/machine/peripheral-anon/device[1]": {
        "parent_bus": "/machine/peripheral/rp1/rp1",
        "addr": 10,
        "bootindex": 9,
    },
    "/machine/peripheral-anon/device[2]": {
        "parent_bus": "/machine/unattached/device[9]/ide.1",
        "unit": 0,
        "bootindex": 3,
    },
    "/machine/peripheral-anon/device[3]": {
        "parent_bus": "/machine/peripheral/scsi/scsi.0",
        "channel": 0,
        "scsi-id": 2,
        "lun": 0,
        "bootindex": 4,
    },
    "/machine/peripheral-anon/device[4]": {
        "parent_bus": "/machine/unattached/device[9]/ide.0",
        "unit": 1,
        "bootindex": 9,
    },
    "/machine/peripheral-anon/device[5]": {
        "parent_bus": "/machine/unattached/device[9]/scsi.0",
        "bootindex": 9,
    },
    "/machine/peripheral-anon/device[6]": _OFF_BUS,
    _CPU: _CPU_PROPERTIES,
}
ANSWERS: dict[str, Any] = {
    "query-uuid": {"UUID": "11111111-2222-4333-8444-55555555555A"},
    "query-memory-size-summary": {"base-memory": 134217728, "plugged-memory": 0},
    "query-hotpluggable-cpus": [
        {"props": {"core-id": 0, "socket-id": 1}, "vcpus-count": 1, "type": "qemu64-x86_64-cpu"},
        {
            "props": {"core-id": 0, "socket-id": 0},
            "vcpus-count": 1,
            "qom-path": _CPU,
            "type": "qemu64-x86_64-cpu",
        },
    ],
    "query-block": [
        {"device": "disk-0", "inserted": {"node-name": "#block1", "cache": {"writeback": True}}},
        {"device": "", "inserted": {"node-name": "disk-1", "cache": {"writeback": False}}},
        {"device": "ide1-cd0"},
    ],
    "query-commands": [{"name": "query-uuid"}, {"name": "x-query-virtio"}, {"name": "x-query-virtio-status"}],
    "x-query-virtio": [
        {"name": "virtio-blk", "path": "/machine/peripheral/disk-0/virtio-backend"},
        {"name": "virtio-scsi", "path": "/machine/peripheral-anon/device[0]/virtio-backend"},
        {"name": "virtio-balloon", "path": "/machine/peripheral-anon/device[1]/virtio-backend"},
    ],
    "x-query-virtio-status": {
        "host-features": {
            "unknown-dev-features": 256,
            "dev-features": ["VIRTIO_BLK_F_FLUSH: Flush command supported", "VIRTIO_BLK_F_DISCARD: Discard"],
            "transports": ["VIRTIO_F_VERSION_1: Device compliant for v1 spec (legacy)"],
        },
        "guest-features": {"dev-features": [], "transports": []},
    },
}
"""Command to what QEMU returns, where that does not depend on the arguments."""
_MONITOR = {"info qtree": QTREE, "info ramblock": RAM_BLOCKS}


class Answers:
    """A QEMU of this table; ``changed`` answers otherwise to some commands."""

    def __init__(self, changed: Mapping[str, Any] | None = None) -> None:
        self._changed = changed or {}

    def __call__(self, command: str, /, **arguments: Any) -> Any:
        if command in self._changed:
            return self._changed[command]
        if command == "human-monitor-command":
            line = arguments["command-line"]
            return self._changed.get(line, _MONITOR[line])
        if command == "qom-list":
            rows = _LISTS[arguments["path"]]
            return [{"name": name, "type": kind} for name, kind in rows if self._has(kind)]
        if command == "qom-get":
            return _OBJECTS[arguments["path"]][arguments["property"]]
        if command not in ANSWERS:
            raise LiveError("The command has not been found", call=command)
        return ANSWERS[command]

    def _has(self, kind: str) -> bool:
        """Tell whether a child is there: on a bus only where ``info qtree`` shows it."""
        driver = kind.removeprefix("child<").removesuffix(">")
        tree = self._changed.get("info qtree", QTREE)
        return driver == kind or f"dev: {driver}," not in QTREE or f"dev: {driver}," in str(tree)
