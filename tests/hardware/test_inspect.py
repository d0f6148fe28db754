"""What QEMUs that were recorded say about themselves, whole; and answers of another shape."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.hardware.recorded import replayed
from virtxlate.errors import InputError, LiveError
from virtxlate.hardware.describe import Ask, describe
from virtxlate.hardware.facts import Busy, Display, Facts, Medium, Net
from virtxlate.hardware.inspect import inspect, is_migrating, without_secret

STORAGE = "/srv/ganeti/file-storage"
DISK = f"{STORAGE}/inst1.example.com"
NOTHING: dict[str, bool] = {}


def medium(path: str, size: int, **more: Any) -> Medium:
    return Medium(driver="file", filename=path, size=size, **more)


def without_node_names(facts: Facts) -> Facts:
    """Names that QEMU counts differ from run to run."""
    drives = {name: drive for name, drive in facts.drives.items() if not name.startswith("#")}
    return msgspec.structs.replace(facts, drives=drives, cpu_features=NOTHING)


def test_a_qemu_of_3_0_tells_its_media_networks_and_displays() -> None:
    ask = replayed("scsi-3.0")
    chardevs = {
        "parallel0": "vc",
        "serial0": f"disconnected:unix:{STORAGE}/kvm-hypervisor/ctrl/inst1.example.com.serial,server=on",
        "lab": "unix:",
        "compat_monitor0": "disconnected:unix:"
        f"{STORAGE}/kvm-hypervisor/ctrl/inst1.example.com.monitor,server=on",
        "qga0": f"disconnected:unix:{STORAGE}/kvm-hypervisor/ctrl/inst1.example.com.qga,server=on",
    }
    changed = medium(f"{STORAGE}/cdrom2.iso", 1 << 20, read_only=True)
    assert without_node_names(inspect(ask)) == Facts(
        name="inst1.example.com",
        machine=describe(ask),
        status="prelaunch",
        version=(7, 2, 22),
        kvm=False,
        drives={
            "ide0-cd0": changed,
            "ide0-cd1": changed,
            "floppy0": None,
            "disk-00000000-d15c-4000": medium(f"{DISK}/disk0", 16 << 20),
            "disk-00000001-d15c-4000": medium(f"{DISK}/disk1", 16 << 20),
            "sd0": None,
        },
        nets={
            "nic-00000000-0000-4000": Net(type="tap", fds=(6,)),
            "nic-00000001-0000-4000": Net(type="tap", fds=(7,)),
        },
        displays=(Display(type="vnc", host="127.0.0.1", port=11000),),
        chardevs=chardevs,
        balloon=128 << 20,
        cpu_model="Nehalem",
    )


def test_the_switches_of_a_cpu_are_those_in_force() -> None:
    features = inspect(replayed("scsi-3.0")).cpu_features
    assert {name: features[name] for name in ("sse4.2", "sse4.1", "pcid", "lm")} == {
        "sse4.2": False,
        "sse4.1": True,
        "pcid": False,
        "lm": True,
    }


def test_a_qemu_of_3_2_tells_a_disk_that_was_plugged_in() -> None:
    facts = inspect(replayed("plugged-3.2"))
    assert facts.drives["disk-0000000f-d15c-4000"] == medium(f"{STORAGE}/plugged", 32 << 20)
    assert facts.drives["disk-00000000-d15c-4000"] == medium(f"{DISK}/disk0", 16 << 20, direct=True)
    assert facts.displays == (Display(type="spice", host="127.0.0.1", port=11000),)


def with_answers(ask: Ask, **answers: Any) -> Ask:
    """The same QEMU with other answers to some commands; an exception is raised."""

    def asked(command: str, /, **arguments: Any) -> Any:
        told = answers.get(command.replace("-", "_"), ask)
        if isinstance(told, Exception):
            raise told
        return ask(command, **arguments) if told is ask else told

    return asked


def test_what_qemu_is_busy_with_is_told() -> None:
    ask = with_answers(
        replayed("plugged-3.2"),
        query_migrate={"status": "active", "blocked-reasons": ["VFIO"]},
        query_block_jobs=[{"device": "disk-0", "type": "mirror", "status": "running", "len": 1}],
        query_jobs=[
            {"id": "disk-0", "type": "mirror", "status": "running", "current-progress": 0},
            {"id": "image", "type": "create", "status": "running", "current-progress": 0},
            {"id": "before", "type": "snapshot-save", "status": "concluded", "current-progress": 1},
        ],
        query_balloon=LiveError("no balloon", call="query-balloon"),
        query_vnc=LiveError("built without", call="query-vnc"),
    )
    facts = inspect(ask)
    expected = Busy(
        migration="active", blockers=("VFIO",), jobs=("mirror of disk-0: running", "create image: running")
    )
    assert (facts.busy, facts.balloon, is_migrating(facts)) == (expected, None, True)


def test_limits_of_a_drive_are_told() -> None:
    ask = replayed("plugged-3.2")
    blocks = [
        {**each, "inserted": {**each["inserted"], "iops": 100, "bps_rd": 1 << 20}}
        if "disk-0000000f" in each.get("qdev", "")
        else each
        for each in ask("query-block")
    ]
    drives = inspect(with_answers(ask, query_block=blocks)).drives
    assert {name: drive.limits for name, drive in drives.items() if drive and drive.limits} == {
        "disk-0000000f-d15c-4000": "bps_rd=1048576 iops=100"
    }


def test_a_vnc_socket_is_told_and_a_client_counted() -> None:
    told = {"enabled": True, "family": "unix", "service": "/run/x.vnc", "host": "", "clients": [{}]}
    facts = inspect(with_answers(replayed("plugged-3.2"), query_vnc={**told, "auth": "vnc"}))
    assert facts.displays[0] == Display(type="vnc", socket="/run/x.vnc", auth="vnc", clients=1)


def test_an_answer_of_another_shape_names_the_question() -> None:
    with pytest.raises(InputError, match=r"^query-kvm: "):
        inspect(with_answers(replayed("plugged-3.2"), query_kvm={"on": True}))


@pytest.mark.parametrize(
    ("told", "plain"),
    [
        ("iscsi://user:s3cret@host/iqn.x/0", "iscsi://user@host/iqn.x/0"),
        ("rbd:pool/image:id=admin:key=AQ==", "rbd:pool/image:id=admin"),
        ("/dev/xenvg/disk0", "/dev/xenvg/disk0"),
    ],
)
def test_no_password_of_an_image_is_kept(told: str, plain: str) -> None:
    assert without_secret(told) == plain
