"""What a disk opens: every template and access, there and back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.translate.building import back, disk, instance, losses_there, paths_lost_back, refusal, there
from virtxlate import Context, GanetiDataError, Renames, UnsupportedError
from virtxlate.domain import model as domain
from virtxlate.domain.model import DiskSource, SourceAuth, SourceHost
from virtxlate.ganeti.model import Disk, Instance

SECRET = "11111111-2222-4333-8444-555555555555"
MAP = Context(metadata=False, renames=Renames({"secrets": {"ceph-user": SECRET}}))
LINK = "/var/run/ganeti/instance-disks/web1.example.com:0"
GLUSTER = {"host": "g1", "port": 24007, "volume": "gv0"}
KERNEL, USER = {"access": "kernelspace"}, {"access": "userspace"}
DRBD = ("node1", "node2", 11000, 3, 4, None)
CEPH = SourceAuth(username="ceph-user", secret_type="ceph", secret_uuid=SECRET)


def one(template: str, logical_id: tuple[Any, ...] = (), params: Any = None, **fields: Any) -> Disk:
    return disk(template=template, logical_id=logical_id, params=params or {}, **fields)


def gluster_source(host: str, port: int, name: str) -> DiskSource:
    return DiskSource(protocol="gluster", name=name, hosts=(SourceHost(name=host, port=port),))


# (disk, type and source there, template and logical_id as they come back)
SOURCES: list[tuple[Disk, str, DiskSource, str, tuple[Any, ...]]] = [
    (
        one("plain", ("xenvg", "u.disk0")),
        "block",
        DiskSource(dev="/dev/xenvg/u.disk0"),
        "plain",
        ("xenvg", "u.disk0"),
    ),
    (one("drbd", DRBD, minor=3), "block", DiskSource(dev="/dev/drbd3"), "drbd", ()),
    (one("drbd", device="/dev/drbd7"), "block", DiskSource(dev="/dev/drbd7"), "drbd", ()),
    (one("file", ("loop", "/srv/a")), "file", DiskSource(file="/srv/a"), "file", ("loop", "/srv/a")),
    (one("sharedfile", ("loop", "/srv/a")), "file", DiskSource(file="/srv/a"), "file", ("loop", "/srv/a")),
    (
        one("blockdev", ("manual", "/dev/disk/by-id/x")),
        "block",
        DiskSource(dev="/dev/disk/by-id/x"),
        "blockdev",
        ("manual", "/dev/disk/by-id/x"),
    ),
    (
        one("blockdev", ("manual", "/dev/mapper/x")),
        "block",
        DiskSource(dev="/dev/mapper/x"),
        "blockdev",
        ("manual", "/dev/mapper/x"),
    ),
    (
        one("rbd", ("rbd", "img"), {"pool": "p", **KERNEL}),
        "block",
        DiskSource(dev="/dev/rbd/p/img"),
        "rbd",
        ("rbd", "img"),
    ),
    (
        one("rbd", ("rbd", "img"), KERNEL, device="/dev/rbd0"),
        "block",
        DiskSource(dev="/dev/rbd0"),
        "blockdev",
        ("manual", "/dev/rbd0"),
    ),
    (
        one("rbd", ("rbd", "img"), {"pool": "p", **USER}),
        "network",
        DiskSource(protocol="rbd", name="p/img"),
        "rbd",
        ("rbd", "img"),
    ),
    (
        one("rbd", ("rbd", "img"), {"pool": "p", "user-id": "ceph-user", **USER}),
        "network",
        DiskSource(protocol="rbd", name="p/img", auth=CEPH),
        "rbd",
        ("rbd", "img"),
    ),
    (
        one("gluster", ("loop", "ganeti/u.0"), {**GLUSTER, **KERNEL}),
        "file",
        DiskSource(file="/var/run/ganeti/gluster/ganeti/u.0"),
        "file",
        ("loop", "/var/run/ganeti/gluster/ganeti/u.0"),
    ),
    (
        one("gluster", ("loop", "ganeti/u.0"), {**GLUSTER, **USER}),
        "network",
        gluster_source("g1", 24007, "gv0/ganeti/u.0"),
        "gluster",
        ("loop", "ganeti/u.0"),
    ),
    (
        one("ext", ("provider", "x"), device="/dev/sdx"),
        "block",
        DiskSource(dev="/dev/sdx"),
        "blockdev",
        ("manual", "/dev/sdx"),
    ),
    (
        one("ext", ("provider", "x"), USER, uri="rbd:my-pool/img.1"),
        "network",
        DiskSource(protocol="rbd", name="my-pool/img.1"),
        "rbd",
        ("rbd", "img.1"),
    ),
    (
        one("ext", ("provider", "x"), USER, uri="rbd:p/img:id=ceph-user"),
        "network",
        DiskSource(protocol="rbd", name="p/img", auth=CEPH),
        "rbd",
        ("rbd", "img"),
    ),
    (
        one("ext", ("provider", "x"), USER, uri="gluster://g1:24007/gv0/d/u.0"),
        "network",
        gluster_source("g1", 24007, "gv0/d/u.0"),
        "gluster",
        ("loop", "d/u.0"),
    ),
    (
        one("gluster", (), USER, uri="gluster://[2001:db8::1]:1/v/p"),
        "network",
        gluster_source("2001:db8::1", 1, "v/p"),
        "gluster",
        ("loop", "p"),
    ),
]
IDS = [f"{case[0].template}-{index}" for index, case in enumerate(SOURCES)]


def holder(only: Disk) -> Instance:
    return msgspec.structs.replace(instance((only,)), storage_dirs={"gluster": "/var/run/ganeti/gluster"})


@pytest.mark.parametrize(("only", "kind", "source"), [case[:3] for case in SOURCES], ids=IDS)
def test_a_source_goes_there(only: Disk, kind: str, source: DiskSource) -> None:
    found = there(holder(only), MAP).devices.disks[0]
    assert (found.type, found.source) == (kind, source)


@pytest.mark.parametrize(
    ("only", "template", "logical_id"), [(case[0], *case[3:]) for case in SOURCES], ids=IDS
)
def test_a_source_comes_back_as_far_as_it_tells(
    only: Disk, template: str, logical_id: tuple[Any, ...]
) -> None:
    found = there(holder(only), MAP)
    again = back(found, MAP).disks[0]
    assert (again.template, again.logical_id) == (template, logical_id)
    unproven = {"disks[0].template", "disks[0].logical_id", "disks[0].params"}
    assert unproven <= paths_lost_back(found, MAP)


PARAMS = [
    (one("rbd", ("rbd", "i"), {"pool": "p", **KERNEL}), {"pool": "p", **KERNEL}),
    (
        one("rbd", ("rbd", "i"), {"pool": "p", "user-id": "ceph-user", **USER}),
        {"pool": "p", "user-id": "ceph-user", **USER},
    ),
    (one("gluster", ("loop", "u"), {**GLUSTER, **USER}), {**GLUSTER, **USER}),
]


@pytest.mark.parametrize(("only", "params"), PARAMS)
def test_the_parameters_that_a_source_is_made_of_come_back(only: Disk, params: dict[str, Any]) -> None:
    assert back(there(holder(only), MAP), MAP).disks[0].params == params


LINKED = [
    (one("drbd", DRBD), LINK),
    (one("ext", ("provider", "x")), LINK),
    (one("plain"), LINK),
    (one("rbd", ("rbd", "i")), LINK),
    (one("plain", link="/var/run/ganeti/instance-disks/other:3"), "/var/run/ganeti/instance-disks/other:3"),
]


@pytest.mark.parametrize(("only", "link"), LINKED)
def test_where_the_data_does_not_tell_the_device_ganeti_s_link_is_used_and_reported(
    only: Disk, link: str
) -> None:
    found = there(instance((only,)))
    assert found.devices.disks[0].source == DiskSource(dev=link)
    assert [(loss.path, loss.reason) for loss in losses_there(instance((only,)))] == [
        ("disks[0].device", "the data does not tell the device; Ganeti's own link to it is used")
    ]
    again = back(found).disks[0]
    assert (again.template, again.link, again.logical_id) == ("blockdev", link, ("manual", link))


def test_a_gluster_file_without_known_directory_is_reached_by_its_link() -> None:
    only = one("gluster", ("loop", "u.0"), {**GLUSTER, **KERNEL})
    found = there(instance((only,)))
    assert found.devices.disks[0].source == DiskSource(file=LINK)
    assert back(found).disks[0].template == "file"


def test_links_may_be_asked_for() -> None:
    context = Context(metadata=False, disk_paths="link")
    found = there(instance((disk(0), disk(1))), context).devices.disks
    assert [each.source and each.source.dev for each in found[:2]] == [LINK, LINK.replace(":0", ":1")]
    assert losses_there(instance((disk(),)), context) == ()


REFUSED = [
    (
        one("ext", ("provider", "x"), USER),
        "disks[0].uri: only a running ext disk has a URI: give the instance's runtime file too",
    ),
    (
        one("rbd", (), USER),
        "disks[0].uri: only a running rbd disk has a URI: give the instance's runtime file too",
    ),
    (
        one("ext", (), USER, uri="nbd://h/x"),
        (
            "disks[0]: expected rbd:POOL/IMAGE, gluster://HOST:PORT/VOLUME/PATH or "
            "iscsi://HOST[:PORT]/IQN/LUN, found 'nbd://h/x'"
        ),
    ),
    (
        one("ext", (), USER, uri="rbd:p/i:conf=/etc/x"),
        (
            "disks[0]: expected rbd:POOL/IMAGE, gluster://HOST:PORT/VOLUME/PATH or "
            "iscsi://HOST[:PORT]/IQN/LUN, found 'rbd:p/i:conf=/etc/x'"
        ),
    ),
    (
        one("rbd", ("rbd", "i"), {"pool": "p", "user-id": "admin", **USER}),
        (
            "disks[0].params.user-id: libvirt wants a secret for Ceph user 'admin': define one and name its "
            'UUID in the map, [secrets] "admin" = "UUID"'
        ),
    ),
]


@pytest.mark.parametrize(("only", "message"), REFUSED)
def test_what_libvirt_cannot_open_is_refused(only: Disk, message: str) -> None:
    assert refusal(instance((only,)), MAP) == message


BAD_DATA = [
    (one("plain", (1, "x")), "disks[0].logical_id: expected two texts, found (1, 'x')"),
    (one("plain", ("vg", "")), "disks[0].logical_id: expected two texts, found ('vg', '')"),
    (one("file", ("loop", None)), "disks[0].logical_id: expected two texts, found ('loop', None)"),
    (one("rbd", ("rbd", "i"), USER), "disks[0].params.pool: expected a text, found None"),
    (one("rbd", ("rbd", "i"), {"pool": "", **USER}), "disks[0].params.pool: expected a text, found ''"),
    (
        one("gluster", ("loop", "u"), {**GLUSTER, **USER, "port": "24007"}),
        "disks[0].params.port: expected a port number, found '24007'",
    ),
    (
        one("gluster", ("loop", "u"), {"host": "h", "port": 1, **USER}),
        "disks[0].params.volume: expected a text, found None",
    ),
]


@pytest.mark.parametrize(("only", "message"), BAD_DATA)
def test_data_that_does_not_fit_its_template_is_refused(only: Disk, message: str) -> None:
    with pytest.raises(GanetiDataError) as caught:
        there(instance((only,)))
    assert str(caught.value) == message


def renamed(**tables: Any) -> Context:
    return Context(metadata=False, renames=Renames(tables))


RENAMED: list[tuple[Disk, Context, DiskSource]] = [
    (disk(), renamed(paths={"/dev/xenvg": "/dev/vg0"}), DiskSource(dev="/dev/vg0/a.disk0")),
    (disk(), renamed(paths={"/dev/xenvg/a.disk0": "/dev/x"}), DiskSource(dev="/dev/x")),
    (disk(), renamed(paths={"/dev/xen": "/dev/vg0"}), DiskSource(dev="/dev/xenvg/a.disk0")),
    (disk(uuid=SECRET), renamed(disks={SECRET: "/dev/sdb"}), DiskSource(dev="/dev/sdb")),
    (
        one("rbd", ("rbd", "i"), {"pool": "p", **KERNEL}),
        renamed(pools={"p": "q"}),
        DiskSource(dev="/dev/rbd/q/i"),
    ),
    (
        one("rbd", ("rbd", "i"), {"pool": "p", **USER}),
        renamed(pools={"p": "q"}),
        DiskSource(protocol="rbd", name="q/i"),
    ),
    (
        one("rbd", ("rbd", "i"), {"pool": "p"}),
        renamed(diskparams={"rbd": USER}),
        DiskSource(protocol="rbd", name="p/i"),
    ),
]


@pytest.mark.parametrize(("only", "context", "source"), RENAMED)
def test_the_map_names_what_is_elsewhere(only: Disk, context: Context, source: DiskSource) -> None:
    assert there(instance((only,)), context).devices.disks[0].source == source


LEADS_BACK = [
    (only, context) for only, context, _source in RENAMED if not context.renames.find("disks", only.uuid)
]


@pytest.mark.parametrize(("only", "context"), LEADS_BACK)
def test_the_map_leads_back(only: Disk, context: Context) -> None:
    again = back(there(instance((only,)), context), context).disks[0]
    assert (again.template, again.logical_id) == (only.template, only.logical_id)


def of_source(kind: str, source: DiskSource | None) -> domain.Domain:
    found = domain.Disk(type=kind, source=source, target="vda", bus="virtio")
    return domain.Domain(
        type="kvm",
        name="a",
        memory=domain.Memory(value=1024),
        os=domain.Os(),
        devices=domain.Devices(disks=(found,)),
    )


REFUSED_BACK = [
    ("file", None, "no disk template opens a source of type 'file'"),
    ("file", DiskSource(dev="/dev/x"), "no disk template opens a source of type 'file'"),
    ("block", DiskSource(file="/srv/x"), "no disk template opens a source of type 'block'"),
    ("network", None, "no disk template opens a source of type 'network'"),
    ("volume", DiskSource(pool="p", volume="v"), "no disk template opens a source of type 'volume'"),
    (
        "network",
        DiskSource(protocol="nbd", name="a/b"),
        "no disk template opens protocol 'nbd' with name 'a/b'",
    ),
    ("network", DiskSource(protocol="rbd", name="a"), "no disk template opens protocol 'rbd' with name 'a'"),
    ("network", DiskSource(protocol="rbd"), "no disk template opens protocol 'rbd' with name ''"),
]


@pytest.mark.parametrize(("kind", "source", "message"), REFUSED_BACK)
def test_a_source_that_no_template_has_is_refused(kind: str, source: DiskSource | None, message: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        back(of_source(kind, source))
    assert str(caught.value) == f"disks[0].logical_id: {message}"


def test_a_foreign_gluster_source_without_host_has_none() -> None:
    found = of_source("network", DiskSource(protocol="gluster", name="v/p"))
    assert back(found).disks[0].params == {**USER, "host": None, "port": None, "volume": "v"}
