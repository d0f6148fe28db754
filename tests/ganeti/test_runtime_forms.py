"""Old and new forms of runtime files: their names, the upgrade, the downgrade, and the laws between them."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.golden.cases import FIXTURES, GANETI
from tests.strategies import instances
from virtxlate import GanetiDataError, Report
from virtxlate.errors import UsageError
from virtxlate.ganeti.command import build_command
from virtxlate.ganeti.export import export_runtime
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.params import HvParams
from virtxlate.ganeti.runtime import read_runtime, runtime_instance, with_runtime
from virtxlate.ganeti.runtime_downgrade import VERSIONS, downgrade
from virtxlate.ganeti.runtime_show import show
from virtxlate.ganeti.runtime_tree import RuntimeTree, form_of, format_tree, parse_tree
from virtxlate.ganeti.runtime_upgrade import Change, upgrade
from virtxlate.translate.placing import place

UUID = "a7d1eb5d-d4cb-49a2-9d16-bbad0c77fa8c"
FILES = {path.stem: path for path in (*GANETI.glob("runtime-*.json"), *(FIXTURES / "runtime").glob("*.json"))}

FORMS = {
    "runtime-3-elements-2.9": "up to 2.9: disks only in the command",
    "three-elements-2.7": "up to 2.9: disks only in the command",
    "runtime-pci-2.10": "2.10-2.15: pci slots",
    "pci-slots-2.12-tls": "2.10-2.15: pci slots",
    "no-slots-2.14-emulated": "2.10-2.15: no slots",
    "half-emulated-2.15-drbd": "2.10-2.15: pci slots",
    "runtime-hvinfo": "2.16 and newer: hvinfo",
    "hvinfo-3.0-vnc-chroot": "2.16 and newer: hvinfo",
    "hotplugged-after-upgrade": "2.16 and newer: hvinfo",
    "runtime-empty-hvinfo": "upgraded: hvinfo is empty",
}


def tree_of(name: str) -> RuntimeTree:
    return parse_tree(FILES[name].read_bytes())


def made(command: list[Any] | None = None, **parts: Any) -> RuntimeTree:
    words = ["kvm", "-name", "x", *(command or [])]
    return RuntimeTree(**{"command": words, "nics": [], "hvparams": {}, "disks": [], **parts})


def number() -> Any:
    numbers = count()
    return lambda: f"new-{next(numbers)}"


def up(tree: RuntimeTree) -> RuntimeTree:
    return upgrade(tree, number())[0]


@pytest.mark.parametrize(("name", "form"), FORMS.items())
def test_a_form_has_a_name(name: str, form: str) -> None:
    assert form_of(tree_of(name)) == form


def test_the_form_of_3_2_and_of_a_file_without_devices() -> None:
    hvinfo = {"driver": "d", "id": "i", "bus": "pci.0", "addr": "0xc"}
    newest = made(nics=[{"mac": "aa:00:00:00:00:01", "hvinfo": hvinfo}])
    newest.command[2] = "x,debug-threads=on"
    assert form_of(newest) == "3.2 and newer: hvinfo"
    assert form_of(made()) == "2.10 and newer: no devices"


REFUSED = [
    (b"", "not JSON: Input data was truncated"),
    (b'[["kvm", "-name"', "not JSON: Input data was truncated"),
    (b"{}", "expected array, got object"),
    (b"[[], [], {}]", "[0]: expected the option -name, found none"),
    (b'[["kvm", "-name", 5], [], {}]', "[0]: expected the option -name, found none"),
    (b'[["kvm", "-name"], [], {}]', "[0]: expected the option -name, found none"),
    (b'[["kvm", null], [], {}, []]', "[0][1]: expected int | float | str, got null"),
    (b'[["kvm", "-name", "x"], {}, {}, []]', "[1]: expected array, got object"),
    (b'[["kvm", "-name", "x"], [5], {}, []]', "[1][0]: expected object, got int"),
    (b'[["kvm", "-name", "x"], [], [], []]', "[2]: expected object, got array"),
    (b'[["kvm", "-name", "x"], [], {}, [[{}, 5, null]]]', "[3][0][1]: expected str | null, got int"),
    (b'[["kvm", "-name", "x"], [], {}, [[{}]]]', "[3][0]: expected array of length 3, got 1"),
    (b'[["kvm", "-name", "x"], [{"hvinfo": 5}], {}, []]', "[1][0].hvinfo: expected object | null, got int"),
    (
        b'[["kvm", "-name", "x"], [], {}, [[{"params": 5}, null, null]]]',
        "[3][0][0].params: expected object | null, got int",
    ),
    (
        b'[["kvm", "-name", "x"], [], {}, [[{"children": ["x"]}, null, null]]]',
        "[3][0][0].children[0]: expected object, got str",
    ),
    (b'[["kvm", "-name", "x"], [{"pci": 32}], {}, []]', "[1][0].pci: expected int <= 31"),
    (b'[["kvm", "-name", "x"], [{"pci": "4"}], {}, []]', "[1][0].pci: expected int, got str"),
    (
        b'[["kvm", "-name", "x"], [], {}, [[{"pci": 4}, null, null]]]',
        "[3][0][0]: expected a uuid, of which the device's id is made",
    ),
]


@pytest.mark.parametrize(("data", "message"), REFUSED)
def test_what_is_no_runtime_file_is_refused_with_its_place(data: bytes, message: str) -> None:
    with pytest.raises(GanetiDataError) as caught:
        parse_tree(data)
    assert str(caught.value) == message


@pytest.mark.parametrize("value", [None, True, 5, 0.5, "", "x", [], ["x"], {}, {"a": 1}])
@pytest.mark.parametrize("name", ["boot_type", "disk_discard", "virtio_net_queues", "disk_type", "nic_type"])
@pytest.mark.parametrize("to", VERSIONS)
def test_a_parameter_of_any_type_is_no_bug(value: Any, name: str, to: str) -> None:
    tree = RuntimeTree(command=["kvm", "-name", "x", "-vnc", ":0"], nics=[], hvparams={name: value}, disks=[])
    for result in (upgrade(tree, lambda: "x")[0], downgrade(tree, to, Report())):
        assert parse_tree(format_tree(result)) == result


@pytest.mark.parametrize("bus", [None, 5, ["x"], {"a": 1}])
def test_a_bus_that_is_no_word_is_a_loss_for_all_but_null(bus: Any) -> None:
    hvinfo = {"driver": "d", "id": "i", "bus": bus}
    tree = RuntimeTree(
        command=["kvm", "-name", "x"], nics=[{"uuid": "u", "hvinfo": hvinfo}], hvparams={}, disks=[]
    )
    report = Report()
    assert downgrade(tree, "3.1", report) == tree
    assert [loss.path for loss in report.losses] == ([] if bus is None else ["[1][0].hvinfo.bus"])


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    try:
        parse_tree(data)
    except GanetiDataError:
        return


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(GanetiDataError):
        parse_tree(b"[" * 100_000)


@pytest.mark.parametrize("cut", [1, 7, 100, 1000, 2000])
def test_a_truncated_file_is_refused(cut: int) -> None:
    data = FILES["runtime-hvinfo"].read_bytes()
    with pytest.raises(GanetiDataError, match="not JSON"):
        parse_tree(data.rstrip()[:-cut])


# Upgrade


def test_an_upgrade_says_what_it_changed_and_leaves_the_old_tree_alone() -> None:
    old = tree_of("three-elements-2.7")
    before = format_tree(old)
    tree, changes = upgrade(old, number())
    assert format_tree(old) == before
    assert changes == (
        Change("[1][0].uuid", "new-0 is new: the NIC had none"),
        Change("[1][0].hvinfo", "empty: the device was never placed"),
        Change("[1][1].hvinfo", "empty: the device was never placed"),
        Change("[3]", "an empty list; the disks stand in the command"),
        Change("[0][25]", "-localtime became -rtc base=localtime"),
    )
    assert tree.disks == []
    assert tree.nics[0]["uuid"] == "new-0"


def test_unknown_keys_stay() -> None:
    tree = tree_of("runtime-pci-2.10")
    tree.nics[0]["new"] = {"a": [1.5, None]}
    tree.hvparams["boot_type"] = "uefi"
    upgraded = up(tree)
    assert upgraded.nics[0]["new"] == {"a": [1.5, None]}
    assert upgraded.hvparams["boot_type"] == "uefi"


def test_the_order_of_the_keys_of_an_upgraded_slot_is_that_of_the_option() -> None:
    disk = up(tree_of("runtime-pci-2.10")).disks
    assert disk is not None
    assert list(disk[0][0]["hvinfo"].items()) == [
        ("driver", "virtio-blk-pci"),
        ("id", "hotdisk-b37f2306-pci-4"),
        ("addr", "0x4"),
        ("bus", "pci.0"),
    ]


BESIDE_VNC = [
    (["-chroot", "/c"], "default", ["-chroot", "/c"], "default"),
    (["-vnc", ":1", "-chroot", "/c"], "default", ["-vnc", ":1"], "ignore"),
    (["-chroot", "/c", "-vnc", ":1"], "unmap", ["-vnc", ":1"], "unmap"),
    (["-vnc", ":1", "-chroot"], "ignore", ["-vnc", ":1"], "ignore"),
]


@pytest.mark.parametrize(("words", "discard", "after", "discard_after"), BESIDE_VNC)
def test_the_fixes_of_3_1_are_made_beside_vnc_only(
    words: list[str], discard: str, after: list[str], discard_after: str
) -> None:
    upgraded = up(made(words, hvparams={"disk_discard": discard}))
    assert upgraded.command[3:] == after
    assert upgraded.hvparams == {"disk_discard": discard_after}


@pytest.mark.parametrize("words", [["-balloon"], ["-balloon", 5], ["-vnc"], ["-vnc", 1.5]])
def test_a_command_that_breaks_off_is_refused(words: list[Any]) -> None:
    with pytest.raises(GanetiDataError, match=r"^\[0\]\[4\]: expected a text after -(balloon|vnc), found"):
        up(made(words))


def test_a_slot_needs_the_type_of_the_devices() -> None:
    with pytest.raises(GanetiDataError) as caught:
        up(made(nics=[{"uuid": UUID, "pci": 4}]))
    assert str(caught.value) == "[2].nic_type: expected a text, found None"


@pytest.mark.parametrize("name", sorted(FILES))
def test_an_upgraded_file_stays_as_it_is(name: str) -> None:
    once = up(tree_of(name))
    twice, changes = upgrade(once, number())
    assert (twice, changes) == (once, ())


_OPTIONS = st.sampled_from(
    [
        ["-localtime"],
        ["-balloon", "virtio,a=b"],
        ["-vnc", ":1,tls,x509=/a"],
        ["-chroot", "/c"],
        ["-usb"],
        ["-m", 8],
    ]
)
_DEVICES = st.lists(
    st.fixed_dictionaries(
        {"mac": st.just("aa:00:00:00:00:01")},
        optional={"uuid": st.just(UUID), "hvinfo": st.just({}), "name": st.text(max_size=3)},
    )
    | st.fixed_dictionaries({"uuid": st.just(UUID), "pci": st.integers(0, 31)}),
    max_size=3,
)
_TREES = st.builds(
    lambda options, nics, disks, discard: made(
        [word for option in options for word in option],
        nics=nics,
        disks=None if disks is None else [(disk, None, None) for disk in disks],
        hvparams={"disk_type": "paravirtual", "nic_type": "paravirtual", "disk_discard": discard},
    ),
    st.lists(_OPTIONS, unique_by=lambda option: option[0]),
    _DEVICES,
    st.none() | _DEVICES,
    st.sampled_from(["default", "ignore", "unmap"]),
)


@given(_TREES)
def test_an_upgrade_is_idempotent(tree: RuntimeTree) -> None:
    once = up(parse_tree(format_tree(tree)))
    assert upgrade(once, number()) == (once, ())


# Downgrade


def losses(tree: RuntimeTree, to: str) -> tuple[RuntimeTree, list[tuple[str, Any]]]:
    report = Report()
    made = downgrade(tree, to, report)
    return made, [(loss.path, loss.value) for loss in report.losses]


def test_slots_and_their_ids_to_2_15() -> None:
    tree, lost = losses(tree_of("runtime-hvinfo"), "2.15")
    assert [nic["pci"] for nic in tree.nics] == [13, 16]
    assert [entry[0]["pci"] for entry in tree.disks or ()] == [14, 12]
    assert not any("hvinfo" in device for device in (*tree.nics, *(entry[0] for entry in tree.disks or ())))
    assert [path for path, _value in lost] == [
        "[1][0].hvinfo.id",
        "[1][1].hvinfo.id",
        "[3][0][0].hvinfo.id",
        "[3][1][0].hvinfo.id",
    ]


def test_scsi_has_no_place_before_2_16() -> None:
    tree, lost = losses(tree_of("runtime-scsi"), "2.15")
    assert tree.hvparams["disk_type"] == "scsi"
    assert [path for path, _value in lost] == [
        "[1][0].hvinfo.id",
        "[3][0][0].hvinfo",
        "[3][1][0].hvinfo",
        "[2].disk_type",
    ]


def test_disks_go_into_the_command_for_2_9() -> None:
    tree, lost = losses(tree_of("runtime-hvinfo"), "2.9")
    link = "/var/run/ganeti/instance-disks/inst1.example.com"
    at = tree.command.index("-drive")
    assert tree.command[at : at + 4] == [
        *("-drive", f"file={link}:0,format=raw,if=virtio"),
        *("-drive", f"file={link}:2,format=raw,if=virtio"),
    ]
    assert tree.disks is None
    assert {"[3][0]", "[3][1]", "[1][0].pci", "[1][1].pci"} <= {path for path, _value in lost}


NODE = "driver=raw,cache.direct=off,cache.no-flush=on,read-only=on,node-name=cdrom1,file.driver"
MEDIA = [
    (
        ["-blockdev", f"{NODE}=file,file.filename=/a.iso", "-device", "ide-cd,drive=cdrom1"],
        ["-drive", "file=/a.iso,media=cdrom,format=raw,if=ide"],
    ),
    (
        [
            "-blockdev",
            f"{NODE}=http,file.url=http://h/a",
            "-device",
            "virtio-blk-pci,drive=cdrom1,bootindex=1",
        ],
        ["-boot", "d", "-drive", "file=http://h/a,media=cdrom,if=ide"],
    ),
    (
        [
            *("-blockdev", "driver=raw,node-name=floppy1,file.driver=file,file.filename=/f"),
            *("-device", "floppy,drive=floppy1,bootindex=1"),
        ],
        ["-boot", "a", "-drive", "file=/f,format=raw,media=disk,boot=on,if=floppy"],
    ),
    (["-blockdev", "driver=null-co,node-name=x"], None),
    (["-blockdev", f"{NODE}=file,file.filename=/a", "-device", "nvme,drive=cdrom1"], None),
    (["-blockdev", f"{NODE}=file,file.filename=/a", "-device", "ide-cd,drive=other"], None),
]


@pytest.mark.parametrize(("words", "drive"), MEDIA)
def test_drives_of_3_1_become_those_of_3_0(words: list[str], drive: list[str] | None) -> None:
    tree, lost = losses(made([*words, "-usb"]), "3.0")
    assert tree.command[3:] == [*(words if drive is None else drive), "-usb"]
    assert [path for path, _value in lost] == ["[0][3]"]
    assert losses(made(words), "3.1") == (made(words), [])


PARAMS = [
    ("disk_aio", "io_uring", "3.0", "threads"),
    ("disk_aio", "native", "2.9", "native"),
    ("virtio_net_queues", "auto", "3.1", 1),
    ("disk_discard", "unmap", "2.15", "unmap"),
    ("kvm_pci_reservations", 5, "2.15", 5),
    ("user_shutdown", True, "2.9", True),
]


@pytest.mark.parametrize(("name", "value", "to", "after"), PARAMS)
def test_a_newer_parameter_is_reported(name: str, value: Any, to: str, after: Any) -> None:
    tree, lost = losses(made(hvparams={name: value}), to)
    assert (tree.hvparams, lost) == ({name: after}, [(f"[2].{name}", value)])


def test_the_network_boots_and_chroot_stays_by_the_command() -> None:
    hvparams = {"boot_order": "network", "kernel_path": "", "use_chroot": True}
    words = ["-daemonize", "-machine", "pc", "-S", "-display", "none"]
    chroot = ["-chroot", "/var/run/ganeti/kvm-hypervisor/chroot/x"]
    tree, lost = losses(made(words, hvparams=hvparams), "3.0")
    assert tree.command[3:] == [*words[:4], "-boot", "n", *words[4:], *chroot]
    assert losses(made(words, hvparams=hvparams), "3.1")[0].command[7:9] == ["-boot", "order=n"]
    assert lost == []


def test_the_name_and_the_buses_of_newer_versions_are_reported() -> None:
    hvinfo = {"driver": "virtio-net-pci", "id": "nic-1", "bus": "rp12", "addr": "0x0"}
    newest = made(nics=[{"uuid": UUID, "hvinfo": hvinfo}], hvparams={"nic_type": "paravirtual"})
    newest.command[2] = "x,debug-threads=on"
    tree, lost = losses(newest, "3.1")
    assert lost == [("[0][2]", "debug-threads=on"), ("[1][0].hvinfo.bus", "rp12")]
    assert tree.nics == newest.nics
    assert [path for path, _value in losses(newest, "2.15")[1]] == ["[0][2]", "[1][0].hvinfo"]


@pytest.mark.parametrize("bad", ["0x3.1", "0x20", None])
def test_a_place_that_is_no_slot_is_reported(bad: str | None) -> None:
    hvinfo = {"driver": "virtio-net-pci", "id": "nic-1", "bus": "pci.0", "addr": bad}
    tree = made(nics=[{"uuid": UUID, "hvinfo": hvinfo}], hvparams={"nic_type": "paravirtual"})
    assert [path for path, _value in losses(tree, "2.15")[1]] == ["[1][0].hvinfo"]


def test_a_slot_without_uuid_is_reported() -> None:
    hvinfo = {"driver": "virtio-net-pci", "id": "nic-1", "bus": "pci.0", "addr": "0x3"}
    lost = losses(made(nics=[{"hvinfo": hvinfo}], hvparams={"nic_type": "paravirtual"}), "2.15")[1]
    assert [path for path, _value in lost] == ["[1][0].hvinfo"]


def test_an_unknown_version() -> None:
    with pytest.raises(UsageError):
        downgrade(made(), "1.0", Report())


def flat(value: Any, at: str = "") -> dict[str, Any]:
    """Give every leaf by its path, in the spelling of losses; a command is one leaf."""
    if isinstance(value, dict) and value:
        return {k: v for key, each in value.items() for k, v in flat(each, f"{at}.{key}").items()}
    if isinstance(value, list) and value and at != "[0]":
        return {k: v for i, each in enumerate(value) for k, v in flat(each, f"{at}[{i}]").items()}
    return {at: value}


@pytest.mark.parametrize("to", sorted(VERSIONS))
@pytest.mark.parametrize("name", sorted(FILES))
def test_what_was_not_reported_comes_back(name: str, to: str) -> None:
    """A downgrade and then an upgrade: every value that differs stands under a reported path."""
    before = up(tree_of(name))
    report = Report()
    after = up(downgrade(before, to, report))
    told = tuple(loss.path for loss in report.losses)
    ours, theirs = (flat(json.loads(format_tree(tree))) for tree in (before, after))
    changed = {at for at in ours if ours[at] != theirs.get(at, object)}
    unreported = {at for at in changed if not any(_covers(path, at) for path in told)}
    assert unreported == set()


def _covers(path: str, at: str) -> bool:
    return (
        at.startswith((path, path.replace(".pci", ".hvinfo")))
        or (at == "[0]" and path.startswith("[0]"))
        or (
            # a disk in the command is reported once, as a whole; the command then names it
            at == "[0]" and path.startswith("[3]")
        )
    )


# Write, then read


@given(instances(known_devices=True))
def test_what_is_written_is_read_again(instance: Any) -> None:
    placed, report = place(instance), Report()
    data = format_tree(export_runtime(placed, report, version=3010000))
    found = read_runtime(data, Report())
    assert found.hvparams == placed.hvparams
    assert found.nics == placed.nics
    told = [msgspec.structs.replace(disk, device=None, minor=None) for disk in placed.disks]
    for mine, theirs in zip(told, found.disks, strict=True):
        link = theirs.link if mine.link is None else mine.link
        uri = theirs.uri if mine.uri is None else mine.uri
        assert msgspec.structs.replace(mine, link=link, uri=uri) == theirs


@pytest.mark.parametrize("name", sorted(FILES))
def test_show_reads_every_form(name: str) -> None:
    shown = show(tree_of(name))
    assert shown.name == "inst1.example.com"
    assert shown.memory == 1024
    assert len(shown.nics) == len(tree_of(name).nics)
    assert len(shown.disks) == len(tree_of(name).disks or ())
    assert bool(shown.drives) == (tree_of(name).disks is None)


def test_commands_of_3_1_and_3_2_differ_from_3_0() -> None:
    hvparams = HvParams(
        kernel_path="",
        machine_version="pc-i440fx-7.2",
        boot_order="cdrom",
        cdrom_image_path="/a.iso",
        cdrom_disk_type="scsi-cd",
        kvm_extra="-smbios 'a b'",
        soundhw="hda",
        use_chroot=True,
    )
    instance = Instance(name="x", uuid=UUID, hvparams=hvparams)
    oldest, middle, newest = (build_command(instance, Report(), v) for v in (3000000, 3010000, 3020000))
    assert oldest[-3:] == ["-smbios", "'a", "b'"]
    assert middle[-2:] == newest[-2:] == ["-smbios", "a b"]
    assert (oldest[2], middle[2], newest[2]) == ("x", "x", "x,debug-threads=on")
    for command, words in (
        (oldest, "-drive"),
        (middle, "order=d"),
        (newest, "scsi-cd,drive=cdrom1,bootindex=1"),
    ):
        assert words in command
    assert "lsi,id=scsi" in middle
    assert "lsi,id=scsi" not in oldest


def test_what_a_command_loses_is_told_without_passwords() -> None:
    hvparams = HvParams(
        kernel_path="",
        machine_version="pc-i440fx-7.2",
        cdrom_image_path="https://u:geheim@h/a.iso",
        cdrom_disk_type="scsi-hd",
        kvm_extra="-object secret,id=s,data=geheim '",
    )
    report = Report()
    build_command(Instance(name="x", uuid=UUID, hvparams=hvparams), report, 3010000)
    assert [(loss.path, loss.value) for loss in report.losses] == [
        ("[0] cdrom1", "https://u@h/a.iso"),
        ("[0] kvm_extra", "-object secret,id=s,data=..."),
    ]


def test_a_command_asks_a_qemu_of_ubuntu_for_what_it_has() -> None:
    hvparams = HvParams(kernel_path="", machine_version="pc-i440fx-noble", soundhw="hda")
    words = build_command(Instance(name="x", uuid=UUID, hvparams=hvparams), Report(), 3010000)
    assert "driver=none,model=hda,id=soundhw" in words


BALLOON, SCSI = ["-device", "virtio-balloon"], ["-device", "lsi,id=scsi"]
ORDERS: list[tuple[list[str], bool]] = [
    ([*BALLOON, *SCSI], True),
    ([*SCSI, *BALLOON], False),
    (BALLOON, False),
    (["-device", "virtio-balloon-pci,bus=pcie.0,addr=0x2.0", *SCSI], False),
    ([], False),
]


@pytest.mark.parametrize(("words", "expected"), ORDERS)
def test_a_command_tells_whether_the_balloon_comes_first(words: list[str], expected: bool) -> None:
    command = ["-m", "128", "-smp", "1", "-uuid", UUID, "-machine", "pc", *words]
    data = format_tree(made(command, hvparams={"disk_type": "scsi-hd"}))
    runtime = read_runtime(data, Report())
    assert runtime_instance(runtime, Report()).balloon_first is expected
    assert with_runtime(Instance(name="x", uuid=UUID), runtime).balloon_first is expected
    again = build_command(runtime_instance(runtime, Report()), Report())
    assert (again.index("lsi,id=scsi") > again.index("virtio-balloon")) is expected


def test_the_command_of_a_q35_has_its_root_ports_and_its_functions() -> None:
    hvparams = HvParams(
        kernel_path="",
        machine_version="pc-q35-7.2",
        disk_type="scsi-hd",
        usb_mouse="mouse",
        soundhw="ac97",
        cdrom2_image_path="/a.iso",
        spice_bind="127.0.0.1",
        use_guest_agent=True,
    )
    one = Instance(name="x", uuid=UUID, hvparams=hvparams, network_port=11000)
    words = build_command(one, Report(), 3020000)
    ports = [str(word) for word in words if str(word).startswith("pcie-root-port")]
    assert len(ports) == 24
    assert ports[0] == "pcie-root-port,id=rp3,bus=pcie.0,addr=0x3,chassis=3,port=3"
    for word in (
        "virtio-balloon-pci,bus=pcie.0,addr=0x2.0,multifunction=on",
        "lsi,id=scsi,bus=pcie.0,addr=0x2.1",
        "qemu-xhci,id=usb,bus=pcie.0,addr=0x2.2",
        "usb-mouse,bus=usb.0",
        "virtio-serial-pci,id=spice,bus=pcie.0,addr=0x2.3",
        "virtio-serial,id=qga0,bus=pcie.0,addr=0x2.4",
        "AC97,id=soundhw,audiodev=soundhw-dev,bus=pcie.0,addr=0x2.5",
        "ide-cd,bus=ide.1,drive=cdrom2",
    ):
        assert word in words
    assert "-usb" not in words
    hda = msgspec.structs.replace(one, hvparams=msgspec.structs.replace(hvparams, soundhw="hda"))
    assert "hda-duplex,bus=soundhw.0,audiodev=soundhw-dev" in build_command(hda, Report(), 3020000)
    assert "-usb" in build_command(one, Report(), 3010000)


def test_a_nic_behind_a_root_port_keeps_its_number() -> None:
    given = {"driver": "virtio-net-pci", "id": "nic-1", "bus": "rp4", "addr": "0x0", "acpi-index": 2}
    nic = {"mac": "aa:00:00:00:00:01", "uuid": UUID, "hvinfo": given}
    command = ["-m", "128", "-smp", "1", "-uuid", UUID, "-machine", "q35"]
    runtime = read_runtime(format_tree(made(command, nics=[nic])), Report())
    exported = export_runtime(runtime_instance(runtime, Report(), 3020000), Report())
    assert exported.nics[0]["hvinfo"] == given


def test_what_a_command_cannot_know_is_reported() -> None:
    hvparams = HvParams(
        acpi=False,
        soundhw="hda",
        kvm_extra="'",
        cdrom_image_path="/a",
        cdrom_disk_type="ide",
        floppy_image_path="/f",
    )
    more = HvParams(vnc_bind_address="0.0.0.0", cdrom_image_path="/a", cdrom_disk_type="scsi-hd")
    for instance, version, paths in (
        (
            Instance(name="x", uuid="", hvparams=hvparams),
            None,
            {"-no-acpi", "-machine", "-soundhw", "-uuid", "kvm_extra"},
        ),
        (Instance(name="x", uuid=UUID, hvparams=more), None, {"-machine", "-vnc", "cdrom1"}),
        (
            Instance(name="x", uuid=UUID, hvparams=HvParams(spice_bind="::1")),
            2150000,
            {"", "-machine", "-spice"},
        ),
    ):
        report = Report()
        build_command(instance, report, version)
        assert {loss.path.removeprefix("[0]").strip() for loss in report.losses} == paths
