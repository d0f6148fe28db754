"""Memory, vcpus, boot, kernel, consoles, clock and power, there and back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.translate.building import back, disk, instance, losses_there, nic, paths_lost_back, refusal, there
from virtxlate import Context, DomainXmlError, Report, UnsupportedError
from virtxlate.domain import model as domain
from virtxlate.ganeti.params import BeParams
from virtxlate.translate import machine

replace = msgspec.structs.replace

# As QEMU completes -smp: (sockets, cores, threads) of the hvparams, vcpus, what the guest gets.
SINCE_6_2 = [
    ((0, 0, 0), 1, (1, 1, 1)),
    ((0, 0, 0), 4, (1, 4, 1)),
    ((2, 0, 0), 4, (2, 2, 1)),
    ((0, 2, 0), 4, (2, 2, 1)),
    ((0, 0, 2), 4, (1, 2, 2)),
    ((2, 0, 2), 8, (2, 2, 2)),
    ((0, 2, 2), 8, (2, 2, 2)),
    ((2, 2, 0), 8, (2, 2, 2)),
    ((2, 2, 2), 8, (2, 2, 2)),
]
BEFORE_6_2 = [
    ((0, 0, 0), 4, (4, 1, 1)),
    ((2, 0, 0), 4, (2, 2, 1)),
    ((0, 2, 0), 4, (2, 2, 1)),
    ((0, 0, 2), 4, (2, 1, 2)),
    ((2, 0, 2), 8, (2, 2, 2)),
    ((2, 2, 0), 8, (2, 2, 2)),
    ((2, 2, 2), 8, (2, 2, 2)),
]
NEW = (
    "",
    "pc",
    "pc-i440fx-6.2",
    "pc-i440fx-10.0",
    "pc-i440fx-7.2-foo",
    "pc-i440fx-jammy",
    "pc-i440fx-noble-v2",
)
OLD = ("pc-i440fx-6.1", "pc-i440fx-2.12", "pc-1.3", "pc-0.15", "pc-i440fx-impish", "pc-i440fx-focal-hpb")
TOPOLOGIES = [
    *((word, *row) for word in NEW for row in SINCE_6_2),
    *((word, *row) for word in OLD for row in BEFORE_6_2),
]


def parts(sockets: int, cores: int, threads: int) -> dict[str, Any]:
    return {"cpu_sockets": sockets, "cpu_cores": cores, "cpu_threads": threads}


@pytest.mark.parametrize(("machine", "given", "vcpus", "whole"), TOPOLOGIES)
def test_a_topology_is_completed_as_by_qemu(
    machine: str, given: tuple[int, int, int], vcpus: int, whole: tuple[int, int, int]
) -> None:
    one = instance(be={"vcpus": vcpus}, machine_version=machine, **parts(*given))
    cpu = there(one).cpu
    assert cpu is not None
    assert (cpu.sockets, cpu.dies, cpu.cores, cpu.threads) == (whole[0], 1, whole[1], whole[2])


@pytest.mark.parametrize(("given", "vcpus", "whole"), SINCE_6_2)
def test_a_topology_comes_back_whole_and_that_is_reported(
    given: tuple[int, int, int], vcpus: int, whole: tuple[int, int, int]
) -> None:
    found = there(instance(be={"vcpus": vcpus}, **parts(*given)))
    hvparams = back(found).hvparams
    assert (hvparams.cpu_sockets, hvparams.cpu_cores, hvparams.cpu_threads) == whole
    assert {"hvparams.cpu_sockets", "hvparams.cpu_cores", "hvparams.cpu_threads"} <= paths_lost_back(found)


@pytest.mark.parametrize(
    ("given", "vcpus", "whole"),
    [((3, 0, 0), 4, "3 sockets x 1 cores x 1 threads"), ((2, 2, 2), 4, "2 sockets x 2 cores x 2 threads")],
)
def test_a_topology_that_qemu_refuses_is_refused(given: tuple[int, int, int], vcpus: int, whole: str) -> None:
    one = instance(be={"vcpus": vcpus}, **parts(*given))
    assert refusal(one) == f"beparams.vcpus: {whole} are not {vcpus} vcpus: QEMU refuses that"


def test_a_foreign_domain_without_topology_sets_none() -> None:
    found = replace(there(instance(be={"vcpus": 4})), cpu=None)
    assert (back(found).hvparams.cpu_cores, back(found).beparams.vcpus) == (0, 4)


MEMORIES = [(1, "KiB", 1024), (128, "KiB", 131072), (2**20, "KiB", 2**30)]


@pytest.mark.parametrize(("mib", "unit", "value"), MEMORIES)
def test_memory_goes_there_and_back(mib: int, unit: str, value: int) -> None:
    found = there(instance(be={"maxmem": mib, "minmem": mib}))
    assert found.memory == found.current_memory == domain.Memory(value=value, unit=unit)
    assert (back(found).beparams.maxmem, back(found).beparams.minmem) == (mib, mib)
    assert losses_there(instance(be={"maxmem": mib, "minmem": mib})) == ()


UNITS = [
    (1, "GiB", 1024, False),
    (1024, None, 1, False),
    (1, "KiB", 1, True),
    (1025, "KiB", 2, True),
    (1, "GB", 954, True),
]


@pytest.mark.parametrize(("value", "unit", "mib", "lost"), UNITS)
def test_memory_in_any_unit_becomes_whole_mib(value: int, unit: str | None, mib: int, lost: bool) -> None:
    found = replace(there(instance()), memory=domain.Memory(value=value, unit=unit))
    assert back(found).beparams.maxmem == mib
    assert ("beparams.maxmem" in paths_lost_back(found)) == lost


def test_minmem_is_reported_with_the_command_that_moves_the_balloon() -> None:
    one = instance(be={"maxmem": 512, "minmem": 256})
    remedy = "virsh setmem web1.example.com 256MiB --live"
    assert [(loss.path, loss.value, loss.remedy) for loss in losses_there(one)] == [
        ("beparams.minmem", 256, remedy)
    ]


BALLOONED = [
    # maxmem, minmem, oper_ram; what comes back of the text alone: minmem, oper_ram
    ((512, 256, 384), (384, 384)),
    ((512, 256, 256), (256, 256)),
    ((512, 256, 100), (256, 256)),  # Ganeti starts no guest with less than minmem
    ((512, 512, 511), (512, None)),
    ((512, 512, None), (512, None)),
    ((512, 256, None), (512, None)),
    ((512, 256, 512), (512, None)),
    ((512, 256, 9999), (512, None)),
]


@pytest.mark.parametrize(("memory", "told"), BALLOONED)
def test_what_the_balloon_leaves_the_guest_is_its_current_memory(
    memory: tuple[int, int, int | None], told: tuple[int, int | None]
) -> None:
    maxmem, minmem, oper_ram = memory
    one = replace(instance(be={"maxmem": maxmem, "minmem": minmem}), oper_ram_mib=oper_ram)
    found = there(one)
    assert found.memory == domain.Memory(value=maxmem * 1024, unit="KiB")
    assert found.current_memory == domain.Memory(value=(told[1] or maxmem) * 1024, unit="KiB")
    again = back(found)
    assert (again.beparams.maxmem, again.beparams.minmem, again.oper_ram_mib) == (maxmem, *told)
    with_metadata = back(there(one, Context()))
    assert with_metadata.beparams == one.beparams


def test_a_balloon_that_was_moved_under_libvirt_comes_back() -> None:
    found = there(instance(be={"maxmem": 512, "minmem": 256}), Context())
    moved = replace(found, current_memory=domain.Memory(value=300 * 1024 - 4))
    assert (back(moved).oper_ram_mib, back(moved).beparams.minmem) == (300, 256)
    lower = replace(found, current_memory=domain.Memory(value=100, unit="MiB"))
    assert (back(lower).oper_ram_mib, back(lower).beparams.minmem) == (100, 100)
    nothing = replace(found, current_memory=None)
    assert (back(nothing).oper_ram_mib, back(nothing).beparams.minmem) == (None, 256)
    none_at_all = replace(found, current_memory=domain.Memory(value=0))
    assert (back(none_at_all).oper_ram_mib, back(none_at_all).beparams.minmem) == (None, 256)


def test_an_unknown_unit_is_refused() -> None:
    found = replace(there(instance()), memory=domain.Memory(value=1, unit="pages"))
    with pytest.raises(
        DomainXmlError, match=r"^/domain/memory/@unit: expected a unit of b, .*, found 'pages'$"
    ):
        back(found)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"vcpus": 0}, "beparams.vcpus: Ganeti knows no instance with vcpus 0"),
        ({"memory": domain.Memory(value=0)}, "beparams.maxmem: Ganeti knows no instance with maxmem 0"),
        ({"memory": domain.Memory(value=-5)}, "beparams.maxmem: Ganeti knows no instance with maxmem 0"),
    ],
)
def test_a_domain_of_nothing_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        back(replace(there(instance()), **fields))
    assert str(caught.value) == message


KEPT = [((512, 256), 1024, 256), ((512, 256), 128, 128), ((512, 512), 128, 128), ((512, 512), 1024, 1024)]


@pytest.mark.parametrize(("before", "maxmem", "minmem"), KEPT)
def test_minmem_follows_only_where_it_was_one_with_maxmem(
    before: tuple[int, int], maxmem: int, minmem: int
) -> None:
    kept = BeParams(maxmem=before[0], minmem=before[1])
    memory = domain.Memory(value=maxmem, unit="MiB")
    found = replace(there(instance()), memory=memory, current_memory=memory)
    assert machine.to_ganeti(found, kept, Report())[1] == BeParams(maxmem=maxmem, minmem=minmem)


KERNELS: list[tuple[dict[str, Any], str]] = [
    ({}, "root=/dev/vda1 ro console=ttyS0,38400"),
    ({"serial_console": False}, "root=/dev/vda1 ro"),
    ({"kernel_args": ""}, "root=/dev/vda1  console=ttyS0,38400"),
    ({"kernel_args": "", "serial_console": False}, "root=/dev/vda1 "),
    ({"root_path": ""}, "root= ro console=ttyS0,38400"),
    ({"kernel_args": "ro quiet  x"}, "root=/dev/vda1 ro quiet  x console=ttyS0,38400"),
    ({"kernel_args": " ro "}, "root=/dev/vda1  ro  console=ttyS0,38400"),
    ({"serial_speed": 9600}, "root=/dev/vda1 ro console=ttyS0,9600"),
    (
        {"kernel_args": "console=ttyS0,1", "serial_console": False},
        "root=/dev/vda1 console=ttyS0,1",
    ),
    (
        {"kernel_args": "a console=ttyS0,1"},
        "root=/dev/vda1 a console=ttyS0,1 console=ttyS0,38400",
    ),
    ({"root_path": "a\tb"}, "root=a\tb ro console=ttyS0,38400"),
]


@pytest.mark.parametrize(("params", "cmdline"), KERNELS)
def test_kernel_arguments_go_there_in_ganeti_s_order(params: dict[str, Any], cmdline: str) -> None:
    os = there(instance(kernel_path="/boot/vmlinuz", initrd_path="/boot/initrd", **params)).os
    assert (os.kernel, os.initrd, os.cmdline) == ("/boot/vmlinuz", "/boot/initrd", cmdline)


@pytest.mark.parametrize("params", [row[0] for row in KERNELS])
def test_kernel_arguments_come_back(params: dict[str, Any]) -> None:
    one = instance(kernel_path="/boot/vmlinuz", **params)
    again = back(there(one)).hvparams
    lost = paths_lost_back(there(one))
    for name in ("kernel_path", "initrd_path", "root_path", "kernel_args", "serial_speed"):
        assert getattr(again, name) == getattr(one.hvparams, name) or f"hvparams.{name}" in lost


def test_no_root_and_an_empty_one_are_the_same_to_the_kernel() -> None:
    found = there(instance(kernel_path="/k", root_path=None))
    assert found.os.cmdline == "root= ro console=ttyS0,38400"
    assert back(found).hvparams.root_path == ""
    assert "hvparams.root_path" in paths_lost_back(found)


def test_a_root_of_two_words_is_reported() -> None:
    losses = losses_there(instance(kernel_path="/k", root_path="UUID=x ro"))
    assert [(loss.path, loss.value) for loss in losses] == [
        ("hvparams.root_path", "UUID=x ro"),
        ("hvparams.kernel_args", "ro"),
    ]


FOREIGN_ARGUMENTS: list[tuple[str | None, bool, dict[str, Any], set[str]]] = [
    (None, False, {"kernel_args": ""}, {"hvparams.root_path", "hvparams.serial_speed"}),
    ("quiet", True, {"kernel_args": "quiet"}, {"hvparams.root_path", "hvparams.serial_speed"}),
    ("root=/dev/a", True, {"root_path": "/dev/a", "kernel_args": ""}, {"hvparams.serial_speed"}),
    ("ro root=/dev/a", True, {"kernel_args": "ro root=/dev/a"}, {"hvparams.root_path"}),
    ("root=/a x console=ttyS0", True, {"kernel_args": "x console=ttyS0"}, {"hvparams.serial_speed"}),
    ("root=/a console=ttyS0,9600", False, {"kernel_args": "console=ttyS0,9600"}, {"hvparams.serial_speed"}),
]


@pytest.mark.parametrize(("cmdline", "serial", "values", "lost"), FOREIGN_ARGUMENTS)
def test_what_foreign_kernel_arguments_do_not_tell_is_reported(
    cmdline: str | None, serial: bool, values: dict[str, Any], lost: set[str]
) -> None:
    found = there(instance(kernel_path="/k", serial_console=serial))
    found = replace(found, os=replace(found.os, cmdline=cmdline))
    assert {name: getattr(back(found).hvparams, name) for name in values} == values
    assert lost <= paths_lost_back(found)


def test_without_kernel_its_arguments_are_unused_and_reported() -> None:
    one = instance(initrd_path="/boot/initrd")
    assert there(one).os == domain.Os(arch="x86_64", machine="pc")
    assert [(loss.path, loss.reason) for loss in losses_there(one)] == [
        ("hvparams.initrd_path", "Ganeti ignores it without kernel_path")
    ]
    unused = {f"hvparams.{name}" for name in ("initrd_path", "kernel_args", "root_path", "serial_speed")}
    assert unused <= paths_lost_back(there(one))


BOOTS: list[tuple[dict[str, Any], list[int | None], list[int | None], str, bool]] = [
    ({"boot_order": "disk"}, [1, None], [None, None], "disk", False),
    ({"boot_order": "network"}, [None, None], [1, 2], "network", False),
    ({"boot_order": "cdrom"}, [None, None], [None, None], "disk", True),
    ({"boot_order": "floppy"}, [None, None], [None, None], "disk", True),
    ({"boot_order": "network", "kernel_path": "/k"}, [None, None], [None, None], "disk", True),
]


@pytest.mark.parametrize(("params", "disks", "nics", "again", "lost"), BOOTS)
def test_the_boot_order_goes_there_and_back(
    params: dict[str, Any], disks: list[int | None], nics: list[int | None], again: str, lost: bool
) -> None:
    one = instance((disk(0), disk(1)), (nic(0), nic(1)), **params)
    found = there(one)
    assert [each.boot_order for each in found.devices.disks[:2]] == disks
    assert [each.boot_order for each in found.devices.interfaces] == nics
    assert back(found).hvparams.boot_order == again
    assert ("hvparams.boot_order" in paths_lost_back(found)) == lost
    assert ("hvparams.boot_order" in {loss.path for loss in losses_there(one)}) == lost


def test_the_only_nic_boots_there_and_back() -> None:
    found = there(instance((disk(),), (nic(),), boot_order="network"))
    assert [each.boot_order for each in found.devices.interfaces] == [1]
    assert back(found).hvparams.boot_order == "network"


def test_nothing_to_boot_from_is_reported_on_the_way_back() -> None:
    assert "hvparams.boot_order" in paths_lost_back(there(instance()))


SWITCHES: list[tuple[dict[str, Any], str, Any]] = [
    ({"acpi": True}, "acpi", True),
    ({"acpi": False}, "acpi", False),
    ({"use_localtime": True}, "clock_offset", "localtime"),
    ({"use_localtime": False}, "clock_offset", "utc"),
    ({"reboot_behavior": "reboot"}, "on_reboot", "restart"),
    ({"reboot_behavior": "exit"}, "on_reboot", "destroy"),
]


@pytest.mark.parametrize(("params", "field", "value"), SWITCHES)
def test_a_switch_goes_there_and_back(params: dict[str, Any], field: str, value: Any) -> None:
    found = there(instance(**params))
    assert getattr(found, field) == value
    assert {name: getattr(back(found).hvparams, name) for name in params} == params


def test_what_a_foreign_domain_leaves_out_is_libvirt_s_default() -> None:
    found = replace(there(instance()), clock_offset=None, on_reboot=None, memory=domain.Memory(value=1024))
    again = back(found).hvparams
    assert (again.use_localtime, again.reboot_behavior) == (False, "reboot")


@pytest.mark.parametrize("serial", [True, False])
def test_the_serial_console_goes_there_and_back(serial: bool) -> None:
    found = there(instance(serial_console=serial))
    assert len(found.devices.serials) == len(found.devices.consoles) == int(serial)
    assert back(found).hvparams.serial_console == serial


EMULATORS = [
    ("/usr/bin/kvm", None, "/usr/bin/kvm", False),
    ("/opt/qemu", "/opt/qemu", "/opt/qemu", False),
    ("/usr/bin/qemu-kvm", "/usr/bin/qemu-kvm", "/usr/bin/kvm", True),
]


@pytest.mark.parametrize(("path", "emulator", "again", "lost"), EMULATORS)
def test_only_a_particular_emulator_is_named(path: str, emulator: str | None, again: str, lost: bool) -> None:
    found = there(instance(kvm_path=path))
    assert found.devices.emulator == emulator
    assert back(found).hvparams.kvm_path == again
    assert ("hvparams.kvm_path" in paths_lost_back(found)) == lost


@pytest.mark.parametrize(
    "word",
    [
        "microvm",
        "isapc",
        "pc-i440fx",
        "pc-i440fx-7",
        "pc-q35",
        "q35,smm=on",
        "pc-i440fx-rhel7.6.0",
        "pc-q35-wheezy",
    ],
)
def test_a_machine_without_pci_0_is_refused(word: str) -> None:
    assert refusal(instance(machine_version=word)) == (
        "hvparams.machine_version: expected 'pc', 'q35', or a type of a QEMU or an Ubuntu, such as "
        f"'pc-i440fx-7.2' and 'pc-q35-jammy', found {word!r}"
    )


MACHINES = [
    ("", "pc", "pc", True),
    ("pc", "pc", "pc", True),
    ("pc-i440fx-7.2", "pc-i440fx-7.2", None, False),
    ("pc-i440fx-jammy", "pc-i440fx-jammy", None, False),
]


@pytest.mark.parametrize(("word", "machine", "again", "lost"), MACHINES)
def test_a_machine_goes_there_and_back(word: str, machine: str, again: str | None, lost: bool) -> None:
    found = there(instance(machine_version=word))
    assert found.os.machine == machine
    assert back(found).hvparams.machine_version == again or word
    assert ("hvparams.machine_version" in paths_lost_back(found)) == lost


def test_an_unknown_reboot_behavior_is_refused() -> None:
    assert refusal(instance(reboot_behavior="halt")) == (
        "hvparams.reboot_behavior: 'halt' has no equal (these have: 'reboot', 'exit')"
    )


REFUSED_BACK = [
    (
        {"on_reboot": "preserve"},
        "hvparams.reboot_behavior: 'preserve' has no equal (these have: 'restart', 'destroy')",
    ),
    (
        {"clock_offset": "timezone"},
        "hvparams.use_localtime: 'timezone' has no equal (these have: 'utc', 'localtime')",
    ),
]


@pytest.mark.parametrize(("fields", "message"), REFUSED_BACK)
def test_what_no_instance_can_have_is_refused(fields: dict[str, str], message: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        back(replace(there(instance()), **fields))
    assert str(caught.value) == message
