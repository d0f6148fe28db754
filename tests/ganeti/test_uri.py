"""No password and no key of a URI is kept or shown; the rest of it is."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtxlate.ganeti.model import Disk
from virtxlate.ganeti.uri import conceal, holds_secret, is_secret_key, without_password

STRIPPED = [
    ("iscsi://vm1%geheim@h:3260/iqn.x:y/1", "iscsi://vm1@h:3260/iqn.x:y/1"),
    ("iscsi://vm1:geheim@h/iqn.x/1", "iscsi://vm1@h/iqn.x/1"),
    ("iscsi://vm1%ge/he@im@[2001:db8::1]:3260/iqn.x/1", "iscsi://vm1@[2001:db8::1]:3260/iqn.x/1"),
    ("iscsi://h/iqn.x/1?target_user=a&target_password=geheim", "iscsi://h/iqn.x/1?target_user=a"),
    ("iscsi://h/iqn.x/1?password=geheim&a=b", "iscsi://h/iqn.x/1?a=b"),
    ("rbd:p/i:id=a:key=geh+/eim==", "rbd:p/i:id=a"),
    (r"rbd:p/i:key=geh\:eim:conf=/etc/ceph/x.conf", "rbd:p/i:conf=/etc/ceph/x.conf"),
    ("gluster://u:geheim@h/v/p@q", "gluster://u@h/v/p@q"),
    ('json:{"driver": "iscsi", "password": "geheim"}', "json:"),
]
KEPT = [
    None,
    "iscsi://vm1@h:3260/iqn.x:y/1",
    "iscsi://vm1@[2001:db8::1]:3260/iqn.x:y/1",
    "rbd:p/i:id=a:conf=/etc/x",
    "gluster://[2001:db8::1]:24007/v/a@b",
    "gluster+tcp://h:24007/v/a@b",
    "/var/run/ganeti/instance-disks/web1:0",
    'json:{"driver": "file"}',
]
SHOWN = [
    ("add:path=iscsi://u%geh,eim@h/iqn/1,size=1G", "add:path=iscsi://u@h/iqn/1,size=1G"),
    (r"add:path=iscsi://u%geh\,eim@h/iqn/1,name=a@b", "add:path=iscsi://u@h/iqn/1,name=a@b"),
    ("add:path=/x,password=geh,eim=x", "add:path=/x,password=..."),
    ("add:key=geheim", "add:key=..."),
    ("path=rbd:p/i:id=a:key=geheim==", "path=rbd:p/i:id=a:key=..."),
    ("file=iscsi://u:geheim@h/iqn/1,if=virtio", "file=iscsi://u@h/iqn/1,if=virtio"),
    ('path=json:{"password": "geheim"}', 'path=json:{"password":...'),
    ("-object secret,id=s,data=geheim", "-object secret,id=s,data=..."),
    ('{"qom-type":"secret","data":"geheim"}', '{"qom-type":"secret","data":...'),
]
UNCHANGED = [
    "add:path=/srv/a.img,name=a@b",
    "key:remove",
    "path=gluster://h:1/v/a@b,name=x@y",
    "0:mac=generate",
]
WITH_SECRET = [
    "secret,id=s,data=geheim",
    "qom-type=secret,id=s,data=geheim",
    "id=s,data=geheim,qom-type=secret",
    '{"qom-type": "secret", "id": "s", "data": "geheim"}',
    "port=5901,password=geheim",
    "file.password=geheim,encrypt.key-secret=s",
    "file=http://u:geheim@h/x.iso,if=virtio",
    "driver=http,password-secret=s,url=http://u:geheim@h/x",
    "file=rbd:p/i:id=a:key=geheim==:mon_host=h",
    '{"driver": "ssh", "password": "geheim"}',
]
WITHOUT_SECRET = [
    "-object",
    "secret,id=s,file=/etc/s",
    "file=http://h:80/x,password-secret=s",
    '{"driver": "luks", "key-secret": "s", "file": "x"}',
    "file=ssh://u@h/x",
    "file=rbd:p/i@snap",
    "socket,path=/data,id=secret0",
    "name=opt/x,string=data=1",
    "guest=secret",
]


@pytest.mark.parametrize(("uri", "told"), STRIPPED)
def test_a_secret_does_not_stay_in_a_uri_nor_in_a_disk(uri: str, told: str) -> None:
    assert without_password(uri) == told
    assert Disk(template="ext", uri=uri) == Disk(template="ext", uri=told)
    assert msgspec.structs.replace(Disk(template="ext"), uri=uri, link=uri) == Disk(
        template="ext", uri=told, link=told
    )
    assert msgspec.convert({"template": "ext", "uri": uri}, Disk).uri == told


@pytest.mark.parametrize("uri", KEPT)
def test_a_uri_without_secret_stays_as_it_is(uri: str | None) -> None:
    assert without_password(uri) == uri


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.sampled_from("%:"))
def test_whatever_the_password_is_only_user_and_host_are_left(password: str, mark: str) -> None:
    assert without_password(f"iscsi://user{mark}{password}@host/iqn.x/1") == "iscsi://user@host/iqn.x/1"


@pytest.mark.parametrize(("text", "shown"), SHOWN)
def test_a_text_is_shown_without_its_secrets(text: str, shown: str) -> None:
    assert conceal(text) == shown


@pytest.mark.parametrize("text", UNCHANGED)
def test_a_text_without_secret_is_shown_as_it_is(text: str) -> None:
    assert conceal(text) == text


def test_keys_of_secrets_are_known() -> None:
    assert [is_secret_key(key) for key in ("password", "PassWd", "key", "chap-secret", "keys", "name")] == [
        *[True] * 4,
        False,
        False,
    ]


def test_a_word_for_qemu_holds_a_secret_or_only_its_name() -> None:
    assert [word for word in WITH_SECRET if not holds_secret(word)] == []
    assert [word for word in WITHOUT_SECRET if holds_secret(word)] == []
