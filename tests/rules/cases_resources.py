"""Rules of vCPUs, threads, memory and cells: a way to break each, and the same done right."""

from __future__ import annotations

from tests.rules.cases import Case


def head(rule: str, broken: str, right: str, machine: str = "pc", devices: str = "", more: str = "") -> Case:
    return Case(
        rule,
        devices,
        more or devices,
        outside=broken,
        outside_right=right,
        machine=machine,
        machine_right=machine,
    )


def topology(vcpus: int, **counts: int) -> str:
    words = " ".join(f"{name}='{count}'" for name, count in counts.items())
    return f"<vcpu>{vcpus}</vcpu><cpu><topology {words}/></cpu>"


def cells(vcpus: int, *each: tuple[int, str, int]) -> str:
    inside = "".join(
        f"<cell id='{index}' cpus='{cpus}' memory='{kib}' unit='KiB'/>" for index, cpus, kib in each
    )
    return f"<vcpu>{vcpus}</vcpu><cpu><numa>{inside}</numa></cpu>"


def tuned(inside: str) -> str:
    return f"<vcpu>2</vcpu><iothreads>1</iothreads><cputune>{inside}</cputune>"


def pin(vcpu: int) -> str:
    return f"<vcpupin vcpu='{vcpu}' cpuset='0'/>"


def most(kib: int, slots: int = 2) -> str:
    return f"<maxMemory slots='{slots}' unit='KiB'>{kib}</maxMemory>"


def dimm(node: str = "<node>0</node>", address: str = "") -> str:
    return f"<memory model='dimm'><target><size unit='KiB'>131072</size>{node}</target>{address}</memory>"


def slot(number: int) -> str:
    return dimm(address=f"<address type='dimm' slot='{number}'/>")


_CELL = cells(1, (0, "0", 65536))
_ROOM = most(1 << 20)
_FIVE = "<iothreads>2</iothreads><iothreadids><iothread id='5'/><iothread id='{}'/></iothreadids>"
_MEMORY = "<memory unit='KiB'>65536</memory>"
_WITH_ONE, _WITH_TWO = _MEMORY.replace("65536", "196608"), _MEMORY.replace("65536", "327680")
_CURRENT = "<currentMemory unit='KiB'>{}</currentMemory>"
_BACKING = "<memoryBacking><hugepages/>{}</memoryBacking>"
_SHARED = "<memoryBacking><access mode='shared'/></memoryBacking>"
_ROOMY, _ROOMY_TWO = _ROOM + _WITH_ONE + _CELL, _ROOM + _WITH_TWO + _CELL
_VHOST = (
    "<disk type='vhostuser' device='disk'><driver name='qemu' type='raw'/>"
    "<source type='unix' path='/tmp/judged.sock'/><target dev='vda' bus='virtio'/></disk>"
)
_VIRTIOFS = (
    "<filesystem type='mount'><driver type='virtiofs'/><source dir='/tmp'/><target dir='a'/></filesystem>"
)

CASES: tuple[Case, ...] = (
    head("vcpu-current", "<vcpu current='4'>2</vcpu>", "<vcpu current='1'>2</vcpu>"),
    head(
        "cpu-topology", topology(3, sockets=1, cores=2, threads=1), topology(2, sockets=1, cores=2, threads=1)
    ),
    head(
        "cpu-topology",
        topology(4, sockets=1, dies=2, cores=2, threads=2),
        topology(4, sockets=1, dies=2, cores=2, threads=1),
    ),
    head("vcpu-most", "<vcpu>256</vcpu>", "<vcpu current='1'>255</vcpu>"),
    head("vcpu-most", "<vcpu>256</vcpu>", "<vcpu current='1'>255</vcpu>", machine="q35"),
    head("cputune-pin-unique", tuned(pin(1) * 2), tuned(pin(0) + pin(1))),
    head("vcpupin-vcpu", tuned(pin(5)), tuned(pin(1))),
    head(
        "iothreadpin-thread",
        tuned("<iothreadpin iothread='2' cpuset='0'/>"),
        tuned("<iothreadpin iothread='1' cpuset='0'/>"),
    ),
    head("iothread-unique", _FIVE.format(5), _FIVE.format(6)),
    head("cputune-range", tuned("<shares>1</shares>"), tuned("<shares>2</shares>")),
    head("cputune-range", tuned("<quota>10</quota>"), tuned("<quota>-1</quota>")),
    head("numa-cell-cpus", cells(2, (0, "0,5", 65536)), cells(2, (0, "0,1", 65536))),
    head(
        "numa-cell-cpus",
        cells(2, (0, "0-1", 32768), (1, "1", 32768)),
        cells(2, (0, "0-1,^1", 32768), (1, "1", 32768)),
    ),
    head(
        "numa-cell-id",
        cells(2, (0, "0", 32768), (0, "1", 32768)),
        cells(2, (1, "0", 32768), (0, "1", 32768)),
    ),
    head(
        "numa-cell-id",
        cells(2, (0, "0", 32768), (2, "1", 32768)),
        cells(2, (0, "0", 32768), (1, "1", 32768)),
    ),
    head(
        "numa-memory",
        cells(2, (0, "0", 32768), (1, "1", 16384)),
        cells(2, (0, "0", 49152), (1, "1", 16384)),
    ),
    head("memory-current", _MEMORY + _CURRENT.format(131072), _MEMORY + _CURRENT.format(32768)),
    head("memory-max", most(131072), most(131072) + _CELL),
    head("memory-device", _WITH_ONE + _CELL, _ROOMY, devices=dimm()),
    head("memory-device", _ROOMY, _ROOMY, devices=dimm("<node>5</node>"), more=dimm()),
    head("memory-device", _ROOMY, _ROOMY, devices=dimm(""), more=dimm()),
    head(
        "memory-device",
        most(1 << 20, 1) + _WITH_TWO + _CELL,
        most(1 << 20, 2) + _WITH_TWO + _CELL,
        devices=dimm() * 2,
    ),
    head("memory-slot", _ROOMY_TWO, _ROOMY_TWO, devices=slot(0) * 2, more=slot(0) + slot(1)),
    head("memory-slot", _ROOMY, _ROOMY, devices=slot(9), more=slot(1)),
    head("memory-hugepages", _BACKING.format("<allocation mode='ondemand'/>"), _BACKING.format("")),
    head("memory-hugepages", _BACKING.format("<source type='anonymous'/>"), _BACKING.format("")),
    head("memory-shared", "", _SHARED, devices=_VHOST),
    head("memory-shared", "", _SHARED, devices=_VIRTIOFS),
)
